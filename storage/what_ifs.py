"""What operators asked about other parameters, and what they were answered."""

from typing import Protocol

from engine.kernel.ids import ZoneId
from engine.kernel.pages import (
    FIRST_ID,
    FIRST_INSTANT,
    LAST_ID,
    LAST_INSTANT,
    Key,
    Page,
    Wanted,
    page_of,
)
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

    async def list_of(self, zone_id: ZoneId, wanted: Wanted) -> Page[WhatIf]:
        """A page of those of a zone, by when they were asked and their ids."""
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
        down = wanted.goes_down
        start = (LAST_INSTANT, LAST_ID) if down else (FIRST_INSTANT, FIRST_ID)
        at, what_if_id = wanted.beyond or start
        rows = await self._database.rows(
            queries.list_what_ifs_down if down else queries.list_what_ifs_up,
            zone_id=known(zone_id),
            at=at,
            what_if_id=what_if_id,
            limit=wanted.limit + 1,
        )
        return page_of([decode(WhatIf, row["state"]) for row in rows], wanted)


def listed_at(what_if: WhatIf) -> Key:
    """Where a what-if stands in a list."""
    return (what_if.asked.at, what_if.id)
