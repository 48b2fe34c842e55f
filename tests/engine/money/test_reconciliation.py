"""What must hold of reconciling: nothing is forgotten, nothing is settled twice."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.timing import DAY_MS
from engine.money.accounts import AccountKind, account
from engine.money.reconciliation import (
    BookItem,
    BreakKind,
    MatchRule,
    StatementLine,
    reconcile,
    settlements,
)
from engine.money.transfers import TransferId
from tests.builders import NOON, new_id

GATEWAY = account(AccountKind.GATEWAY, "moyasar")


def a_line(halalas: int, about: str = "order:1", **fields: object) -> StatementLine:
    return replace(StatementLine(row=2, about=about, halalas=halalas), **fields)


def an_item(halalas: int, about: str = "order:1", **fields: object) -> BookItem:
    item = BookItem(transfer_id=TransferId(new_id()), about=about, halalas=halalas, at=NOON)
    return replace(item, **fields)


def test_lines_meet_items_of_the_same_order_and_amount_or_of_the_same_sum() -> None:
    lines = [a_line(100), a_line(-30), a_line(40, "order:2"), a_line(60, "order:2")]
    items = [an_item(-30), an_item(100), an_item(100, "order:2")]
    found = reconcile(lines, items, now=NOON)
    assert found.breaks == ()
    rules = [one.rule for one in found.matches]
    assert rules == [MatchRule.SAME_AMOUNT, MatchRule.SAME_AMOUNT, MatchRule.SAME_SUM]


def test_what_does_not_match_is_told_with_its_age() -> None:
    lines = [a_line(100), a_line(50, "order:2")]
    items = [an_item(90), an_item(70, "order:3", at=NOON - 3 * DAY_MS)]
    found = reconcile(lines, items, now=NOON)
    told = [(one.kind, one.about, one.file_halalas, one.ledger_halalas) for one in found.breaks]
    assert told == [
        (BreakKind.OTHER_AMOUNT, "order:1", 100, 90),
        (BreakKind.NOT_IN_LEDGER, "order:2", 50, 0),
        (BreakKind.NOT_IN_FILE, "order:3", 0, 70),
    ]
    assert [one.age_days for one in found.breaks] == [0, 0, 3]


def test_what_was_settled_before_breaks_nothing_and_is_not_settled_again() -> None:
    old, new = an_item(100, is_settled=True), an_item(-30)
    found = reconcile([a_line(-30)], [old, new], now=NOON)
    assert found.breaks == ()
    again = reconcile([a_line(100)], [old], now=NOON)
    assert again.breaks == ()
    assert settlements(GATEWAY, again.matches[0], at=NOON) == ()
    twice = reconcile([a_line(100), a_line(100)], [old], now=NOON)
    assert [one.kind for one in twice.breaks] == [BreakKind.NOT_IN_LEDGER]


def test_a_settlement_is_what_came_to_the_bank_and_what_it_cost() -> None:
    line, item = a_line(10_000, fee_halalas=200, fee_vat_halalas=30), an_item(10_000)
    (match,) = reconcile([line], [item], now=NOON).matches
    (made,) = settlements(GATEWAY, match, at=NOON)
    amounts = {leg.account: leg.amount for leg in made.legs}
    assert amounts == {GATEWAY: 10_000, "bank": -9770, "gateway_fees": -200, "input_vat": -30}
    assert settlements(GATEWAY, match, at=NOON) == (made,)


def test_a_charge_meets_nothing_and_is_taken_from_the_bank_once() -> None:
    charge = a_line(0, "transfer:1", fee_halalas=40, fee_vat_halalas=6, is_charge=True)
    found = reconcile([charge, a_line(100)], [an_item(100)], now=NOON)
    assert found.breaks == ()
    (match, _) = found.matches
    assert match.rule is MatchRule.CHARGE
    (made,) = settlements(GATEWAY, match, at=NOON)
    amounts = {leg.account: leg.amount for leg in made.legs}
    assert amounts == {"bank": 46, "gateway_fees": -40, "input_vat": -6}
    (again,) = settlements(GATEWAY, match, at=NOON + DAY_MS)
    assert again.id == made.id


def test_what_another_currency_rounds_is_no_break() -> None:
    lines = [a_line(1001, is_converted=True), a_line(-3, is_converted=True)]
    items = [an_item(1000), an_item(1), an_item(-4)]
    (match,) = reconcile(lines, items, now=NOON).matches
    assert match.rule is MatchRule.ROUNDED
    assert (
        sum(sum(leg.amount for leg in one.legs) for one in settlements(GATEWAY, match, at=NOON))
        == 0
    )
    apart = [a_line(1001, is_converted=True), a_line(-7, is_converted=True)]
    assert len(reconcile(apart, items, now=NOON).breaks) == 1


orders = st.sampled_from(["order:1", "order:2", "order:3"])
amounts = st.integers(-3, 3).filter(bool)


@given(
    st.lists(st.tuples(orders, amounts), max_size=12),
    st.lists(st.tuples(orders, amounts, st.booleans()), max_size=12),
)
def test_every_line_and_every_open_item_is_in_one_match_or_break(
    of_file: list[tuple[str, int]], of_ledger: list[tuple[str, int, bool]]
) -> None:
    lines = [a_line(n, about, row=row) for row, (about, n) in enumerate(of_file)]
    items = [an_item(n, about, is_settled=done) for about, n, done in of_ledger]
    found = reconcile(lines, items, now=NOON)
    matched = [line for one in found.matches for line in one.lines]
    assert len(matched) == len({one.row for one in matched})
    met = [item.transfer_id for one in found.matches for item in one.items]
    assert len(met) == len(set(met))
    for one in found.matches:
        assert sum(line.halalas for line in one.lines) == sum(x.halalas for x in one.items)
    for about in {*(one for one, _ in of_file), *(one for one, *_ in of_ledger)}:
        broken = [one for one in found.breaks if one.about == about]
        left = [one for one in lines if one.about == about and one not in matched]
        rest = [
            one
            for one in items
            if one.about == about and not one.is_settled and one.transfer_id not in met
        ]
        assert len(broken) == bool(left or rest)
        assert sum(one.file_halalas for one in broken) == sum(one.halalas for one in left)
        assert sum(one.ledger_halalas for one in broken) == sum(one.halalas for one in rest)
