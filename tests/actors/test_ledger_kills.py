"""Wherever a process dies within the ledger's storage, what was decided happens once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from actors.gift_credit import GiftCredit
from actors.ledger import LedgerKeeper
from engine.kernel.ids import CourierId, UserId
from engine.kernel.messages import Caller, Role
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.tips import tip
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.orders.order import OrderStatus
from storage.memory_audit import MemoryAudit
from storage.memory_ledger import MemoryLedger
from tests.actors.kills import Killed, Life, Mortal, MortalLedger, die_everywhere
from tests.actors.tills import HandClock
from tests.builders import NOON, an_order, new_id

COURIER = CourierId(UserId(new_id()))
DELIVERED = replace(an_order(), status=OrderStatus.DELIVERED, ended_at=NOON, courier_id=COURIER)
GIVER, TAKER = (
    account(AccountKind.CUSTOMER_WALLET, DELIVERED.customer_id),
    account(AccountKind.COURIER_WALLET, COURIER),
)
CREDIT = account(AccountKind.GIFT_CREDIT, DELIVERED.customer_id)
OPERATOR = Caller(user_id=UserId(new_id()), role=Role.OPERATOR)
TIP = 700
TIMES = 100
PROCESSES = 4


class Ledgers:
    """What is stored, and processes that come and go; a thousand is in the customer's wallet."""

    def __init__(self) -> None:
        self.kept, self.audit, self.clock = MemoryLedger(), MemoryAudit(), HandClock()

    def process(self, life: Life | None = None) -> LedgerKeeper:
        kept: Any = self.kept if life is None else MortalLedger(self.kept, life)
        return LedgerKeeper(kept, wall=self.clock)

    async def fill(self) -> None:
        first = Transfer(
            id=TransferId(new_id()),
            reason=TransferReason.TOP_UP,
            legs=move({account(AccountKind.BANK): -1000, GIVER: 1000}),
            effective_at=NOON,
        )
        await self.process().enter(first)

    async def ends(self) -> list[int]:
        assert (await self.process().audit()).faults == []
        names = (GIVER, TAKER, CREDIT)
        return [(await self.kept.find_balance(AccountId(one))).posted for one in names]


async def tipped(ledgers: Ledgers, ledger: LedgerKeeper, life: Life | None) -> object:
    del ledgers, life
    given = tip(DELIVERED, TIP, cause="key", now=NOON)
    assert isinstance(given, Transfer)
    return await ledger.enter(given)


async def credited(ledgers: Ledgers, ledger: LedgerKeeper, life: Life | None) -> object:
    books: Any = ledgers.kept if life is None else Mortal(ledgers.kept, life)
    audit: Any = ledgers.audit if life is None else Mortal(ledgers.audit, life)
    host = GiftCredit(ledger, books, audit, clock=ledgers.clock)
    user_id = DELIVERED.customer_id
    # Whoever asks again does so later, on another day perhaps.
    await ledgers.clock.move(90_000)
    given = await host.give(user_id, TIP, cause="key", by=OPERATOR, reason="late")
    assert isinstance(given, Transfer)
    return given.id, given.legs


Doing = Callable[[Ledgers, LedgerKeeper, Life | None], Coroutine[Any, Any, object]]
DOINGS: list[tuple[Doing, list[int]]] = [(tipped, [1000 - TIP, TIP, 0]), (credited, [1000, 0, TIP])]


@pytest.mark.parametrize(("doing", "ends"), DOINGS)
async def test_wherever_a_process_dies_it_happens_once(doing: Doing, ends: list[int]) -> None:
    async def told(dies_at: int | None) -> tuple[Life, list[int]]:
        ledgers, life = Ledgers(), Life(dies_at)
        await ledgers.fill()
        doomed = ledgers.process(life)
        try:
            await life.during(doing(ledgers, doomed, life))
        except Killed:
            life.leave([doomed._writer] if doomed._writer else [])
        whole = ledgers.process()
        again = [await doing(ledgers, whole, None) for _ in range(2)]
        assert again[0] == again[1], life.points[-1]
        return life, await ledgers.ends()

    assert await die_everywhere(told, points=5) == ends


@pytest.mark.parametrize(("doing", "ends"), DOINGS)
async def test_a_hundred_at_once_are_one(doing: Doing, ends: list[int]) -> None:
    ledgers = Ledgers()
    await ledgers.fill()
    processes = [ledgers.process() for _ in range(PROCESSES)]
    told = await asyncio.gather(
        *(doing(ledgers, processes[one % PROCESSES], None) for one in range(TIMES))
    )
    assert all(one == told[0] for one in told)
    assert await ledgers.ends() == ends
