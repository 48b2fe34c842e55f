"""The rules of offers: one winner, never again to the one who declined, all or nothing."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from engine.couriers import courier as couriers
from engine.couriers.courier import Courier, CourierStatus
from engine.couriers.messages import (
    OFFER_CLOSED,
    OFFER_EXPIRED,
    UNKNOWN_OFFER,
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
)
from engine.dispatch import offer as offers
from engine.dispatch.offer import (
    Offer,
    OfferAccepted,
    OfferAcknowledged,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferStatus,
    OfferWithdrawn,
)
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.orders import order as orders_
from engine.orders.order import (
    Lapse,
    Lapsed,
    Order,
    OrderAssigned,
    OrderOffered,
    OrderOfferLapsed,
    OrderStatus,
)

_LAPSE_OF = {
    OfferDeclined: Lapse.DECLINED,
    OfferExpired: Lapse.EXPIRED,
    OfferWithdrawn: Lapse.WITHDRAWN,
}


def can_be_offered(order: Order, courier: Courier) -> bool:
    """Whether this question may be put: both are free for it, and it was never answered with no."""
    return (
        order.status is OrderStatus.WAITING
        and courier.status in {CourierStatus.ON, CourierStatus.BUSY}
        and courier.offer_id is None
        and courier.zone_id == order.zone_id
        and not order.was_declined_by(courier.id)
    )


def can_carry(orders: Sequence[Order], courier: Courier) -> bool:
    """Whether a trip fits its courier: room, weight, vehicle and skills."""
    gifts = [one.gift for one in orders]
    return (
        sum(one.size_units for one in gifts) <= courier.capacity_units
        and sum(one.weight_g for one in gifts) <= courier.capacity_g
        and all(not one.vehicles or courier.vehicle in one.vehicles for one in gifts)
        and all(set(one.skills) <= set(courier.skills) for one in gifts)
    )


def make(
    offer: Offer, orders: Sequence[Order], courier: Courier, *, now: Instant
) -> Decision | None:
    """Put the question, or None when the world has moved on since it was planned."""
    assert offer.courier_id == courier.id
    if not orders or not all(can_be_offered(one, courier) for one in orders):
        return None
    if not can_carry(orders, courier):
        return None
    if courier.shift_ends_at is not None and courier.shift_ends_at <= now:
        return None
    made = OfferMade(
        at=now, courier_id=courier.id, order_ids=offer.order_ids, expires_at=offer.expires_at
    )
    offered = OrderOffered(at=now, offer_id=offer.id, courier_id=courier.id)
    return Decision(
        changes=(
            Change(offers.evolve(offer, made), (made,)),
            Change(couriers.evolve(courier, offer_id=offer.id), ()),
            *(
                Change(orders_.evolve(one, offered, offer_id=offer.id), (offered,))
                for one in orders
            ),
        )
    )


def acknowledge(
    offer: Offer | None, command: AcknowledgeOffer, *, now: Instant
) -> Decision | Refusal:
    """The phone has it; saying so twice, or too late, changes nothing."""
    if offer is None or offer.courier_id != command.courier_id:
        return UNKNOWN_OFFER()
    if offer.status is not OfferStatus.OPEN or offer.acknowledged_at is not None:
        return Decision(reply={"offer_id": offer.id, "status": offer.status.value})
    event = OfferAcknowledged(at=now)
    changed = offers.evolve(offer, event, acknowledged_at=now)
    return Decision(
        changes=(Change(changed, (event,)),),
        reply={"offer_id": offer.id, "status": changed.status.value},
    )


def accept(
    offer: Offer | None,
    orders: Sequence[Order],
    courier: Courier,
    command: AcceptOffer,
    *,
    now: Instant,
) -> Decision | Refusal:
    """Take the trip: offer, courier and all its orders change together, or none does."""
    if offer is None or offer.courier_id != command.courier_id:
        return UNKNOWN_OFFER()
    if offer.status is OfferStatus.ACCEPTED:
        return Decision(reply={"offer_id": offer.id, "status": offer.status.value})
    if offer.status is OfferStatus.EXPIRED or (
        offer.status is OfferStatus.OPEN and now >= offer.expires_at
    ):
        return OFFER_EXPIRED(offer_id=offer.id)
    if offer.status is not OfferStatus.OPEN:
        return OFFER_CLOSED(offer_id=offer.id, status=offer.status.value)
    assert courier.offer_id == offer.id
    assert [one.offer_id for one in orders] == [offer.id] * len(offer.order_ids)
    route = courier.route + offer.stops
    leaves_at = courier.leaves_at if courier.route else max(courier.leaves_at, now)
    accepted = OfferAccepted(at=now)
    assigned = OrderAssigned(at=now, offer_id=offer.id, courier_id=courier.id)
    return Decision(
        changes=(
            Change(offers.evolve(offer, accepted, answered_at=now), (accepted,)),
            couriers.reroute(replace(courier, offer_id=None, leaves_at=leaves_at), route, now=now),
            *(
                Change(
                    orders_.evolve(one, assigned, courier_id=courier.id, assigned_at=now),
                    (assigned,),
                )
                for one in orders
            ),
        ),
        reply={"offer_id": offer.id, "status": OfferStatus.ACCEPTED.value, "assigned_at": now},
    )


def decline(
    offer: Offer | None,
    orders: Sequence[Order],
    courier: Courier,
    command: DeclineOffer,
    *,
    now: Instant,
) -> Decision | Refusal:
    """Say no: the orders wait again, and this courier is not asked about them any more."""
    if offer is None or offer.courier_id != command.courier_id:
        return UNKNOWN_OFFER()
    if offer.status is OfferStatus.DECLINED:
        return Decision(reply={"offer_id": offer.id, "status": offer.status.value})
    if offer.status is not OfferStatus.OPEN:
        return OFFER_CLOSED(offer_id=offer.id, status=offer.status.value)
    event = OfferDeclined(at=now, reason=command.reason)
    return Decision(
        changes=lapse(offer, orders, courier, event, decline_reason=command.reason),
        reply={"offer_id": offer.id, "status": OfferStatus.DECLINED.value},
    )


def expire(offer: Offer, orders: Sequence[Order], courier: Courier, *, now: Instant) -> Decision:
    """The time is over; nothing when it was answered before."""
    if offer.status is not OfferStatus.OPEN or now < offer.expires_at:
        return Decision()
    return Decision(changes=lapse(offer, orders, courier, OfferExpired(at=now)))


def lapse(
    offer: Offer,
    orders: Sequence[Order],
    courier: Courier,
    event: Event,
    *,
    decline_reason: str = "",
) -> tuple[Change[Any], ...]:
    """An open offer ends without a yes: its orders wait again, its courier is free for another."""
    assert courier.offer_id == offer.id
    return (
        *take_back(offer, orders, event, decline_reason=decline_reason),
        Change(couriers.evolve(courier, offer_id=None), ()),
    )


def take_back(
    offer: Offer, orders: Sequence[Order], event: Event, *, decline_reason: str = ""
) -> tuple[Change[Any], ...]:
    """The offer closed and its orders waiting again; the courier is the caller's to change."""
    reason = _LAPSE_OF[type(event)]
    closed = offers.evolve(offer, event, answered_at=event.at, decline_reason=decline_reason)
    return (
        Change(closed, (event,)),
        *(_lapsed(one, offer, reason, event.at) for one in orders),
    )


def _lapsed(order: Order, offer: Offer, reason: Lapse, now: Instant) -> Change[Order]:
    """An order that waits again after its offer came to nothing."""
    event = OrderOfferLapsed(at=now, offer_id=offer.id, courier_id=offer.courier_id, reason=reason)
    lapsed = order.lapsed_with(Lapsed(courier_id=offer.courier_id, reason=reason, at=now))
    return Change(orders_.evolve(order, event, offer_id=None, lapsed=lapsed), (event,))
