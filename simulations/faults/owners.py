"""Who owns what when nothing fails any more: one cell, the one that storage names."""

from collections.abc import Iterable
from typing import Final

from actors.bus import Bus
from actors.clock import Clock
from engine.couriers.courier import Courier, Duty
from engine.geo.zone import Zone
from engine.kernel.timing import SECOND_MS, Instant
from simulations.faults.homes import Homes
from simulations.faults.truth import Truth
from storage.live import Fix
from storage.memory import MemoryStore
from storage.memory_live import MemoryLive

# Longer than a call takes, and than a cell keeps positions to itself.
_A_WHILE_MS: Final = 10 * SECOND_MS
_EXACT_M: Final = 5.0


class Owners:
    """Asks every cell that lives."""

    def __init__(
        self, homes: Homes, store: MemoryStore, live: MemoryLive, truth: Truth, clock: Clock
    ) -> None:
        self._homes, self._store, self._live = homes, store, live
        self._truth, self._clock = truth, clock

    async def wrong(self, edges: Iterable[Bus]) -> list[str]:
        """What has another owner than it should, or several; and whose positions get lost."""
        lost = await self._lost_positions(edges)
        found = await self._wrongly_owned()
        if found:
            # What is on its way is stored before it is held.
            await self._clock.sleep(_A_WHILE_MS)
            found &= await self._wrongly_owned()
        return [*sorted(found), *lost]

    async def _wrongly_owned(self) -> set[str]:
        zones = [(f"zone:{one.id}", one.id) for one in self._truth.all(Zone)]
        couriers = [(f"courier:{one.id}", one.zone_id) for one in self._at_work()]
        found = set[str]()
        for channel, zone_id in (*zones, *couriers):
            named = await self._store.cell_of_zone(zone_id)
            owners = await self._homes.who_hold(channel)
            if owners != [named]:
                found.add(f"{channel} is owned by {owners}, by what is stored by {named}")
        return found

    async def _lost_positions(self, edges: Iterable[Bus]) -> list[str]:
        """Whatever an edge believes, what it passes on reaches who owns the courier."""
        found = list[str]()
        for edge in edges:
            couriers = [one for one in self._at_work() if edge.hears_of(one.id)]
            now = self._clock.now()
            for one in couriers:
                edge.report_position(one.id, await self._same_place(one, now))
            await self._clock.sleep(_A_WHILE_MS)
            for one in couriers:
                if await self._is_behind(one, now):
                    found.append(f"a position of courier {one.id} is lost")
        return found

    async def _same_place(self, courier: Courier, at: Instant) -> Fix:
        """Where his owner sees him, kept or not yet: nobody doubts that he is still there."""
        point = await self._homes.where(courier) or courier.last_point
        return Fix(lat=point.lat, lng=point.lng, at=at, accuracy_m=_EXACT_M)

    async def _is_behind(self, courier: Courier, at: Instant) -> bool:
        now = await self._store.find_courier(courier.id)
        if now is None or now.duty is Duty.OFF:
            return False
        kept = await self._kept(now)
        return kept is None or kept.at < at

    async def _kept(self, courier: Courier) -> Fix | None:
        cell = await self._store.cell_of_zone(courier.zone_id)
        assert cell is not None
        return (await self._live.load_fixes(cell)).get(courier.id)

    def _at_work(self) -> list[Courier]:
        return [one for one in self._truth.all(Courier) if one.duty is not Duty.OFF]
