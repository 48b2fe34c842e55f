"""When a changed order can be ready and must be there."""

from engine.geo.zone import Zone
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.decide import Times, times
from engine.orders.messages import ChangeOrder
from engine.orders.order import HELD, ON_BOARD, Order, OrderStatus
from engine.orders.quote import Quote


def prepared_at(order: Order, quote: Quote) -> Instant:
    """When the shop has made it: it begins when it is ordered."""
    return max(order.placed_at, quote.quoted_at) + quote.preparation_s * SECOND_MS


def preparation_left_s(order: Order, quote: Quote, *, now: Instant) -> int:
    """Seconds that the shop still needs; none when the gift has left it."""
    if order.status in ON_BOARD:
        return 0
    return max(0, prepared_at(order, quote) - now) // SECOND_MS


def shop_is_ready_at(order: Order, quote: Quote, zone: Zone, *, now: Instant) -> Instant:
    """When it can be picked up, whatever its window was until now."""
    if order.status is OrderStatus.COURIER_AT_SHOP or order.status in ON_BOARD:
        return order.ready_at
    return max(now, prepared_at(order, quote) + zone.parameters.prep_buffer_s * SECOND_MS)


def timed(order: Order, command: ChangeOrder, zone: Zone, *, travel_s: int, now: Instant) -> Times:
    """Its times with the new door and window; who carries it keeps the release that he had."""
    quote = command.quote
    found = times(
        zone,
        command.window,
        ready_at=shop_is_ready_at(order, command.former, zone, now=now),
        promise_ms=quote.promised_at - quote.quoted_at,
        travel_s=travel_s,
        now=now,
    )
    if order.status not in HELD:
        return found
    return Times(ready_at=order.ready_at, due_at=found.due_at, release_at=order.release_at)
