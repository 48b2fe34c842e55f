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
    OfferLeft,
    OfferMade,
    OfferStatus,
    OfferWithdrawn,
)
from engine.kernel.ids import CourierId
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
    offer: Offer,
    orders: Sequence[Order],
    courier: Courier,
    *,
    others: Sequence[Courier] = (),
    now: Instant,
) -> Decision | None:
    """Put the question, or None when the world has moved on since it was planned.

    Of several who are to be asked at once those are asked who still can be.
    """
    assert offer.courier_id == courier.id
    able = [one for one in (courier, *others) if _may_take(orders, one, now)]
    if not orders or not able:
        return None
    asked = tuple(one.id for one in able)
    offer = replace(offer, courier_id=asked[0], others=asked[1:])
    made = OfferMade(
        at=now,
        courier_id=offer.courier_id,
        others=offer.others,
        order_ids=offer.order_ids,
        expires_at=offer.expires_at,
    )
    offered = OrderOffered(at=now, offer_id=offer.id, courier_id=offer.courier_id)
    return Decision(
        changes=(
            Change(offers.evolve(offer, made), (made,)),
            *(Change(couriers.evolve(one, offer_id=offer.id), ()) for one in able),
            *(
                Change(orders_.evolve(one, offered, offer_id=offer.id), (offered,))
                for one in orders
            ),
        )
    )


def _may_take(orders: Sequence[Order], courier: Courier, now: Instant) -> bool:
    return (
        all(can_be_offered(one, courier) for one in orders)
        and can_carry(orders, courier)
        and (courier.works_until is None or courier.works_until > now)
    )


def acknowledge(
    offer: Offer | None, command: AcknowledgeOffer, *, now: Instant
) -> Decision | Refusal:
    """The phone has it; saying so twice, or too late, changes nothing."""
    if offer is None or not offer.was_put_to(command.courier_id):
        return UNKNOWN_OFFER()
    if offer.status is not OfferStatus.OPEN or command.courier_id not in offer.unacknowledged:
        return Decision(reply={"offer_id": offer.id, "status": offer.status.value})
    event = OfferAcknowledged(at=now, courier_id=command.courier_id)
    by = (*offer.acknowledged_by, command.courier_id)
    is_last = set(offer.asked) <= set(by)
    changed = offers.evolve(
        offer, event, acknowledged_by=by, acknowledged_at=now if is_last else None
    )
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
    others: Sequence[Courier] = (),
    now: Instant,
) -> Decision | Refusal:
    """Take the trip: offer, courier and all its orders change together, or none does.

    `others` are those who were asked, too: they are free again in the same decision.
    """
    refusal = _not_open(offer, command.courier_id, now)
    if refusal is not None or offer is None:
        return refusal or UNKNOWN_OFFER()
    if offer.status is OfferStatus.ACCEPTED:
        return Decision(reply={"offer_id": offer.id, "status": offer.status.value})
    assert courier.offer_id == offer.id
    assert [one.offer_id for one in orders] == [offer.id] * len(offer.order_ids)
    too_late = tuple(one for one in offer.asked if one != courier.id)
    assert {one.id for one in others} == set(too_late)
    route = courier.route + offer.stops
    leaves_at = courier.leaves_at if courier.route else max(courier.leaves_at, now)
    accepted = OfferAccepted(at=now, courier_id=courier.id)
    assigned = OrderAssigned(at=now, offer_id=offer.id, courier_id=courier.id)
    taken = offers.evolve(offer, accepted, answered_at=now, courier_id=courier.id, others=too_late)
    return Decision(
        changes=(
            Change(taken, (accepted,)),
            couriers.reroute(replace(courier, offer_id=None, leaves_at=leaves_at), route, now=now),
            *_freed(others),
            *(
                Change(
                    orders_.evolve(
                        one,
                        assigned,
                        courier_id=courier.id,
                        assigned_at=now,
                        lapsed=one.lapsed_with(*offer.gone),
                    ),
                    (assigned,),
                )
                for one in orders
            ),
        ),
        reply={"offer_id": offer.id, "status": OfferStatus.ACCEPTED.value, "assigned_at": now},
    )


def _not_open(offer: Offer | None, courier_id: CourierId, now: Instant) -> Refusal | None:
    """Why this courier cannot say yes (any more); None also when he has said so already."""
    if offer is None or not offer.was_put_to(courier_id):
        return UNKNOWN_OFFER()
    if offer.status is OfferStatus.ACCEPTED and offer.courier_id == courier_id:
        return None
    if offer.status is OfferStatus.EXPIRED:
        return OFFER_EXPIRED(offer_id=offer.id)
    if offer.status is not OfferStatus.OPEN:
        return OFFER_CLOSED(offer_id=offer.id, status=offer.status.value)
    if courier_id not in offer.asked:
        return OFFER_CLOSED(offer_id=offer.id, status=OfferStatus.DECLINED.value)
    return OFFER_EXPIRED(offer_id=offer.id) if now >= offer.expires_at else None


def decline(
    offer: Offer | None,
    orders: Sequence[Order],
    courier: Courier,
    command: DeclineOffer,
    *,
    now: Instant,
) -> Decision | Refusal:
    """Say no: this courier is not asked about the orders any more.

    They wait again, unless others are still asked.
    """
    if offer is None or not offer.was_put_to(command.courier_id):
        return UNKNOWN_OFFER()
    assert courier.id == command.courier_id
    reply = {"offer_id": offer.id, "status": OfferStatus.DECLINED.value}
    is_mine = courier.id in offer.asked
    if not is_mine or (offer.status is OfferStatus.DECLINED):
        return Decision(reply=reply)
    if offer.status is not OfferStatus.OPEN:
        return OFFER_CLOSED(offer_id=offer.id, status=offer.status.value)
    if offer.others:
        left = leave(offer, courier.id, Lapse.DECLINED, now=now, reason=command.reason)
        return Decision(changes=(left, *_freed([courier])), reply=reply)
    event = OfferDeclined(at=now, courier_id=courier.id, reason=command.reason)
    return Decision(
        changes=lapse(offer, orders, [courier], event, decline_reason=command.reason), reply=reply
    )


def leave(
    offer: Offer, courier_id: CourierId, because: Lapse, *, now: Instant, reason: str = ""
) -> Change[Offer]:
    """The offer without one of several who were asked; he is the caller's to change."""
    rest = tuple(one for one in offer.asked if one != courier_id)
    assert len(rest) == len(offer.asked) - 1 > 0
    event = OfferLeft(at=now, courier_id=courier_id, because=because, reason=reason)
    gone = (*offer.gone, Lapsed(courier_id=courier_id, reason=because, at=now))
    changed = offers.evolve(offer, event, courier_id=rest[0], others=rest[1:], gone=gone)
    return Change(changed, (event,))


def expire(
    offer: Offer, orders: Sequence[Order], asked: Sequence[Courier], *, now: Instant
) -> Decision:
    """The time is over; nothing when it was answered before."""
    if offer.status is not OfferStatus.OPEN or now < offer.expires_at:
        return Decision()
    return Decision(changes=lapse(offer, orders, asked, OfferExpired(at=now)))


def lapse(
    offer: Offer,
    orders: Sequence[Order],
    asked: Sequence[Courier],
    event: Event,
    *,
    decline_reason: str = "",
) -> tuple[Change[Any], ...]:
    """An open offer ends without a yes: its orders wait again, its couriers are free for others."""
    assert {one.id for one in asked} == set(offer.asked)
    return (
        *take_back(offer, orders, event, decline_reason=decline_reason),
        *_freed(asked, of=offer),
    )


def take_back(
    offer: Offer, orders: Sequence[Order], event: Event, *, decline_reason: str = ""
) -> tuple[Change[Any], ...]:
    """The offer closed and its orders waiting again; the couriers are the caller's to change."""
    reason = _LAPSE_OF[type(event)]
    closed = offers.evolve(offer, event, answered_at=event.at, decline_reason=decline_reason)
    return (
        Change(closed, (event,)),
        *(_lapsed(one, offer, reason, event.at) for one in orders),
    )


def _freed(asked: Sequence[Courier], *, of: Offer | None = None) -> tuple[Change[Courier], ...]:
    assert of is None or all(one.offer_id == of.id for one in asked)
    return tuple(Change(couriers.evolve(one, offer_id=None), ()) for one in asked)


def _lapsed(order: Order, offer: Offer, reason: Lapse, now: Instant) -> Change[Order]:
    """An order that waits again after its offer came to nothing."""
    event = OrderOfferLapsed(at=now, offer_id=offer.id, courier_id=offer.courier_id, reason=reason)
    asked = (Lapsed(courier_id=one, reason=reason, at=now) for one in offer.asked)
    lapsed = order.lapsed_with(*offer.gone, *asked)
    return Change(orders_.evolve(order, event, offer_id=None, lapsed=lapsed), (event,))
