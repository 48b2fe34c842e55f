"""Who is let in: a token that is ours, of a session that has not ended."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog
from starlette.types import Scope

from actors.clock import Clock
from api.keys import KeyRing
from api.raw_headers import bearer_of
from api.refusals import NOT_AUTHENTICATED
from api.tokens import Proven, Tokens
from engine.identity.ids import SessionId
from engine.identity.sessions import SESSION_ENDED
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS, Instant
from storage.sessions import SessionStore
from storage.store import StoreUnavailable

_PROVEN: Final = "proven"
# What ends anywhere is known everywhere within a second, also without the live stream.
_LOOK_EVERY_MS: Final = 400
# What was stored late, or by a clock that is behind, is not missed.
_OVERLAP_MS: Final = 30 * SECOND_MS


def proven_by(scope: Scope) -> Proven | Refusal:
    """Who the token of a request speaks for; it is looked at once."""
    known: Proven | Refusal | None = scope["state"].get(_PROVEN)
    if known is None:
        gate: Gate = scope["app"].state.gate
        known = scope["state"][_PROVEN] = gate.prove(bearer_of(scope))
    return known


class Gate:
    """One for all routes and sockets of a process."""

    def __init__(
        self, tokens: Tokens, ring: KeyRing, sessions: SessionStore, wall: Clock, *, token_s: int
    ) -> None:
        self._tokens = tokens
        self._ring = ring
        self._sessions = sessions
        self._wall = wall
        self._token_ms = token_s * SECOND_MS
        self._ended: dict[SessionId, Instant] = {}
        self._looked_at: Instant | None = None
        self._watched: dict[SessionId, set[Callable[[], None]]] = {}

    def prove(self, token: str) -> Proven | Refusal:
        """Who the token speaks for, or why for nobody."""
        if not token:
            return NOT_AUTHENTICATED()
        if self._looked_at is None:
            return UNAVAILABLE()
        proven = self._tokens.read(token, now=self._wall.now())
        if isinstance(proven, Proven) and proven.session_id in self._ended:
            return SESSION_ENDED()
        return proven

    def watch(self, session_id: SessionId, close: Callable[[], None]) -> None:
        """Call `close` when this session ends."""
        self._watched.setdefault(session_id, set()).add(close)
        if session_id in self._ended:
            close()

    def forget(self, session_id: SessionId, close: Callable[[], None]) -> None:
        """It need not be called any more."""
        watching = self._watched.get(session_id, set())
        watching.discard(close)
        if not watching:
            self._watched.pop(session_id, None)

    def shut(self, session_ids: Iterable[SessionId]) -> None:
        """These sessions have ended: their tokens are worth nothing, their sockets close."""
        now = self._wall.now()
        for session_id in session_ids:
            self._end(session_id, now)

    async def run(self) -> None:
        """Look for ended sessions and for new keys until cancelled."""
        while True:
            await self.look()
            await self._wall.sleep(_LOOK_EVERY_MS)

    async def look(self) -> None:
        """Look once; before the first success nobody is let in."""
        try:
            self._ring.look()
            await self._learn()
        except (StoreUnavailable, OSError, ValueError) as error:
            structlog.get_logger(__name__).warning("gate_cannot_look", why=repr(error))

    async def _learn(self) -> None:
        now = self._wall.now()
        since = now - self._token_ms if self._looked_at is None else self._looked_at
        for session_id, ended_at in (
            await self._sessions.list_ended_sessions(since - _OVERLAP_MS)
        ).items():
            self._end(session_id, ended_at)
        self._looked_at = now
        # After that long no token of the session is valid anyway.
        forgotten = now - self._token_ms - 2 * _OVERLAP_MS
        self._ended = {one: at for one, at in self._ended.items() if at > forgotten}

    def _end(self, session_id: SessionId, ended_at: Instant) -> None:
        if session_id in self._ended:
            return
        self._ended[session_id] = ended_at
        for close in list(self._watched.get(session_id, ())):
            close()
