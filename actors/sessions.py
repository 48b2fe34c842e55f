"""The host of sessions: begins, refreshes, lists and ends them."""

from msgspec import Struct

from actors.chance import Chance, new_id
from actors.clock import Clock
from engine.identity import refresh_tokens
from engine.identity.ids import SessionId
from engine.identity.refresh_tokens import SECRET_BYTES
from engine.identity.sessions import (
    SESSION_ENDED,
    UNKNOWN_SESSION,
    Session,
    SessionEnd,
    SessionRules,
    begin,
    end,
    objection,
    refresh,
    step_up,
)
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import UNAVAILABLE, Refusal
from storage.sessions import SessionStore

_RACES_MAX = 16


class Opened(Struct, frozen=True, kw_only=True):
    """A session and the refresh token with which it goes on."""

    session: Session
    refresh_token: str


class Sessions:
    """`wall` is the real clock; `key` tells our refresh tokens from made-up ones."""

    def __init__(
        self, store: SessionStore, *, wall: Clock, chance: Chance, key: bytes, rules: SessionRules
    ) -> None:
        self._store = store
        self._wall = wall
        self._chance = chance
        self._key = key
        self._rules = rules

    async def begin(self, caller: Caller, *, device: str, place: str) -> Opened:
        """A new session; of too many the one that was seen least lately ends."""
        now = self._wall.now()
        secret = self._chance.bits(SECRET_BYTES * 8).to_bytes(SECRET_BYTES, "big")
        draft = Session(
            id=SessionId(new_id(self._wall, self._chance)),
            user_id=caller.user_id,
            role=caller.role,
            zones=caller.zones,
            device=device,
            place=place,
            began_at=now,
            seen_at=now,
            expires_at=now,
            refresh_digest="",
        )
        session, token = begin(draft, secret, self._rules)
        await self._store.save_session(session)
        for old in (await self.listed(caller.user_id))[self._rules.sessions_max :]:
            await self._end(old, SessionEnd.TOO_MANY)
        return Opened(session=session, refresh_token=refresh_tokens.spell(token, self._key))

    async def refresh(self, text: str) -> Opened | Refusal:
        """The same session with its next refresh token."""
        token = refresh_tokens.read(text, self._key)
        if token is None:
            return SESSION_ENDED()
        nonce = f"{self._chance.bits(256):064x}"
        for _ in range(_RACES_MAX):
            stored = await self._store.find_session(token.session_id)
            told = refresh(stored, token, nonce=nonce, rules=self._rules, now=self._wall.now())
            if told.session is not None and not await self._store.save_session(told.session):
                continue
            if told.token is None:
                assert told.refusal is not None
                return told.refusal
            session = told.session or stored
            assert session is not None
            return Opened(
                session=session, refresh_token=refresh_tokens.spell(told.token, self._key)
            )
        return UNAVAILABLE()

    async def step_up(self, session_id: SessionId) -> Session | Refusal:
        """Its person has proven once more who he is."""
        for _ in range(_RACES_MAX):
            stored = await self._store.find_session(session_id)
            session = step_up(stored, now=self._wall.now())
            if isinstance(session, Refusal) or await self._store.save_session(session):
                return session
        return UNAVAILABLE()

    async def objection(self, session_id: SessionId, role: Role) -> Refusal | None:
        """Why this session must prove first, once more, whose it is."""
        stored = await self._store.find_session(session_id)
        return objection(stored, role, self._rules, now=self._wall.now())

    async def listed(self, user_id: UserId) -> tuple[Session, ...]:
        """A person's open sessions, the last seen first."""
        return await self._store.list_sessions(
            user_id, now=self._wall.now(), limit=2 * self._rules.sessions_max
        )

    async def end_one(self, user_id: UserId, session_id: SessionId) -> Refusal | None:
        """End a session of this person; ending an ended one again is no fault."""
        session = await self._store.find_session(session_id)
        if session is None or session.user_id != user_id:
            return UNKNOWN_SESSION()
        await self._end(session, SessionEnd.LOGGED_OUT)
        return None

    async def end_all(
        self,
        user_id: UserId,
        *,
        keep: SessionId | None = None,
        role: Role | None = None,
        why: SessionEnd = SessionEnd.LOGGED_OUT,
    ) -> tuple[SessionId, ...]:
        """End a person's sessions, in one role or all, but the one to keep; which were ended."""
        ended: list[SessionId] = []
        while found := [
            one for one in await self.listed(user_id) if one.id != keep and role in {None, one.role}
        ]:
            for session in found:
                await self._end(session, why)
                ended.append(session.id)
        return tuple(ended)

    async def _end(self, session: Session | None, why: SessionEnd) -> None:
        while session is not None and session.ended_at is None:
            if await self._store.save_session(end(session, why, now=self._wall.now())):
                return
            session = await self._store.find_session(session.id)
