"""PostgreSQL: the pool of connections, and the one place where its failures get their name."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Self

import asyncpg
from asyncpg import exceptions as pg

from storage.queries import Query
from storage.settings import DatabaseSettings
from storage.store import StoreUnavailable

_JSONB_VERSION: Final = b"\x01"
_APPLICATION: Final = "hadiyati"

# What says that PostgreSQL is away, starting, stopping, full or too slow: nothing is wrong with us.
_AWAY: Final = (
    OSError,
    TimeoutError,
    pg.InterfaceError,
    pg.PostgresConnectionError,
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.LockNotAvailableError,
    pg.TransactionRollbackError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.ReadOnlySQLTransactionError,
    pg.PostgresSystemError,
    # A connection that broke in the middle of an answer leaves the driver between two states.
    pg.InternalClientError,
)


class Session:
    """A connection for some statements."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def rows(self, query: Query, **values: object) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.connection.fetch(
            query.sql, *query.arguments(values)
        )
        return rows

    async def value(self, query: Query, **values: object) -> Any:  # noqa: ANN401 - as SQL has it
        return await self.connection.fetchval(query.sql, *query.arguments(values))

    async def run(self, query: Query, **values: object) -> int:
        """Carry out a statement; the number of rows that it touched."""
        tag: str = await self.connection.execute(query.sql, *query.arguments(values))
        return int(tag.rpartition(" ")[2])


class _Joined(NamedTuple):
    database: "Database"
    task: "asyncio.Task[Any] | None"
    session: Session


_as_one: ContextVar[_Joined | None] = ContextVar("as_one", default=None)


class Database:
    """A bounded pool; every failure to reach PostgreSQL leaves as `StoreUnavailable`."""

    def __init__(self, pool: asyncpg.Pool, settings: DatabaseSettings) -> None:
        self._pool, self._settings = pool, settings
        self._waiting = 0

    @classmethod
    async def open(cls, settings: DatabaseSettings) -> Self:
        """Connect to `settings.dsn`, which must be set."""
        assert settings.dsn is not None, "the address of the database must be known by now"
        with translated():
            pool = await asyncpg.create_pool(
                settings.dsn.get_secret_value(),
                min_size=settings.pool_min,
                max_size=max(settings.pool_min, settings.pool_max),
                init=_prepare,
                reset=_leave,
                max_cached_statement_lifetime=0,
                timeout=settings.connect_timeout_s,
                command_timeout=settings.command_timeout_s,
                server_settings=_session_settings(settings),
            )
        return cls(pool, settings)

    async def close(self) -> None:
        """Give the connections back; what is under way gets as long as one statement may take."""
        try:
            async with asyncio.timeout(self._settings.command_timeout_s):
                await self._pool.close()
        except _AWAY:
            self._pool.terminate()

    @asynccontextmanager
    async def session(self, *, is_vital: bool = False) -> AsyncIterator[Session]:
        """A connection for a while; each statement is a transaction of its own.

        When many wait for one already, whoever does nothing vital is sent away at once.
        """
        joined = self._joined()
        if joined is not None:
            with translated():
                yield joined
            return
        with translated():
            connection = await self._acquire(is_vital=is_vital)
            try:
                yield Session(connection)
            except (TimeoutError, OSError, pg.InternalClientError):
                # A frozen server would let us wait for its answer to our farewell, too.
                connection.terminate()
                raise
            finally:
                await self._pool.release(connection)

    async def _acquire(self, *, is_vital: bool) -> "asyncpg.pool.PoolConnectionProxy":
        settings = self._settings
        if is_vital:
            return await self._pool.acquire(timeout=settings.command_timeout_s)
        if self._waiting >= settings.pool_waiting_max:
            raise StoreUnavailable(f"{self._waiting} wait for a connection already")
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=settings.pool_wait_s)
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def transaction(self, *, is_vital: bool = False) -> AsyncIterator[Session]:
        """A connection with a transaction that commits when the block ends well."""
        async with self.session(is_vital=is_vital) as session, session.connection.transaction():
            yield session

    @asynccontextmanager
    async def as_one(self) -> AsyncIterator[Session]:
        """One transaction for whatever this task does with this database until the block ends.

        What it asks of others, in their tasks, stays outside. A transaction within is a savepoint.
        """
        async with self.transaction() as session:
            token = _as_one.set(_Joined(self, asyncio.current_task(), session))
            try:
                yield session
            finally:
                _as_one.reset(token)

    @property
    def is_joined(self) -> bool:
        """Whether this task is within `as_one`."""
        return self._joined() is not None

    def _joined(self) -> Session | None:
        joined = _as_one.get()
        # A task that was started meanwhile has inherited the variable, and may outlive the block.
        is_ours = joined is not None and joined.task is asyncio.current_task()
        return joined.session if joined and is_ours and joined.database is self else None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """A connection whose statements all see the database as it was at the first of them."""
        async with (
            self.session() as session,
            session.connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield session

    async def rows(self, query: Query, **values: object) -> list[asyncpg.Record]:
        async with self.session() as session:
            return await session.rows(query, **values)

    async def value(self, query: Query, **values: object) -> Any:  # noqa: ANN401 - as SQL has it
        async with self.session() as session:
            return await session.value(query, **values)

    async def run(self, query: Query, **values: object) -> int:
        """Carry out one statement; the number of rows that it touched."""
        async with self.session() as session:
            return await session.run(query, **values)

    async def copy(
        self, table: str, columns: Sequence[str], records: Sequence[tuple[Any, ...]]
    ) -> None:
        """Append rows to a table in bulk."""
        async with self.session() as session:
            await session.connection.copy_records_to_table(
                table, records=records, columns=list(columns)
            )


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection without time-outs, for the few who need neither pool nor haste."""
    with translated():
        connection = await asyncpg.connect(dsn)
        try:
            yield connection
        finally:
            await connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """Let what says that PostgreSQL is away leave as `StoreUnavailable`."""
    try:
        yield
    except _AWAY as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=_JSONB_VERSION.__add__,
        decoder=_without_version,
        format="binary",
    )


async def _leave(_: asyncpg.Connection) -> None:
    """Nobody sets anything on a session here, so nothing need be undone when it goes back."""


def _without_version(data: bytes) -> memoryview:
    return memoryview(data)[1:]


def _session_settings(settings: DatabaseSettings) -> dict[str, str]:
    return {
        "application_name": _APPLICATION,
        "timezone": "UTC",
        "jit": "off",
        # Every query here has its index and asks for few rows, so each is planned once; a plan made
        # while a table was still empty must not read it whole when it no longer is.
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "statement_timeout": str(settings.statement_timeout_ms),
        "lock_timeout": str(settings.lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
    }
