"""A courier's phone as phones are: it does not know exactly where it is, and its battery dies."""

import asyncio
import math
from contextlib import suppress
from typing import Any

from actors.clock import Clock
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from simulations.people import CourierDoor, Newest, Temper
from simulations.views import Told, WorkShown

_M_PER_DEGREE = EARTH_RADIUS_M * math.pi / 180


class Handset:
    """Satisfies `CourierDoor` on top of another.

    While its battery is empty nothing is heard and nothing is sent; what its courier wants to say
    is said when it is back.
    """

    def __init__(self, door: CourierDoor, temper: Temper, clock: Clock) -> None:
        self._door, self._clock = door, clock
        # When a battery dies does not depend on how many positions were sent.
        self._temper, self._luck = temper.about("positions"), temper.about("battery").chance
        self._is_on = asyncio.Event()
        self._blind_until: Instant = 0
        self._battery: asyncio.Task[None] | None = None

    @property
    def work(self) -> Newest[WorkShown]:
        """The work view, as last heard."""
        return self._door.work

    async def open(self) -> str:
        """Switch it on; the courier's id."""
        courier_id = await self._door.open()
        self._is_on.set()
        if self._temper.behaviour.phone_deaths_per_h:
            self._battery = asyncio.create_task(self._live_on_battery())
        return courier_id

    async def close(self) -> None:
        """Switch it off for good."""
        if self._battery is not None:
            self._battery.cancel()
            with suppress(asyncio.CancelledError):
                await self._battery
        await self._door.close()

    async def tell(self, kind: str, **fields: Any) -> Told:  # noqa: ANN401 - frames hold anything
        """Send a courier's command as soon as the phone is on."""
        await self._is_on.wait()
        return await self._door.tell(kind, **fields)

    async def give_back(self, order_id: str, reason: str) -> Told:
        """Give an order back as soon as the phone is on."""
        await self._is_on.wait()
        return await self._door.give_back(order_id, reason)

    async def position(self, point: Point, at: Instant) -> None:
        """Send about where it is, if it knows."""
        if not self._is_on.is_set() or at < self._blind_until:
            return
        how = self._temper.behaviour
        if self._temper.happens(how.gps_gap):
            self._blind_until = at + int(how.gps_gap_s * SECOND_MS)
        if how.gps_noise_m:
            point = self._about(point, how.gps_noise_m)
        await self._door.position(point, at)

    def _about(self, point: Point, noise_m: float) -> Point:
        north, east = (self._temper.chance.gauss(0, noise_m) / _M_PER_DEGREE for _ in range(2))
        return Point(
            lat=point.lat + north, lng=point.lng + east / math.cos(math.radians(point.lat))
        )

    async def _live_on_battery(self) -> None:
        chance, how = self._luck, self._temper.behaviour
        while True:
            await self._clock.sleep(chance.expovariate(how.phone_deaths_per_h) * HOUR_MS)
            self._is_on.clear()
            await self._door.close()
            await self._clock.sleep(chance.uniform(*how.phone_off_min) * MINUTE_MS)
            await self._door.open()
            self._is_on.set()
