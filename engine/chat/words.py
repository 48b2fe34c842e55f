"""What may stand in a chat message: cleaned text without contact details, and quick replies."""

from enum import StrEnum
from typing import Final

import regex
from msgspec import Struct

from engine.orders.card import cleaned, graphemes

TEXT_GRAPHEMES_MAX: Final = 1_000
# Emoji and letters with marks are several code points each.
TEXT_CODE_POINTS_MAX: Final = 4 * TEXT_GRAPHEMES_MAX
HIDDEN: Final = "•••"

_GAP: Final = r"[ \u00a0().\-]{0,2}"
# Saudi numbers with and without their zero or country, and whatever begins like a foreign one.
_PHONE: Final = rf"(?<!\d)(?:\+|[0٠۰]|[5٥۵]|[9٩۹][6٦۶][6٦۶])(?:{_GAP}\d){{8,14}}(?!\d)"
_MAIL: Final = r"[^\s@]{1,64}@[^\s@.]{1,63}(?:\.[^\s@.]{1,63})+"
_MESSENGER: Final = r"(?:https?://)?(?:www\.)?(?:wa\.me|api\.whatsapp\.com|t\.me|snapchat\.com)/\S+"
_CONTACTS: Final = regex.compile(f"{_MESSENGER}|{_MAIL}|{_PHONE}", regex.IGNORECASE)


class QuickReplyCode(StrEnum):
    """The names of what is said with one tap."""

    ON_MY_WAY = "on_my_way"
    AT_SHOP = "at_shop"
    SHOP_NOT_READY = "shop_not_ready"
    IN_TRAFFIC = "in_traffic"
    AT_DOOR = "at_door"
    NOBODY_ANSWERS = "nobody_answers"
    PLEASE_CALL_SUPPORT = "please_call_support"
    WHERE_ARE_YOU = "where_are_you"
    LEAVE_WITH_GUARD = "leave_with_guard"
    HANDLE_WITH_CARE = "handle_with_care"
    YES = "yes"
    NO = "no"
    THANKS = "thanks"


class QuickReply(Struct, frozen=True, kw_only=True):
    """A sentence that whoever drives sends with one tap, read in the reader's own language."""

    code: QuickReplyCode
    en: str
    ar: str


C = QuickReplyCode
QUICK_REPLIES: Final[dict[QuickReplyCode, QuickReply]] = {
    code: QuickReply(code=code, en=en, ar=ar)
    for code, en, ar in (
        (C.ON_MY_WAY, "I am on my way.", "أنا في الطريق."),
        (C.AT_SHOP, "I am at the shop.", "أنا عند المتجر."),
        (C.SHOP_NOT_READY, "The shop is not ready yet.", "المتجر لم يجهّز الطلب بعد."),
        (C.IN_TRAFFIC, "I am held up in traffic.", "تأخرت بسبب الزحام."),
        (C.AT_DOOR, "I am at the door.", "أنا عند الباب."),
        (C.NOBODY_ANSWERS, "Nobody answers at the door.", "لا أحد يجيب عند الباب."),
        (C.PLEASE_CALL_SUPPORT, "Please get in touch with support.", "يرجى التواصل مع الدعم."),
        (C.WHERE_ARE_YOU, "Where are you now?", "أين أنت الآن؟"),
        (C.LEAVE_WITH_GUARD, "Please leave it with the guard.", "اتركها عند الحارس من فضلك."),
        (C.HANDLE_WITH_CARE, "Please handle it with care.", "احملها بعناية من فضلك."),
        (C.YES, "Yes.", "نعم."),
        (C.NO, "No.", "لا."),
        (C.THANKS, "Thank you.", "شكرًا لك."),
    )
}


def tidied(text: str) -> str:
    """The text as it is kept: nothing unseen in it, and no way to reach anybody beside us.

    The same text tidied twice is the same.
    """
    return str(_CONTACTS.sub(HIDDEN, cleaned(text)))


def is_too_long(text: str) -> bool:
    """Whether a tidied text is more than a message may be."""
    if len(text) <= TEXT_GRAPHEMES_MAX:
        return False
    return len(text) > TEXT_CODE_POINTS_MAX or graphemes(text) > TEXT_GRAPHEMES_MAX
