"""The host of what was refused: a line in the log at once, a row in the store soon after."""

import asyncio
from typing import Final

import structlog
from msgspec.structs import replace

from actors.chance import Chance, new_id
from actors.clock import Clock
from engine.audit.refused import RefusedTry, Tally, hidden, hidden_place, kind_of
from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS
from storage.refused_tries import RefusedTryStore
from storage.store import StoreUnavailable

_WRITE_EVERY_MS: Final = SECOND_MS
_GOODBYE_S: Final = 2.0


class RefusedTries:
    """One for all routes and sockets of a process; `wall` is the real clock."""

    def __init__(self, store: RefusedTryStore, *, wall: Clock, chance: Chance, key: bytes) -> None:
        self._store = store
        self._wall = wall
        self._chance = chance
        self._key = key
        self._tally = Tally()

    def note(
        self,
        refusal: Refusal,
        route: str,
        *,
        place: str,
        user_id: UserId | None = None,
        tried: str = "",
        is_named: bool = True,
    ) -> None:
        """Count a refusal if it tells of a trespass; `tried` is the phone or e-mail of a log-in."""
        kind = kind_of(refusal, is_named=is_named)
        if kind is None:
            return
        now = self._wall.now()
        whose = f"tried:{hidden(self._key, 'tried', tried)}" if tried else ""
        one = RefusedTry(
            kind=kind,
            code=refusal.code,
            route=route,
            subject=f"user:{user_id}" if user_id else whose,
            place=hidden_place(self._key, place),
            first_at=now,
            last_at=now,
        )
        if self._tally.add(one):
            structlog.get_logger(__name__).warning(
                "refused",
                kind=one.kind.value,
                code=one.code,
                route=one.route,
                subject=one.subject,
                origin=one.place,
            )

    async def run(self) -> None:
        """Write what was refused, until cancelled; then the rest."""
        try:
            while True:
                await self._wall.sleep(_WRITE_EVERY_MS)
                await self._write(self._tally.take(self._wall.now()))
        finally:
            async with asyncio.timeout(_GOODBYE_S):
                await self._write(self._tally.finish())

    async def _write(self, rows: tuple[RefusedTry, ...]) -> None:
        if not rows:
            return
        named = tuple(
            one if one.id else replace(one, id=new_id(self._wall, self._chance)) for one in rows
        )
        try:
            await self._store.save_refused(named)
        except StoreUnavailable as error:
            self._tally.put_back(named)
            structlog.get_logger(__name__).warning("refused_tries_not_kept", why=str(error))
