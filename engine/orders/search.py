"""Finding an order by what people remember of it, however they spell it."""

import re
import unicodedata
from typing import Final

from engine.orders.order import Order

QUERY_LETTERS_MAX: Final = 100
# Fewer digits than these are part of too many phones.
PHONE_DIGITS_MIN: Final = 4
# Letters that are written for each other, the long dash that only stretches, and foreign digits.
_ALIKE: Final = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        "ى": "ي",
        "ئ": "ي",
        "ؤ": "و",
        "ة": "ه",
        "ـ": None,
        **{chr(0x0660 + digit): str(digit) for digit in range(10)},
        **{chr(0x06F0 + digit): str(digit) for digit in range(10)},
    }
)
# Most names: letters without marks, of which no two are one.
_ARE_LETTERS_ALONE: Final = re.compile(r"[ -~\u0621-\u063a\u0641-\u064a]*").fullmatch


def folded(text: str) -> str:
    """The text without what people spell differently: marks, hamzas, final letters, case."""
    if text.isascii():
        return " ".join(text.casefold().split())
    if _ARE_LETTERS_ALONE(text):
        return " ".join(text.casefold().translate(_ALIKE).split())
    return _unmarked(text)


def _unmarked(text: str) -> str:
    """As `folded`, of any text."""
    # Composed first, for a hamza taken off its letter is a mark and would go too early.
    composed = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
    bare = unicodedata.normalize("NFKD", composed)
    kept = (one for one in bare if not unicodedata.combining(one))
    return " ".join("".join(kept).translate(_ALIKE).split())


def matches(order: Order, query: str) -> bool:
    """Whether every word of the query is in what the order's customer wrote, or in its code.

    Digits, at least four, may also be the end of the recipient's phone.
    """
    words = folded(query).split()
    if not words:
        return True
    written = folded(
        " ".join(
            (
                order.recipient.name,
                order.gift.description,
                order.gift.occasion,
                order.gift.message,
                order.shop.name,
                order.door.name,
                order.door.address,
            )
        )
    )
    return all(one in written or _names(order, one) for one in words)


def _names(order: Order, word: str) -> bool:
    if word == order.code.casefold():
        return True
    digits = word.removeprefix("+")
    is_phone = digits.isdecimal() and len(digits) >= PHONE_DIGITS_MIN
    return is_phone and order.recipient.phone.endswith(digits.lstrip("0") or digits)
