"""One run: a small day under the faults of a seed, and what did not hold."""

import asyncio
import random
from collections.abc import Sequence
from typing import cast

from msgspec import Struct

from actors.bus import Bus
from actors.cell import World as CellWorld
from actors.chance import SeededChance
from actors.loans import Loans
from actors.settings import RuntimeKind, RuntimeSettings
from actors.solver import stopped_watch
from actors.solving import LocalSolver
from engine.couriers.courier import Courier, CourierStatus, Duty
from engine.couriers.handing_over import loan_over_at
from engine.dispatch.offer import Offer
from engine.dispatch.waiting import Wait
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import ZoneId
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import Order, OrderStatus
from simulations.checks import seen_from_outside
from simulations.diary import Diary
from simulations.door_bus import Lobby
from simulations.faults.chat.day import Conversing
from simulations.faults.chat.means import OpenEdge
from simulations.faults.clocks import WrongClock
from simulations.faults.crossings import Crossings
from simulations.faults.effects import Effects
from simulations.faults.homes import Homes
from simulations.faults.journal import Journal
from simulations.faults.misfortune import Misfortune
from simulations.faults.odds import Odds
from simulations.faults.owners import Owners
from simulations.faults.parts import Crash, FaultySolver, FaultyStore, FaultyStream
from simulations.faults.town import CALM_AT, STARTS_AT, a_day, behaviour
from simulations.faults.truth import CheckedStore, Truth
from simulations.people import until
from simulations.stage import inhabit, open_zone, unknown_to_history
from simulations.virtual import Deadlock, Livelock, VirtualClock, VirtualLoop, run_virtually
from storage.memory_live import MemoryLive
from storage.store import Store

_SETTLING_MS = 6 * MINUTE_MS
# By then every gift is ready, and a quarter of an hour has passed in which nothing failed.
_ALL_SERVED_AT = CALM_AT + 18 * MINUTE_MS
# Several ticks, and the time after which somebody who let an offer pass is asked again.
_PATIENCE_MS = 5 * MINUTE_MS
# All shifts are over by the hundredth minute.
_GIVEN_UP_AT = STARTS_AT + 12 * 60 * MINUTE_MS


class Verdict(Struct, frozen=True, kw_only=True):
    """How a run went; `story` is every step of it, for a run that failed or was asked for."""

    seed: int
    steps: int
    commits: int
    faults: dict[str, int]
    violations: tuple[str, ...]
    story: tuple[str, ...] = ()


def run(
    seed: int,
    *,
    odds: Odds | None = None,
    at_border: bool | None = None,
    open_edge: OpenEdge | None = None,
    with_story: bool = False,
) -> Verdict:
    """Live the day of this seed under its faults; `odds`, if given, instead of its own.

    Every other seed's day is lived at a border, unless it is said. People converse where edges are
    given that can: these are not ours to make.
    """
    scene: list[_Scene] = []
    is_at_border = seed % 2 == 0 if at_border is None else at_border

    async def main(loop: VirtualLoop) -> None:
        scene.append(_Scene(loop, seed, odds, at_border=is_at_border, open_edge=open_edge))
        await scene[0].live()

    try:
        run_virtually(main)
    except Deadlock as error:
        scene[0].journal.violate(f"everybody waits for ever: {error}")
    except Livelock as error:
        scene[0].journal.violate(f"no time passes any more: {error}")
    journal, truth = scene[0].journal, scene[0].truth
    return Verdict(
        seed=seed,
        steps=journal.step,
        commits=truth.commits,
        faults=dict(sorted(journal.faults.items())),
        violations=tuple(journal.violations),
        story=tuple(journal.lines) if with_story or journal.violations else (),
    )


class _Scene:
    """Everything of one run."""

    def __init__(
        self,
        loop: VirtualLoop,
        seed: int,
        odds: Odds | None,
        *,
        at_border: bool,
        open_edge: OpenEdge | None,
    ) -> None:
        self._seed, self._chance, self._at_border = seed, random.Random(seed), at_border
        self._clock = VirtualClock(loop, starts_at=STARTS_AT)
        self.journal = Journal(self._clock, starts_at=STARTS_AT)
        self.truth = Truth(self.journal)
        self._store, self._live = CheckedStore(self.truth), MemoryLive()
        self._misfortune = Misfortune(
            odds or Odds.drawn(self._chance),
            random.Random(self._chance.getrandbits(64)),
            clock=self._clock,
            journal=self.journal,
            calm_at=CALM_AT,
        )
        self._solver = LocalSolver(stopped_watch)
        self._chances = random.Random(self._chance.getrandbits(64))
        self._homes = Homes(self._misfortune, self.truth, self._world_of)
        self._bus, self._another_edge = self._edge(), self._edge()
        # Of what the outbox tells an owner no edge hears.
        self._effects = Effects(
            self._store_for(_nobody), self._misfortune, bus=self._edge(), seed=seed
        )
        self._diary = Diary()
        self._conversing = open_edge and Conversing(
            seed,
            odds,
            open_edge,
            orders=self._store,
            bus=self._edge(),
            day=self.truth,
            journal=self.journal,
            clock=self._clock,
            calm_at=CALM_AT,
        )

    async def live(self) -> None:
        """Live the day to its end, or to the first violation, or until it is given up."""
        self.journal.note(f"seed {self._seed}: {self._misfortune.odds}")
        living = self._misfortune.begin(self._the_day())
        breaking = asyncio.ensure_future(self.journal.broken.wait())
        try:
            await asyncio.wait(
                {living, breaking},
                return_when=asyncio.FIRST_COMPLETED,
                timeout=(_GIVEN_UP_AT - STARTS_AT) / SECOND_MS,
            )
            if not living.done() and not self.journal.violations:
                self.journal.violate("the day does not end: somebody waits for ever")
        finally:
            breaking.cancel()
            await self._misfortune.end()
            if self._conversing:
                await self._conversing.misfortune.end()
            await self._homes.close()
        if not self.journal.violations:
            await self._judge()

    async def _the_day(self) -> None:
        day = a_day(self._chance, at_border=self._at_border)
        people = behaviour(self._chance)
        lobby = self._lobby()
        for doing in (
            lobby.run(),
            self._effects.run(),
            self._homes.watch(self._store.list_cells),
            self._forget_now_and_then(),
            self._look_for_what_waits(lobby.bus),
            self._look_for_owners(),
        ):
            self._misfortune.begin(doing)
        if self._conversing:
            self._conversing.misfortune.begin(self._conversing.run())
        chance = SeededChance(self._seed)
        zones = [await open_zone(lobby, chance, one) for one in day.zones]
        town = inhabit(lobby, day, self._diary, zones, seed=self._seed, behaviour=people)
        if self._at_border:
            self._misfortune.begin(self._crossings(zones).run())
            loans = Loans(self._store_for(_nobody), self._another_edge, self._clock)
            self._misfortune.begin(loans.run())
        await town.live(day.orders)
        # However early that is, what must hold in calm is looked at.
        await until(self._clock, _ALL_SERVED_AT)
        await self._clock.sleep(_SETTLING_MS)

    def _lobby(self, bus: Bus | None = None) -> Lobby:
        stream = FaultyStream(self._live, self._misfortune, self.truth, _nobody)
        return Lobby(bus=bus or self._bus, store=self._store, live=stream, clock=self._clock)

    def _edge(self) -> Bus:
        return Bus(self._store_for(_nobody), self._homes, _SETTINGS.placement_resolution)

    def _crossings(self, zones: Sequence[ZoneId]) -> Crossings:
        """Said to the other edge, of which the people's own hears nothing."""
        return Crossings(
            self._lobby(self._another_edge),
            self.truth,
            self._misfortune,
            zones=zones,
            chance=random.Random(self._seed),
        )

    def _store_for(self, crash: Crash) -> Store:
        return cast("Store", FaultyStore(self._store, self._misfortune, crash))

    def _world_of(self, crash: Crash) -> CellWorld:
        skew_ms, jumps = self._misfortune.clock_spells()
        clock = WrongClock(
            self._clock, skew_ms=skew_ms, jump_ms=self._misfortune.odds.jump_ms, jumps=jumps
        )
        return CellWorld(
            store=self._store_for(crash),
            live=FaultyStream(self._live, self._misfortune, self.truth, crash),
            solver=FaultySolver(self._solver, self._misfortune),
            clock=clock,
            chance=SeededChance(self._chances.getrandbits(64)),
            settings=_SETTINGS,
        )

    async def _forget_now_and_then(self) -> None:
        """A stream that comes back after an outage may have forgotten everything."""
        odds = self._misfortune.odds
        for spell in self._misfortune.stream_away:
            await self._clock.sleep(spell.until - self._clock.now())
            if self._misfortune.happens(odds.stream_forgets, "stream forgets", ""):
                self._live.lose()

    async def _look_for_owners(self) -> None:
        """In calm every zone and every courier has the one owner that storage names."""
        await until(self._clock, _ALL_SERVED_AT)
        owners = Owners(self._homes, self._store, self._live, self.truth, self._clock)
        for what in await owners.wrong((self._bus, self._another_edge)):
            self.journal.violate(what)

    async def _look_for_what_waits(self, bus: Bus) -> None:
        """In calm offers and loans end, and no order waits while somebody has nothing to do.

        An order may wait for somebody who is busy still, if its plan says until when.
        """
        await until(self._clock, _ALL_SERVED_AT)
        since = _ALL_SERVED_AT - _PATIENCE_MS
        for offer in self.truth.all(Offer):
            if offer.is_open and offer.expires_at < since:
                self.journal.violate(f"offer {offer.id} is open long after it expired")
        parameters = {one.id: one.parameters for one in self.truth.all(Zone)}
        couriers: list[Courier] = list(self.truth.all(Courier))
        for courier in couriers:
            over_at = loan_over_at(courier)
            if over_at is not None and over_at < since:
                self.journal.violate(f"courier {courier.id} is lent long after his loan's end")
        for order in list(self.truth.all(Order)):
            idle = [
                one
                for one in couriers
                if _could_be_asked(order, one, since=since)
                and _could_come(order, one, parameters[order.zone_id], self._clock.now())
            ]
            if idle and not _is_planned(await bus.why_it_waits(order.id), self._clock.now()):
                for courier in idle:
                    self.journal.violate(f"order {order.id} waits, courier {courier.id} is idle")

    async def _judge(self) -> None:
        """What must hold when everything has come to its end."""
        found = [*seen_from_outside(self._diary), *self._diary.faults, *self._left_open()]
        found += await unknown_to_history(self._store, self._diary)
        found += self._conversing.judge() if self._conversing else []
        for what in found:
            self.journal.violate(what)

    def _left_open(self) -> list[str]:
        orders: list[Order] = [one for one in self.truth.all(Order) if one.is_open]
        offers: list[Offer] = [one for one in self.truth.all(Offer) if one.is_open]
        on_duty: list[Courier] = [
            one for one in self.truth.all(Courier) if one.duty is not Duty.OFF
        ]
        return [
            *(f"order {one.id} is still {one.status}" for one in orders),
            *(f"offer {one.id} is still open" for one in offers),
            *(f"courier {one.id} is still {one.duty}" for one in on_duty),
            *(
                f"effect {one} was promised and did not happen"
                for one in self.truth.effects
                if not self._effects.happened[one]
            ),
            *(
                f"effect {one} happened and was never promised"
                for one in self._effects.happened
                if one not in self.truth.effects
            ),
        ]


_SETTINGS = RuntimeSettings(
    kind=RuntimeKind.LOCAL, position_publish_s=3600, offer_repeat_s=20, trail_sample_s=300
)


def _could_be_asked(order: Order, courier: Courier, *, since: Instant) -> bool:
    return (
        order.status is OrderStatus.WAITING
        and courier.zone_id == order.zone_id
        and courier.status is CourierStatus.ON
        and (courier.free_since or 0) < since
        and not any(one.courier_id == courier.id or one.at >= since for one in order.lapsed)
    )


def _could_come(order: Order, courier: Courier, parameters: ZoneParameters, now: Instant) -> bool:
    """Whether the shop is within his reach, and the door before his shift or his loan ends."""
    ways, vehicle = travel_times(parameters.travel), courier.vehicle
    approach_s = ways.one_s(courier.last_point, order.shop.point, vehicle=vehicle, at=now)
    trip_s = approach_s + ways.one_s(order.shop.point, order.door.point, vehicle=vehicle, at=now)
    services_s = parameters.shop_service_s + parameters.door_service_s
    ends_at = courier.works_until
    has_time = ends_at is None or now + (trip_s + services_s) * SECOND_MS <= ends_at
    return has_time and approach_s <= parameters.approach_s_max


def _is_planned(wait: Wait | None, now: Instant) -> bool:
    leaves_at = None if wait is None else wait.reason.leaves_at
    return leaves_at is not None and leaves_at >= now


async def _nobody(_where: str) -> None:
    """Who is not a cell does not crash."""
