"""Where the measurements happen: a running system, its zone, and everybody's phones."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace
from rich.progress import Progress

from actors.chance import SystemChance, new_id
from actors.clock import SystemClock
from simulations.city import City
from simulations.day import ZonePlan
from simulations.people import DoorShut
from simulations.phones import create_zone
from simulations.realtime.courier import CourierPhone
from simulations.realtime.phone import Phone
from simulations.realtime.processes import PRINTING, RAY, usage
from simulations.rest import Account, Edge
from simulations.views import Frame, ZoneShown
from storage.database import Database
from storage.live import LiveStream

TokenOf = Callable[[str, str], str]
_AT_ONCE: Final = 64
_GOING_MS: Final = 100
# What happens beside: Ray goes on loading its workers after the service answers, and the invoices
# of what was delivered are printed in the minutes after it.
_BESIDE: Final = (RAY, PRINTING)
_RESTING_CORES: Final = 0.1
_RESTED_S: Final = 3
_SETTLED_MS_MAX: Final = 180_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured; smaller for a busy machine.

    PostgreSQL counts what a session did when it has been idle for less than `counted_s`.
    """

    couriers: int = 10_000
    every_s: float = 4.0
    runs: int = 5
    run_s: float = 5.0
    saturating: int = 500
    commands_per_s: int = 200
    messages_per_s: int = 20
    in_flight: int = 256
    watchers: int = 1_000
    storm_s: float = 30.0
    counted_s: float = 12.0
    orders_per_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The running system as a measuring process reaches it.

    `token_of` makes an access token for somebody in a role; `bare_edge` is the command of a server
    that reads and answers frames with the same libraries and does nothing else.
    """

    url: str
    token_of: TokenOf
    database: Database
    live: LiveStream
    bare_edge: Sequence[str]


class Site:
    """The zone, its couriers, and an operator who listens to its ticks."""

    def __init__(self, place: Place, sizes: Sizes, progress: Progress, seed: int) -> None:
        self.place, self.sizes, self.progress = place, sizes, progress
        self.clock, self.chance = SystemClock(), SystemChance()
        address = urlsplit(place.url)
        self.host, self.port = str(address.hostname), int(address.port or 80)
        self.socket_url = f"ws://{self.host}:{self.port}/v1/socket"
        self.city = City(seed)
        self.edge = Edge(
            place.url, Path("no-messages"), clock=self.clock, chance=random.Random(seed)
        )
        self.zone_id = ""
        self.couriers: list[CourierPhone] = []
        self.listeners: list[Phone] = []
        self.zone = ZoneShown()
        self._ticked = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, place: Place, sizes: Sizes, progress: Progress, seed: int
    ) -> AsyncIterator["Site"]:
        """A zone over the whole city, and its couriers, who are not connected yet."""
        site = cls(place, sizes, progress, seed)
        try:
            await site._prepare()
            yield site
        finally:
            phones = [one.phone for one in site.couriers if one.phone is not None]
            for phone in (*phones, *site.listeners):
                phone.drop()
            # So that the loop sees all of them go.
            await site.clock.sleep(_GOING_MS)
            await site.edge.close()

    async def _prepare(self) -> None:
        operator = self.account("operator")
        plan = self.city.zone()
        # Who carries an order is to be known from its acceptance on.
        alone = replace(plan.parameters, bundle_size_max=1, trips_max=1, revise_until_pickup=0)
        told = await create_zone(
            operator,
            ZonePlan(
                name_en=plan.name_en, name_ar=plan.name_ar, cells=plan.cells, parameters=alone
            ),
        )
        if told.refused:
            raise DoorShut(f"the zone was refused: {told.refused} {told.body}")
        self.zone_id = str(told.body["zone_id"])
        days = self.city.couriers(self.sizes.couriers, on_at=self.clock.now(), spread_ms=0)
        for day in self.progress.track(days, description="tokens"):
            courier_id = self.new_id()
            token = self.place.token_of(courier_id, "courier")
            self.couriers.append(CourierPhone(courier_id, token, day, self.socket_url))
        await self.listener("operator", f"zone:{self.zone_id}", self._hear_zone)
        await self.settled()

    def new_id(self) -> str:
        """A fresh id."""
        return new_id(self.clock, self.chance)

    def account(self, role: str) -> Account:
        """Somebody new who is logged in."""
        account = Account(self.edge, phone="", role=role)
        account.user_id = self.new_id()
        account.token = self.place.token_of(account.user_id, role)
        return account

    async def listener(
        self, role: str, channel: str, heard: Callable[[Frame], None], *, token: str = ""
    ) -> Phone:
        """A phone that is subscribed to one channel; returns when it has heard of it."""
        shown = asyncio.Event()

        def hear(message: bytes) -> None:
            frame = msgspec.json.decode(message, type=Frame)
            if frame.channel == channel:
                shown.set()
            heard(frame)

        phone = Phone(self.socket_url, hear)
        self.listeners.append(phone)
        await phone.open(self.host, self.port)
        token = token or self.place.token_of(self.new_id(), role)
        greeting = {"type": "authenticate", "token": token, "channels": {channel: None}}
        phone.say(msgspec.json.encode(greeting))
        async with asyncio.timeout(60):
            await shown.wait()
        return phone

    def free(self, most: int) -> list[CourierPhone]:
        """Couriers who carry nothing."""
        found = [one for one in self.couriers if one.work is None or not one.work.orders]
        return found[-most:]

    async def next_tick(self) -> ZoneShown:
        """The zone as its next tick shows it."""
        self._ticked.clear()
        async with asyncio.timeout(120):
            await self._ticked.wait()
        return self.zone

    def _hear_zone(self, frame: Frame) -> None:
        if frame.kind == "tick":
            self.zone = msgspec.json.decode(frame.body, type=ZoneShown)
            self._ticked.set()

    async def connect(self, couriers: Sequence[CourierPhone]) -> None:
        """Open their sockets."""
        await self.for_all(
            couriers, lambda one: one.open(self.host, self.port), f"{len(couriers)} sockets"
        )

    async def on_duty(self, couriers: Sequence[CourierPhone]) -> None:
        """Let them begin to work."""
        await self.for_all(
            couriers, lambda one: one.go_on_duty(self.zone_id), f"{len(couriers)} on duty"
        )

    async def for_all(
        self,
        couriers: Sequence[CourierPhone],
        work: Callable[[CourierPhone], Awaitable[None]],
        title: str,
    ) -> None:
        """Do something with each, a few at once."""
        bar = self.progress.add_task(title, total=len(couriers))
        waiting = iter(couriers)

        async def work_off() -> None:
            for one in waiting:
                await work(one)
                self.progress.advance(bar)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(work_off())
        self.progress.remove_task(bar)

    async def settled(self) -> None:
        """Return once nothing has happened beside for some seconds, or after three minutes."""
        bar = self.progress.add_task("until nothing happens beside", total=None)
        began, rested = self.clock.now(), 0
        while rested < _RESTED_S and self.clock.now() - began < _SETTLED_MS_MAX:
            before = usage()
            await self.clock.sleep(1000)
            used = usage().since(before)
            rests = sum(used.get(part, 0.0) for part in _BESIDE) < _RESTING_CORES
            rested = rested + 1 if rests else 0
        self.progress.remove_task(bar)

    async def wait(self, seconds: float, title: str) -> None:
        """Let time pass, and show it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        bar = self.progress.add_task(title, total=seconds)
        while (passed := loop.time() - began) < seconds:
            self.progress.update(bar, completed=passed)
            await self.clock.sleep(1000 * min(0.25, seconds - passed))
        self.progress.remove_task(bar)
