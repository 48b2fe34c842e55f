"""A cell: zones, orders and couriers that live together, their timers, and the way in and out."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from actors.ages import AGE_BOUNDS_MS
from actors.bus import CellUnavailable
from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.commands import Commands
from actors.deadlines import SAID_OF_COURIERS, Deadlines, SaidOfCourier, tick_at
from actors.dispatcher import Dispatcher, Tick
from actors.fleet import pack_fleet
from actors.guards import Guards
from actors.holdings import Holdings
from actors.lending import Lending
from actors.live import Live
from actors.moves import Moves
from actors.positions import Positions
from actors.publisher import Publisher
from actors.reading import read_anew
from actors.scheduler import Scheduler
from actors.settings import RuntimeSettings
from actors.solver import Solver
from actors.strangers import Strangers
from actors.telemetry import Telemetry
from actors.timers import Timers
from actors.waits import Waits
from engine.couriers.messages import ExpireOffer, LendCouriers
from engine.dispatch.loans import Need
from engine.dispatch.offer import OfferStatus
from engine.dispatch.waiting import Wait
from engine.geo.moving import MoveZone, TakeOverZone
from engine.geo.zone import PutParametersInForce
from engine.kernel.ids import CellId, CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Command, Envelope, Thing
from engine.kernel.timing import SECOND_MS
from engine.orders.messages import ReleaseOrder
from engine.orders.surge import Pressure
from storage.live import Fix, LiveStream, Publication
from storage.store import Answer, Store, StoreUnavailable

_RELOAD_AGAIN_MS = 300
_KEEP_FIXES_MS = 2_000
# By then a commit whose answer was lost has landed, or never will: the database's own time-outs
# are shorter.
_LANDED_MS = 30_000
_OF_NOTHING = frozenset({"positions:", "fixes:", "recheck:"})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a cell needs from outside, handed in."""

    store: Store
    live: LiveStream
    solver: Solver
    clock: Clock
    chance: Chance
    settings: RuntimeSettings


class Cell:
    """Start it once; it serves until `run` ends: by a bug or by being cancelled, no other way.

    All that it does happens within `run`, and ends with it.
    """

    def __init__(self, cell_id: CellId, world: World) -> None:
        self.id = cell_id
        self._world = world
        self._clock = world.clock
        self._telemetry = Telemetry(int(world.settings.trail_sample_s * SECOND_MS))
        self._holdings = Holdings(self._telemetry)
        self._timers = Timers(world.clock, self._ring)
        self._ticking: set[ZoneId] = set()
        again_ms = self._ms(world.settings.offer_repeat_s * SECOND_MS)
        self._deadlines = Deadlines(self._timers, world.clock, self._ticking, repeat_ms=again_ms)
        incarnation = new_id(world.clock, world.chance)
        self._publisher = Publisher(cell_id, incarnation, world.live, world.clock)
        self._positions = Positions(
            cell_id,
            holdings=self._holdings,
            telemetry=self._telemetry,
            publisher=self._publisher,
            store=world.store,
            live=world.live,
            clock=world.clock,
        )
        self._live = Live(
            cell_id,
            store=world.store,
            holdings=self._holdings,
            publisher=self._publisher,
            clock=world.clock,
            applied=self._deadlines.arm,
            gone=self._deadlines.disarm,
            doubted=self._reload_soon,
        )
        self._commands = Commands(self._holdings, world.clock)
        self._strangers = Strangers(cell_id, world.store, self._holdings, self._live)
        self._waits = Waits(world.store, self._holdings, world.clock)
        self._dispatcher = Dispatcher(
            live=self._live,
            holdings=self._holdings,
            telemetry=self._telemetry,
            solver=world.solver,
            clock=world.clock,
            chance=world.chance,
            waits=self._waits,
        )
        self._guards = Guards(world.store, self._holdings, world.clock)
        self._scheduler = Scheduler(
            holdings=self._holdings,
            telemetry=self._telemetry,
            solver=world.solver,
            publisher=self._publisher,
            timers=self._timers,
            clock=world.clock,
        )
        self._moves = self._moving()
        self._lending = Lending(self._live, self._holdings, self._telemetry, world.clock)
        self._rings = self._table_of_rings()
        self._work = asyncio.TaskGroup()
        self._reading = asyncio.Lock()
        self._readings = 0
        self._trouble = "starting"

    def _moving(self) -> Moves:
        return Moves(
            self.id,
            live=self._live,
            holdings=self._holdings,
            positions=self._positions,
            clock=self._clock,
            read_anew=self._is_certain,
        )

    async def run(self, started: asyncio.Event) -> None:
        """Load what is open, say so, and serve; start-up and recovery are the same path."""
        await self._positions.recall()
        self._reload_soon()
        async with self._work:
            while not await self._is_certain():
                await self._clock.sleep(self._ms(_RELOAD_AGAIN_MS))
            for name in ("positions:", "fixes:"):
                self._timers.set(name, self._clock.now())
            self._work.create_task(self._timers.run())
            self._work.create_task(self._publisher.run())
            started.set()

    # The way in

    async def execute(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Carry commands out side by side, those for one thing in the given order; answer in it.

        What was begun goes on though the caller leaves; if the cell ends, CellUnavailable.
        """
        tasks = [self._begin(self._execute(one)) for one in envelopes]
        if tasks:
            await asyncio.wait(tasks)
        if any(one.cancelled() for one in tasks):
            raise CellUnavailable(self.id)
        return [one.result() for one in tasks]

    def report_positions(self, fixes: Sequence[tuple[CourierId, Fix]]) -> list[CourierId]:
        """Take the newest positions of couriers; who of them is not on duty here."""
        return self._positions.report(fixes)

    def snapshot(self, channel: str) -> Publication | None:
        """What the watchers of a channel would be told now; None for what is not held here."""
        kind, _, key = channel.partition(":")
        thing: Thing | None = None
        match kind:
            case "order":
                thing = self._holdings.orders.get(OrderId(key))
            case "courier" if self._holdings.is_on_duty(CourierId(key)):
                thing = self._holdings.couriers[CourierId(key)]
            case "pressure":
                return _told(channel, self._holdings.pressures.get(ZoneId(key)))
            case "wait":
                return _told(channel, self._waits.find(OrderId(key)))
            case "need":
                return _told(channel, self._lending.need(ZoneId(key)))
            case "fleet":
                return self._show_fleet(channel, ZoneId(key))
            case "zone":
                thing = self._holdings.zones.get(ZoneId(key))
            case _:
                pass
        shown = None if thing is None else self._holdings.show(thing, now=self._clock.now())
        return shown and replace(shown, bookmark=self._publisher.bookmark(channel))

    def _show_fleet(self, channel: str, zone_id: ZoneId) -> Publication:
        packed = pack_fleet(self._holdings.on_duty(zone_id), self._telemetry)
        body = {"packed": packed, "at": self._clock.now()}
        return Publication(channel=channel, kind="fleet", version=0, body=body)

    async def rest(self) -> None:
        """Let no turn begin any more."""
        await self._live.turns.end()

    def health(self) -> str:
        """`ok`, or what is wrong."""
        return self._trouble or self._dispatcher.trouble or "ok"

    def _begin(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        try:
            return self._work.create_task(work)
        except RuntimeError:
            # The cell is just ending, and takes no more work.
            work.close()
            raise CellUnavailable(self.id) from None

    async def _execute(self, envelope: Envelope) -> Answer:
        if self._live.in_doubt:
            await self._is_certain()
        if isinstance(envelope.command, MoveZone):
            return await self._moves.give(envelope.command, envelope)
        if isinstance(envelope.command, TakeOverZone):
            return await self._moves.take(envelope.command, envelope)
        if isinstance(envelope.command, LendCouriers):
            return await self._lending.give(envelope.command, envelope)
        answer = await self._live.turn(
            lambda: self._commands.keys(envelope.command),
            lambda: self._commands.decide(envelope.command, envelope.caller),
            envelope,
            lambda: self._strangers.admit(envelope.command),
            self._strangers.meet,
        )
        assert answer is not None
        return answer

    # Recovery

    async def _is_certain(self) -> bool:
        """Whether memory is what is stored; in doubt everything is read anew, once for all."""
        if self._live.in_doubt:
            seen = self._readings
            async with self._reading:
                if seen == self._readings:
                    await self._reload()
                    self._readings += 1
        return not self._live.in_doubt

    async def _reload(self) -> None:
        """Read everything anew, arm its timers, and show what watchers were not shown."""
        async with self._live.turns.alone():
            try:
                things = await read_anew(self._world.store, self.id, self._holdings)
            except StoreUnavailable:
                self._trouble = "the database does not answer"
                self._timers.set("reload:", self._clock.now() + self._ms(_RELOAD_AGAIN_MS))
                return
            news = [one for one in things if self._holdings.find(one) != one]
            self._holdings.load(things)
            self._timers.clear(but=_OF_NOTHING)
            for one in things:
                self._deadlines.arm(one)
            self._live.trust()
            self._trouble = ""
            for one in news:
                self._live.show(one)

    def _reload_soon(self) -> None:
        self._timers.set("reload:", self._clock.now())
        self._timers.set("recheck:", self._clock.now() + self._ms(_LANDED_MS))

    async def _ring_recheck(self, _name: str) -> None:
        """What we, or who was here before us, lost on its way may have landed after the reading."""
        self._live.doubt()
        self._timers.cancel("recheck:")

    # Timers

    def _table_of_rings(self) -> dict[str, Callable[[str], Awaitable[object]]]:
        return {
            "offer": lambda name: self._by_clock(ExpireOffer(offer_id=OfferId(name))),
            "release": lambda name: self._by_clock(ReleaseOrder(order_id=OrderId(name))),
            "schedule": self._ring_schedule,
            "reschedule": self._ring_schedule,
            **{kind: partial(self._ring_courier, said) for kind, said in SAID_OF_COURIERS.items()},
            "zone": lambda name: self._by_clock(PutParametersInForce(zone_id=ZoneId(name))),
            "guard": self._ring_guard,
            "reload": lambda _: self._is_certain(),
            "recheck": self._ring_recheck,
            "tick": self._ring_tick,
            "repeat": self._ring_repeat,
            "positions": self._ring_positions,
            "fixes": self._ring_fixes,
        }

    def _ms(self, real_ms: float) -> int:
        return int(real_ms * self._clock.speed)

    async def _ring(self, key: str) -> None:
        kind, _, name = key.partition(":")
        await self._rings[kind](name)

    async def _ring_courier(self, said: type[SaidOfCourier], name: str) -> None:
        await self._by_clock(said(courier_id=CourierId(name)))

    async def _ring_schedule(self, name: str) -> None:
        zone = self._holdings.zones.get(ZoneId(name))
        if zone is not None and not self._live.in_doubt:
            await self._scheduler.plan(zone)

    async def _ring_guard(self, name: str) -> None:
        zone = self._holdings.zones.get(ZoneId(name))
        if zone is None:
            return
        revert = await self._guards.check(zone)
        if revert is not None:
            await self._by_clock(revert)
        zone = self._holdings.zones.get(ZoneId(name))
        if zone is not None:
            self._deadlines.arm(zone)

    async def _by_clock(self, command: Command) -> None:
        """What the clock asks for; in doubt nothing, for the reload sets the timer again."""
        await self._live.turn(
            lambda: self._commands.keys(command),
            lambda: self._commands.decide(command, SYSTEM_CALLER),
        )

    async def _ring_tick(self, name: str) -> None:
        zone_id = ZoneId(name)
        zone = self._holdings.zones.get(zone_id)
        if zone is None or self._live.in_doubt:
            return  # The reload sets the next tick of every zone there is.
        self._ticking.add(zone_id)
        tick = await self._dispatcher.tick(zone)
        self._ticking.discard(zone_id)
        zone = self._holdings.zones.get(zone_id)
        if zone is None:
            return
        self._lending.note(zone)
        self._holdings.feel(
            zone, waiting=tick.waiting, available=tick.available, now=self._clock.now()
        )
        body = {**self._holdings.zone_body(zone), **self._tick_body(tick)}
        self._publisher.publish(
            Publication(channel=f"zone:{zone_id}", kind="tick", version=0, body=body)
        )
        self._timers.set(f"tick:{zone_id}", tick_at(zone, self._clock.now() + 1))

    def _tick_body(self, tick: Tick) -> dict[str, object]:
        return {
            "available": tick.available,
            "offers_made": tick.offered,
            "sent_to_wait": tick.sent_to_wait,
            "unassigned": tick.unassigned,
            "tick_ms": tick.solve_ms,
            "positions_received": self._telemetry.received,
            "positions_dropped": self._telemetry.dropped,
            "positions_dropped_by": dict(self._telemetry.faults),
            "positions_mocked": self._telemetry.mocked,
            "positions_age_ms": {
                "at_most": AGE_BOUNDS_MS,
                "counts": tuple(self._telemetry.ages.counts),
            },
        }

    async def _ring_repeat(self, name: str) -> None:
        """The phone has not said that it shows the offer: show its courier his work again."""
        offer = self._holdings.offers.get(OfferId(name))
        if offer is None or offer.status is not OfferStatus.OPEN or not offer.unacknowledged:
            return
        for courier in self._holdings.couriers_of(offer.unacknowledged):
            self._live.show(courier)
        self._deadlines.repeat_later(offer.id)

    async def _ring_positions(self, _name: str) -> None:
        gap_ms = self._ms(self._world.settings.position_publish_s * SECOND_MS)
        await self._positions.show()
        self._timers.set("positions:", self._clock.now() + gap_ms)

    async def _ring_fixes(self, _name: str) -> None:
        await self._positions.keep()
        self._timers.set("fixes:", self._clock.now() + self._ms(_KEEP_FIXES_MS))


def _told(channel: str, known: Pressure | Wait | Need | None) -> Publication | None:
    """What somebody asks for and nobody watches: it has no version."""
    if known is None:
        return None
    return Publication(channel=channel, kind="state", version=0, body=to_builtins(known))
