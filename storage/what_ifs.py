"""What operators asked about other parameters, and what they were answered."""

from typing import Protocol

from engine.kernel.ids import ZoneId
from engine.kernel.pages import Page, Wanted
from engine.listings import WHAT_IFS
from engine.what_if import WhatIf, WhatIfId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries


class WhatIfStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(self, what_if: WhatIf) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def find(self, what_if_id: WhatIfId) -> WhatIf | None:
        """One of them by its id."""
        ...

    async def list_of(self, zone_id: ZoneId, wanted: Wanted) -> Page[WhatIf]:
        """A page of those of a zone, as `WHAT_IFS` says."""
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

    async def list_of(self, zone_id: ZoneId, wanted: Wanted) -> Page[WhatIf]:
        return await page_in(
            self._database,
            queries.list_what_ifs,
            WHAT_IFS,
            wanted,
            lambda row: decode(WhatIf, row["state"]),
            zone_id=known(zone_id),
        )
