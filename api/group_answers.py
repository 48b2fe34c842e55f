"""What is answered about gifts that are ordered together."""

from api.answer import Answer
from api.answers import OrderPlacedAnswer, OrderShown
from api.order_answers import CancellationShown, QuoteMade, SplitShown


class GroupQuoted(Answer):
    """A quote for each delivery, in the order in which they were asked for, and their sum."""

    quotes: list[QuoteMade]
    total_halalas: int
    split: SplitShown | None = None
    valid_until: int


class GroupPlaced(Answer):
    """All are stored."""

    orders: list[OrderPlacedAnswer]


class GroupShown(Answer):
    """The orders of a group; so many are `open`, and something can still happen to them."""

    orders: list[OrderShown]
    payment_id: str | None
    total_halalas: int
    open: int


class GroupCancellationShown(Answer):
    """The terms of each order that can be cancelled, and their sums."""

    orders: list[CancellationShown]
    charge_halalas: int
    refund_halalas: int


class OrderOfGroupCancelled(Answer):
    """How one stands; with a `refusal` it was picked up, or became dearer, a moment before."""

    order_id: str
    status: str | None = None
    charge_halalas: int | None = None
    refund_halalas: int | None = None
    refusal: str | None = None


class GroupCancelled(Answer):
    """Those that could be cancelled."""

    orders: list[OrderOfGroupCancelled]
