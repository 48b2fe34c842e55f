"""Who looks at which fleet on a map: asked of its cell once a second for all who look at it."""

import asyncio
from typing import Final

from actors.bus import Bus, CellUnavailable
from actors.clock import Clock
from actors.fleet import Fleet, read_fleet
from api.sockets import server_frames
from api.sockets.fleet_map import FleetMap
from api.sockets.outgoing import Outgoing, Packed
from engine.kernel.timing import SECOND_MS
from storage.store import StoreUnavailable

_LANE: Final = "fleet"


class Fleets:
    """While nobody looks nobody is asked. A socket has one map at a time."""

    def __init__(self, bus: Bus, wall: Clock) -> None:
        self._bus = bus
        self._wall = wall
        self._looking: dict[str, dict[Outgoing, tuple[FleetMap, bool]]] = {}

    def look(self, channel: str, outgoing: Outgoing, shown: FleetMap, *, is_binary: bool) -> None:
        """Show a zone's fleet on a map; whatever this socket looked at before is over."""
        self.look_away(outgoing)
        self._looking.setdefault(channel, {})[outgoing] = (shown, is_binary)

    def look_away(self, outgoing: Outgoing) -> None:
        """This socket looks at no map."""
        for channel in [one for one, looking in self._looking.items() if outgoing in looking]:
            del self._looking[channel][outgoing]
            if not self._looking[channel]:
                del self._looking[channel]

    async def run(self) -> None:
        """Show what changes, once a second, until cancelled."""
        while True:
            await asyncio.gather(*(self._show(channel) for channel in list(self._looking)))
            await self._wall.sleep(SECOND_MS)

    async def _show(self, channel: str) -> None:
        try:
            told = await self._bus.snapshot(channel)
        except (CellUnavailable, StoreUnavailable):
            return
        if told is None:
            return
        fleet = read_fleet(told.body["packed"])
        for outgoing, (shown, is_binary) in list(self._looking.get(channel, {}).items()):
            # A difference builds on the one before it: while that waits, none is made.
            if not outgoing.has_latest(_LANE):
                self._show_to(outgoing, shown, fleet, is_binary=is_binary, now=told.body["at"])

    def _show_to(
        self, outgoing: Outgoing, shown: FleetMap, fleet: Fleet, *, is_binary: bool, now: int
    ) -> None:
        if is_binary:
            packed = shown.binary(fleet, now=now)
            if packed is not None:
                outgoing.put_latest(_LANE, Packed(packed))
            return
        frame = shown.frame(fleet, now=now)
        if frame is not None:
            outgoing.put_latest(_LANE, server_frames.spell(frame))
