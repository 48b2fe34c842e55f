"""A draft: a gift that is thought of and not ordered yet, as far as its sender has come with it."""

from typing import Final, NewType

from engine.kernel.ids import OrderId, UserId
from engine.kernel.messages import Thing
from engine.kernel.place import Place
from engine.kernel.refusals import RefusalKind, declare
from engine.kernel.timing import Instant
from engine.orders.order import Gift, Recipient, Window
from engine.pricing.lines import PriceLine

DraftId = NewType("DraftId", str)
# Of one customer at a time.
DRAFTS_MAX: Final = 20


class Draft(Thing, frozen=True, kw_only=True):
    """What is known of a gift by now; `order_id` is what its newest quote can become.

    Nothing is promised by it: what it costs, and whether it can be brought, its quote says.
    """

    id: DraftId
    customer_id: UserId
    changed_at: Instant
    gift: Gift | None = None
    recipient: Recipient | None = None
    shop: Place | None = None
    door: Place | None = None
    preparation_s: int = 0
    goods: tuple[PriceLine, ...] = ()
    window: Window | None = None
    order_id: OrderId | None = None


UNKNOWN_DRAFT = declare(
    "unknown_draft",
    RefusalKind.NOT_FOUND,
    en="There is no such draft, it is not yours, or it was ordered already.",
    ar="لا توجد مسودة بهذا الرقم، أو أنها ليست لك، أو تم طلبها.",
)
TOO_MANY_DRAFTS = declare(
    "too_many_drafts",
    RefusalKind.CONFLICT,
    en="You keep as many drafts as you may. Order one of them, or delete one.",
    ar="بلغت الحد الأعلى من المسودات. اطلب إحداها أو احذفها.",
)
STALE_DRAFT = declare(
    "stale_draft",
    RefusalKind.CONFLICT,
    en="The draft was changed meanwhile. Look at it again first.",
    ar="تغيّرت المسودة. اطّلع عليها من جديد أولًا.",
)
DRAFT_INCOMPLETE = declare(
    "draft_incomplete",
    RefusalKind.CONFLICT,
    en="Something is still missing before this can be ordered; `missing` names it.",
    ar="ما زالت بيانات ناقصة قبل الطلب، يذكرها الحقل `missing`.",
)


def missing(draft: Draft) -> tuple[str, ...]:
    """What must still be told before it can be quoted and placed."""
    told = {
        "gift": draft.gift,
        "recipient": draft.recipient,
        "shop": draft.shop,
        "door": draft.door,
    }
    return tuple(name for name, value in told.items() if value is None)
