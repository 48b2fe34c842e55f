"""A gift link: the sender chooses the gift, the recipient says where and when it may come.

Who has the link sees neither price nor gift. What it may cost was agreed to by the sender; when
nobody answers in time, all of it is given back.
"""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import OrderId, PaymentId, UserId, derived_id
from engine.kernel.place import Place
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.orders.messages import QUOTE_MISMATCH
from engine.orders.order import Gift, Recipient, Window
from engine.orders.quote import Quote, order_id_of
from engine.pricing.lines import PriceLine

GiftLinkId = NewType("GiftLinkId", str)
# After a third and two thirds of its life its recipient is reminded.
REMINDERS: Final = 2


class GiftLinkStatus(StrEnum):
    """How far a gift link has come."""

    UNPAID = "unpaid"
    OPEN = "open"
    ANSWERED = "answered"
    PLACED = "placed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"


S = GiftLinkStatus
UNANSWERED: Final = frozenset({S.UNPAID, S.OPEN})
# Nobody has it, and nobody will.
FORGONE: Final = frozenset({S.EXPIRED, S.WITHDRAWN, S.DECLINED})


class GiftLink(Struct, frozen=True, kw_only=True):
    """A gift that waits for an address; `limit_halalas` is the most that its sender pays.

    An answer is kept with its quote before the order is placed, so that a crash in between is made
    good. `payment_id` is with what the limit was paid, None while it is not, and where orders are
    placed without; `is_refunded` when that payment knows how the link has ended. `due_at` is when
    something is to be done without being asked; None is never.
    """

    id: GiftLinkId
    version: int = 1
    customer_id: UserId
    gift: Gift
    recipient: Recipient
    shop: Place
    preparation_s: int
    goods: tuple[PriceLine, ...] = ()
    limit_halalas: int
    made_at: Instant
    expires_at: Instant
    status: GiftLinkStatus = GiftLinkStatus.OPEN
    payment_id: PaymentId | None = None
    reminded: int = 0
    door: Place | None = None
    window: Window | None = None
    quote: Quote | None = None
    refund_halalas: int = 0
    is_refunded: bool = False

    @property
    def order_id(self) -> OrderId | None:
        """What it became, or is just becoming."""
        if self.quote is None:
            return None
        return order_id_of(self.quote.id) if self.payment_id is None else paid_order_of(self.id)

    @property
    def owes_word(self) -> bool:
        """Whether its payment is still to hear that it has ended, and to give back the rest."""
        is_over = self.status is S.PLACED or self.status in FORGONE
        return is_over and self.payment_id is not None and not self.is_refunded

    @property
    def due_at(self) -> Instant | None:
        """The next reminder or the expiry; at once what is to be placed or given back."""
        if self.status is S.ANSWERED or self.owes_word:
            return self.made_at
        if self.status not in UNANSWERED:
            return None
        if self.reminded == REMINDERS or self.status is S.UNPAID:
            return self.expires_at
        life = self.expires_at - self.made_at
        return self.made_at + life * (self.reminded + 1) // (REMINDERS + 1)


def paid_order_of(gift_link_id: GiftLinkId) -> OrderId:
    """The one order that a link can become whose limit is paid: its money waits for it."""
    return OrderId(derived_id("order of gift link", gift_link_id))


UNKNOWN_GIFT_LINK = declare(
    "unknown_gift_link",
    RefusalKind.NOT_FOUND,
    en="There is no such gift link, or it is not yours to see.",
    ar="لا يوجد رابط هدية بهذا الرقم أو لا يحق لك الاطلاع عليه.",
)
GIFT_LINK_CLOSED = declare(
    "gift_link_closed",
    RefusalKind.GONE,
    en="This gift link was answered already, was withdrawn, or has expired.",
    ar="تمت الإجابة على رابط الهدية أو سُحب أو انتهت صلاحيته.",
)
GIFT_OUT_OF_REACH = declare(
    "gift_out_of_reach",
    RefusalKind.CONFLICT,
    en="The gift cannot be brought there then. Try another address or another time.",
    ar="لا يمكن إيصال الهدية إلى هذا العنوان في هذا الوقت. جرّب عنوانًا أو وقتًا آخر.",
)
LIMIT_TOO_LOW = declare(
    "limit_too_low",
    RefusalKind.INVALID,
    en="The gift costs more than this limit wherever it goes; `least_halalas` is next door.",
    ar="تكلفة الهدية أعلى من هذا الحد أينما أُرسلت، والحقل `least_halalas` هو أقل تكلفة ممكنة.",
)


def payable(link: GiftLink, least_halalas: int) -> Refusal | None:
    """Why no answer at all could be within its limit."""
    if link.limit_halalas >= least_halalas:
        return None
    return LIMIT_TOO_LOW(least_halalas=least_halalas)


def paid(link: GiftLink, payment_id: PaymentId, *, now: Instant) -> GiftLink | Refusal:
    """Its limit is held or taken, so it may be shared; the same again changes nothing."""
    if link.payment_id == payment_id:
        return link
    if link.status is not S.UNPAID or now >= link.expires_at:
        return GIFT_LINK_CLOSED(status=link.status.value)
    return _next(link, status=S.OPEN, payment_id=payment_id)


def answer(link: GiftLink, door: Place, quoted: Quote, *, now: Instant) -> GiftLink | Refusal:
    """The recipient's answer; whoever has the link does not learn that it is about money."""
    if link.status is not S.OPEN or now > link.expires_at:
        return GIFT_LINK_CLOSED(status=link.status.value)
    if quoted.customer_id != link.customer_id:
        return QUOTE_MISMATCH(field="customer")
    if quoted.total_halalas > link.limit_halalas:
        return GIFT_OUT_OF_REACH()
    return _next(link, status=S.ANSWERED, door=door, window=quoted.window, quote=quoted)


def placed(link: GiftLink) -> GiftLink:
    """Its order is stored; what the sender agreed to and did not need is given back."""
    assert link.status is S.ANSWERED
    assert link.quote is not None
    rest = link.limit_halalas - link.quote.total_halalas
    return _next(link, status=S.PLACED, refund_halalas=rest)


def reopened(link: GiftLink) -> GiftLink:
    """Its order could not be placed, so the recipient may answer anew."""
    assert link.status is S.ANSWERED
    return _next(link, status=S.OPEN, door=None, window=None, quote=None)


def withdraw(link: GiftLink) -> GiftLink | Refusal:
    """The sender thinks better of it; everything is given back."""
    if link.status is S.WITHDRAWN:
        return link
    if link.status not in UNANSWERED:
        return GIFT_LINK_CLOSED(status=link.status.value)
    return _forgone(link, S.WITHDRAWN)


def lost(link: GiftLink) -> GiftLink:
    """The bank has let go of what was held for it, so nobody pays for an answer any more."""
    assert link.status is S.OPEN
    return _forgone(link, S.EXPIRED)


def decline(link: GiftLink, *, now: Instant) -> GiftLink | Refusal:
    """The recipient would rather not have it; everything is given back."""
    if link.status is S.DECLINED:
        return link
    if link.status is not S.OPEN or now > link.expires_at:
        return GIFT_LINK_CLOSED(status=link.status.value)
    return _forgone(link, S.DECLINED)


def refunded(link: GiftLink) -> GiftLink:
    """Its payment knows what is to be kept; the rest goes back from there."""
    assert link.owes_word
    return _next(link, is_refunded=True)


def remind_or_expire(link: GiftLink, *, now: Instant) -> GiftLink | None:
    """What time alone makes of an unanswered link; None when nothing is due.

    Of several reminders that were missed, one is sent.
    """
    if link.status not in UNANSWERED:
        return None
    if now >= link.expires_at:
        return _forgone(link, S.EXPIRED)
    later = link
    while later.due_at is not None and later.due_at <= now:
        later = replace(later, reminded=later.reminded + 1)
    return None if later is link else replace(later, version=link.version + 1)


def _forgone(link: GiftLink, status: GiftLinkStatus) -> GiftLink:
    """What nobody has paid is given back to nobody."""
    is_unpaid = link.status is S.UNPAID
    return _next(link, status=status, refund_halalas=0 if is_unpaid else link.limit_halalas)


def _next(link: GiftLink, **fields: object) -> GiftLink:
    return replace(link, version=link.version + 1, **fields)
