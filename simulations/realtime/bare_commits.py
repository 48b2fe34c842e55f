"""The same commits without actors and sockets: decided, stored in groups, put into the stream."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from actors.chance import new_id
from actors.publisher import Publisher
from engine.couriers import breaks
from engine.couriers.courier import Courier
from engine.couriers.duty import go_off, go_on
from engine.couriers.messages import EndBreak, GoOnDuty, TakeBreak
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CellId, CommandId, CourierId, ZoneId
from engine.kernel.messages import Decision
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal
from simulations.realtime.site import Site
from simulations.realtime.steady_rate import SteadyRate
from storage.live import Batch, Publication
from storage.postgres import PostgresStore
from storage.store import Answer, Commit, Stored

# A cell that reads itself anew finds them in its zone, too; in the middle of an ocean nobody is
# asked for anything.
_AWAY: Final = Point(lat=0.0, lng=-150.0)


class BareCommits:
    """Couriers who take breaks and end them, of whom no cell knows.

    What is put into the stream is said by one cell that never begins anew: else every edge would
    ask how all stands that anybody listens to, and what is measured next would wait for that.
    """

    def __init__(self, site: Site, couriers: Sequence[Courier]) -> None:
        self._site = site
        self._cell = CellId(f"measured {site.new_id()}")
        live, clock = site.place.live, site.clock
        self._publisher = Publisher(self._cell, site.new_id(), live, clock)
        self._store = PostgresStore(site.place.database)
        self._couriers = list(couriers)
        self._sequence = 0

    @classmethod
    async def begin(cls, site: Site, count: int) -> "BareCommits":
        """So many couriers on duty."""
        self = cls(site, ())
        for _ in range(count):
            self._couriers.append(await self._begin())
        return self

    async def _begin(self) -> Courier:
        command = GoOnDuty(
            courier_id=CourierId(self._site.new_id()),
            zone_id=ZoneId(self._site.zone_id),
            name="measured",
            vehicle=VehicleKind.CAR,
            capacity_units=4,
            point=_AWAY,
        )
        return await self._store_it(_decided(go_on(None, command, now=self._site.clock.now())))

    async def end(self) -> None:
        """All of them go home."""
        for courier in self._couriers:
            await self._store_it(go_off(courier, now=self._site.clock.now()))

    async def per_s(self, seconds: float) -> float:
        """Commits in a second, one courier's next when his last was stored."""
        stored = 0
        began = perf_counter()

        async def keep_on(at: int) -> None:
            nonlocal stored
            while perf_counter() < began + seconds:
                await self._toggle(at)
                stored += 2

        await asyncio.gather(*(keep_on(at) for at in range(len(self._couriers))))
        return stored / (perf_counter() - began)

    async def _toggle(self, at: int) -> None:
        courier, now = self._couriers[at], self._site.clock.now()
        rest = breaks.take(courier, TakeBreak(courier_id=courier.id), now=now)
        courier = await self._store_it(_decided(rest))
        work = breaks.end(courier, EndBreak(courier_id=courier.id), now=self._site.clock.now())
        self._couriers[at] = await self._store_it(_decided(work))

    async def shown(self, count: int, *, per_s: float) -> list[float]:
        """Milliseconds from deciding to reading it from the stream, of `count` at a steady rate."""
        live = self._site.place.live
        found: list[float] = []
        sent_at: list[float] = []

        async def read(position: str) -> None:
            while len(found) < count:
                position, batches = await live.read(position, wait_ms=500)
                seen_at = perf_counter()
                found.extend(
                    1000 * (seen_at - sent_at[one.body["number"]]) for one in self._told(batches)
                )

        async def commit(number: int) -> None:
            # Another courier each time: what touches one thing must wait for it.
            self._couriers.append(await self._begin())
            told = Publication(channel=self._cell, kind="", version=0, body={"number": number})
            self._publisher.publish(told)

        publishing = asyncio.create_task(self._publisher.run())
        rate = SteadyRate(self._site.clock, per_s)
        async with asyncio.timeout(60 + count / per_s), asyncio.TaskGroup() as tasks:
            tasks.create_task(read(await live.tail()))
            for number in range(count):
                await rate.turn_of(number)
                sent_at.append(perf_counter())
                tasks.create_task(commit(number))
        publishing.cancel()
        return found

    def _told(self, batches: Sequence[Batch]) -> list[Publication]:
        return [one for batch in batches if batch.cell == self._cell for one in batch.publications]

    async def _store_it(self, decision: Decision) -> Courier:
        command_id = CommandId(new_id(self._site.clock, self._site.chance))
        answer = Answer(command_id=command_id, fingerprint="measured", reply=decision.reply)
        now = self._site.clock.now()
        outcome = await self._store.commit(
            Commit(cell=self._cell, decision=decision, at=now, answer=answer)
        )
        assert isinstance(outcome, Stored), outcome
        courier: Courier = decision.changes[0].thing
        return courier


def _decided(found: Decision | Refusal) -> Decision:
    assert isinstance(found, Decision), found
    return found
