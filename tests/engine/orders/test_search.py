"""What must hold of finding orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.place import Place
from engine.orders.order import Gift, Order, Recipient
from engine.orders.search import folded, matches
from tests.builders import DOOR, a_story


def an_order() -> Order:
    return replace(
        a_story().order,
        code="K7P3QX",
        gift=Gift(description="باقة ورد Rosé", occasion="birthday"),
        recipient=Recipient(name="آمنة بنت هُدى", phone="+966501234567"),
        door=Place(point=DOOR, address="مبنى ٧، شارع العليا"),
    )


@pytest.mark.parametrize(
    "query",
    [
        "",
        "امنه",
        "آمِنَة",
        "أمنة هدي",
        "هـــدى",
        "باقه",
        "rose",
        "ROSÉ ورد",
        "k7p3qx",
        "4567",
        "٤٥٦٧",
        "0501234567",
        "+966501234567",
        "مبني 7",
        "امنه 4567 birthday",
    ],
)
def test_it_is_found_however_it_is_spelled(query: str) -> None:
    assert matches(an_order(), query)


@pytest.mark.parametrize("query", ["سارة", "امنه سارة", "567", "0501234568", "K7P3Q", "+", "0000"])
def test_what_is_not_in_it_does_not_find_it(query: str) -> None:
    assert not matches(an_order(), query)


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(alphabet="اأإآىيةهؤوئ\u064b\u064e\u0651ـ ٣3Ab", max_size=20))
def test_an_order_is_found_by_its_own_name(name: str) -> None:
    order = replace(an_order(), recipient=Recipient(name=name))
    assert matches(order, name)


@given(st.text(st.characters(max_codepoint=0x64A, exclude_categories=["Mn"])))
def test_a_mark_changes_nothing(text: str) -> None:
    assert folded(f"{text}\u064b") == folded(text)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_plain_letters_are_folded_as_they_are_among_others(text: str) -> None:
    assert folded(f"{text} ك").split() == [*folded(text).split(), "ك"]
