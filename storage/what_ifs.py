"""What operators asked about other parameters, and what they were answered."""

from typing import Protocol

from engine.kernel.ids import ZoneId
from engine.what_if import WhatIf, WhatIfId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


class WhatIfStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(self, what_if: WhatIf) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def find(self, what_if_id: WhatIfId) -> WhatIf | None:
        """One of them by its id."""
        ...

    async def list_of(self, zone_id: ZoneId, *, limit: int) -> tuple[WhatIf, ...]:
        """Those of a zone, newest first."""
        ...


class PostgresWhatIfs:
    """Satisfies `WhatIfStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, what_if: WhatIf) -> bool:
        return await self._database.run(queries.save_what_if, state=encode(what_if)) == 1

    async def find(self, what_if_id: WhatIfId) -> WhatIf | None:
        state = await self._database.value(queries.find_what_if, what_if_id=known(what_if_id))
        return None if state is None else decode(WhatIf, state)

    async def list_of(self, zone_id: ZoneId, *, limit: int) -> tuple[WhatIf, ...]:
        rows = await self._database.rows(queries.list_what_ifs, zone_id=known(zone_id), limit=limit)
        return tuple(decode(WhatIf, row["state"]) for row in rows)
