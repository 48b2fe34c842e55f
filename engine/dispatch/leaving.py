"""A courier stops working: the offer he has is taken back in the same decision."""

from collections.abc import Sequence

from msgspec.structs import replace

from engine.couriers import duty
from engine.couriers.courier import Courier
from engine.dispatch.offer import Offer, OfferWithdrawn
from engine.dispatch.offers import take_back
from engine.kernel.messages import Decision
from engine.kernel.timing import Instant
from engine.orders.order import Order


def leave(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """Off duty at once without a route, else when it is finished.

    `orders` are those of his open offer, if he has one.
    """
    if offer is None:
        return duty.go_off(courier, now=now)
    withdrawn = OfferWithdrawn(at=now, reason="courier_left")
    going = duty.go_off(replace(courier, offer_id=None), now=now)
    return replace(going, changes=(*take_back(offer, orders, withdrawn), *going.changes))


def end_shift(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """The clock says that the shift is over; nothing when it was prolonged meanwhile."""
    if courier.shift_ends_at is None or now < courier.shift_ends_at:
        return Decision()
    return leave(courier, offer, orders, now=now)
