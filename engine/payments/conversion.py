"""Halalas and US cents: what is asked of a gateway that knows no riyal, and what that comes to.

The riyal is pegged to the dollar at 3.75 (Saudi Central Bank). Cents are rounded up, so that what
is taken is never less than what is owed; what that is too much is told as a difference.
"""

from typing import Final

from msgspec import Struct

from engine.kernel.ids import is_id

# Cents of a hundred dollars.
_HUNDRED_DOLLARS: Final = 10_000
_WORDS: Final = 4


class Rate(Struct, frozen=True):
    """What a hundred dollars are worth, in halalas: 37,500 at the peg."""

    halalas: int

    def cents(self, halalas: int) -> int:
        """The fewest cents that are worth at least so many halalas."""
        return -(-halalas * _HUNDRED_DOLLARS // self.halalas)

    def worth(self, cents: int) -> int:
        """What cents are worth in whole halalas; `cents` of that gives the same cents again."""
        return cents * self.halalas // _HUNDRED_DOLLARS

    def believed(self, cents: int, *meant: int) -> int:
        """Of the amounts that may have been meant the first that comes to these cents.

        When none of them does, somebody else has moved them, and what they are worth is told.
        """
        fitting = (one for one in meant if self.cents(one) == cents)
        return next(fitting, self.worth(cents))


class Mark(Struct, frozen=True, kw_only=True):
    """What we write on what we ask for, so that it can be read there in halalas.

    `halalas` is the amount; of a refund that of all of them up to it. `rate` stays that of the
    payment, whatever is set later.
    """

    payment_id: str
    operation_id: str
    halalas: int
    rate: Rate

    def text(self) -> str:
        """As it is written: at most 110 characters."""
        return f"{self.payment_id} {self.operation_id} {self.halalas} {self.rate.halalas}"


def mark_in(text: str) -> Mark | None:
    """The mark in a text; None when it is none of ours."""
    words = text.split(" ")
    if len(words) != _WORDS or not (is_id(words[0]) and is_id(words[1])):
        return None
    if not all(one.isascii() and one.isdecimal() for one in words[2:]) or not int(words[3]):
        return None
    rate = Rate(int(words[3]))
    return Mark(payment_id=words[0], operation_id=words[1], halalas=int(words[2]), rate=rate)
