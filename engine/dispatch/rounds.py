"""A ranked round: who does not take a trip is followed by the next best in the same decision."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from engine.couriers.courier import Courier, StopKind
from engine.dispatch import offers
from engine.dispatch.eta import walk
from engine.dispatch.offer import Explanation, Offer, OfferStatus, Ranked
from engine.dispatch.why import Why, why_not
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OfferId, derived_id
from engine.kernel.messages import Change, Decision, Thing
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order

_WHY_PASSED_ON = {
    OfferStatus.DECLINED: Why.DECLINED,
    OfferStatus.EXPIRED: Why.NOT_ANSWERED,
}


def ask_the_next(
    lapsing: Decision, in_line: Mapping[CourierId, Courier], zone: Zone, *, now: Instant
) -> Decision:
    """The decision by which an offer lapses, with the next offer of its round, if there is one.

    `in_line` are those of its line who are at hand; who cannot be asked now is passed over.
    """
    offer = _of_kind(lapsing, Offer)[0]
    if offer.status not in _WHY_PASSED_ON:
        return lapsing
    orders = _in_trip(offer, _of_kind(lapsing, Order))
    for place, courier_id in enumerate(offer.in_line, start=1):
        courier = in_line.get(courier_id)
        if courier is None or any(why_not(one, courier, zone.parameters, now) for one in orders):
            continue
        following = _following(offer, place, courier, zone, now=now)
        made = offers.make(following, orders, courier, now=now)
        if made is not None:
            return then(lapsing, made)
    return lapsing


def then(first: Decision, second: Decision) -> Decision:
    """Both as one: what both change takes the events of both in one step of its version."""
    changes: dict[str, Change[Any]] = {one.thing.id: one for one in first.changes}
    for change in second.changes:
        before = changes.get(change.thing.id)
        if before is not None:
            thing = replace(change.thing, version=before.thing.version)
            changes[thing.id] = Change(thing, (*before.events, *change.events))
        else:
            changes[change.thing.id] = change
    return replace(first, changes=tuple(changes.values()))


def expected(
    courier: Courier, offer: Offer, parameters: ZoneParameters, *, now: Instant
) -> tuple[Instant, tuple[Instant, ...]]:
    """When he would collect the trip and be at its doors, after what he carries already."""
    leaves_at = courier.leaves_at if courier.route else max(courier.leaves_at, now)
    him = replace(courier, leaves_at=leaves_at)
    pickups = (stop for stop in offer.stops if stop.kind is StopKind.PICKUP)
    to_shop = walk(replace(him, route=(*courier.route, *pickups)), None, parameters, now=now)
    doors = walk(replace(him, route=courier.route + offer.stops), None, parameters, now=now).doors
    pickup_at = to_shop.free_at - parameters.shop_leave_s * SECOND_MS
    return pickup_at, tuple(doors[one] for one in offer.order_ids)


def _following(offer: Offer, place: int, courier: Courier, zone: Zone, *, now: Instant) -> Offer:
    """The same trip for the courier at a place of the line (counted from 1)."""
    pickup_at, deliveries_at = expected(courier, offer, zone.parameters, now=now)
    passed = Ranked(
        courier_id=offer.courier_id, cost_more=None, reason=_WHY_PASSED_ON[offer.status].value
    )
    told = offer.explanation
    others = (one for one in told.next_best if one.courier_id != courier.id)
    return Offer(
        id=OfferId(derived_id("offer", offer.id, courier.id)),
        zone_id=offer.zone_id,
        courier_id=courier.id,
        in_line=offer.in_line[place:],
        place_in_line=offer.place_in_line + place,
        mode=offer.mode,
        order_ids=offer.order_ids,
        stops=offer.stops,
        made_at=now,
        expires_at=now + zone.parameters.offer_timeout_s * SECOND_MS,
        explanation=Explanation(
            parameters_version=zone.parameters_version,
            candidates=told.candidates,
            reach_s=told.reach_s,
            pickup_at=pickup_at,
            deliveries_at=deliveries_at,
            next_best=(passed, *others),
            passed_over=tuple(one for one in told.passed_over if one.courier_id != courier.id),
        ),
    )


def _in_trip(offer: Offer, orders: Sequence[Order]) -> list[Order]:
    by_id = {one.id: one for one in orders}
    return [by_id[one] for one in offer.order_ids]


def _of_kind(decision: Decision, kind: type[Thing]) -> list[Any]:
    return [one.thing for one in decision.changes if isinstance(one.thing, kind)]
