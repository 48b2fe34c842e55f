"""Orders as rows of a sheet, for people who count and filter elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from engine.kernel.riyals import riyals
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
# What a courier sees of what he has carried.
WORK_HEADINGS: Final = (
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
# With these a sheet begins a formula, whoever wrote them.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def row_of(order: Order, headings: Sequence[str] = HEADINGS) -> tuple[str, ...]:
    """One order; times in UTC (ISO 8601), amounts in riyals with VAT, no text is a formula."""
    return tuple([_CELLS[one](order) for one in headings])


def time_cell(instant: Instant | None) -> str:
    """A time in UTC (ISO 8601), or nothing."""
    if instant is None:
        return ""
    return datetime.fromtimestamp(instant // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_cell(text: str) -> str:
    """One line of text that no program takes for a formula."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_FORMULAS) else line


_CELLS: Final[Mapping[str, Callable[[Order], str]]] = {
    "order_id": lambda order: order.id,
    "code": lambda order: order.code,
    "status": lambda order: order.status.value,
    "placed_at": lambda order: time_cell(order.placed_at),
    "picked_up_at": lambda order: time_cell(order.picked_up_at),
    "due_at": lambda order: time_cell(order.due_at),
    "ended_at": lambda order: time_cell(order.ended_at),
    "recipient": lambda order: text_cell(order.recipient.name),
    "gift": lambda order: text_cell(order.gift.description),
    "shop": lambda order: text_cell(order.shop.name),
    "door": lambda order: text_cell(order.door.address or order.door.name),
    "total_sar": lambda order: riyals(order.total_halalas),
    "fees_sar": lambda order: riyals(order.fees_halalas),
    "charge_sar": lambda order: (
        "" if order.charge_halalas is None else riyals(order.charge_halalas)
    ),
}
