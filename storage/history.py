"""What happened to a thing, and what a command was answered."""

import msgspec

from engine.kernel.ids import CommandId
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries
from storage.store import Answer, StoredEvent


async def list_events(database: Database, thing_id: str) -> tuple[StoredEvent, ...]:
    return tuple(
        StoredEvent(
            thing_kind=row["thing_kind"],
            thing_id=row["thing_id"],
            version=row["version"],
            position=row["position"],
            type=row["type"],
            at=row["at"],
            device_at=row["device_at"],
            data=msgspec.json.decode(row["data"]),
        )
        for row in await database.rows(queries.list_events, thing_id=known(thing_id))
    )


async def find_answer(database: Database, command_id: CommandId) -> Answer | None:
    state = await database.value(queries.find_answer, command_id=known(command_id))
    return None if state is None else decode(Answer, state)
