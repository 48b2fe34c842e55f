"""What a settlement file breaks is written off once, wherever a process dies, however often."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from actors.ledger import LedgerKeeper
from actors.reconciling import Reconciling, Settlements
from actors.settlement_files import parse_settlement
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Wanted
from engine.money.accounts import AccountKind, account, kind_of
from engine.money.breaks import BreakStatus, RunId, SettlementBreak
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payments.gateways import GatewayName
from storage.memory_ledger import MemoryLedger
from storage.memory_outbox import MemoryOutbox
from storage.memory_payments import MemoryPayments
from storage.settlements import MemorySettlements
from tests.actors.kills import Killed, Life, Mortal, MortalLedger, die_everywhere
from tests.actors.tills import HandClock
from tests.builders import NOON, new_id

GATEWAY = account(AccountKind.GATEWAY, GatewayName.MOYASAR)
AGENT, OTHER = (Caller(user_id=UserId(new_id()), role=Role.OPERATOR) for _ in range(2))
TIMES = 100
PROCESSES = 4
LIMIT = 1_000
# What the ledger has of an order, and what the file says of it; beyond the limit two must agree.
LITTLE, MUCH = (500, 499), (50_000, 40_000)


class Process:
    """Whoever decides about breaks, on what is stored; it dies at a point, or never."""

    def __init__(self, books: "Books", dies_at: int | None = None) -> None:
        self.life = Life(dies_at)
        ledger: Any = MortalLedger(books.ledger, self.life)
        store: Any = Mortal(books.store, self.life)
        self.keeper = LedgerKeeper(ledger, wall=books.clock)
        self.settlements = Settlements(
            Reconciling(self.keeper, books.ledger, wall=books.clock),
            store,
            MemoryPayments(MemoryOutbox()),
            wall=books.clock,
            limit_halalas=LIMIT,
        )

    async def give_up(self, known: SettlementBreak) -> None:
        """One asks for it; where that is too much for one, another agrees."""
        asked = await self.settlements.decide(known.id, is_written_off=True, note="x", by=AGENT)
        assert isinstance(asked, SettlementBreak)
        if abs(known.apart_halalas) > LIMIT:
            judged = await self.settlements.judge(known.id, is_approved=True, by=OTHER)
            assert isinstance(judged, SettlementBreak)


class Books:
    """The ledger, and the break of an order whose file says otherwise."""

    def __init__(self) -> None:
        self.ledger, self.store, self.clock = MemoryLedger(), MemorySettlements(), HandClock()

    async def a_break(self, taken: int, told: int) -> SettlementBreak:
        order_id, process = new_id(), Process(self)
        captured = Transfer(
            id=TransferId(new_id()),
            reason=TransferReason.CAPTURE,
            legs=move({GATEWAY: -taken, account(AccountKind.REVENUE): taken}),
            effective_at=NOON,
            about=f"order:{order_id}",
        )
        await process.keeper.enter(captured)
        head = "payment_id,type,currency,amount,fee,vat,order_id\n"
        file = parse_settlement("a.csv", f"{head}p1,pay,SAR,{told / 100},0.05,0,{order_id}\n")
        await process.settlements.run(file, run_id=RunId(new_id()), by=AGENT)
        return await self.only()

    async def only(self) -> SettlementBreak:
        (found,) = (await self.store.list_breaks(Wanted(limit=9))).rows
        return found

    async def ends(self) -> tuple[BreakStatus, bool, Counter[AccountKind]]:
        known = await self.only()
        assert (await Process(self).keeper.audit()).faults == []
        moved = Counter[AccountKind]()
        for name, balance in (await self.ledger.list_balances(limit=99)).items():
            moved[kind_of(name)] += balance.posted
        return known.status, known.due_at is None, moved


def written_off(taken: int, told: int) -> tuple[BreakStatus, bool, Counter[AccountKind]]:
    fee = 5
    moved = {
        AccountKind.REVENUE: taken,
        AccountKind.GATEWAY: 0,
        AccountKind.GATEWAY_FEES: -fee,
        AccountKind.BANK: fee - told,
        AccountKind.UNEXPLAINED: told - taken,
    }
    return BreakStatus.WRITTEN_OFF, True, Counter(moved)


@pytest.mark.parametrize(("taken", "told"), [LITTLE, MUCH])
async def test_wherever_a_process_dies_it_is_written_off_once(taken: int, told: int) -> None:
    async def lived(dies_at: int | None) -> tuple[Life, object]:
        books = Books()
        known = await books.a_break(taken, told)
        doomed = Process(books, dies_at)
        try:
            await doomed.life.during(doomed.give_up(known))
        except Killed:
            doomed.life.leave([doomed.keeper._writer] if doomed.keeper._writer else [])
            after = Process(books)
            # Somebody looks after what was left half done; whoever asked asks again.
            await after.settlements.look()
            await after.give_up(known)
        return doomed.life, await books.ends()

    assert await die_everywhere(lived, points=10) == written_off(taken, told)


@pytest.mark.parametrize(("taken", "told"), [LITTLE, MUCH])
async def test_a_hundred_at_once_are_one_write_off(taken: int, told: int) -> None:
    books = Books()
    known = await books.a_break(taken, told)
    hosts = [Process(books) for _ in range(PROCESSES)]
    await asyncio.gather(*(hosts[one % PROCESSES].give_up(known) for one in range(TIMES)))
    assert await books.ends() == written_off(taken, told)
