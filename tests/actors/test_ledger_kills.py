"""Wherever a process dies within the ledger's storage, what was decided happens once: a tip."""

from typing import Any

from msgspec.structs import replace

from actors.ledger import LedgerKeeper
from engine.kernel.ids import CourierId
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.tips import tip
from engine.money.transfers import Transfer, TransferId, move
from engine.orders.order import OrderStatus
from storage.memory_ledger import MemoryLedger
from tests.actors.kills import Killed, Life, MortalLedger, die_everywhere
from tests.actors.tills import HandClock
from tests.builders import NOON, an_order, new_id

DELIVERED = replace(
    an_order(), status=OrderStatus.DELIVERED, ended_at=NOON, courier_id=CourierId(new_id())
)
TIP = 700


async def tipped(dies_at: int | None) -> tuple[Life, list[int]]:
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
    again = [await whole.enter(given) for _ in range(2)]
    assert again[0] == again[1], life.points[-1]
    left = [(await kept.find_balance(AccountId(one))).posted for one in (giver, taker)]
    assert (await whole.audit()).faults == []
    return life, left


async def test_wherever_a_process_dies_a_tip_is_given_once() -> None:
    assert await die_everywhere(tipped, points=5) == [1000 - TIP, TIP]
