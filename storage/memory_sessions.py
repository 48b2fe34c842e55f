"""The in-memory twin of the sessions."""

from collections.abc import Mapping

from engine.identity.ids import SessionId
from engine.identity.sessions import Session
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant


class MemorySessions:
    """Satisfies `SessionStore`; nothing in it waits."""

    def __init__(self) -> None:
        self._sessions: dict[SessionId, Session] = {}

    async def find_session(self, session_id: SessionId) -> Session | None:
        return self._sessions.get(session_id)

    async def save_session(self, session: Session) -> bool:
        before = self._sessions.get(session.id)
        if session.version != (before.version if before else 0) + 1:
            return False
        self._sessions[session.id] = session
        return True

    async def list_sessions(
        self, user_id: UserId, *, now: Instant, limit: int
    ) -> tuple[Session, ...]:
        found = [
            one
            for one in self._sessions.values()
            if one.user_id == user_id and one.ended_at is None and one.expires_at > now
        ]
        return tuple(sorted(found, key=lambda one: -one.seen_at)[:limit])

    async def list_ended_sessions(self, since: Instant) -> Mapping[SessionId, Instant]:
        return {
            one.id: one.ended_at
            for one in self._sessions.values()
            if one.ended_at is not None and one.ended_at >= since
        }
