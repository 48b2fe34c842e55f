"""Zones that leave a cell and come to it while they are served."""

from collections.abc import Awaitable, Callable

from actors.answers import answer_to
from actors.clock import Clock
from actors.holdings import Holdings
from actors.live import Live
from actors.positions import Positions
from engine.geo.moving import MoveZone, TakeOverZone, move
from engine.kernel.ids import CellId
from engine.kernel.messages import Decision, Envelope
from engine.kernel.refusals import ELSEWHERE, UNAVAILABLE, Refusal
from storage.store import Answer


class Moves:
    """What one cell does about them; `read_anew` brings memory to what is stored, if it can."""

    def __init__(
        self,
        cell: CellId,
        *,
        live: Live,
        holdings: Holdings,
        positions: Positions,
        clock: Clock,
        read_anew: Callable[[], Awaitable[bool]],
    ) -> None:
        self._cell = cell
        self._live = live
        self._holdings = holdings
        self._positions = positions
        self._clock = clock
        self._read_anew = read_anew

    async def give(self, command: MoveZone, envelope: Envelope) -> Answer:
        """Commit the move while nothing else has its turn; then nothing of the zone is here."""

        def decide() -> Decision | Refusal:
            zone = self._holdings.zones.get(command.zone_id)
            if zone is None:
                return ELSEWHERE()
            return move(zone, command, before=self._cell, now=self._clock.now())

        return await self._live.turn_alone(decide, envelope)

    async def take(self, command: TakeOverZone, envelope: Envelope) -> Answer:
        """Read everything anew, for all that lives in the zone came with it."""
        if command.zone_id not in self._holdings.zones:
            self._live.doubt()
            if not await self._read_anew():
                return answer_to(envelope, UNAVAILABLE())
            if command.before is not None:
                await self._positions.recall_from(command.before)
        is_here = command.zone_id in self._holdings.zones
        return answer_to(envelope, None if is_here else ELSEWHERE())
