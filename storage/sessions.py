"""Who is logged in where, as it is kept."""

from collections.abc import Mapping
from typing import Protocol

from engine.identity.ids import SessionId
from engine.identity.sessions import Session
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


class SessionStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def find_session(self, session_id: SessionId) -> Session | None:
        """A session by its id."""
        ...

    async def save_session(self, session: Session) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def list_sessions(
        self, user_id: UserId, *, now: Instant, limit: int
    ) -> tuple[Session, ...]:
        """A person's sessions that are neither ended nor expired, the last seen first."""
        ...

    async def list_ended_sessions(self, since: Instant) -> Mapping[SessionId, Instant]:
        """The sessions that were ended at or after an instant, and when."""
        ...


class PostgresSessions:
    """Satisfies `SessionStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_session(self, session_id: SessionId) -> Session | None:
        state = await self._database.value(queries.find_session, session_id=known(session_id))
        return None if state is None else decode(Session, state)

    async def save_session(self, session: Session) -> bool:
        return await self._database.run(queries.save_session, state=encode(session)) == 1

    async def list_sessions(
        self, user_id: UserId, *, now: Instant, limit: int
    ) -> tuple[Session, ...]:
        rows = await self._database.rows(
            queries.list_sessions, user_id=known(user_id), now=now, limit=limit
        )
        return tuple(decode(Session, row["state"]) for row in rows)

    async def list_ended_sessions(self, since: Instant) -> Mapping[SessionId, Instant]:
        rows = await self._database.rows(queries.list_ended_sessions, since=since)
        return {SessionId(row["id"]): row["ended_at"] for row in rows}
