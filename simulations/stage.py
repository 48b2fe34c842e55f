"""The whole system in one process and in virtual time: memory for storage, the same rules."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.bus import Bus
from actors.cell import World as CellWorld
from actors.chance import Chance, SeededChance, new_id
from actors.loans import Loans
from actors.local import LocalCells, local_bus
from actors.settings import RuntimeKind, RuntimeSettings
from actors.solver import Solver, real_stopwatch, stopped_watch
from engine.geo.cells import middle_cell
from engine.geo.shops import ChangeZoneShops
from engine.geo.zone import CreateZone
from engine.kernel.ids import CommandId, UserId, ZoneId, derived_id
from engine.kernel.messages import Caller, Command, Role
from engine.kernel.place import Point
from engine.kernel.timing import Instant
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from simulations.checks import not_in_history
from simulations.courier import CourierProgram
from simulations.customer import CustomerProgram
from simulations.day import Day, DayCourier, ZonePlan, tariff
from simulations.diary import Diary
from simulations.door_bus import CourierBusDoor, CustomerBusDoor, Lobby
from simulations.handset import Handset
from simulations.people import Behaviour, CourierDoor, CustomerDoor, Temper, World
from simulations.town import Town
from simulations.virtual import VirtualClock, VirtualLoop
from storage.memory import MemoryStore
from storage.memory_live import MemoryLive

_CUSTOMERS = 20
_OPERATOR = Caller(user_id=UserId(derived_id("simulated operator")), role=Role.OPERATOR)


class OpenDoor(Protocol):
    """Makes a customer's door."""

    def __call__(
        self, lobby: Lobby, *, name: str, zone_of: Callable[[Point], str], chance: Chance
    ) -> CustomerDoor:
        """The door of the customer of this name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running system."""

    bus: Bus
    cells: LocalCells
    store: MemoryStore
    live: MemoryLive
    clock: VirtualClock
    chance: SeededChance
    solver: "TimedSolver"


class TimedSolver:
    """Another solver, that knows how many real seconds it took; only the report sees them."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self.busy_s = 0.0

    async def plan(self, problem: Problem) -> Plan:
        """A verified plan."""
        elapsed_s = real_stopwatch()
        try:
            return await self._solver.plan(problem)
        finally:
            self.busy_s += elapsed_s()

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        """A verified plan of pick-ups and deliveries with windows."""
        elapsed_s = real_stopwatch()
        try:
            return await self._solver.route(problem)
        finally:
            self.busy_s += elapsed_s()


def build(
    loop: VirtualLoop,
    *,
    starts_at: Instant,
    seed: int,
    solver: Solver | None = None,
    store: MemoryStore | None = None,
) -> Stage:
    """Everything in this process, from one seed; the search is bounded by rounds, not by time."""
    # An edge worker knows the words of a what-if and solves nothing: this takes seconds to import.
    from actors.solving import LocalSolver  # noqa: PLC0415

    store, live = store or MemoryStore(), MemoryLive()
    timed = TimedSolver(solver or LocalSolver(stopped_watch))
    clock, chance = VirtualClock(loop, starts_at=starts_at), SeededChance(seed)
    settings = RuntimeSettings(
        kind=RuntimeKind.LOCAL,
        # Nobody looks at a map here, and a phone never misses an offer.
        position_publish_s=3600,
        offer_repeat_s=60,
        trail_sample_s=3600,
        # No outbox tells who passed from one cell to another: all zones share one.
        placement_resolution=0,
    )
    bus, cells = local_bus(
        CellWorld(
            store=store,
            live=live,
            solver=timed,
            clock=clock,
            chance=chance,
            settings=settings,
        )
    )
    return Stage(
        bus=bus, cells=cells, store=store, live=live, clock=clock, chance=chance, solver=timed
    )


async def open_zone(lobby: Lobby, chance: Chance, plan: ZonePlan) -> ZoneId:
    """Create one of the day's zones."""
    zone_id = ZoneId(new_id(lobby.clock, chance))
    command = CreateZone(
        zone_id=zone_id,
        name_en=plan.name_en,
        name_ar=plan.name_ar,
        anchor=middle_cell(plan.cells),
        cells=plan.cells,
        parameters=plan.parameters,
        author=_OPERATOR.user_id,
    )
    await _must(lobby, chance, command)
    if plan.shops:
        shops = tuple(one.point for one in plan.shops)
        told = ChangeZoneShops(zone_id=zone_id, shops=shops, author=_OPERATOR.user_id)
        await _must(lobby, chance, told)
    return zone_id


async def _must(lobby: Lobby, chance: Chance, command: Command) -> None:
    told = await lobby.execute(command, _OPERATOR, CommandId(new_id(lobby.clock, chance)))
    assert not told.refused, told.refused


async def play(
    stage: Stage, day: Day, diary: Diary, *, seed: int, behaviour: Behaviour
) -> list[str]:
    """Live the day on this stage; what customers were shown and the history does not know."""
    lobby = Lobby(bus=stage.bus, store=stage.store, live=stage.live, clock=stage.clock)
    beside = [asyncio.create_task(lobby.run())]
    try:
        zones = [await open_zone(lobby, stage.chance, one) for one in day.zones]
        if any(one.parameters.loan_couriers_max for one in day.zones):
            beside.append(asyncio.create_task(Loans(stage.store, stage.bus, stage.clock).run()))
        town = inhabit(lobby, day, diary, zones, seed=seed, behaviour=behaviour)
        await town.live(day.orders)
    finally:
        for one in beside:
            one.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await stage.cells.close()
    return await unknown_to_history(stage.store, diary)


def inhabit(
    lobby: Lobby,
    day: Day,
    diary: Diary,
    zones: Sequence[ZoneId],
    *,
    seed: int,
    behaviour: Behaviour,
    open_door: OpenDoor = CustomerBusDoor,
) -> Town:
    """The people of a day whose zones are open under these ids, in the day's order.

    `open_door` gives each customer his way into the service.
    """
    number_of = day.zone_finder()

    def zone_of(point: Point) -> ZoneId:
        return zones[number_of(point)]

    world = World(
        clock=lobby.clock,
        diary=diary,
        ways=day.ways,
        shop_service_ms=day.shop_service_ms,
        door_service_ms=day.door_service_ms,
        zone_of=zone_of,
        pay_halalas=tariff(day.zone.parameters),
        closing=asyncio.Event(),
    )
    chances = random.Random(seed)

    def chance() -> SeededChance:
        return SeededChance(chances.getrandbits(64))

    def courier(plan: DayCourier) -> CourierProgram:
        door: CourierDoor = CourierBusDoor(lobby, name=plan.key, chance=chance())
        temper = Temper.of(behaviour, chances.getrandbits(64), day=seed)
        if behaviour.gps_noise_m or behaviour.gps_gap or behaviour.phone_deaths_per_h:
            door = Handset(door, temper, lobby.clock)
        return CourierProgram(diary.courier(plan), door=door, world=world, temper=temper)

    couriers = [courier(plan) for plan in day.couriers]
    customers = [
        CustomerProgram(
            door=open_door(lobby, name=str(number), zone_of=zone_of, chance=chance()),
            world=world,
            chance=chance(),
            temper=Temper.of(behaviour, chances.getrandbits(64)),
        )
        for number in range(_CUSTOMERS)
    ]
    return Town(world, couriers=couriers, customers=customers)


async def unknown_to_history(store: MemoryStore, diary: Diary) -> list[str]:
    """What customers were shown and the history does not know."""
    history = {
        page.order_id: [(one.version, one.type) for one in await store.list_events(page.order_id)]
        for page in diary.orders.values()
    }
    return not_in_history(diary.orders.values(), history)
