"""A courier's past work as rows of a sheet: what he sees of it."""

from typing import Final

from engine.orders.order import Order
from engine.orders.sheet import as_text, as_time

HEADINGS: Final = (
    "order_id",
    "code",
    "status",
    "placed_at",
    "picked_up_at",
    "ended_at",
    "recipient",
    "gift",
    "shop",
)


def row_of(order: Order) -> tuple[str, ...]:
    """One order; times in UTC (ISO 8601), no text is a formula."""
    return (
        order.id,
        order.code,
        order.status.value,
        as_time(order.placed_at),
        as_time(order.picked_up_at),
        as_time(order.ended_at),
        as_text(order.recipient.name),
        as_text(order.gift.description),
        as_text(order.shop.name),
    )
