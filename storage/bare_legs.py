"""What a ledger cannot be quicker than: rows of the same shape, inserted without any promise.

Its table is made by who measures, so it is no part of the schema and no query of `storage/sql`.
"""

from collections.abc import Sequence
from typing import Final

from storage.database import Database

_TABLE: Final = """
create table bare_legs (
    number bigint, position smallint, account text collate "C", asset text collate "C",
    amount bigint, primary key (number, position)
)
"""
_INSERT: Final = """
insert into bare_legs
select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::bigint[])
"""

BareLeg = tuple[int, int, str, str, int]


class BareLegs:
    """A table with a key and nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self) -> None:
        """Make the table, once."""
        async with self._database.session() as session:
            await session.connection.execute(_TABLE)

    async def insert(self, rows: Sequence[BareLeg]) -> None:
        """Insert rows in one transaction."""
        async with self._database.transaction() as session:
            await session.connection.execute(_INSERT, *map(list, zip(*rows, strict=True)))
