"""Who owns what when nothing fails any more: one cell, the one that storage names."""

from collections.abc import Container, Sequence
from typing import Final

from actors.bus import Bus
from actors.clock import Clock
from engine.couriers.courier import Courier, Duty
from engine.geo.zone import Zone
from engine.kernel.ids import CellId, CourierId
from engine.kernel.timing import SECOND_MS, Instant
from simulations.faults.homes import Homes
from simulations.faults.truth import Truth
from storage.live import Fix
from storage.memory import MemoryStore
from storage.memory_live import MemoryLive

# Longer than a call takes, and than a cell keeps positions to itself.
_A_WHILE_MS: Final = 10 * SECOND_MS
_EXACT_M: Final = 5.0
# Nobody changes hands so often in a row.
_TRIES: Final = 6


class Owners:
    """Asks every cell that lives."""

    def __init__(
        self, homes: Homes, store: MemoryStore, live: MemoryLive, truth: Truth, clock: Clock
    ) -> None:
        self._homes, self._store, self._live = homes, store, live
        self._truth, self._clock = truth, clock

    async def wrong(self, edges: Sequence[Bus]) -> list[str]:
        """What has another owner than it should, or several; and whose positions get lost.

        Everybody's phone is at the first of the edges.
        """
        here, *others = edges
        lost = [*await self._unheard(here), *await self._lost_by(here)]
        for edge in others:
            lost += await self._lost_by(edge)
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

    async def _unheard(self, edge: Bus) -> list[str]:
        """Of whoever is at work, the edge that his phone is at passes positions on."""
        if all(edge.hears_of(one.id) for one in self._at_work()):
            return []
        # Somebody may just be looked up.
        await self._clock.sleep(_A_WHILE_MS)
        unheard = [one.id for one in self._at_work() if not edge.hears_of(one.id)]
        return [f"positions of courier {one} are not passed on" for one in unheard]

    async def _lost_by(self, edge: Bus) -> list[str]:
        """Whatever an edge believes, what it passes on reaches who owns the courier.

        Who changes hands meanwhile is tried again: his last position stays with his last owner, and
        while he is on his way nobody hears one.
        """
        found = list[str]()
        trying = {one.id for one in self._at_work() if edge.hears_of(one.id)}
        for _ in range(_TRIES):
            now, before = self._clock.now(), dict[CourierId, object]()
            for one in self._those_at_work(trying):
                before[one.id] = await self._settled(one)
                edge.report_position(one.id, await self._same_place(one, now))
            await self._clock.sleep(_A_WHILE_MS)
            trying = set[CourierId]()
            for one in self._those_at_work(before):
                if not await self._is_behind(one, now):
                    continue
                if before[one.id] is not None and before[one.id] == await self._settled(one):
                    found.append(f"a position of courier {one.id} is lost")
                else:
                    trying.add(one.id)
            if not trying:
                break
        return found + [f"courier {one} does not stay long enough to be seen" for one in trying]

    async def _settled(self, courier: Courier) -> tuple[CellId, int] | None:
        """Who owns him, and in which version; None while he is on his way."""
        cell = await self._store.cell_of_zone(courier.zone_id)
        is_there = await self._homes.who_hold(f"courier:{courier.id}") == [cell]
        return (cell, courier.version) if is_there and cell is not None else None

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

    def _those_at_work(self, ids: Container[CourierId]) -> list[Courier]:
        return [one for one in self._at_work() if one.id in ids]
