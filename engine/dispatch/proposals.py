"""From a plan to questions: which trips must be offered now, and why to these couriers."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence

import numpy as np
from msgspec import Struct

from engine.couriers.courier import Stop, StopKind
from engine.dispatch.asking import Asking, Candidates
from engine.dispatch.offer import Explanation, Offer, Ranked
from engine.dispatch.waiting import NEXT_BEST
from engine.dispatch.waiting_list import group_of
from engine.dispatch.why import reach_s
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OfferId, OrderId, UserId
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.cash import cash_due
from engine.orders.order import Order
from optimizer.problem import Alternative, Plan, Trip
from optimizer.routes import RouteTable


class Proposal(Struct, frozen=True, kw_only=True):
    """A trip that should be offered now, to `others` at the same moment or to those `in_line`."""

    courier_id: CourierId
    others: tuple[CourierId, ...] = ()
    in_line: tuple[CourierId, ...] = ()
    order_ids: tuple[OrderId, ...]
    stops: tuple[Stop, ...]
    explanation: Explanation


def proposals(
    zone: Zone,
    plan: Plan,
    orders: Mapping[OrderId, Order],
    candidates: Candidates,
    *,
    under_way: Container[CourierId] = (),
    now: Instant,
) -> tuple[Proposal, ...]:
    """The first trips of the plan whose couriers must leave within the zone's lead.

    The others may still change; who is under way is asked nothing.
    """
    routes = RouteTable.of(plan.routes)
    soon = np.flatnonzero(routes.leave_s[routes.firsts()] <= zone.parameters.commit_lead_s)
    begin = [
        routes[r] for r in soon.tolist() if CourierId(UserId(routes.vehicles[r])) not in under_way
    ]
    asking = Asking(zone.parameters, candidates, (CourierId(one.vehicle) for one in begin))
    found = []
    for route in begin:
        first, courier_id = route.trips[0], CourierId(route.vehicle)
        ranking = plan.rankings.get(first.jobs[0], ())
        carried = [orders[OrderId(job)] for job in first.jobs]
        found.append(
            Proposal(
                courier_id=courier_id,
                others=asking.others(first, courier_id, ranking),
                in_line=asking.in_line(first, courier_id, ranking),
                order_ids=tuple(one.id for one in carried),
                stops=stops_of(carried, first_shop=first.group),
                explanation=_explanation(zone, ranking, first, carried[0], candidates, now=now),
            )
        )
    return tuple(found)


def offer_of(proposal: Proposal, zone: Zone, offer_id: OfferId, *, now: Instant) -> Offer:
    """The question, not yet put: version 0."""
    return Offer(
        id=offer_id,
        zone_id=zone.id,
        courier_id=proposal.courier_id,
        others=proposal.others,
        in_line=proposal.in_line,
        mode=zone.parameters.offer_mode,
        order_ids=proposal.order_ids,
        stops=proposal.stops,
        made_at=now,
        expires_at=now + zone.parameters.offer_timeout_s * SECOND_MS,
        explanation=proposal.explanation,
    )


def stops_of(orders: Sequence[Order], *, first_shop: str = "") -> tuple[Stop, ...]:
    """The shops, then the doors in the given order.

    `first_shop` is visited first, and the others as what is fetched there is ready: as the plan
    has it.
    """
    fetched: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        fetched[group_of(order.shop.point)].append(order)
    ready_at = {shop: max(one.ready_at for one in there) for shop, there in fetched.items()}
    pickups = (
        Stop(
            kind=StopKind.PICKUP,
            point=fetched[shop][0].shop.point,
            orders=tuple(one.id for one in fetched[shop]),
            ready_at=ready_at[shop],
        )
        for shop in sorted(fetched, key=lambda one: (one != first_shop, ready_at[one], one))
    )
    return (*pickups, *(door_of(one) for one in orders))


def door_of(order: Order) -> Stop:
    """Where it is handed over, and what is collected there."""
    return Stop(
        kind=StopKind.DROPOFF,
        point=order.door.point,
        orders=(order.id,),
        cash_halalas=cash_due(order),
    )


def _explanation(
    zone: Zone,
    ranking: Sequence[Alternative],
    trip: Trip,
    order: Order,
    candidates: Candidates,
    *,
    now: Instant,
) -> Explanation:
    """Why this courier: told of the trip's first order."""
    return Explanation(
        parameters_version=zone.parameters_version,
        candidates=len(candidates[order.id]),
        reach_s=reach_s(order, zone.parameters, now),
        pickup_at=now + trip.pickup_s * SECOND_MS,
        deliveries_at=tuple(now + s * SECOND_MS for s in trip.deliveries_s),
        next_best=tuple(
            Ranked(
                courier_id=CourierId(one.vehicle),
                cost_more=one.extra_cost,
                reason=one.reason.value,
            )
            for one in ranking[:NEXT_BEST]
        ),
    )
