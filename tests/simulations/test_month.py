"""A few days of a busy city: whatever happens to its money, every halala is explained."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.money.accounts import AccountKind, Balance, account
from simulations.month import explained, postgres, shown
from simulations.month.run import Month, Plan, live

PLAN = Plan(days=2, couriers=8, orders_per_hour=20, hours=1.7, seed=11)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    return live(PLAN, tmp_path_factory.mktemp("files"))


def test_every_halala_is_explained(month: Month) -> None:
    assert [one for one in month.lines if one.unexplained_halalas] == []
    assert month.unexplained_halalas == 0
    assert month.faults == ()
    # What is explained is not nothing.
    sums = {one.what: one.left_halalas for one in month.lines}
    assert min(sums[one] for one in ("card payments", "documents", "earnings", "VAT")) > 10_000


def test_so_much_happened_that_this_says_something(month: Month) -> None:
    assert month.orders > 40
    assert {"delivered", "webhooks", "tips_refused"} <= set(month.done)
    assert {"doors_moved_and_paid", "groups", "links_placed", "redeliveries"} <= set(month.done)
    assert {"capture", "sale", "refund", "earning", "settlement", "points"} <= set(month.transfers)
    assert {"cash_collected", "cash_handed_in"} <= set(month.transfers)
    refunds = [refund for one in month.books.payments for refund in one.refunds]
    assert any(one.of_sale_halalas for one in refunds)
    assert {one.rpartition(" ")[2] for one in month.payments} >= {"captured", "declined"}
    assert min(month.documents["credit_note"], month.documents["invoice"]) > 0


def test_what_is_missing_anywhere_is_found(month: Month) -> None:
    books = month.books
    lost = books.invoices[0].payable_halalas
    without = replace(books, invoices=books.invoices[1:])
    assert sum(one.unexplained_halalas for one in explained.within(without)) == lost
    earning = next(one for one in books.entries if one.transfer.reason == "earning")
    without = replace(books, entries=tuple(one for one in books.entries if one is not earning))
    found = sum(one.unexplained_halalas for one in explained.within(without))
    assert found == max(leg.amount for leg in earning.transfer.legs)
    courier, held = next(iter(books.held.items()))
    more = replace(books, held={**books.held, courier: held + 7})
    assert sum(one.unexplained_halalas for one in explained.within(more)) == 7
    owing = account(AccountKind.RECEIVABLE, next(iter(books.orders)))
    twice = replace(books, balances={**books.balances, owing: Balance(posted=600)})
    lines = {one.what: one.unexplained_halalas for one in explained.within(twice)}
    assert lines["paid beyond what was owed"] == 600
    taken = next(one for one in books.entries if one.transfer.reason == "cash_collected")
    without = replace(books, entries=tuple(one for one in books.entries if one is not taken))
    found = sum(one.unexplained_halalas for one in explained.within(without))
    assert found == max(leg.amount for leg in taken.transfer.legs)


def test_what_breaks_is_settled_by_the_next_file(month: Month) -> None:
    first, last = month.nights
    assert first.breaks > 0
    assert (last.breaks, last.broken_halalas) == (0, 0)


def test_the_same_ledger_stands_in_postgresql(month: Month, postgres_dsn: str) -> None:
    seen = list[int]()
    line = postgres.enter(month, postgres_dsn, on_entries=seen.append)
    assert line.unexplained_halalas == 0
    assert sum(seen) == len(month.books.entries)


def test_its_figures_can_be_read_by_programs(month: Month, tmp_path: Path) -> None:
    file = tmp_path / "month.json"
    shown.write(month, month.lines, file)
    told = json.loads(file.read_bytes())
    assert (told["orders"], told["unexplained_halalas"]) == (month.orders, 0)
    assert told["entries"] == len(month.books.entries)
