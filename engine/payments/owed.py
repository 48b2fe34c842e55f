"""What an order is charged beyond its first payment, and how that comes to its end."""

from enum import StrEnum

from msgspec import Struct

from engine.kernel.ids import OrderId, PaymentId, UserId, ZoneId
from engine.kernel.timing import Instant
from engine.orders.messages import ChangeOrder


class Price(Struct, frozen=True, kw_only=True):
    """What is charged for an order that is over, as its invoice says it.

    `total_halalas` is what it would have cost whole; `owed_halalas` what its first payment did not
    cover. Of that its supplements bring `supplemented_halalas`; the customer owes the rest.
    """

    charged_halalas: int
    vat_halalas: int
    total_halalas: int
    owed_halalas: int = 0
    supplemented_halalas: int = 0


def owed_of(price: Price | None) -> int:
    """What of a price its first payment did not cover, in halalas; nothing while there is none."""
    return 0 if price is None else price.owed_halalas


class Supplementing(Struct, frozen=True, kw_only=True):
    """What is paid for beside an order's first payment.

    That is a `change`, known until it is made, or, with `is_due`, what is owed once the order is
    over; `number` tells such payments of one order apart.
    """

    order_id: OrderId
    zone_id: ZoneId
    first_payment_id: PaymentId
    halalas: int
    change: ChangeOrder | None = None
    is_due: bool = False
    number: int = 0


class SettlementKind(StrEnum):
    """How something owed came to its end."""

    PAID = "paid"
    WAIVED = "waived"
    UNCOLLECTABLE = "uncollectable"


class Settlement(Struct, frozen=True, kw_only=True):
    """So much of what is owed for an order was paid with another payment, or given up by staff.

    `id` is the other payment's, or that of the request to give it up.
    """

    id: str
    order_id: OrderId
    kind: SettlementKind
    halalas: int
    at: Instant
    by: UserId
    note: str = ""


class Lapse(Struct, frozen=True, kw_only=True):
    """What a supplement was to bring for an order and will not: its hold lapsed at the bank."""

    payment_id: PaymentId
    order_id: OrderId
    halalas: int
