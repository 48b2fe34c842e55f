"""The kinds of things that are stored, and how each is called, written and read."""

from typing import Final, TypeVar

import msgspec

from engine.couriers.courier import Courier
from engine.dispatch.offer import Offer
from engine.geo.zone import Zone
from engine.kernel.ids import is_id
from engine.kernel.messages import Thing
from engine.orders.order import Order

T = TypeVar("T")
Kept = Zone | Courier | Order | Offer

# In the order in which they are locked, by everybody, so that no two wait for each other.
KINDS: Final[dict[type[Thing], str]] = {
    Zone: "zone",
    Courier: "courier",
    Order: "order",
    Offer: "offer",
}

encode: Final = msgspec.json.Encoder().encode


def name_of(thing: Kept) -> str:
    """`kind:id`, by which an outcome names what stood in the way."""
    return f"{KINDS[type(thing)]}:{thing.id}"


def decode(kind: type[T], state: bytes) -> T:
    """A struct as it was stored."""
    return msgspec.json.decode(state, type=kind)


def known(identifier: str) -> str | None:
    """The identifier, or None, which nothing matches, for a text that cannot be one."""
    return identifier if is_id(identifier) else None
