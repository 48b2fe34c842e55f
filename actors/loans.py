"""Whoever brings zones that want couriers together with neighbours who can spare some."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from actors.bus import Bus, CellUnavailable
from actors.clock import Clock
from engine.couriers.messages import LendCouriers, Welcome
from engine.dispatch.loans import Need, neighbours
from engine.geo.zone import Zone
from engine.kernel.ids import CommandId, CourierId, derived_id
from engine.kernel.messages import SYSTEM_CALLER, Command, Envelope
from engine.kernel.timing import SECOND_MS
from storage.store import Store, StoreUnavailable

_EVERY_MS: Final = 10 * SECOND_MS
_PATIENCE_MS: Final = 10 * SECOND_MS


class Loans:
    """Asks the zones that borrow what they want, and their neighbours for it.

    Several of these do no more than one: a neighbour is asked under an id that follows from what
    was wanted when. A zone that lends lets go first; who gets the courier is told at once, and once
    more by the outbox.
    """

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def run(self) -> None:
        """Look again and again until cancelled: every ten seconds, in a replay every real one."""
        while True:
            with suppress(StoreUnavailable, CellUnavailable):
                await self.match()
            await self._clock.sleep(max(_EVERY_MS, SECOND_MS * self._clock.speed))

    async def match(self) -> int:
        """Meet what is wanted now as far as neighbours can; how many couriers were lent."""
        zones = await self._store.list_zones()
        borrowing = [one for one in zones if one.parameters.loan_couriers_max > 0]
        return sum(await asyncio.gather(*(self._meet(one, zones) for one in borrowing)))

    async def _meet(self, zone: Zone, zones: Sequence[Zone]) -> int:
        need = await self._bus.need(zone.id)
        if need is None:
            return 0
        lent = 0
        for neighbour in neighbours(zone, zones, need):
            if lent >= len(need.shops):
                break
            lent += await self._borrow(zone, neighbour, need, lent)
        return lent

    async def _borrow(self, zone: Zone, neighbour: Zone, need: Need, have: int) -> int:
        parameters = zone.parameters
        command = LendCouriers(
            zone_id=neighbour.id,
            to_zone_id=zone.id,
            shops=need.shops[have:],
            travel_s_max=parameters.loan_travel_s_max,
            ends_at=need.at + parameters.loan_s * SECOND_MS,
        )
        wanted = (zone.id, str(need.at), str(have), neighbour.id)
        lent = await self._say(command, *wanted)
        for courier_id in lent:
            # If this fails the outbox says it.
            await self._say(Welcome(courier_id=CourierId(courier_id)), *wanted, courier_id)
        return len(lent)

    async def _say(self, command: Command, *what: str) -> Sequence[str]:
        envelope = Envelope(
            id=CommandId(derived_id("loan", *what)),
            command=command,
            caller=SYSTEM_CALLER,
            deadline=self._clock.now() + int(_PATIENCE_MS * max(1.0, self._clock.speed)),
        )
        answer = await self._bus.by_clock(envelope)
        lent: Sequence[str] = answer.reply.get("lent", ()) if answer.refusal is None else ()
        return lent
