"""What placing an order cannot be quicker than: one row, inserted as the driver's documents show.

Its table is made by who measures, so it is no part of the schema and no query of `storage/sql`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from storage.settings import DatabaseSettings

_TABLE: Final = "create table bare_orders (id uuid primary key, state jsonb not null)"
_INSERT: Final = "insert into bare_orders (id, state) values ($1, $2)"


class BareOrders:
    """A table with a key, and a pool of connections with nothing of ours."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def insert(self, order_id: str, state: str) -> None:
        """One statement, one transaction."""
        await self._pool.execute(_INSERT, order_id, state)


@asynccontextmanager
async def bare_orders(settings: DatabaseSettings) -> AsyncIterator[BareOrders]:
    """The table made, with as many connections as the service itself may have."""
    assert settings.dsn is not None, "the address of the database must be known by now"
    async with asyncpg.create_pool(
        settings.dsn.get_secret_value(), min_size=settings.pool_min, max_size=settings.pool_max
    ) as pool:
        await pool.execute(_TABLE)
        yield BareOrders(pool)
