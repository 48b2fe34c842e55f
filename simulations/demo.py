"""The demo: a generated city lives through the running system, all its people in one process."""

import asyncio
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from msgspec import to_builtins
from rich.console import Console
from rich.live import Live as LiveView

from actors.chance import SystemChance
from engine.kernel.timing import SECOND_MS, Instant
from simulations.app_socket import Socket
from simulations.board import Board, ZoneNews
from simulations.city import City
from simulations.courier import CourierProgram
from simulations.customer import CustomerProgram
from simulations.day import Day, DayCourier, ZonePlan, tariff
from simulations.diary import Diary
from simulations.door_socket import CourierSocketDoor, CustomerSocketDoor
from simulations.people import Behaviour, DoorShut, Temper, World
from simulations.phones import Phones, create_zone
from simulations.rest import Account, Edge, clock_of
from simulations.score import Score, score
from simulations.town import Town
from simulations.views import Frame, ZoneShown

_CUSTOMERS = 24
_ORDERS_PER_COURIER_HOUR = 2.2
_ORDERS_AT_ONCE = 12
# Even at four in the morning somebody wants to see the demo.
_QUIETEST = 0.35
# Real time: between two positions of a moving and of an idle courier, over which the couriers come
# on duty, and how long the end may take.
_POSITION_EVERY_MS = 4 * SECOND_MS
_IDLE_POSITION_MS = 30 * SECOND_MS
_ARRIVAL_MS = 8 * SECOND_MS
_DRAIN_S = 45.0
_GOING_HOME_S = 15.0
_LOOK_MS = 500
_LINE_MS = 5 * SECOND_MS


def run(
    url: str,
    sms_log: Path,
    *,
    operator_phone: str,
    minutes: float | None,
    couriers: int,
    seed: int,
) -> None:
    """Let a generated Riyadh order and deliver until Ctrl-C, or for so many real minutes.

    Raises people.DoorShut when the operator is not let in.
    """
    demo = Demo(url, sms_log, operator_phone=operator_phone, couriers=couriers, seed=seed)
    uvloop.run(demo.run(minutes))


class Demo:
    """One run of the demo."""

    def __init__(
        self, url: str, sms_log: Path, *, operator_phone: str, couriers: int, seed: int
    ) -> None:
        self._url, self._sms_log = url, sms_log
        self._operator_phone, self._couriers, self._seed = operator_phone, couriers, seed
        self._console = Console()
        self._stop = asyncio.Event()
        self._diary, self._news = Diary(), ZoneNews()

    async def run(self, minutes: float | None) -> None:
        """Open the city, keep it alive until the end, and print how it went."""
        clock = await clock_of(self._url)
        edge = Edge(self._url, self._sms_log, clock=clock, chance=random.Random())
        began = clock.now()
        try:
            score_ = await self._run(edge, minutes, began)
        finally:
            await edge.close()
        self._console.print(score_.table())

    async def _run(self, edge: Edge, minutes: float | None, began: Instant) -> Score:
        clock, city = edge.clock, City(self._seed)
        plan = city.zone(pace=clock.speed)
        operator = Account(edge, phone=self._operator_phone, role="operator")
        await operator.log_in()
        zone_id = await _open_or_find(operator, plan)
        watching = Socket(operator, self._diary, SystemChance())
        await watching.open()
        await watching.listen(f"zone:{zone_id}", self._hear_zone, subscribe=True)
        people = city.couriers(
            self._couriers, on_at=clock.now(), spread_ms=int(_ARRIVAL_MS * clock.speed)
        )
        day = _day(city, plan, people, began)
        world, town = self._town(edge, day, zone_id)
        board = Board(self._diary, self._news, clock, began=began)
        self._say(board, clock.now(), f"the zone is open, {self._couriers} couriers come on duty")
        orders = city.orders(
            clock.now(),
            per_hour=self._couriers * _ORDERS_PER_COURIER_HOUR,
            at_least=_QUIETEST,
            at_once=_ORDERS_AT_ONCE,
            run=f"{began // SECOND_MS:x}-",
        )
        living = asyncio.create_task(town.live(orders, adopting=True))
        showing = asyncio.create_task(self._show(board, edge))
        try:
            await self._until_stopped(living, minutes)
            await self._end(living, town, world)
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
            await watching.close()
        now = clock.now()
        wall_s = (now - began) / SECOND_MS / clock.speed
        return score(self._diary, day, ended_at=now, wall_s=wall_s)

    def _hear_zone(self, frame: Frame) -> None:
        shown = msgspec.json.decode(frame.body, type=ZoneShown)
        self._news.put(shown, is_tick=frame.kind == "tick")

    def _town(self, edge: Edge, day: Day, zone_id: str) -> tuple[World, Town]:
        clock, diary, chance = edge.clock, self._diary, SystemChance()
        world = World(
            clock=clock,
            diary=diary,
            ways=day.ways,
            shop_service_ms=day.shop_service_ms,
            door_service_ms=day.door_service_ms,
            zone_of=lambda _: zone_id,
            pay_halalas=tariff(day.zone.parameters),
            closing=asyncio.Event(),
        )
        # The same people in every run of a seed: after a crash they go on where they were.
        phones = Phones.of_seed(self._seed)
        luck = random.Random(self._seed)
        customers = [
            CustomerProgram(
                door=CustomerSocketDoor(
                    Account(edge, phone=phones.next(), role="customer"), diary, chance
                ),
                world=world,
                chance=chance,
            )
            for _ in range(_CUSTOMERS)
        ]
        couriers = [
            CourierProgram(
                diary.courier(plan),
                door=CourierSocketDoor(
                    Account(edge, phone=phones.next(), role="courier"), diary, chance
                ),
                world=world,
                temper=Temper(
                    behaviour=_behaviour(clock.speed), chance=random.Random(luck.getrandbits(64))
                ),
            )
            for plan in day.couriers
        ]
        return world, Town(world, couriers=couriers, customers=customers)

    async def _until_stopped(self, living: asyncio.Task[None], minutes: float | None) -> None:
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._stop.set)
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait(
            {stopped, living},
            timeout=None if minutes is None else minutes * 60,
            return_when=asyncio.FIRST_COMPLETED,
        )
        stopped.cancel()
        if living.done():
            await living

    async def _end(self, living: asyncio.Task[None], town: Town, world: World) -> None:
        """No new orders; what is open gets a while, then everybody goes home."""
        self._console.print(
            f"no new orders; what is open has {_DRAIN_S:.0f} s to arrive (Ctrl-C ends at once)"
        )
        self._stop.clear()
        town.no_more_orders.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while self._has_open_orders() and not self._stop.is_set():
                    await world.clock.sleep(_LOOK_MS * world.clock.speed)
        self._diary.is_cut_short = self._has_open_orders()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOING_HOME_S):
                await town.withdraw()
                world.closing.set()
                await living
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)

    def _has_open_orders(self) -> bool:
        return any(not one.has_ended for one in self._diary.orders.values())

    async def _show(self, board: Board, edge: Edge) -> None:
        """A picture in a terminal, a line now and then elsewhere; the first assignment in both."""
        clock = edge.clock
        announcing = asyncio.create_task(self._announce(board, edge))
        try:
            if not self._console.is_terminal:
                while True:
                    await clock.sleep(_LINE_MS * clock.speed)
                    self._console.print(board.line(), soft_wrap=True)
            with LiveView(board.panel(), console=self._console, auto_refresh=False) as view:
                while True:
                    await clock.sleep(_LOOK_MS * clock.speed)
                    view.update(board.panel(), refresh=True)
        finally:
            announcing.cancel()

    async def _announce(self, board: Board, edge: Edge) -> None:
        clock = edge.clock
        while (first_s := board.first_assigned_s()) is None:
            await clock.sleep(100 * clock.speed)
        self._console.print(f"{first_s:6.1f} s  the first order is assigned")

    def _say(self, board: Board, at: Instant, what: str) -> None:
        self._console.print(f"{board.real_s(at):6.1f} s  {what}")


def _behaviour(speed: float) -> Behaviour:
    return Behaviour(
        decline=0.03,
        ignore=0.01,
        nobody_home=0.01,
        think_s=(2.0, 8.0),
        position_every_ms=int(_POSITION_EVERY_MS * speed),
        idle_position_ms=int(_IDLE_POSITION_MS * speed),
    )


def _day(city: City, plan: ZonePlan, couriers: tuple[DayCourier, ...], starts_at: Instant) -> Day:
    parameters = plan.parameters
    return Day(
        name="Riyadh, generated",
        starts_at=starts_at,
        zone=plan,
        ways=city.ways,
        orders=(),
        couriers=couriers,
        shop_service_ms=parameters.shop_service_s * SECOND_MS,
        door_service_ms=parameters.door_service_s * SECOND_MS,
    )


async def _open_or_find(operator: Account, plan: ZonePlan) -> str:
    """Open the city's zone, or use the one that an earlier run opened, with today's parameters."""
    told = await create_zone(operator, plan)
    if not told.refused:
        return str(told.body["zone_id"])
    zones = (await operator.request("GET", "/v1/zones")).body.get("zones", [])
    for zone in zones:
        if told.refused == "cells_taken" and zone["name_en"] == plan.name_en:
            await _put_parameters(operator, zone, plan)
            return str(zone["zone_id"])
    raise DoorShut(f"the zone was refused: {told.refused}")


async def _put_parameters(operator: Account, zone: dict[str, Any], plan: ZonePlan) -> None:
    parameters = to_builtins(plan.parameters)
    # The parameters as JSON knows them, where a tuple is a list.
    if zone["parameters"] == msgspec.json.decode(msgspec.json.encode(parameters)):
        return
    told = await operator.request(
        "PUT",
        f"/v1/zones/{zone['zone_id']}/parameters",
        {"parameters": parameters, "reason": "the demo was started"},
        match=str(zone["last_version"]),
    )
    if told.refused:
        raise DoorShut(f"the zone's parameters were refused: {told.refused}")
