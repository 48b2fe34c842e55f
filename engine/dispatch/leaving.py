"""A courier stops or rests: the offer he has is taken back in the same decision."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from engine.couriers import breaks, duty
from engine.couriers.courier import Courier
from engine.dispatch import offers
from engine.dispatch.offer import Offer, OfferWithdrawn
from engine.kernel.messages import Decision
from engine.kernel.timing import Instant
from engine.orders.order import Lapse, Order


def leave(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """Off duty at once without a route, else when it is finished.

    `orders` are those of his open offer, if he has one; others who are asked stay asked.
    """
    return _unasked(courier, offer, orders, lambda one: duty.go_off(one, now=now), now)


def _unasked(
    courier: Courier,
    offer: Offer | None,
    orders: Sequence[Order],
    go: Callable[[Courier], Decision],
    now: Instant,
) -> Decision:
    if offer is None:
        return go(courier)
    going = go(replace(courier, offer_id=None))
    if offer.others:
        left = offers.leave(offer, courier.id, Lapse.WITHDRAWN, now=now)
        return replace(going, changes=(left, *going.changes))
    withdrawn = OfferWithdrawn(at=now, reason="courier_left")
    return replace(going, changes=(*offers.take_back(offer, orders, withdrawn), *going.changes))


def end_shift(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """The clock says that the shift is over; nothing when it was prolonged meanwhile."""
    if courier.shift_ends_at is None or now < courier.shift_ends_at:
        return Decision()
    return leave(courier, offer, orders, now=now)


def begin_break(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """The clock says that his break begins; nothing when he said otherwise, or has work left."""
    if courier.rest is None or not breaks.is_due(courier, now):
        return Decision()
    lasts_s = courier.rest.lasts_s
    return _unasked(courier, offer, orders, lambda one: breaks.begun(one, lasts_s, now=now), now)
