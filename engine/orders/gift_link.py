"""A gift link: the sender chooses the gift, the recipient says where and when it may come.

Who has the link sees neither price nor gift. What it may cost was agreed to by the sender; when
nobody answers in time, all of it is given back.
"""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import OrderId, UserId
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

    OPEN = "open"
    ANSWERED = "answered"
    PLACED = "placed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class GiftLink(Struct, frozen=True, kw_only=True):
    """A gift that waits for an address; `limit_halalas` is the most that its sender pays.

    An answer is kept with its quote before the order is placed, so that a crash in between is made
    good. `due_at` is when something is to be done without being asked; None is never.
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
    reminded: int = 0
    door: Place | None = None
    window: Window | None = None
    quote: Quote | None = None
    refund_halalas: int = 0
    is_refunded: bool = False

    @property
    def order_id(self) -> OrderId | None:
        """What it became, or is just becoming."""
        return None if self.quote is None else order_id_of(self.quote.id)

    @property
    def owes_refund(self) -> bool:
        """Whether something of the limit is still to be given back."""
        return self.refund_halalas > 0 and not self.is_refunded

    @property
    def due_at(self) -> Instant | None:
        """The next reminder or the expiry; at once what is to be placed or given back."""
        if self.status is not GiftLinkStatus.OPEN:
            is_pending = self.status is GiftLinkStatus.ANSWERED or self.owes_refund
            return self.made_at if is_pending else None
        if self.reminded == REMINDERS:
            return self.expires_at
        life = self.expires_at - self.made_at
        return self.made_at + life * (self.reminded + 1) // (REMINDERS + 1)


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


def answer(link: GiftLink, door: Place, quoted: Quote, *, now: Instant) -> GiftLink | Refusal:
    """The recipient's answer; whoever has the link does not learn that it is about money."""
    if link.status is not GiftLinkStatus.OPEN or now > link.expires_at:
        return GIFT_LINK_CLOSED(status=link.status.value)
    if quoted.customer_id != link.customer_id:
        return QUOTE_MISMATCH(field="customer")
    if quoted.total_halalas > link.limit_halalas:
        return GIFT_OUT_OF_REACH()
    return _next(
        link, status=GiftLinkStatus.ANSWERED, door=door, window=quoted.window, quote=quoted
    )


def placed(link: GiftLink) -> GiftLink:
    """Its order is stored; what the sender agreed to and did not need is given back."""
    assert link.status is GiftLinkStatus.ANSWERED
    assert link.quote is not None
    rest = link.limit_halalas - link.quote.total_halalas
    return _next(link, status=GiftLinkStatus.PLACED, refund_halalas=rest)


def reopened(link: GiftLink) -> GiftLink:
    """Its order could not be placed, so the recipient may answer anew."""
    assert link.status is GiftLinkStatus.ANSWERED
    return _next(link, status=GiftLinkStatus.OPEN, door=None, window=None, quote=None)


def withdraw(link: GiftLink) -> GiftLink | Refusal:
    """The sender thinks better of it; everything is given back."""
    if link.status is GiftLinkStatus.WITHDRAWN:
        return link
    if link.status is not GiftLinkStatus.OPEN:
        return GIFT_LINK_CLOSED(status=link.status.value)
    return _next(link, status=GiftLinkStatus.WITHDRAWN, refund_halalas=link.limit_halalas)


def refunded(link: GiftLink) -> GiftLink:
    """What was owed has been given back."""
    assert link.owes_refund
    return _next(link, is_refunded=True)


def remind_or_expire(link: GiftLink, *, now: Instant) -> GiftLink | None:
    """What time alone makes of an open link; None when nothing is due.

    Of several reminders that were missed, one is sent.
    """
    if link.status is not GiftLinkStatus.OPEN:
        return None
    if now >= link.expires_at:
        return _next(link, status=GiftLinkStatus.EXPIRED, refund_halalas=link.limit_halalas)
    later = link
    while later.due_at is not None and later.due_at <= now:
        later = replace(later, reminded=later.reminded + 1)
    return None if later is link else replace(later, version=link.version + 1)


def _next(link: GiftLink, **fields: object) -> GiftLink:
    return replace(link, version=link.version + 1, **fields)
