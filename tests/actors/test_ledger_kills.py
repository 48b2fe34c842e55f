"""Wherever a process dies within the ledger's storage, what was decided happens once."""

from typing import Any

from msgspec.structs import replace

from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.ledger import LedgerKeeper
from actors.payouts import Payouts
from engine.kernel.ids import CourierId
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.tips import tip
from engine.money.transfers import Transfer, TransferId, move
from engine.orders.order import OrderStatus
from engine.payouts.payout import Payout, PayoutKind, PayoutStatus
from storage.memory_ledger import MemoryLedger
from tests.actors.bank import Bank, a_bank
from tests.actors.kills import Killed, Life, Mortal, MortalLedger
from tests.actors.test_payouts import FEE, TERMS, NoCash, Office, settings
from tests.actors.tills import HandClock
from tests.builders import NOON, an_order, new_id
from tests.engine.payouts.test_payouts import an_account

DELIVERED = replace(
    an_order(), status=OrderStatus.DELIVERED, ended_at=NOON, courier_id=CourierId(new_id())
)
HALALAS = 20_000
TIP = 700


async def paid_out(bank: Bank, gateway: MoyasarPayouts, dies_at: int | None) -> Life:
    """An instant payout, by a process that dies at a point and by the one after it."""
    office, life = Office(bank, gateway), Life(dies_at)
    bank.kept.clear()
    bank.asked.clear()
    await office.earn(50_000)
    await office.store.save_account(an_account(office.courier_id))
    books: Any = MortalLedger(office.books, life)
    keeper = LedgerKeeper(books, wall=office.clock)
    things: list[Any] = [Mortal(office.store, life), keeper, books, Mortal(gateway, life), NoCash()]
    invoicing: Any = Mortal(office.invoicing, life)
    doomed = Payouts(*things, invoicing=invoicing, wall=office.clock, terms=TERMS)

    async def whole() -> None:
        await doomed.request(office.courier_id, PayoutKind.INSTANT, HALALAS, cause="x")
        office.clock.at += MINUTE_MS
        await doomed.look()

    try:
        await life.during(whole())
    except Killed:
        life.leave([keeper._writer] if keeper._writer else [])
        await life.bury()
    assert isinstance(await office.request(HALALAS, cause="x"), Payout)
    await office.wait(10 * MINUTE_MS)
    bank.become("paid")
    await office.wait(2 * HOUR_MS, step_ms=10 * MINUTE_MS)
    is_paid = len(bank.kept) == 1
    where = life.points[-1]
    assert len(bank.asked) <= 1, where
    assert (await office.only()).status is (PayoutStatus.PAID if is_paid else PayoutStatus.FAILED)
    assert await office.wallet() == 50_000 - (HALALAS + FEE if is_paid else 0), where
    sent = (await office.balance(AccountKind.BANK)).posted
    assert sent == (HALALAS if is_paid else 0), where
    fees = [one.payable_halalas for one in office.invoices.issued()]
    assert fees == ([FEE] if is_paid else []), where
    await office.assert_sound()
    return life


async def test_wherever_a_process_dies_an_instant_payout_is_made_once() -> None:
    async with a_bank() as (bank, url), MoyasarPayouts(settings(url)) as gateway:
        alive = await paid_out(bank, gateway, None)
        assert alive.points.count("before the commit") > 1
        for dies_at in range(len(alive.points)):
            await paid_out(bank, gateway, dies_at)


async def tipped(dies_at: int | None) -> Life:
    """A tip out of a wallet of a thousand, by a process that dies, and asked for again."""
    kept, life, clock = MemoryLedger(), Life(dies_at), HandClock()
    given = tip(DELIVERED, TIP, cause="key", now=clock.now())
    assert isinstance(given, Transfer)
    giver, taker = (one.account for one in sorted(given.legs, key=lambda leg: leg.amount))
    whole = LedgerKeeper(kept, wall=clock)
    credit = move({account(AccountKind.BANK): -1000, giver: 1000})
    await whole.enter(replace(given, id=TransferId(new_id()), legs=credit))
    mortal: Any = MortalLedger(kept, life)
    doomed = LedgerKeeper(mortal, wall=clock)
    try:
        await life.during(doomed.enter(given))
    except Killed:
        life.leave([doomed._writer] if doomed._writer else [])
        await life.bury()
    again = [await whole.enter(given) for _ in range(2)]
    assert again[0] == again[1], life.points[-1]
    left = [(await kept.find_balance(AccountId(one))).posted for one in (giver, taker)]
    assert left == [1000 - TIP, TIP], life.points[-1]
    assert (await whole.audit()).faults == []
    return life


async def test_wherever_a_process_dies_a_tip_is_given_once() -> None:
    alive = await tipped(None)
    assert "before the commit" in alive.points
    for dies_at in range(len(alive.points)):
        await tipped(dies_at)
