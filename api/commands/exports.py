"""The commands that write a zone's orders, and everybody's payments, into a file."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from storage.database import Database
    from storage.payments import PaymentStore
    from storage.settings import DatabaseSettings
    from storage.store import Store

_AT_ONCE: Final = 1000


def instant_of(text: str) -> int:
    """Milliseconds since the epoch of a day or a time in UTC; raises ValueError."""
    told = datetime.fromisoformat(text)
    return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000)


def export(
    database: "DatabaseSettings", zone_id: str, file: Path, *, since: int, until: int
) -> int:
    """Write the orders for which a courier could first be sought in this time; how many."""
    from storage.postgres import PostgresStore

    def write(opened: "Database") -> "Awaitable[int]":
        return write_orders(PostgresStore(opened), zone_id, file, since=since, until=until)

    return _written(database, write, f"orders are in {file}")


def export_payments(database: "DatabaseSettings", file: Path, *, since: int, until: int) -> int:
    """Write the payments that were made in this time, and their refunds; how many payments."""
    from storage.payments import PostgresPayments

    def write(opened: "Database") -> "Awaitable[int]":
        return write_payments(PostgresPayments(opened), file, since=since, until=until)

    return _written(database, write, f"payments are in {file}")


def _written(
    settings: "DatabaseSettings", write: "Callable[[Database], Awaitable[int]]", told: str
) -> int:
    from storage.database import Database

    async def run() -> int:
        database = await Database.open(settings)
        try:
            return await write(database)
        finally:
            await database.close()

    count = asyncio.run(run())
    typer.echo(f"{count:,} {told}")
    return count


async def write_payments(store: "PaymentStore", file: Path, *, since: int, until: int) -> int:
    """Oldest first, with a bar that shows how far through the time it has come."""
    from msgspec.structs import replace
    from rich.progress import Progress

    from api.csv_rows import BEGINNING, written
    from engine.kernel.filters import Condition, Operator
    from engine.kernel.pages import Wanted
    from engine.listings import PAYMENT_SEARCH
    from engine.payments.sheet import STAFF_HEADINGS, rows_of

    of_time = (Condition("made_at", Operator.GTE, since), Condition("made_at", Operator.LT, until))
    wanted, count = Wanted(limit=_AT_ONCE, descending=False, only=of_time), 0
    with file.open("w", encoding="utf-8", newline="") as sheet, Progress(transient=True) as bars:
        bar = bars.add_task("exporting", total=max(1, until - since))
        sheet.write(BEGINNING + written([STAFF_HEADINGS]))
        while True:
            page = await store.list_all(wanted)
            sheet.write(written(row for one in page.rows for row in rows_of(one, STAFF_HEADINGS)))
            count += len(page.rows)
            if not page.has_next:
                return count
            wanted = replace(wanted, beyond=PAYMENT_SEARCH.key()(page.rows[-1]))
            bars.update(bar, completed=page.rows[-1].made_at - since)


async def write_orders(store: "Store", zone_id: str, file: Path, *, since: int, until: int) -> int:
    """Oldest first, with a bar that shows how far through the time it has come."""
    from rich.progress import Progress

    from api.csv_rows import BEGINNING, written
    from engine.kernel.ids import OrderId, ZoneId
    from engine.orders.sheet import HEADINGS, row_of
    from storage.recent import entered_at

    count, after = 0, None
    with file.open("w", encoding="utf-8", newline="") as sheet, Progress(transient=True) as bars:
        bar = bars.add_task("exporting", total=max(1, until - since))
        sheet.write(BEGINNING + written([HEADINGS]))
        while True:
            page = await store.list_orders_in(
                ZoneId(zone_id), since=since, until=until, limit=_AT_ONCE, after=after
            )
            sheet.write(written(row_of(one) for one in page))
            count += len(page)
            if len(page) < _AT_ONCE:
                return count
            after = (entered_at(page[-1]), OrderId(page[-1].id))
            bars.update(bar, completed=after[0] - since)
