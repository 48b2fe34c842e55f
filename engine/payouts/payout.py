"""What a payout is, where it goes, and how it may stand."""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from engine.kernel.ids import CourierId
from engine.kernel.messages import Thing
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import Instant

PayoutId = NewType("PayoutId", str)
BankAccountId = NewType("BankAccountId", str)
CURRENCY: Final = "SAR"
PAYOUT_HALALAS_MAX: Final = 100_000_000
_COUNTRY: Final = "SA"


class PayoutKind(StrEnum):
    """On whose wish: everybody's once a week, or the courier's at once, for a fee."""

    WEEKLY = "weekly"
    INSTANT = "instant"


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    NEW = "new"
    RESERVED = "reserved"
    UNKNOWN = "unknown"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    REFUSED = "refused"


class PayoutStanding(StrEnum):
    """How the provider says that a payout stands."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


class PayoutStatement(Struct, frozen=True, kw_only=True):
    """What the provider says of a payout when it is asked."""

    reference: str
    standing: PayoutStanding
    amount_halalas: int
    currency: str
    iban: str
    reason: str = ""


class BankAccount(Struct, frozen=True, kw_only=True):
    """Where a courier is paid; another account is another one, and old payouts keep theirs."""

    id: BankAccountId
    courier_id: CourierId
    iban: str
    holder_name: str
    city: str
    phone: str
    made_at: Instant


class Payout(Thing, frozen=True, kw_only=True):
    """Money on its way to a courier's bank.

    He gets `amount_halalas`; `fee_halalas`, with VAT, come from his wallet besides. `due_at` is
    when somebody must look after it. `asked_at` is when the provider was last asked for it, and
    `reference` the provider's name for it. The ledger follows the status: `is_entered` says that it
    has.
    """

    id: PayoutId
    courier_id: CourierId
    bank_account_id: BankAccountId
    iban_end: str
    kind: PayoutKind
    amount_halalas: int
    fee_halalas: int
    asked_halalas: int | None = None
    status: PayoutStatus = PayoutStatus.NEW
    made_at: Instant
    due_at: Instant | None
    asked_at: Instant | None = None
    tries: int = 0
    reference: str = ""
    reason: str = ""
    is_entered: bool = True

    @property
    def number(self) -> str:
        """Sixteen digits by which the provider knows it from the first moment on."""
        return f"{int(self.id.replace('-', ''), 16) % 10**16:016}"


BAD_IBAN = declare(
    "bad_iban",
    RefusalKind.INVALID,
    en="This is no valid Saudi IBAN. Check its 24 characters.",
    ar="رقم الآيبان السعودي غير صحيح. تحقق من خاناته الأربع والعشرين.",
)
NO_BANK_ACCOUNT = declare(
    "no_bank_account",
    RefusalKind.CONFLICT,
    en="There is no bank account to pay to. Give your IBAN first.",
    ar="لا يوجد حساب بنكي للتحويل إليه. أدخل رقم الآيبان أولًا.",
)
PAYOUT_TOO_SMALL = declare(
    "payout_too_small",
    RefusalKind.CONFLICT,
    en="This is less than the least that is paid out.",
    ar="المبلغ أقل من الحد الأدنى للصرف.",
)
PAYOUT_UNDER_WAY = declare(
    "payout_under_way",
    RefusalKind.CONFLICT,
    en="Another payout of yours is being sent. Try again when it is on its way.",
    ar="يجري إرسال صرف آخر لك. حاول مرة أخرى بعد إرساله.",
)
PAYOUTS_OFF = declare(
    "payouts_off",
    RefusalKind.CONFLICT,
    en="Nothing is paid out at the moment.",
    ar="الصرف غير متاح حاليًا.",
)


def checked_iban(text: str) -> str | None:
    """A Saudi IBAN without spaces (ISO 13616, its check digits are right), or None."""
    try:
        found: str = ibans.validate(text)
    except ValidationError:
        return None
    return found if found.startswith(_COUNTRY) else None
