"""Halalas and cents: nothing owed is lost by rounding, and what is written is read again."""

import hypothesis.strategies as st
from hypothesis import given

from engine.payments.conversion import Mark, Rate, mark_in
from tests.builders import new_id

PEG = Rate(37_500)
rates = st.integers(35_000, 40_000).map(Rate)
amounts = st.integers(0, 100_000_000)


def test_the_peg() -> None:
    assert [PEG.cents(one) for one in (0, 1, 3, 4, 375, 376, 37_500)] == [
        0,
        1,
        1,
        2,
        100,
        101,
        10_000,
    ]
    assert [PEG.worth(one) for one in (0, 1, 2, 4, 100)] == [0, 3, 7, 15, 375]


@given(rates, amounts)
def test_what_is_asked_is_worth_what_is_owed_and_less_than_a_cent_more(
    rate: Rate, owed: int
) -> None:
    cents = rate.cents(owed)
    assert cents * rate.halalas >= owed * 10_000
    assert (cents - 1) * rate.halalas < owed * 10_000


@given(rates, amounts)
def test_the_worth_of_cents_comes_to_the_same_cents(rate: Rate, cents: int) -> None:
    assert rate.cents(rate.worth(cents)) == cents


@given(rates, amounts, amounts)
def test_an_amount_is_believed_only_when_it_comes_to_the_cents(
    rate: Rate, cents: int, meant: int
) -> None:
    assert rate.cents(rate.believed(cents, meant)) == cents
    assert rate.believed(rate.cents(meant), cents, meant) in {cents, meant}


@given(rates, amounts)
def test_a_mark_is_read_as_it_was_written(rate: Rate, halalas: int) -> None:
    mark = Mark(payment_id=new_id(), operation_id=new_id(), halalas=halalas, rate=rate)
    assert mark_in(mark.text()) == mark
    assert len(mark.text()) <= 110


@given(st.text(max_size=120))
def test_any_other_text_is_no_mark(text: str) -> None:
    assert mark_in(text) is None
    assert mark_in(f"{new_id()} {new_id()} {text} 0") is None
