"""The month's ledger entered in PostgreSQL, whose constraints judge every transfer of it."""

import asyncio
from collections.abc import Callable
from typing import Final

from actors.clock import SystemClock
from actors.ledger import GROUP_MAX, LedgerKeeper
from engine.kernel.refusals import Refusal
from engine.money.periods import period_of, span
from simulations.month.explained import Line
from simulations.month.run import MONTH, Month
from storage.database import Database
from storage.ledger import PostgresLedger, enter_in
from storage.migrate import migrate
from storage.periods import PostgresPeriods
from storage.settings import DatabaseSettings

_WHAT: Final = "entered in PostgreSQL"


class PostgresDisagrees(Exception):
    """What was entered in memory is refused there."""


def enter(month: Month, dsn: str, *, on_entries: Callable[[int], None]) -> Line:
    """Enter all of it as it was entered; whether chain and trial balance are the same there.

    Raises PostgresDisagrees: it refuses a transfer.
    """
    return asyncio.run(_enter(month, dsn, on_entries))


async def _enter(month: Month, dsn: str, on_entries: Callable[[int], None]) -> Line:
    await migrate(dsn)
    database = await Database.open(DatabaseSettings.model_validate({"dsn": dsn}))
    try:
        books = PostgresLedger(database)
        for start in range(0, len(month.books.entries), GROUP_MAX):
            await _enter_some(books, month, start)
            on_entries(min(GROUP_MAX, len(month.books.entries) - start))
        audit = await LedgerKeeper(books, wall=SystemClock()).audit()
        period = period_of(MONTH)
        assert period is not None
        turnovers = await PostgresPeriods(database).turnovers(span(period, month.closing, None))
    finally:
        await database.close()
    is_same = (audit.head.hash, turnovers) == (month.books.entries[-1].hash, month.trial_balance)
    return Line(
        what=_WHAT,
        left="chain and trial balance",
        right="the same",
        left_halalas=sum(one.debits for one in turnovers),
        right_halalas=sum(one.debits for one in month.trial_balance),
        unexplained_halalas=len(audit.faults) + (not is_same),
    )


async def _enter_some(books: PostgresLedger, month: Month, start: int) -> None:
    group = month.books.entries[start : start + GROUP_MAX]
    async with books.turn() as turn:
        entered = await enter_in(turn, [one.transfer for one in group], [one.at for one in group])
        for one, answer in zip(group, entered, strict=True):
            if isinstance(answer, Refusal):
                raise PostgresDisagrees(f"entry {one.number}: {answer.code}")
