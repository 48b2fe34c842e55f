"""Bringing a database to the newest schema, one migration after the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import asyncpg
from pogo_core.migration import Migration, topological_sort
from pogo_core.util import migrate as pogo
from pogo_core.util import sql as pogo_sql

from storage.database import connected

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_SCHEMA: Final = "public"
_LOCK_TIMEOUT_MS: Final = 5_000
# Any number will do as long as nobody else locks it in this database.
_LOCK: Final = 0x6861_6469_7961_7469


async def migrate(dsn: str, *, on_step: Callable[[str], None] | None = None) -> list[str]:
    """Apply what is missing and return its names; `on_step` hears of each one before.

    Of two that run at once the second waits for the first, and then finds nothing left to do.

    Raises:
        StoreUnavailable: the database cannot be reached, or is too busy to be changed now.
    """
    async with connected(dsn) as connection:
        # Whoever waited within a statement would be waited for by an index that is made beside.
        while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            await connection.execute("select pg_sleep(0.1)")
        await pogo_sql.ensure_pogo_sync(connection)
        applied = []
        for migration in await _missing(connection):
            if on_step is not None:
                on_step(f"Migrating the database: {migration.id}")
            await _apply(connection, migration)
            applied.append(migration.id)
        return applied


async def list_pending(dsn: str) -> list[str]:
    """The names of the migrations that are not applied yet, in their order."""
    async with connected(dsn) as connection:
        if await pogo_sql.get_pogo_version(connection) is None:
            return sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
        return [one.id for one in await _missing(connection)]


async def _missing(connection: asyncpg.Connection) -> list[Migration]:
    found = await pogo_sql.read_migrations(MIGRATIONS, connection, schema_name=_SCHEMA)
    found.sort(key=lambda one: one.id)
    return [one for one in topological_sort([one.load() for one in found]) if not one.applied]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    async with pogo.transaction(connection, migration):
        # Whoever waits for a lock holds up all who come after him; an index that is made beside
        # the traffic waits for it, and holds up nobody.
        patience_ms = _LOCK_TIMEOUT_MS if migration.use_transaction else 0
        await connection.execute(f"set lock_timeout = {patience_ms}")
        await migration.apply(connection)
        await pogo_sql.migration_applied(
            connection, migration.id, migration.hash, schema_name=_SCHEMA
        )
