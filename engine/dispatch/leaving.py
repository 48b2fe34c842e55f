"""A courier stops working: the offer he has is taken back in the same decision."""

from collections.abc import Sequence

from msgspec.structs import replace

from engine.couriers import duty
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
    if offer is None:
        return duty.go_off(courier, now=now)
    going = duty.go_off(replace(courier, offer_id=None), now=now)
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
