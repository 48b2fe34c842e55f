"""A cell: zones, orders and couriers that live together, their timers, and the way in and out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.commands import Commands
from actors.dispatcher import Dispatcher
from actors.holdings import Holdings
from actors.live import Live
from actors.publisher import Publisher
from actors.settings import RuntimeSettings
from actors.solver import Solver
from actors.telemetry import Telemetry
from actors.timers import Timers
from engine.couriers.courier import Courier, Duty
from engine.couriers.messages import BUSY_ELSEWHERE, EndShift, ExpireOffer, GoOnDuty
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.zone import CELLS_TAKEN, CreateZone, PutParametersInForce, Zone
from engine.kernel.ids import CellId, CommandId, CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Command, Envelope, Thing
from engine.kernel.refusals import DEADLINE_PASSED, STALE, UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS
from engine.orders.messages import ReleaseOrder
from engine.orders.order import Order, OrderStatus
from storage.live import Fix, LiveStream, LiveUnavailable, Publication
from storage.store import Answer, Store, StoreUnavailable

_RELOAD_AGAIN_MS = 300
_KEEP_FIXES_MS = 2_000


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
    """Start it once; it serves until `run` ends: by a bug or by being cancelled, no other way."""

    def __init__(self, cell_id: CellId, world: World) -> None:
        self.id = cell_id
        self._world = world
        self._clock = world.clock
        self._telemetry = Telemetry(int(world.settings.trail_sample_s * SECOND_MS))
        self._holdings = Holdings(self._telemetry)
        incarnation = new_id(world.clock, world.chance)
        self._publisher = Publisher(cell_id, incarnation, world.live, world.clock)
        self._live = Live(
            cell_id,
            store=world.store,
            holdings=self._holdings,
            publisher=self._publisher,
            clock=world.clock,
            applied=self._arm,
        )
        self._commands = Commands(self._holdings, world.clock)
        self._dispatcher = Dispatcher(
            live=self._live,
            holdings=self._holdings,
            telemetry=self._telemetry,
            solver=world.solver,
            clock=world.clock,
            chance=world.chance,
        )
        self._timers = Timers(world.clock, self._ring)
        self._ticking: set[ZoneId] = set()
        self._rings: dict[str, Callable[[str], Awaitable[None]]] = {
            "offer": self._ring_offer,
            "release": self._ring_release,
            "shift": self._ring_shift,
            "zone": self._ring_zone,
            "reload": self._ring_reload,
            "tick": self._ring_tick,
            "repeat": self._ring_repeat,
            "positions": self._ring_positions,
            "fixes": self._ring_fixes,
        }
        self._trouble = "starting"

    async def run(self, started: asyncio.Event) -> None:
        """Load what is open, say so, and serve; start-up and recovery are the same path."""
        while not await self._reload():
            await self._clock.sleep(_RELOAD_AGAIN_MS * self._clock.speed)
        started.set()
        self._timers.set("positions:", self._clock.now())
        self._timers.set("fixes:", self._clock.now())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._timers.run())
            group.create_task(self._publisher.run())

    # The way in

    async def execute(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Carry commands out side by side, those for one thing in the given order.

        The answers are in the same order.
        """
        return await asyncio.gather(*(self._execute(one) for one in envelopes))

    def report_positions(self, fixes: Iterable[tuple[CourierId, Fix]]) -> None:
        """Take the newest positions of couriers."""
        self._telemetry.report(fixes, now=self._clock.now())

    def snapshot(self, channel: str) -> Publication | None:
        """What the watchers of a channel would be told now; None for what is not held here."""
        kind, _, key = channel.partition(":")
        things: dict[str, Thing | None] = {
            "order": self._holdings.orders.get(OrderId(key)),
            "courier": self._holdings.couriers.get(CourierId(key)),
            "zone": self._holdings.zones.get(ZoneId(key)),
        }
        thing = things.get(kind)
        return None if thing is None else self._holdings.show(thing, now=self._clock.now())

    def health(self) -> str:
        """`ok`, or what is wrong."""
        return self._trouble or self._dispatcher.trouble or "ok"

    async def _execute(self, envelope: Envelope) -> Answer:
        refusal = await self._not_now(envelope)
        if refusal is None:
            answer = await self._live.turn(
                lambda: self._commands.keys(envelope.command),
                lambda: self._commands.decide(envelope.command, envelope.caller),
                envelope,
            )
            assert answer is not None
            return _without_cells(envelope, answer)
        return Answer(command_id=envelope.id, fingerprint=envelope.fingerprint, refusal=refusal)

    async def _not_now(self, envelope: Envelope) -> Refusal | None:
        if self._clock.now() > envelope.deadline:
            return DEADLINE_PASSED()
        if self._live.in_doubt and not await self._reload():
            return UNAVAILABLE()
        if isinstance(envelope.command, GoOnDuty):
            return await self._welcome(envelope.command.courier_id, envelope.command.zone_id)
        return None

    async def _welcome(self, courier_id: CourierId, zone_id: ZoneId) -> Refusal | None:
        """A courier who is not held here is read from storage: another cell may have left him."""
        if courier_id in self._holdings.couriers:
            return None
        try:
            courier = await self._world.store.find_courier(courier_id)
        except StoreUnavailable:
            return UNAVAILABLE()
        if courier is None or courier_id in self._holdings.couriers:
            return None
        if courier.duty is not Duty.OFF and courier.zone_id != zone_id:
            return BUSY_ELSEWHERE(zone_id=courier.zone_id)
        self._holdings.put(courier)
        return None

    # Recovery

    async def _reload(self) -> bool:
        """Read everything that is open from storage and re-arm the timers; whether it succeeded."""
        async with self._live.turns.alone():
            if not self._live.in_doubt and self._trouble != "starting":
                return True
            try:
                contents = await self._world.store.load_cell(self.id)
            except StoreUnavailable:
                self._trouble = "the database does not answer"
                self._live.in_doubt = True
                self._timers.set("reload:", self._later(_RELOAD_AGAIN_MS))
                return False
            self._holdings.load(contents)
            self._live.in_doubt = False
            self._trouble = ""
        self._telemetry.restore(await self._remembered_fixes())
        for thing in (*contents.zones, *contents.orders, *contents.couriers, *contents.offers):
            self._arm(thing)
            shown = self._holdings.show(thing, now=self._clock.now())
            if shown is not None:
                self._publisher.publish(shown)
        return True

    async def _remembered_fixes(self) -> dict[CourierId, Fix]:
        try:
            return await self._world.live.load_fixes(self.id)
        except LiveUnavailable:
            pass
        try:
            trail = await self._world.store.last_fixes(self.id)
        except StoreUnavailable:
            return {}
        return {
            one.courier_id: Fix(lat=one.lat, lng=one.lng, at=one.at, accuracy_m=one.accuracy_m)
            for one in trail
        }

    # Timers

    def _later(self, real_ms: float) -> int:
        return self._clock.now() + int(real_ms * self._clock.speed)

    def _arm(self, thing: Thing) -> None:
        """Set the timers that the stored state of a thing asks for."""
        match thing:
            case Offer():
                self._arm_offer(thing)
            case Order():
                if thing.status is OrderStatus.SCHEDULED and thing.release_at is not None:
                    self._timers.set(f"release:{thing.id}", thing.release_at)
            case Courier():
                self._arm_courier(thing)
            case Zone():
                self._arm_zone(thing)
            case _:
                raise TypeError(f"a cell has no timers for {type(thing).__name__}")

    def _arm_offer(self, offer: Offer) -> None:
        if offer.status is not OfferStatus.OPEN:
            self._timers.cancel(f"offer:{offer.id}")
        else:
            self._timers.set(f"offer:{offer.id}", offer.expires_at)
        if offer.status is not OfferStatus.OPEN or offer.acknowledged_at is not None:
            self._timers.cancel(f"repeat:{offer.id}")
        else:
            self._repeat_later(offer.id)

    def _arm_courier(self, courier: Courier) -> None:
        if courier.shift_ends_at is None or courier.duty in {Duty.OFF, Duty.ENDING}:
            self._timers.cancel(f"shift:{courier.id}")
        else:
            self._timers.set(f"shift:{courier.id}", courier.shift_ends_at)

    def _arm_zone(self, zone: Zone) -> None:
        if zone.upcoming:
            first = min(one.effective_at for one in zone.upcoming)
            self._timers.set(f"zone:{zone.id}", first)
        if not self._timers.is_set(f"tick:{zone.id}") and zone.id not in self._ticking:
            self._timers.set(f"tick:{zone.id}", self._clock.now())

    def _repeat_later(self, offer_id: OfferId) -> None:
        repeat_ms = self._world.settings.offer_repeat_s * SECOND_MS
        self._timers.set(f"repeat:{offer_id}", self._later(repeat_ms))

    async def _ring(self, key: str) -> None:
        kind, _, name = key.partition(":")
        await self._rings[kind](name)

    async def _ring_offer(self, name: str) -> None:
        await self._by_clock(ExpireOffer(offer_id=OfferId(name)))

    async def _ring_release(self, name: str) -> None:
        await self._by_clock(ReleaseOrder(order_id=OrderId(name)))

    async def _ring_shift(self, name: str) -> None:
        await self._by_clock(EndShift(courier_id=CourierId(name)))

    async def _ring_zone(self, name: str) -> None:
        await self._by_clock(PutParametersInForce(zone_id=ZoneId(name)))

    async def _ring_reload(self, _name: str) -> None:
        await self._reload()

    async def _by_clock(self, command: Command) -> None:
        """What the clock asks for; after a doubt the reload arms the timer again."""
        await self._live.turn(
            lambda: self._commands.keys(command),
            lambda: self._commands.decide(command, SYSTEM_CALLER),
        )
        if self._live.in_doubt:
            self._timers.set("reload:", self._later(_RELOAD_AGAIN_MS))

    async def _ring_tick(self, name: str) -> None:
        zone_id = ZoneId(name)
        zone = self._holdings.zones[zone_id]
        began = self._clock.now()
        if not self._live.in_doubt:
            self._ticking.add(zone_id)
            await self._dispatcher.tick(zone)
            self._ticking.discard(zone_id)
            body = {**self._holdings.zone_body(zone), **self._tick_body(zone_id)}
            self._publisher.publish(
                Publication(channel=f"zone:{zone_id}", kind="tick", version=0, body=body)
            )
        else:
            await self._reload()
        next_at = began + zone.parameters.tick_s * SECOND_MS
        self._timers.set(f"tick:{zone_id}", max(next_at, self._clock.now() + 1))

    def _tick_body(self, zone_id: ZoneId) -> dict[str, object]:
        tick = self._dispatcher.last_tick[zone_id]
        return {
            "available": tick.available,
            "offers_made": tick.offered,
            "unassigned": tick.unassigned,
            "tick_ms": tick.solve_ms,
            "positions_received": self._telemetry.received,
            "positions_dropped": self._telemetry.dropped,
        }

    async def _ring_repeat(self, name: str) -> None:
        """The phone has not said that it shows the offer: show its courier his work again."""
        offer_id = OfferId(name)
        offer = self._holdings.offers.get(offer_id)
        if offer is None or offer.status is not OfferStatus.OPEN or offer.acknowledged_at:
            return
        courier = self._holdings.couriers[offer.courier_id]
        shown = self._holdings.show(courier, now=self._clock.now())
        assert shown is not None
        self._publisher.publish(shown)
        self._repeat_later(offer_id)

    # Positions

    async def _ring_positions(self, _name: str) -> None:
        """Show customers where their couriers are."""
        now = self._clock.now()
        for courier in self._holdings.couriers.values():
            fix = self._telemetry.fix(courier.id) if courier.route else None
            if fix is None:
                continue
            for order in self._holdings.orders_of(courier.orders):
                body = {
                    "courier_id": courier.id,
                    "lat": fix.lat,
                    "lng": fix.lng,
                    "at": fix.at,
                    "eta": self._holdings.eta_of(order, courier, now=now),
                }
                self._publisher.publish(
                    Publication(channel=f"order:{order.id}", kind="position", version=0, body=body)
                )
        gap_ms = self._world.settings.position_publish_s * SECOND_MS
        self._timers.set("positions:", self._later(gap_ms))

    async def _ring_fixes(self, _name: str) -> None:
        """Remember positions where a restarted cell finds them, the sampled trail in storage."""
        self._timers.set("fixes:", self._later(_KEEP_FIXES_MS))
        moved, trail = self._telemetry.take_moved(), self._telemetry.take_trail()
        try:
            if moved:
                await self._world.live.save_fixes(self.id, moved)
            if trail:
                await self._world.store.save_trail(trail)
        except (LiveUnavailable, StoreUnavailable):
            # Positions are telemetry: the next ones are better than these.
            return


def new_command_id(clock: Clock, chance: Chance) -> CommandId:
    """An id for a command that nobody else has named."""
    return CommandId(new_id(clock, chance))


def _without_cells(envelope: Envelope, answer: Answer) -> Answer:
    """A zone that could not be stored because its cells are taken is told so."""
    refused = answer.refusal is not None and answer.refusal.code == STALE.code
    if refused and isinstance(envelope.command, CreateZone):
        return Answer(
            command_id=answer.command_id,
            fingerprint=answer.fingerprint,
            refusal=CELLS_TAKEN(),
        )
    return answer
