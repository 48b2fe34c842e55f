"""What those who keep the books may take back by hand, with a day of its own."""

from typing import Final

from engine.kernel.ids import derived_id
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.money.ledger import Entry
from engine.money.transfers import Transfer, TransferId, TransferReason, reversal_of

# Nothing else knows of them: all others are followed by a payment, a payout, an order or a file,
# which corrects them itself, and would be wrong about what it has if somebody else did.
BY_HAND: Final = frozenset({TransferReason.GOODWILL, TransferReason.TIP})

UNKNOWN_TRANSFER = declare(
    "unknown_transfer",
    RefusalKind.NOT_FOUND,
    en="There is no such transfer in the ledger.",
    ar="لا يوجد تحويل بهذا المعرّف في دفتر الأستاذ.",
)
NOT_BY_HAND = declare(
    "not_by_hand",
    RefusalKind.CONFLICT,
    en="This transfer belongs to a payment, a payout, an order or a settlement: correct it there.",
    ar="هذا التحويل تابع لدفعة أو صرف أو طلب أو تسوية: صحّحه من هناك.",
)
NOT_YET = declare(
    "day_to_come",
    RefusalKind.INVALID,
    en="A correction counts for a day until today.",
    ar="يُحتسب التصحيح ليوم لا يتجاوز اليوم.",
)


def correction_id(posted_id: str) -> TransferId:
    """A transfer is taken back once, so what takes it back is named after it."""
    return TransferId(derived_id("correction of", posted_id))


def correction(
    entry: Entry | None, *, effective_at: Instant | None, now: Instant
) -> Transfer | Refusal:
    """What takes a transfer back as of a day, today if none is told; it itself stays."""
    if entry is None:
        return UNKNOWN_TRANSFER()
    posted = entry.transfer
    if posted.reason not in BY_HAND:
        return NOT_BY_HAND(reason=posted.reason.value)
    day = now if effective_at is None else effective_at
    if day > now:
        return NOT_YET()
    return reversal_of(posted, id=correction_id(posted.id), effective_at=day)
