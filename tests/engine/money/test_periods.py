"""What must hold of accounting periods: no gap, no overlap, and closed ones stay as they are."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, Asset
from engine.money.periods import (
    SETTLED_AFTER_MS,
    Closing,
    Period,
    Turnover,
    VatSum,
    before,
    closable,
    period_of,
    span,
    vat_return,
)
from tests.builders import new_id

RIYADH = timezone(timedelta(hours=3))


def month(name: str) -> Period:
    found = period_of(name)
    assert found is not None
    return found


def closing_of(period: Period, number: int) -> Closing:
    return Closing(
        period=period.name,
        number=number,
        hash="0",
        closed_at=period.until,
        closed_by=UserId(new_id()),
    )


@given(st.integers(2000, 2099), st.integers(1, 12))
def test_a_month_begins_at_midnight_of_its_first_day_in_riyadh(year: int, number: int) -> None:
    period = month(f"{year}-{number:02}")
    begins = datetime(year, number, 1, tzinfo=RIYADH)
    assert period.since == int(begins.timestamp() * 1000)
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=RIYADH)
    assert period.until == int(following.timestamp() * 1000)


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "1999-01", "2026-00", "", "2026-01-01"])
def test_what_is_no_month_is_none(name: str) -> None:
    assert period_of(name) is None


def test_months_are_closed_when_they_are_over_and_one_after_the_other() -> None:
    january, february, april = month("2026-01"), month("2026-02"), month("2026-04")
    assert before(january) == "2025-12"
    settled_at = january.until + SETTLED_AFTER_MS
    assert closable(january, None, now=settled_at - 1) == Refusal(
        code="period_not_over", detail={"until": settled_at}
    )
    assert closable(january, None, now=settled_at) is None
    last = closing_of(january, 9)
    assert closable(february, last, now=february.until + SETTLED_AFTER_MS) is None
    refusal = closable(april, last, now=april.until + SETTLED_AFTER_MS)
    assert refusal == Refusal(code="period_out_of_order", detail={"last": "2026-01"})


NAMES = ["2026-01", "2026-02", "2026-03", "2026-04"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40),
    st.lists(st.integers(0, 40), min_size=3, max_size=3).map(sorted),
)
def test_every_entry_is_in_exactly_one_month_whenever_months_are_closed(
    entries: list[tuple[int, bool]], closed_at: list[int]
) -> None:
    months = [month(one) for one in NAMES]
    closings = [closing_of(one, at) for one, at in zip(months, closed_at, strict=False)]
    for count in range(4):
        done = {one.period: one for one in closings[:count]}
        spans = [span(one, done.get(one.name), done.get(before(one))) for one in months]
        for number, (index, at_end) in enumerate(entries, start=1):
            at = months[index].until - 1 if at_end else months[index].since
            holding = [at_month for at_month, of in enumerate(spans) if of.holds(number, at)]
            # The first month from its day on that was open when it was entered.
            open_then = (
                later
                for later in range(index, 4)
                if later >= count or number <= closings[later].number
            )
            assert holding == [next(open_then)]


def test_a_return_is_made_from_documents_and_held_against_the_ledger() -> None:
    sums = (
        VatSum(kind="invoice", documents=3, net_halalas=10_000, vat_halalas=1500),
        VatSum(kind="credit_note", documents=1, net_halalas=1000, vat_halalas=150),
        VatSum(kind="debit_note", documents=1, net_halalas=100, vat_halalas=15),
    )
    vat = Turnover(kind=AccountKind.VAT, asset=Asset.HALALAS, debits=150, credits=1500)
    bank = Turnover(kind=AccountKind.BANK, asset=Asset.HALALAS, debits=1, credits=0)
    fees = Turnover(kind=AccountKind.INPUT_VAT, asset=Asset.HALALAS, debits=40, credits=10)
    made = vat_return((vat, bank, fees), sums)
    assert (made.sales_net_halalas, made.output_vat_halalas) == (9100, 1365)
    assert (made.ledger_vat_halalas, made.difference_halalas) == (1350, 15)
    assert (made.input_vat_halalas, made.payable_halalas) == (30, 1335)
