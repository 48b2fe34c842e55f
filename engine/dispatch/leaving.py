"""A courier stops working: the offer he has is taken back in the same decision."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from engine.couriers import duty
from engine.couriers.courier import Courier
from engine.dispatch import offer as offers
from engine.dispatch.offer import Offer, OfferWithdrawn
from engine.dispatch.offers import lapsed_order
from engine.kernel.messages import Change, Decision
from engine.kernel.timing import Instant
from engine.orders.order import Lapse, Order


def leave(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """Off duty at once without a route, else when it is finished; `orders` are those of the open offer."""
    if offer is None:
        return duty.go_off(courier, now=now)
    withdrawn = OfferWithdrawn(at=now, reason="courier_left")
    closed = offers.evolve(offer, withdrawn, answered_at=now)
    going = duty.go_off(replace(courier, offer_id=None), now=now)
    changes: tuple[Change[Any], ...] = (
        Change(closed, (withdrawn,)),
        *(lapsed_order(one, offer, Lapse.WITHDRAWN, now) for one in orders),
        *going.changes,
    )
    return replace(going, changes=changes)


def end_shift(
    courier: Courier, offer: Offer | None, orders: Sequence[Order], *, now: Instant
) -> Decision:
    """The clock says that the shift is over; nothing when it was prolonged meanwhile."""
    if courier.shift_ends_at is None or now < courier.shift_ends_at:
        return Decision()
    return leave(courier, offer, orders, now=now)
