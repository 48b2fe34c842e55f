"""What must hold of a customer's entries as they are read, in memory and in PostgreSQL."""

import random
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from actors.ledger import LedgerKeeper
from engine.kernel.filters import Condition, Operator
from engine.kernel.pages import Wanted
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.ledger import Entry
from engine.money.transfers import PAID, Transfer, TransferId, TransferReason, move
from storage.ledger import LedgerStore, entered_at
from tests.actors.bank import HandClock
from tests.builders import NOON, new_id
from tests.storage.test_ledger_contract import ledger, postgres_ledger

__all__ = ["ledger", "postgres_ledger"]
ORDERS = tuple(f"order:{new_id()}" for _ in range(3))
STRANGE = f"order:{new_id()}"
OWN = tuple(
    account(kind, "sara")
    for kind in (AccountKind.CUSTOMER_WALLET, AccountKind.GIFT_CREDIT, AccountKind.COURIER_DEBT)
)
HOUSE = tuple(account(kind) for kind in (AccountKind.BANK, AccountKind.REVENUE, AccountKind.VAT))
REASONS = (
    TransferReason.CAPTURE,
    TransferReason.REFUND,
    TransferReason.CASH_COLLECTED,
    TransferReason.SETTLEMENT,
    TransferReason.TOP_UP,
)


def a_transfer(chance: random.Random) -> Transfer:
    """Two or three legs, some of them Sara's, about an order of hers, of somebody else or none."""
    names = chance.sample([*OWN, *HOUSE], chance.choice((2, 3)))
    amounts = [chance.randrange(1, 100) for _ in names[1:]]
    return Transfer(
        id=TransferId(new_id()),
        reason=chance.choice(REASONS),
        legs=move(dict(zip(names, (-sum(amounts), *amounts), strict=True))),
        effective_at=NOON,
        about=chance.choice((*ORDERS, STRANGE, "")),
        # What is reserved moves nothing; only debits of who has something may be.
        pending=chance.random() < 0.1 and names[0] in HOUSE,
    )


async def filled(store: LedgerStore) -> list[Entry]:
    """All that was entered, a second apart; who would have less than nothing gets it first."""
    clock, chance, made = HandClock(), random.Random(3), list[Entry]()
    keeper = LedgerKeeper(store, wall=clock)
    first = {OWN[0]: 50_000, OWN[1]: 50_000, HOUSE[0]: -100_000}
    given = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.TOP_UP,
        legs=move(first),
        effective_at=NOON,
    )
    for transfer in [given, *(a_transfer(chance) for _ in range(120))]:
        clock.at += 1_000
        entered = await keeper.enter(transfer)
        assert isinstance(entered, Entry), entered
        made.append(entered)
    return made


def is_hers(entry: Entry) -> bool:
    transfer = entry.transfer
    is_own = any(leg.account in OWN for leg in transfer.legs)
    is_paid = transfer.about in ORDERS and transfer.reason in PAID
    return not transfer.pending and (is_own or is_paid)


async def walked(store: LedgerStore, wanted: Wanted) -> list[Entry]:
    """All pages, one after the other, each looked back from."""
    found: list[Entry] = []
    for _ in count():
        page = await store.list_history(OWN, ORDERS, wanted)
        if found and page.rows:
            back = replace(wanted, beyond=entered_at(page.rows[0]), backwards=True)
            assert (await store.list_history(OWN, ORDERS, back)).rows == tuple(
                found[-wanted.limit :]
            )
        found += page.rows
        if not page.has_next:
            break
        wanted = replace(wanted, beyond=entered_at(page.rows[-1]))
    return found


@pytest.mark.parametrize("descending", [True, False])
async def test_it_is_read_page_by_page_in_both_directions(
    ledger: LedgerStore, *, descending: bool
) -> None:
    made = await filled(ledger)
    hers = [one for one in made if is_hers(one)]
    assert 40 < len(hers) < len(made)
    found = await walked(ledger, Wanted(limit=7, descending=descending))
    assert found == (hers[::-1] if descending else hers)


async def test_it_is_bounded_by_times(ledger: LedgerStore) -> None:
    made = await filled(ledger)
    since, until = made[30].at, made[60].at
    for low, high, first, last in (
        (Operator.GTE, Operator.LTE, 30, 61),
        (Operator.GT, Operator.LT, 31, 60),
    ):
        only = (Condition("at", low, since), Condition("at", high, until))
        found = await walked(ledger, Wanted(limit=5, descending=False, only=only))
        assert found == [one for one in made[first:last] if is_hers(one)]


async def test_what_somebody_had_at_any_entry(ledger: LedgerStore) -> None:
    made = await filled(ledger)
    nobody = account(AccountKind.GIFT_CREDIT, "nobody")
    had: dict[AccountId, int] = dict.fromkeys((*OWN, nobody), 0)
    for number, one in enumerate(made):
        for leg in () if one.transfer.pending else one.transfer.legs:
            if leg.account in had:
                had[leg.account] += leg.amount
        if number % 20 == 0 or one is made[-1]:
            assert await ledger.posted_at(tuple(had), one.number) == had


async def test_nobody_elses_is_among_them(ledger: LedgerStore) -> None:
    await filled(ledger)
    wanted: Any = Wanted(limit=5)
    other = [account(AccountKind.CUSTOMER_WALLET, "other")]
    assert (await ledger.list_history(other, [], wanted)).rows == ()
    assert (await ledger.list_history([], [], wanted)).rows == ()
