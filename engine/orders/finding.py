"""Finding one order among all by what is remembered of it: whose it was, a phone's end, its code.

Each order leaves a few short texts, its tokens; an index of them answers what would else be read
through. Tokens may find too much (names that only begin alike), never too little: who looks judges
what was found by `is_found`, which says what is meant.
"""

from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import Final

from msgspec import Struct

from engine.kernel.ids import CourierId
from engine.orders.order import Order
from engine.orders.search import PHONE_DIGITS_MIN, folded
from engine.orders.viewing import Viewer, sees

# Every order has it, so that all orders are one list of the index.
ANY: Final = ""
# Shorter beginnings are of too many names, and between these the order itself tells them apart.
_LENGTHS: Final = (3, 4, 5, 6, 8)
_SHORTEST: Final = _LENGTHS[0]
_NAME_WORDS_MAX: Final = 6
# In what one courier carried: his are few, but many first names have their first letters in common.
_WORK_LENGTHS: Final = (_SHORTEST, 6)
# Of two names the first three letters are seldom of many; more than that tells those apart that
# begin with Abd al-.
_PAIR_LENGTHS: Final = (_SHORTEST, 6)
# The number of a subscriber without country and leading zero.
_PHONE_DIGITS: Final = 9
# By which ends a phone is found: what lies between is told apart by the order itself.
_PHONE_ENDS: Final = (PHONE_DIGITS_MIN, 6, _PHONE_DIGITS)
_ARTICLE: Final = "ال"
SOUGHT_WORDS_MAX: Final = 8


class Tokens(Struct, frozen=True):
    """By what an order is found: what is personal goes with its recipient's name, the rest stays.

    What is `carried` is there when the order has ended, and among all orders alone: a courier's
    past work is not sought by zone.
    """

    personal: frozenset[str]
    lasting: frozenset[str]
    carried: frozenset[str] = frozenset()
    carried_personal: frozenset[str] = frozenset()


class Sought(Struct, frozen=True, kw_only=True):
    """What an order must answer to; what is empty asks nothing.

    Each of the `words` is the beginning of one of the recipient's names, the code, or the end of
    his phone. `carried_by` is the courier who had it when it ended.
    """

    words: tuple[str, ...] = ()
    phone_end: str = ""
    code: str = ""
    carried_by: CourierId | None = None


def sought(text: str, *, phone_end: str = "", code: str = "") -> Sought:
    """What somebody typed, without what people spell differently."""
    words = tuple(dict.fromkeys(folded(text).split()))[:SOUGHT_WORDS_MAX]
    return Sought(words=words, phone_end=_subscriber(folded(phone_end)), code=folded(code))


def tokens_of(order: Order) -> Tokens:
    """What an order is found by as it stands."""
    lasting = {ANY, _of_code(folded(order.code))}
    names = _names(order)
    personal = {_of_name(one) for name in names for one in _beginnings(name)} | _pairs(names)
    digits = _digits(order)
    personal |= {_of_phone(digits[-one:]) for one in _PHONE_ENDS if one <= len(digits)}
    carrier = None if order.is_open else order.courier_id
    if carrier is None:
        return Tokens(frozenset(personal), frozenset(lasting))
    return Tokens(
        frozenset(personal),
        frozenset(lasting),
        carried=frozenset({_of_courier(carrier)}),
        carried_personal=frozenset(
            _of_carried(carrier, name[:length])
            for name in names
            for length in _WORK_LENGTHS
            if length <= max(_SHORTEST, len(name))
        ),
    )


def needs(wish: Sought) -> tuple[tuple[str, ...], ...]:
    """Of each of these an order has one token at least, if it is what is sought.

    Those come first that tell most.
    """
    found: list[tuple[str, ...]] = []
    if wish.code:
        found.append((_of_code(wish.code),))
    if wish.phone_end:
        found.append((_of_end(wish.phone_end),))
    names = [one for one in wish.words if not _subscriber(one).isdecimal()]
    if wish.carried_by is not None:
        found += _of_work(wish.carried_by, names)
    found += [_of_word(one) for one in wish.words if one not in names]
    found += [need for one, other in pairwise(names) if (need := _of_both(one, other))]
    found += [_of_word(one) for one in names]
    return tuple(found) or ((ANY,),)


def is_found(order: Order, wish: Sought, viewer: Viewer) -> bool:
    """Whether it is what is sought, by no more than this viewer sees of it."""
    if wish.code and wish.code != folded(order.code):
        return False
    if wish.carried_by is not None and (order.is_open or order.courier_id != wish.carried_by):
        return False
    if wish.phone_end and not _ends(_shown_digits(order, viewer), wish.phone_end):
        return False
    if not wish.words:
        return True
    names = _names(order) if sees(order, viewer, "recipient_name") else ()
    return all(
        _is_of(names, _bare(one))
        or one == folded(order.code)
        or _ends(_shown_digits(order, viewer), _subscriber(one))
        for one in wish.words
    )


def _is_of(names: Iterable[str], word: str) -> bool:
    if len(word) < _SHORTEST:
        return word in names
    return any(one.startswith(word) for one in names)


def _ends(digits: str, end: str) -> bool:
    return len(end) >= PHONE_DIGITS_MIN and end.isdecimal() and digits.endswith(end)


def _of_word(word: str) -> tuple[str, ...]:
    end = _subscriber(word)
    may_be_phone = end.isdecimal() and len(end) >= PHONE_DIGITS_MIN
    phones = (_of_end(end),) if may_be_phone else ()
    return (_of_name(_longest(_bare(word), _LENGTHS)), *_codes(word), *phones)


def _of_work(carrier: CourierId, names: Iterable[str]) -> list[tuple[str, ...]]:
    """What somebody carried, by the recipients' names if they are told."""
    told = []
    for one in names:
        beginning = _longest(_bare(one), _WORK_LENGTHS)
        told.append((_of_carried(carrier, beginning), *_codes(one)))
    return told or [(_of_courier(carrier),)]


def _of_both(one: str, other: str) -> tuple[str, ...]:
    """Two names, either of them a code if it is in Latin letters; none if they begin alike."""
    beginnings = [_longest(_bare(name), _PAIR_LENGTHS) for name in (one, other)]
    if any(len(name) < _SHORTEST for name in beginnings):
        return ()
    first, second = sorted(beginnings, key=_start)
    if _start(first) == _start(second):
        return ()
    return (_of_pair(first, second), *_codes(one), *_codes(other))


def _of_end(end: str) -> str:
    known = max((one for one in _PHONE_ENDS if one <= len(end)), default=PHONE_DIGITS_MIN)
    return _of_phone(end[-known:])


def _names(order: Order) -> tuple[str, ...]:
    return tuple(map(_bare, folded(order.recipient.name).split()[:_NAME_WORDS_MAX]))


def _bare(name: str) -> str:
    """A name without its article, which people leave out."""
    is_longer = len(name) >= len(_ARTICLE) + _SHORTEST
    return name.removeprefix(_ARTICLE) if is_longer else name


def _beginnings(name: str) -> set[str]:
    if len(name) < _SHORTEST:
        return {name}
    return {name[:length] for length in _LENGTHS if length <= len(name)}


def _longest(name: str, lengths: tuple[int, ...]) -> str:
    """Its longest beginning of one of these lengths; itself if it is shorter than all."""
    return name[: max((one for one in lengths if one <= len(name)), default=len(name))]


def _start(name: str) -> str:
    return name[:_SHORTEST]


def _pairs(names: Iterable[str]) -> set[str]:
    """Of each two names that begin otherwise, whichever is said first: all their beginnings."""
    long_enough = sorted({one for one in names if len(one) >= _SHORTEST}, key=_start)
    return {
        _of_pair(one[:length], other[:other_length])
        for one, other in combinations(long_enough, 2)
        if _start(one) != _start(other)
        for length in _PAIR_LENGTHS
        if length <= len(one)
        for other_length in _PAIR_LENGTHS
        if other_length <= len(other)
    }


def _shown_digits(order: Order, viewer: Viewer) -> str:
    """Of the phone, if it is his to see."""
    return _digits(order) if sees(order, viewer, "recipient_phone") else ""


def _digits(order: Order) -> str:
    return "".join(one for one in folded(order.recipient.phone) if one.isdecimal())


def _subscriber(phone: str) -> str:
    """The digits of a phone's end, without the zero that only stands for the country."""
    digits = phone.removeprefix("+")
    return digits.removeprefix("0") if len(digits) > _PHONE_DIGITS else digits


def _of_name(beginning: str) -> str:
    return f"name:{beginning}"


def _of_pair(one: str, other: str) -> str:
    return f"pair:{one}|{other}"


def _of_phone(digits: str) -> str:
    return f"phone:{digits}"


def _of_code(code: str) -> str:
    return f"code:{code}"


def _codes(word: str) -> tuple[str, ...]:
    """A word in Latin letters may be a code."""
    return (_of_code(word),) if word.isascii() else ()


def _of_courier(courier_id: CourierId) -> str:
    return f"courier:{courier_id}"


def _of_carried(courier_id: CourierId, beginning: str) -> str:
    return f"carried:{courier_id}|{beginning}"
