"""Whether what is ordered is what was quoted, in all that would change the price."""

from typing import Final

from engine.geo.parameters import ZoneParameters
from engine.kernel.place import distance_m
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.orders.messages import BAD_WINDOW, QUOTE_MISMATCH, PlaceOrder
from engine.orders.order import is_ahead
from engine.orders.quote import needs_car

# A pin on a map is re-read from text now and then; a metre is not another address.
SAME_PLACE_M: Final = 25.0


def objection_to_wishes(p: ZoneParameters, command: PlaceOrder, *, now: Instant) -> Refusal | None:
    """Why it is not placed as it is wished: it differs from its quote, or its window is past."""
    other = _other_than_quoted(p, command)
    if other:
        return QUOTE_MISMATCH(field=other)
    if command.window is not None and not is_ahead(command.window, now):
        return BAD_WINDOW()
    return None


def _other_than_quoted(p: ZoneParameters, command: PlaceOrder) -> str:
    """What differs from the quote; empty when nothing does that would change the price."""
    quoted = command.quote
    is_car_free = p.fee_car_percent == 100 or needs_car(quoted.vehicles)
    checks = {
        "shop": distance_m(quoted.shop, command.shop.point) <= SAME_PLACE_M,
        "door": distance_m(quoted.door, command.door.point) <= SAME_PLACE_M,
        "window": quoted.window in {None, command.window},
        "vehicles": is_car_free or not needs_car(command.gift.vehicles),
    }
    return next((field for field, is_same in checks.items() if not is_same), "")
