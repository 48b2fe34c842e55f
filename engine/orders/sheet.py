"""Orders as rows of a sheet, for people who count and filter elsewhere."""

from datetime import UTC, datetime
from typing import Final

from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order

HEADINGS: Final = (
    "order_id",
    "code",
    "status",
    "placed_at",
    "due_at",
    "ended_at",
    "recipient",
    "gift",
    "shop",
    "door",
    "total_sar",
    "fees_sar",
    "charge_sar",
)
# With these a sheet begins a formula, whoever wrote them.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def row_of(order: Order) -> tuple[str, ...]:
    """One order; times in UTC (ISO 8601), amounts in riyals with VAT, no text is a formula."""
    return (
        order.id,
        order.code,
        order.status.value,
        as_time(order.placed_at),
        as_time(order.due_at),
        as_time(order.ended_at),
        as_text(order.recipient.name),
        as_text(order.gift.description),
        as_text(order.shop.name),
        as_text(order.door.address or order.door.name),
        _sar(order.total_halalas),
        _sar(order.fees_halalas),
        "" if order.charge_halalas is None else _sar(order.charge_halalas),
    )


def as_time(instant: Instant | None) -> str:
    """A time in UTC (ISO 8601), or nothing."""
    if instant is None:
        return ""
    return datetime.fromtimestamp(instant // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sar(halalas: int) -> str:
    return f"{halalas // 100}.{halalas % 100:02}"


def as_text(text: str) -> str:
    """One line of text that no program takes for a formula."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_FORMULAS) else line
