"""A recorded day lived again: through the running system over sockets, or in virtual time."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import uvloop
from rich.console import Console

from actors.chance import SystemChance
from actors.clock import SystemClock
from actors.garbage import seldom_collecting
from actors.solver import Solver
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from simulations import mdrp, solution, stage
from simulations.courier import CourierProgram
from simulations.customer import CustomerProgram
from simulations.day import Day, tariff
from simulations.diary import Diary
from simulations.door_socket import CourierSocketDoor, CustomerSocketDoor
from simulations.people import Behaviour, Temper, World
from simulations.phones import Phones, open_zone_somewhere
from simulations.progress import follow, follow_virtually
from simulations.rest import Account, Edge, clock_of
from simulations.score import Score, score
from simulations.small_talk import SmallTalk
from simulations.town import Town
from simulations.virtual import VirtualLoop, run_virtually
from simulations.witness import Witness
from storage.memory import MemoryStore

# A Monday, so that virtual days have a date; ticks fall on whole minutes, and so come just after
# what happens in the same minute.
VIRTUAL_START: Instant = 1_767_571_200_000 - mdrp.minute_0(0)
_CUSTOMERS_MAX = 40
_ORDERS_PER_CUSTOMER = 20
# As the recorded problem has them: they work to the last minute, and nothing holds them up.
PUNCTUAL: Final = Behaviour(shift_spare_ms=0)
# Real time between the last log-in and minute 0.
_LEAD_MS = 2 * SECOND_MS
_POSITION_EVERY_MS = 1 * SECOND_MS
_IDLE_POSITION_MS = 20 * SECOND_MS


class Audit(Protocol):
    """Hears all that is told during a day, and is asked afterwards whether it was true."""

    @property
    def witness(self) -> Witness:
        """Who hears it."""
        ...

    @property
    def talks(self) -> list[SmallTalk]:
        """What each person was told of his conversations is added here."""
        ...

    async def violations(
        self, operator: Account, people: Iterable[Account], diary: Diary
    ) -> list[str]:
        """What was not true."""
        ...


class WrongSpeed(Exception):
    """The service's clock does not run at the speed that was asked for."""


def run_virtual(folder: Path, *, seed: int, out: Path | None, events: Path | None) -> Score:
    """Live a recorded day in virtual time and print how it went; raises mdrp.BadInstance.

    The same folder and seed write the same bytes to `events`.
    """
    instance = mdrp.read(folder)
    day = mdrp.day(instance, starts_at=VIRTUAL_START)
    found = live_virtually(
        day,
        seed=seed,
        behaviour=PUNCTUAL,
        undeliverable=instance.undeliverable(),
        out=out,
        events=events,
    )
    Console().print(found.table())
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A day that was lived in virtual time; `solver_s` of its real seconds went to the solver."""

    day: Day
    diary: Diary
    ended_at: Instant
    solver_s: float
    score: Score

    @property
    def factor(self) -> float:
        """How many times as fast as real time it was."""
        return (self.ended_at - self.day.starts_at) / SECOND_MS / max(self.score.wall_s, 0.001)


def live_virtually(
    day: Day,
    *,
    seed: int,
    behaviour: Behaviour,
    undeliverable: frozenset[str] = frozenset(),
    out: Path | None = None,
    events: Path | None = None,
    solver: Solver | None = None,
) -> Score:
    """Live any day in virtual time; its solution goes to `out`, its events to `events`.

    Another `solver` than the service's own may watch it, or take its place.
    """
    lived = live(
        day,
        seed=seed,
        behaviour=behaviour,
        undeliverable=undeliverable,
        events=events,
        solver=solver,
    )
    if out is not None:
        solution.write(
            out, lived.diary, shops=day.zone.shops, starts_at=mdrp.minute_0(day.starts_at)
        )
    return lived.score


def live(
    day: Day,
    *,
    seed: int,
    behaviour: Behaviour,
    undeliverable: frozenset[str] = frozenset(),
    events: Path | None = None,
    console: Console | None = None,
    solver: Solver | None = None,
    store: MemoryStore | None = None,
) -> Lived:
    """Live any day in virtual time; a `console` shows how far it is, a `store` remembers it."""
    wall = SystemClock()
    began = wall.now()
    diary = Diary()

    async def main(loop: VirtualLoop) -> tuple[list[str], Instant, float]:
        built = stage.build(loop, starts_at=day.starts_at, seed=seed, solver=solver, store=store)
        with follow_virtually(day, diary, loop, console):
            unknown = await stage.play(built, day, diary, seed=seed, behaviour=behaviour)
        if events is not None:
            built.store.dump_events(events)
        return unknown, built.clock.now(), built.solver.busy_s

    with seldom_collecting():
        unknown, ended_at, solver_s = run_virtually(main)
        wall_s = (wall.now() - began) / SECOND_MS
        found = score(diary, day, ended_at=ended_at, wall_s=wall_s, undeliverable=undeliverable)
    judged = replace(found, violations=(*found.violations, *unknown))
    return Lived(day=day, diary=diary, ended_at=ended_at, solver_s=solver_s, score=judged)


def run_live(
    folder: Path,
    *,
    url: str,
    sms_log: Path,
    operator_phone: str,
    speed: float,
    out: Path | None,
    audit: Audit | None = None,
    spare_s: float | None = None,
) -> Score:
    """Live a recorded day through the running system and print how it went.

    What an `audit` finds afterwards is among the violations. A day that goes on for more than
    `spare_s` real seconds after its last shift is cut short, which is one, too.

    Raises mdrp.BadInstance, WrongSpeed, or people.DoorShut when the operator is not let in.
    """
    instance = mdrp.read(folder)
    console = Console()
    found = uvloop.run(
        _run_live(
            instance,
            url=url,
            sms_log=sms_log,
            operator_phone=operator_phone,
            speed=speed,
            out=out,
            console=console,
            audit=audit,
            spare_s=spare_s,
        )
    )
    console.print(found.table())
    return found


async def _run_live(
    instance: mdrp.Instance,
    *,
    url: str,
    sms_log: Path,
    operator_phone: str,
    speed: float,
    out: Path | None,
    console: Console,
    audit: Audit | None,
    spare_s: float | None,
) -> Score:
    clock = await clock_of(url)
    if abs(clock.speed - speed) > 1e-6:
        raise WrongSpeed(f"the service runs at speed {clock.speed:g}, not at {speed:g}")
    witness = None if audit is None else audit.witness
    edge = Edge(url, sms_log, clock=clock, chance=random.Random(), witness=witness)
    untrue: list[str] = []
    began = clock.now()
    try:
        operator = Account(edge, phone=operator_phone, role="operator")
        await operator.log_in()
        zone_id, centre_lng = await open_zone_somewhere(
            operator, lambda lng: mdrp.day(instance, starts_at=0, centre_lng=lng).zone
        )
        phones = Phones.of_passing_run(clock.now())
        couriers, customers = _accounts(edge, phones, instance)
        console.print(
            f"{instance.name}: {len(couriers)} couriers and {len(customers)} customers log in"
        )
        await asyncio.gather(*(one.log_in() for one in (*couriers, *customers)))
        day = mdrp.day(instance, starts_at=_minute_0(clock.now(), speed), centre_lng=centre_lng)
        diary = Diary()
        world = _world(edge, day, diary, zone_id)
        talks = None if audit is None else audit.talks
        town = _town(world, day, couriers, customers, talks)
        with follow(day, diary, clock, console):
            untrue = await _live_in_time(town, day, world, spare_s)
        if audit is not None:
            untrue += await audit.violations(operator, (*couriers, *customers), diary)
    finally:
        await edge.close()
    if out is not None:
        solution.write(out, diary, shops=day.zone.shops, starts_at=mdrp.minute_0(day.starts_at))
    found = score(
        diary,
        day,
        ended_at=clock.now(),
        wall_s=(clock.now() - began) / SECOND_MS / speed,
        undeliverable=instance.undeliverable(),
    )
    return replace(found, violations=(*found.violations, *untrue))


async def _live_in_time(town: Town, day: Day, world: World, spare_s: float | None) -> list[str]:
    """Live the day, or as much of it as there is time for; what is to be said of that."""
    clock, ends_at = world.clock, max(one.off_at or 0 for one in day.couriers)
    left_s = (ends_at - clock.now()) / SECOND_MS / clock.speed
    try:
        async with asyncio.timeout(None if spare_s is None else left_s + spare_s):
            await town.live(day.orders)
    except TimeoutError:
        world.diary.is_cut_short = True
        return [f"the day was cut short {spare_s:.0f} s after its last shift"]
    return []


def _minute_0(now: Instant, speed: float) -> Instant:
    """The first whole minute that is far enough ahead."""
    return -(-(now + int(_LEAD_MS * speed)) // MINUTE_MS) * MINUTE_MS


def _accounts(
    edge: Edge, phones: Phones, instance: mdrp.Instance
) -> tuple[list[Account], list[Account]]:
    customers = min(_CUSTOMERS_MAX, 1 + len(instance.orders) // _ORDERS_PER_CUSTOMER)
    return (
        [Account(edge, phone=phones.next(), role="courier") for _ in instance.couriers],
        [Account(edge, phone=phones.next(), role="customer") for _ in range(customers)],
    )


def _world(edge: Edge, day: Day, diary: Diary, zone_id: str) -> World:
    return World(
        clock=edge.clock,
        diary=diary,
        ways=day.ways,
        shop_service_ms=day.shop_service_ms,
        door_service_ms=day.door_service_ms,
        zone_of=lambda _: zone_id,
        pay_halalas=tariff(day.zone.parameters),
        closing=asyncio.Event(),
    )


def _town(
    world: World,
    day: Day,
    couriers: Sequence[Account],
    customers: Sequence[Account],
    talks: list[SmallTalk] | None,
) -> Town:
    """Its people, who converse if what they are told is to be kept in `talks`."""
    chance, diary, speed = SystemChance(), world.diary, world.clock.speed

    def talk(account: Account, side: str) -> SmallTalk | None:
        if talks is None:
            return None
        talks.append(SmallTalk(account, side))
        return talks[-1]

    behaviour = Behaviour(
        position_every_ms=int(_POSITION_EVERY_MS * speed),
        idle_position_ms=int(_IDLE_POSITION_MS * speed),
    )
    return Town(
        world,
        couriers=[
            CourierProgram(
                diary.courier(plan),
                door=CourierSocketDoor(account, diary, chance, talk(account, "courier")),
                world=world,
                temper=Temper(behaviour=behaviour, chance=random.Random()),
            )
            for plan, account in zip(day.couriers, couriers, strict=True)
        ],
        customers=[
            CustomerProgram(
                door=CustomerSocketDoor(one, diary, chance, talk(one, "customer")),
                world=world,
                chance=chance,
            )
            for one in customers
        ],
    )
