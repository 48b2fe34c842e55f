"""What must hold of finding one order among all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.orders.finding import is_found, needs, sought, tokens_of
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from engine.orders.viewing import Viewer
from tests.builders import a_story

LETTERS = "اأإآىيةهؤوئلمحدعب\u064b\u064e\u0651ـ ٣3Ab"
NAMES = st.text(alphabet=LETTERS, max_size=30)
PHONES = st.from_regex(r"\+?[0-9٠-٩]{0,14}", fullmatch=True)


DELIVERED = a_story(OrderStatus.DELIVERED).order


def an_order(name: str = "آمنة بنت هُدى العتيبي", phone: str = "+966501234567") -> Order:
    order = a_story().order
    return replace(order, code="K7P3QX", recipient=Recipient(name=name, phone=phone))


def held_by(order: Order) -> frozenset[str]:
    """All that an order is found by."""
    tokens = tokens_of(order)
    return tokens.personal | tokens.lasting | tokens.carried | tokens.carried_personal


@pytest.mark.parametrize(
    "text",
    [
        *("", "امنه", "آمِن", "هدي", "العتيبي", "عتيبى", "عتيب", "امنه 4567 عتيبي"),
        *("k7p3qx", "٤٥٦٧", "0501234567", "+966501234567", "34567"),
    ],
)
def test_it_is_found_however_it_is_spelled(text: str) -> None:
    assert is_found(an_order(), sought(text), Viewer.OPERATOR)


@pytest.mark.parametrize("text", ["سارة", "امنه سارة", "567", "مند", "0501234568", "K7P3Q", "+"])
def test_what_is_not_in_it_does_not_find_it(text: str) -> None:
    assert not is_found(an_order(), sought(text), Viewer.OPERATOR)


def test_phone_and_code_are_asked_for_by_themselves() -> None:
    order = an_order()
    for wish in (sought("", phone_end="4567"), sought("امنه", code="k7p3qx")):
        assert is_found(order, wish, Viewer.OPERATOR)
    for wish in (sought("", phone_end="4568"), sought("", code="4567"), sought("", phone_end="7")):
        assert not is_found(order, wish, Viewer.OPERATOR)


@given(NAMES, PHONES, st.integers(0, 5), st.integers(1, 12), st.integers(1, 14))
def test_whatever_is_meant_is_in_the_index(
    name: str, phone: str, word: int, letters: int, digits: int
) -> None:
    """Beginnings of a name, and ends of a phone: what is found by the rule has the tokens."""
    order = an_order(name, phone)
    words = name.split() or [""]
    typed = words[word % len(words)][:letters]
    for wish in (sought(typed), sought(phone[-digits:]), sought("", phone_end=phone[-digits:])):
        if is_found(order, wish, Viewer.OPERATOR):
            assert all(held_by(order).intersection(one) for one in needs(wish))


@given(NAMES, st.permutations(range(6)), st.integers(1, 12))
def test_of_several_words_so_is_every_need(name: str, places: list[int], letters: int) -> None:
    order = an_order(name)
    words = name.split() or [""]
    wish = sought(" ".join(words[one % len(words)][:letters] for one in places[:3]))
    if is_found(order, wish, Viewer.OPERATOR):
        assert all(held_by(order).intersection(one) for one in needs(wish))


@given(NAMES, PHONES, st.permutations(range(6)), st.integers(1, 12))
def test_so_it_is_in_a_couriers_past_work(
    name: str, phone: str, places: list[int], letters: int
) -> None:
    order = replace(DELIVERED, recipient=Recipient(name=name, phone=phone))
    words = [*name.split(), order.code, phone[-6:]]
    text = " ".join(words[one % len(words)][:letters] for one in places[:3])
    wish = replace(sought(text), carried_by=order.courier_id)
    if is_found(order, wish, Viewer.COURIER):
        assert all(held_by(order).intersection(one) for one in needs(wish))


def test_two_names_are_one_need_whichever_is_said_first() -> None:
    pair = needs(sought("العتيبي آمنة"))[0]
    assert pair == needs(sought("امنه عتيبي"))[0]
    assert not tokens_of(an_order("آمنة بنت هُدى")).personal.intersection(pair)
    for text in ("آمنة 4567", "محمد محمود", "آم عتيبي"):
        assert len(needs(sought(text))) == 2
    # Of a word in Latin letters nobody knows whether it is a code.
    assert len(needs(sought("Huda Otaibi"))[0]) == 3
    by_code = sought("آمنة K7P3QX")
    assert is_found(an_order(), by_code, Viewer.OPERATOR)
    assert all(held_by(an_order()).intersection(one) for one in needs(by_code))
    # The end of a phone tells more than both names.
    assert needs(sought("آمنة العتيبي 4567"))[0] == needs(sought("4567"))[0]


def test_two_names_tell_apart_what_only_begins_alike() -> None:
    (pair,) = needs(sought("عبدالعزيز محمد"))[0]
    assert pair in tokens_of(an_order("محمد عبدالعزيز")).personal
    assert pair not in tokens_of(an_order("محمد عبدالرحمن")).personal
    (short,) = needs(sought("عبد محمد"))[0]
    for name in ("محمد عبدالعزيز", "محمد عبدالرحمن", "عبد محمد"):
        assert short in tokens_of(an_order(name)).personal


def test_a_courier_finds_his_own_past_work_by_what_he_sees_of_it() -> None:
    order = DELIVERED
    assert order.courier_id is not None
    surprise = replace(
        order,
        recipient=Recipient(name="Noura", phone="+966501234567"),
        gift=Gift(description="Roses", surprise=True),
    )
    mine = replace(sought("noura"), carried_by=order.courier_id)
    assert is_found(surprise, mine, Viewer.COURIER)
    # Of a surprise he is never told the phone, so he cannot guess it either.
    # First names have their first letters in common: by six of them the others are left out.
    abdullah = replace(order, recipient=replace(surprise.recipient, name="عبدالله"))
    for text, is_his in (("عبد", True), ("عبدالله", True), ("عبدالعزيز", False)):
        (sought_first, *_) = needs(replace(sought(text), carried_by=order.courier_id))
        assert bool(held_by(abdullah).intersection(sought_first)) is is_his
    # By a name nobody else's work is read, and an order that is under way is no past work.
    (need,) = needs(mine)[:1]
    assert held_by(surprise).intersection(need)
    assert not held_by(replace(surprise, status=OrderStatus.PICKED_UP)).intersection(need)
    guess = replace(sought("4567"), carried_by=order.courier_id)
    assert not is_found(surprise, guess, Viewer.COURIER)
    assert is_found(replace(surprise, gift=order.gift), guess, Viewer.COURIER)
    open_one = a_story(OrderStatus.PICKED_UP).order
    assert not is_found(open_one, replace(mine, carried_by=open_one.courier_id), Viewer.COURIER)
