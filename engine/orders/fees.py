"""What is added to an order's price after it was placed, one line each, and what pays for it."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.kernel.ids import PaymentId
from engine.kernel.timing import Instant


class FeeKind(StrEnum):
    """What a fee is for."""

    CHANGE = "change"
    FAILED_ATTEMPT = "failed_attempt"
    SECOND_TRY = "second_try"


class FailureReason(StrEnum):
    """Why nobody received a gift, in the words that decide who pays for it."""

    NOBODY_HOME = "nobody_home"
    WRONG_ADDRESS = "wrong_address"
    NO_ACCESS = "no_access"
    REFUSED = "refused"
    NOT_PAID = "not_paid"
    COURIER_PROBLEM = "courier_problem"


class OrderFee(Struct, frozen=True, kw_only=True):
    """One fee, VAT included."""

    kind: FeeKind
    halalas: int
    at: Instant


class Supplement(Struct, frozen=True, kw_only=True):
    """A further payment for an order, and what of its price that covers."""

    payment_id: PaymentId
    halalas: int


# As they stand on invoices, which people read in both languages.
FEE_TEXTS: Final[dict[FeeKind, str]] = {
    FeeKind.CHANGE: "رسوم تعديل الطلب / Change of an order",
    FeeKind.FAILED_ATTEMPT: "رسوم محاولة تسليم لم تنجح / Failed attempt",
    FeeKind.SECOND_TRY: "رسوم إعادة المحاولة / Second try",
}
