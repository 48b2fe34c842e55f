"""Why orders wait, and why not this courier: told of the couriers nearest to the shop."""

from collections.abc import Container, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from engine.couriers.courier import Courier
from engine.couriers.fixes import Fix
from engine.dispatch.eta import walk
from engine.dispatch.offer import PassedOver, Ranked
from engine.dispatch.roster import Roster
from engine.dispatch.why import Why, reach_s, why_not, why_unavailable
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order
from optimizer.problem import Alternative, Plan
from optimizer.routes import RouteTable

NAMED_MAX: Final = 8
NEXT_BEST: Final = 3
WAITS_MAX: Final = 20


class Reason(Struct, frozen=True, kw_only=True):
    """Why an order waits after a tick; with a courier planned for it, who and when he leaves."""

    why: Why
    courier_id: CourierId | None = None
    leaves_at: Instant | None = None


class Wait(Struct, frozen=True, kw_only=True):
    """Why an order waited at an instant, and what spoke against each of the couriers nearest to it.

    `reach_s` is how far the search for a courier reaches; `passed_over` are all other candidates.
    """

    order_id: OrderId
    at: Instant
    parameters_version: int
    reason: Reason
    reach_s: int
    couriers: tuple[Ranked, ...]
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def against(self) -> tuple[Ranked, ...]:
        """What spoke against everybody."""
        return (*self.couriers, *(one.ranked() for one in self.passed_over))


def why_they_wait(
    zone: Zone,
    orders: Iterable[OrderId],
    plan: Plan | None,
    *,
    why_unplanned: Why,
    gone: Container[CourierId] = (),
    now: Instant,
) -> dict[OrderId, Reason]:
    """Why each of the orders waits; of those that should be offered now, nothing.

    Without a plan all wait for one reason. Who has `gone` ahead to a shop on his way is asked when
    he is there.
    """
    if plan is None:
        return dict.fromkeys(orders, Reason(why=why_unplanned))
    routes, found = RouteTable.of(plan.routes), {}
    trip_of = dict(zip(routes.jobs, routes.trip_of.tolist(), strict=True))
    stay = np.array([one not in gone for one in routes.vehicles], dtype=np.bool_)
    begins = set(routes.firsts()[_is_soon(routes, zone) & stay].tolist())
    for order_id in orders:
        left_out, trip = plan.unassigned.get(order_id), trip_of.get(order_id)
        if left_out:
            found[order_id] = Reason(why=Why(left_out.value))
        elif trip is not None and trip not in begins:
            found[order_id] = _planned(routes, trip, now)
    return found


def _is_soon(routes: RouteTable, zone: Zone) -> NDArray[np.bool_]:
    """Whether the first trip of each route should be offered now."""
    is_soon: NDArray[np.bool_] = routes.leave_s[routes.firsts()] <= zone.parameters.commit_lead_s
    return is_soon


def _planned(routes: RouteTable, trip: int, now: Instant) -> Reason:
    return Reason(
        why=Why.WAITING_IS_BETTER,
        courier_id=CourierId(UserId(routes.vehicles[routes.route_of[trip]])),
        leaves_at=now + int(routes.leave_s[trip]) * SECOND_MS,
    )


def passed_over(
    named: Iterable[Ranked],
    candidates: Iterable[str],
    ranking: Sequence[Alternative],
    *,
    of_candidates: Why,
    but: CourierId | None,
) -> tuple[PassedOver, ...]:
    """What speaks against every candidate but those named already, the plan's next best first."""
    told = {one.courier_id for one in named} | {but}
    ranked = [
        PassedOver(CourierId(UserId(one.vehicle)), one.extra_cost, one.reason.value)
        for one in ranking
    ]
    in_ranking = {one.courier_id for one in ranked}
    unranked = (
        PassedOver(CourierId(UserId(one)), None, of_candidates.value)
        for one in candidates
        if one not in in_ranking
    )
    return tuple(one for one in (*ranked, *unranked) if one.courier_id not in told)


class Surroundings:
    """The couriers on duty around shops, whatever they do."""

    def __init__(self, roster: Roster, parameters: ZoneParameters, now: Instant) -> None:
        self._couriers, self._fixes = roster.couriers, roster.fixes
        self._parameters = parameters
        self._now = now
        self._lat, self._lng = roster.places()

    def why_not(
        self,
        order: Order,
        candidates: AbstractSet[str],
        ranking: Sequence[Alternative],
        *,
        of_candidates: Why,
        elsewhere: AbstractSet[str] = frozenset(),
        but: CourierId | None = None,
        count: int = NAMED_MAX,
    ) -> tuple[Ranked, ...]:
        """What speaks against the plan's `NEXT_BEST`, then against the nearest others.

        `of_candidates` is what is said of a candidate who is not in the ranking, unless he is
        planned `elsewhere`; of who is none it is said why not.
        """
        ranked = {
            CourierId(one.vehicle): Ranked(
                courier_id=CourierId(one.vehicle), cost_more=one.extra_cost, reason=one.reason.value
            )
            for one in ranking
        }
        best = list(ranked.values())[:NEXT_BEST]
        told, others = {one.courier_id for one in best} | {but}, []
        for courier, seen in self._nearest(order.shop.point, count + len(told)):
            if courier.id in told:
                continue
            if courier.id in ranked:
                others.append(ranked[courier.id])
                continue
            if courier.id not in candidates:
                why = self._excluded(order, courier, seen)
            else:
                why = Why.BETTER_ELSEWHERE if courier.id in elsewhere else of_candidates
            others.append(Ranked(courier_id=courier.id, cost_more=None, reason=why.value))
        return (*best, *others)[:count]

    def _excluded(self, order: Order, courier: Courier, seen: Fix | None) -> Why:
        """Why he is no candidate."""
        why = why_unavailable(courier, self._now) or why_not(
            order, courier, self._parameters, self._now
        )
        if why is not None:
            return why
        walked = walk(courier, seen, self._parameters, now=self._now)
        approach_s = travel_times(self._parameters.travel).one_s(
            walked.free_point, order.shop.point, vehicle=courier.vehicle, at=self._now
        )
        is_far = approach_s > reach_s(order, self._parameters, self._now)
        return Why.TOO_FAR if is_far else Why.NOT_AMONG_NEAREST

    def _nearest(self, shop: Point, count: int) -> list[tuple[Courier, Fix | None]]:
        """As the crow flies on a flat earth: good enough to choose whom to speak of."""
        north = self._lat - shop.lat
        east = (self._lng - shop.lng) * np.cos(np.radians(shop.lat))
        away = north * north + east * east
        if count < away.size:
            chosen = np.argpartition(away, count)[:count]
            chosen = chosen[np.argsort(away[chosen], kind="stable")]
        else:
            chosen = np.argsort(away, kind="stable")
        return [(self._couriers[at], self._fixes[at]) for at in chosen.tolist()]
