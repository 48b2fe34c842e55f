"""From a plan to questions: which trips must be offered now, and why to these couriers."""

from collections.abc import Container, Mapping, Sequence

from msgspec import Struct

from engine.couriers.courier import Stop, StopKind
from engine.dispatch.offer import Explanation, Offer, Ranked
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OfferId, OrderId, UserId
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order
from optimizer.problem import Plan, Trip


class Proposal(Struct, frozen=True, kw_only=True):
    """A trip that should be offered now."""

    courier_id: CourierId
    order_ids: tuple[OrderId, ...]
    stops: tuple[Stop, ...]
    explanation: Explanation


def proposals(
    zone: Zone,
    plan: Plan,
    orders: Mapping[OrderId, Order],
    candidate_counts: Mapping[OrderId, int],
    *,
    under_way: Container[CourierId] = (),
    now: Instant,
) -> tuple[Proposal, ...]:
    """The first trips of the plan whose couriers must leave within the zone's lead.

    The others may still change; who is under way is asked nothing.
    """
    lead_s = zone.parameters.commit_lead_s
    found = []
    for route in plan.routes:
        first = route.trips[0]
        if first.leave_s <= lead_s and CourierId(UserId(route.vehicle)) not in under_way:
            explanation = _explanation(zone, plan, first, candidate_counts, now=now)
            found.append(_proposal(route.vehicle, first, orders, explanation))
    return tuple(found)


def offer_of(proposal: Proposal, zone: Zone, offer_id: OfferId, *, now: Instant) -> Offer:
    """The question, not yet put: version 0."""
    return Offer(
        id=offer_id,
        zone_id=zone.id,
        courier_id=proposal.courier_id,
        order_ids=proposal.order_ids,
        stops=proposal.stops,
        made_at=now,
        expires_at=now + zone.parameters.offer_timeout_s * SECOND_MS,
        explanation=proposal.explanation,
    )


def stops_of(orders: Sequence[Order]) -> tuple[Stop, ...]:
    """One visit to the shop, then the doors in the given order."""
    pickup = Stop(
        kind=StopKind.PICKUP,
        point=orders[0].shop.point,
        orders=tuple(one.id for one in orders),
        ready_at=max(one.ready_at for one in orders),
    )
    doors = (Stop(kind=StopKind.DROPOFF, point=one.door.point, orders=(one.id,)) for one in orders)
    return (pickup, *doors)


def _proposal(
    vehicle: str, trip: Trip, orders: Mapping[OrderId, Order], explanation: Explanation
) -> Proposal:
    carried = [orders[OrderId(job)] for job in trip.jobs]
    return Proposal(
        courier_id=CourierId(vehicle),
        order_ids=tuple(one.id for one in carried),
        stops=stops_of(carried),
        explanation=explanation,
    )


def _explanation(
    zone: Zone,
    plan: Plan,
    trip: Trip,
    candidate_counts: Mapping[OrderId, int],
    *,
    now: Instant,
) -> Explanation:
    """Why this courier: told of the trip's first order."""
    first = OrderId(trip.jobs[0])
    return Explanation(
        parameters_version=zone.parameters_version,
        candidates=candidate_counts[first],
        pickup_at=now + trip.pickup_s * SECOND_MS,
        deliveries_at=tuple(now + s * SECOND_MS for s in trip.deliveries_s),
        next_best=tuple(
            Ranked(
                courier_id=CourierId(one.vehicle),
                cost_more=one.extra_cost,
                reason=one.reason.value,
            )
            for one in plan.rankings.get(first, ())
        ),
    )
