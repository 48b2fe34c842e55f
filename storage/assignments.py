"""Which order an offer asks about and what became of that, read off a decision's new states."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engine.dispatch.offer import Offer, OfferStatus
from engine.kernel.ids import CourierId, OfferId, OrderId
from engine.kernel.messages import Change
from engine.orders.order import Order, OrderJoined, OrderReassigned, OrderStatus

OPEN: Final = "open"
HELD: Final = "held"
LAPSED: Final = "lapsed"
RELEASED: Final = "released"
FINISHED: Final = "finished"
ACTIVE: Final = frozenset({OPEN, HELD})

# What a change of an order means for the assignment that it had.
_AFTER: Final = {
    OrderStatus.WAITING: RELEASED,
    OrderStatus.CANCELLED: RELEASED,
    OrderStatus.DELIVERED: FINISHED,
    OrderStatus.RETURNED: FINISHED,
}


class Assignment(NamedTuple):
    """An order in the offer that a courier is asked, or has accepted."""

    offer_id: OfferId
    order_id: OrderId
    courier_id: CourierId
    status: str


def made(changes: Sequence[Change[Any]]) -> list[Assignment]:
    """The assignments that are new: questions, and orders that came to an accepted trip."""
    asked = [
        Assignment(offer.id, order_id, offer.courier_id, OPEN)
        for offer in _things(changes, Offer)
        if offer.status is OfferStatus.OPEN and offer.version == 1
        for order_id in offer.order_ids
    ]
    moved = [
        Assignment(event.offer_id, change.thing.id, event.courier_id, HELD)
        for change in changes
        for event in change.events
        if isinstance(event, OrderJoined | OrderReassigned)
    ]
    return [*asked, *moved]


def settled(changes: Sequence[Change[Any]]) -> dict[OrderId, str]:
    """What becomes of the active assignment of each of these orders, if it has one."""
    found: dict[OrderId, str] = {
        change.thing.id: RELEASED
        for change in changes
        if any(isinstance(one, OrderReassigned) for one in change.events)
    }
    for order in _things(changes, Order):
        if order.status in _AFTER and order.version > 1:
            found[order.id] = _AFTER[order.status]
    for offer in _things(changes, Offer):
        if offer.status is not OfferStatus.OPEN:
            status = HELD if offer.status is OfferStatus.ACCEPTED else LAPSED
            found.update(dict.fromkeys(offer.order_ids, status))
    return found


def takers(changes: Sequence[Change[Any]]) -> dict[OrderId, CourierId]:
    """Who took each order: of several who were asked not always the first."""
    return {
        order_id: offer.courier_id
        for offer in _things(changes, Offer)
        if offer.status is OfferStatus.ACCEPTED
        for order_id in offer.order_ids
    }


def _things(changes: Sequence[Change[Any]], kind: type[Any]) -> list[Any]:
    return [one.thing for one in changes if type(one.thing) is kind]
