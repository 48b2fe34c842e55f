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
# Rows, and numbers that are drawn; to make, change or empty a table is its owner's.
_OF_A_SERVICE: Final = (
    "grant usage on schema {schema} to {role}",
    "grant select, insert, update, delete on all tables in schema {schema} to {role}",
    "grant usage, select on all sequences in schema {schema} to {role}",
    "revoke insert, update, delete on _pogo_migration, _pogo_version from {role}",
    "alter default privileges grant select, insert, update, delete on tables to {role}",
    "alter default privileges grant usage, select on sequences to {role}",
)
# Any number will do as long as nobody else locks it in this database.
_LOCK: Final = 0x6861_6469_7961_7469


_MAY_CREATE: Final = "select has_schema_privilege(current_user, $1, 'create')"
_QUOTED: Final = "select quote_ident(rolname) from pg_roles where rolname = $1"


class NoSuchRole(Exception):
    """The database knows no role of this name."""


class SchemaIsOlder(Exception):
    """Migrations are missing, and whoever entered the database may not apply them."""


async def migrate(dsn: str, *, on_step: Callable[[str], None] | None = None) -> list[str]:
    """Apply what is missing and return its names; `on_step` hears of each one before.

    Of two that run at once the second waits for the first, and then finds nothing left to do.

    Raises:
        SchemaIsOlder: something is missing, and this role does not own the schema.
        StoreUnavailable: the database cannot be reached, or is too busy to be changed now.
    """
    async with connected(dsn) as connection:
        if not await connection.fetchval(_MAY_CREATE, _SCHEMA):
            if pending := await _pending(connection):
                raise SchemaIsOlder(
                    f"{len(pending)} migrations are missing, from {pending[0]} on: run "
                    "`hadiyati migrate` as the role that owns the schema"
                )
            return []
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
        return await _pending(connection)


async def grant_service(dsn: str, role: str) -> None:
    """Let a role that there is run the service: it reads and writes rows, and owns nothing.

    To be asked of the owner of the schema, whose tables of later migrations it will read, too.

    Raises:
        NoSuchRole: there is no such role.
    """
    async with connected(dsn) as connection, connection.transaction():
        quoted = await connection.fetchval(_QUOTED, role)
        if quoted is None:
            raise NoSuchRole(f"there is no role {role}: make it with `create role … login` first")
        for one in _OF_A_SERVICE:
            await connection.execute(one.format(schema=_SCHEMA, role=quoted))


async def _pending(connection: asyncpg.Connection) -> list[str]:
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
