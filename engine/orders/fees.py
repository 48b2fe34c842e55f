"""What is added to an order's price after it was placed: one line each."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.kernel.timing import Instant


class FeeKind(StrEnum):
    """What a fee is for."""

    CHANGE = "change"


class OrderFee(Struct, frozen=True, kw_only=True):
    """One fee, VAT included."""

    kind: FeeKind
    halalas: int
    at: Instant


# As they stand on invoices, which people read in both languages.
FEE_TEXTS: Final[dict[FeeKind, str]] = {
    FeeKind.CHANGE: "رسوم تعديل الطلب / Change of an order",
}
