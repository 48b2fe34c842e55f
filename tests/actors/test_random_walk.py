"""A town in which anything may happen at any moment, and what must hold of it all the same."""

import asyncio
import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from actors.bus import CellUnavailable
from actors.revising import Reviser
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    EndBreak,
    GoOffDuty,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
)
from engine.dispatch.offer import Offer, OfferStatus
from engine.dispatch.revision import first_trip
from engine.geo.cells import ancestor
from engine.geo.dispatch_parameters import OfferMode
from engine.geo.moving import MoveZone, own_cell
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.geo.zone import ChangeZoneParameters
from engine.kernel.ids import CommandId, CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Caller, Command, Envelope
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrder, UnassignOrder
from engine.orders.order import TRANSITIONS, Lapse, OrderStatus, Window
from optimizer.problem import Job, Plan, Problem, Route, Trip
from optimizer.routes import promises
from optimizer.routing.problem import Reason, RoutingPlan, RoutingProblem
from storage.live import Fix
from storage.store import Answer, StoreUnavailable
from tests.actors.shaky import Fate
from tests.actors.worlds import JEDDAH, OPERATOR, QUICK, Town, in_a_town
from tests.builders import CORNER, DOOR, PIN, SHOP, WRONG

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SEEDS: Final = range(16)
ROUNDS: Final = 4
STEPS: Final = 100
COURIERS: Final = 6

EAGER: Final = replace(QUICK, wait_moves_max=3, wait_gain_min=0)

P = ProgressStep
_NEXT: Final = {
    OrderStatus.ASSIGNED: P.REACHED_SHOP,
    OrderStatus.COURIER_AT_SHOP: P.PICKED_UP,
    OrderStatus.PICKED_UP: P.REACHED_DOOR,
    OrderStatus.AT_DOOR: P.DELIVERED,
    OrderStatus.ATTEMPT_FAILED: P.RETURN_STARTED,
    OrderStatus.RETURNING: P.RETURNED,
}
_AFTER: Final = {(before, event.__name__): after for (before, event), after in TRANSITIONS.items()}


def _route(vehicle: str, job: Job) -> Route:
    trip = Trip(group=job.group, jobs=(job.id,), leave_s=0, pickup_s=0, deliveries_s=(0,))
    return Route(vehicle=vehicle, trips=(trip,))


class Hasty:
    """A solver that gives everybody the first order he could carry, without thinking long."""

    async def plan(self, problem: Problem) -> Plan:
        free = {one.id: one for one in problem.vehicles}
        routes = []
        under_way = promises(problem)
        # Those under way to one shop change with each other, each time they are asked.
        theirs = sorted((job for jobs in under_way.values() for job in jobs), reverse=True)
        for bound in under_way:
            group = free.pop(bound).bound_for
            job = next(one for one in problem.jobs if one.id in theirs and one.group == group)
            theirs.remove(job.id)
            routes.append(_route(bound, job))
        given = {job for route in routes for job in route.trips[0].jobs}
        for job in problem.jobs:
            if job.id in given:
                continue
            vehicle = next((one for one in problem.candidates[job.id] if one in free), None)
            if vehicle is not None:
                del free[vehicle]
                routes.append(_route(vehicle, job))
        return Plan(routes=tuple(routes), unassigned={}, cost=0)

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        left = {one.id: Reason.NO_ROOM for one in problem.requests}
        return RoutingPlan(routes=(), unserved=left, cost=0)


@dataclass
class Sent:
    """A command that somebody sent, and who waits for its answer."""

    envelope: Envelope
    waiting: asyncio.Task[Answer]
    left: bool = False


@dataclass
class Walk:
    """One seed's way through a town; whom it drew last is what the next steps are about."""

    town: Town
    chance: random.Random
    second: ZoneId
    parameters: ZoneParameters = EAGER
    couriers: list[CourierId] = field(default_factory=list)
    orders: list[OrderId] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    wakings: list[asyncio.Task[None]] = field(default_factory=list)
    revising: list[asyncio.Future[bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.edges = [self.town.bus, self.town.another_edge(), self.town.another_edge()]
        self.couriers = [CourierId(self.town.new_id()) for _ in range(COURIERS)]
        self.steps: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8, self.place),
            (8, self.go_on_duty),
            (3, self.change_duty),
            (16, self.answer_an_offer),
            (20, self.report),
            (4, self.take_back),
            (8, self.revise),
            (2, self.change_parameters),
            (1, self.move_zone),
            (6, self.move),
            (6, self.say_again),
            (4, self.leave),
            (1, self.crash),
            (6, self.shake),
            (16, self.wait),
        ]

    async def go(self) -> None:
        weights = [weight for weight, _ in self.steps]
        for _ in range(STEPS):
            ((_, step),) = self.chance.choices(self.steps, weights)
            await step()

    # What people do, rightly or wrongly

    def send(self, command: Command, caller: Caller, *, command_id: str = "") -> None:
        envelope = Envelope(
            id=CommandId(command_id or self.town.new_id()),
            command=command,
            caller=caller,
            deadline=self.town.clock.now() + self.chance.choice((50, 1_000, 10_000, 60_000)),
        )
        edge = self.chance.choice(self.edges)
        self.sent.append(Sent(envelope, asyncio.ensure_future(edge.execute(envelope))))

    def somebody(self) -> CourierId:
        return self.chance.choice(self.couriers)

    async def place(self) -> None:
        order = OrderId(self.town.new_id())
        now = self.town.clock.now()
        window = Window(start=now + 45 * MINUTE_MS, end=now + 90 * MINUTE_MS)
        command = await self.town.placing(
            order_id=order,
            window=self.chance.choice((None, None, None, window)),
            zone_id=self.chance.choice((self.town.zone_id,) * 9 + (self.second,)),
        )
        self.orders.append(order)
        self.send(command, self.town.customer)

    async def go_on_duty(self) -> None:
        courier = self.somebody()
        ends = self.town.clock.now() + self.chance.randrange(5 * MINUTE_MS)
        command = GoOnDuty(
            courier_id=courier,
            zone_id=self.chance.choice((self.town.zone_id,) * 7 + (self.second,)),
            name="Salem",
            vehicle=self.chance.choice(tuple(VehicleKind)),
            capacity_units=self.chance.choice((1, 4)),
            point=CORNER,
            shift_ends_at=self.chance.choice((None, None, ends)),
        )
        self.send(command, self.town.as_courier(courier))

    async def change_duty(self) -> None:
        courier = self.somebody()
        command = self.chance.choice(
            (GoOffDuty, TakeBreak, EndBreak, EndBreak, ReachWaitingPoint, ReachWaitingPoint)
        )
        self.send(command(courier_id=courier), self.town.as_courier(self.maybe_other(courier)))

    def maybe_other(self, courier: CourierId) -> CourierId:
        """Nearly always himself."""
        return courier if self.chance.random() < 0.95 else self.somebody()

    async def answer_an_offer(self) -> None:
        stored = await self.town.store.load_cell(await self.town.cell())
        offers = [(asked, one.id) for one in stored.offers for asked in one.asked]
        courier, offer = self.chance.choice(offers or [(self.somebody(), OfferId("none"))])
        courier = self.maybe_other(courier)
        commands: tuple[Command, ...] = (
            AcceptOffer(courier_id=courier, offer_id=offer),
            AcceptOffer(courier_id=courier, offer_id=offer),
            AcknowledgeOffer(courier_id=courier, offer_id=offer),
            DeclineOffer(courier_id=courier, offer_id=offer, reason="far"),
        )
        for _ in range(self.chance.choice((1, 1, 2))):
            self.send(self.chance.choice(commands), self.town.as_courier(courier))

    async def report(self) -> None:
        stored = await self.town.store.load_cell(await self.town.cell())
        carried = [
            (one.courier_id, one.id, _NEXT[one.status])
            for one in stored.orders
            if one.courier_id is not None
        ]
        if not carried:
            return
        courier, order, step = self.chance.choice(carried)
        step = self.chance.choice((step, step, step, *P))
        command = ReportProgress(
            courier_id=self.maybe_other(courier),
            order_id=order,
            step=step,
            device_at=self.town.clock.now() - self.chance.randrange(10 * SECOND_MS),
            pin=self.chance.choice((PIN, PIN, PIN, WRONG)),
            reason="nobody there",
        )
        self.send(command, self.town.as_courier(command.courier_id))

    async def take_back(self) -> None:
        if not self.orders:
            return
        order = self.chance.choice(self.orders)
        stored = await self.town.store.find_order(order)
        carrier = (stored and stored.courier_id) or self.somebody()
        asked: tuple[tuple[Command, Caller], ...] = (
            (CancelOrder(order_id=order, reason=CancelReason.OTHER), self.town.customer),
            (CancelOrder(order_id=order, reason=CancelReason.OTHER), OPERATOR),
            (UnassignOrder(order_id=order, reason="late"), OPERATOR),
            (UnassignOrder(order_id=order, reason="ill"), self.town.as_courier(carrier)),
        )
        self.send(*self.chance.choice(asked))

    async def revise(self) -> None:
        """The dispatcher deals first trips and waiting orders anew; others go on meanwhile."""
        home = self.town.cells._homes.get(await self.town.cell())
        if home is None:
            return
        live, holdings = home.cell._live, home.cell._holdings
        trips = {one.id: first_trip(one) for one in holdings.on_duty(self.town.zone_id)}
        known = {courier: trip.order_ids for courier, trip in trips.items() if trip is not None}
        cards = [one for order_ids in known.values() for one in order_ids]
        cards += [one.id for one in holdings.waiting(self.town.zone_id)[:3]]
        self.chance.shuffle(cards)
        wanted: dict[CourierId, tuple[OrderId, ...]] = {
            courier: (cards.pop(),) for courier in known
        }
        if cards and wanted:
            wanted[self.chance.choice([*wanted])] += (cards.pop(),)
        reviser = Reviser(live=live, holdings=holdings, clock=self.town.clock)
        zone = holdings.zones.get(self.town.zone_id)
        if zone is not None:
            self.revising.append(asyncio.ensure_future(reviser.revise(zone, wanted)))

    async def change_parameters(self) -> None:
        zone = await self.town.store.find_zone(self.town.zone_id)
        assert zone is not None
        command = ChangeZoneParameters(
            zone_id=zone.id,
            parameters=replace(self.parameters, offer_mode=self.chance.choice(list(OfferMode))),
            author=OPERATOR.user_id,
            reason="an idea",
            effective_at=self.town.clock.now() + self.chance.randrange(MINUTE_MS),
            after_version=zone.last_version,
        )
        self.send(command, OPERATOR)

    async def move_zone(self) -> None:
        """To a cell of its own, or back among its neighbours."""
        zone = await self.town.store.find_zone(self.chance.choice((self.town.zone_id, self.second)))
        assert zone is not None
        together = ancestor(zone.anchor, self.town.settings.placement_resolution)
        cell = self.chance.choice((own_cell(zone.id), together))
        self.send(MoveZone(zone_id=zone.id, cell=cell, author=OPERATOR.user_id), OPERATOR)

    async def move(self) -> None:
        place = self.chance.choice((SHOP, DOOR, CORNER, JEDDAH, Point(lat=91.0, lng=0.0)))
        at = self.town.clock.now() + self.chance.randrange(-MINUTE_MS, MINUTE_MS)
        fix = Fix(lat=place.lat, lng=place.lng, at=at, accuracy_m=5.0)
        self.chance.choice(self.edges).report_position(self.somebody(), fix)

    async def say_again(self) -> None:
        if self.sent:
            once = self.chance.choice(self.sent[-30:]).envelope
            self.send(once.command, once.caller, command_id=once.id)

    async def leave(self) -> None:
        """Somebody does not wait for his answer any more."""
        waiting = [one for one in self.sent if not one.waiting.done()]
        for one in self.chance.sample(waiting, min(2, len(waiting))):
            one.left = True
            one.waiting.cancel()

    # What happens to the system

    async def crash(self) -> None:
        self.fail_loudly()
        homes = sorted(self.town.cells._homes)
        if homes:
            await self.town.cells.kill(self.chance.choice(homes))
        if self.chance.random() < 0.5:
            self.wakings.append(asyncio.ensure_future(self.wake()))

    async def wake(self) -> None:
        """Whoever wakes cells may find the database away, or see one killed while it wakes."""
        with suppress(StoreUnavailable, CellUnavailable):
            await self.town.cells.wake()

    async def shake(self) -> None:
        line, chance = self.town.line, self.chance
        line.latency_ms = chance.choice((0, 5, 80, 80, 2_000))
        bad = chance.choice((0.0, 0.1, 0.3, 0.5))
        fates = (Fate.ANSWER_LOST, Fate.NEVER_ARRIVES, Fate.LANDS_LATE)
        line.fate_of = lambda _: chance.choice(fates) if chance.random() < bad else Fate.FINE
        if chance.random() < 0.2:
            line.away_for(chance.randrange(20 * SECOND_MS))
        self.town.thinker.takes_ms = chance.choice((0, 0, 100, 3_000))
        self.town.thinker.is_away = chance.random() < 0.1

    async def wait(self) -> None:
        await self.town.clock.sleep(self.chance.choice((1, 50, 500, 3_000, 20_000)))

    # What must hold when all is quiet

    def fail_loudly(self) -> None:
        """A cell that ended by itself ended by a bug."""
        for home in self.town.cells._homes.values():
            if home.life.done():
                home.life.result()

    async def rest(self) -> None:
        self.town.line.heal()
        self.town.thinker.takes_ms, self.town.thinker.is_away = 0, False
        await asyncio.gather(*self.wakings, *self.revising)
        await self.town.cells.wake()
        async with asyncio.timeout(MINUTE_MS / SECOND_MS):
            await asyncio.gather(*(one.waiting for one in self.sent if not one.left))
        await self.town.settle()
        self.fail_loudly()

    async def check(self) -> None:
        offers = {
            offer.id: offer
            for order in self.orders
            for offer in await self.town.store.list_offers_for(order)
        }
        self.check_that_a_no_lasts(offers.values())
        for one in self.sent:
            if not one.left:
                await self.check_answer(one.envelope, one.waiting.result(), offers)
        for order in self.orders:
            await self.check_history(order)

    def check_that_a_no_lasts(self, offers: Iterable[Offer]) -> None:
        """Who said no to an order is in none of the offers that were made for it later."""
        noes = [
            (courier, at, offer.id, set(offer.order_ids))
            for offer in offers
            for courier, at in said_no(offer)
        ]
        for offer in offers:
            for courier, at, about, orders in noes:
                is_later = offer.id != about and offer.made_at >= at
                if is_later and courier in offer.asked:
                    assert orders.isdisjoint(offer.order_ids), (courier, offer)

    async def check_answer(
        self, envelope: Envelope, answer: Answer, offers: dict[OfferId, Offer]
    ) -> None:
        """Whatever was acknowledged is stored, and in these words."""
        assert answer.command_id == envelope.id
        if answer.refusal is not None:
            return
        # What changed nothing was not stored, and may change something when it is said again.
        may_change = {"duty", "repeated"} & answer.reply.keys()
        stored = await self.town.store.find_answer(envelope.id)
        assert stored is None or stored == answer or may_change, (answer, stored)
        match envelope.command:
            case PlaceOrder(order_id=order):
                assert await self.town.store.find_order(order) is not None
            case CancelOrder(order_id=order):
                assert await self.status(order) is OrderStatus.CANCELLED
            case AcceptOffer(offer_id=offer, courier_id=courier):
                assert offers[offer].status is OfferStatus.ACCEPTED
                assert offers[offer].courier_id == courier
            case DeclineOffer(offer_id=offer, courier_id=courier):
                gone = {one.courier_id for one in offers[offer].gone}
                assert courier in gone or offers[offer].status is OfferStatus.DECLINED
            case ReportProgress(step=P.DELIVERED, order_id=order) if "kept" not in answer.reply:
                assert await self.status(order) is OrderStatus.DELIVERED
            case _:
                pass

    async def status(self, order: OrderId) -> OrderStatus:
        stored = await self.town.store.find_order(order)
        assert stored is not None
        return stored.status

    async def check_history(self, order: OrderId) -> None:
        stored = await self.town.store.find_order(order)
        status = OrderStatus.PLACED
        history = await self.town.store.list_events(order)
        for event in history:
            status = _AFTER[status, event.type]
        assert stored is None or stored.status is status
        assert [one.version for one in history] == sorted(one.version for one in history)

    async def check_that_it_goes_on(self) -> None:
        """Whoever comes now is asked, as long as somebody waits."""
        courier = await self.town.courier()
        await self.town.order()
        await self.town.clock.sleep(10 * SECOND_MS)
        came = await self.town.store.find_courier(courier)
        assert came is not None
        contents = await self.town.store.load_cell(await self.town.cell())
        waiting = [one.id for one in contents.orders if one.status is OrderStatus.WAITING]
        assert came.offer_id is not None or not waiting


def said_no(offer: Offer) -> Iterator[tuple[CourierId, Instant]]:
    """Who declined it, and when."""
    for one in offer.gone:
        if one.reason is Lapse.DECLINED:
            yield one.courier_id, one.at
    if offer.status is OfferStatus.DECLINED:
        assert offer.answered_at is not None
        yield offer.courier_id, offer.answered_at


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_nothing_is_lost_doubled_or_told_wrongly(seed: int) -> None:
    async def story(town: Town) -> None:
        second = ZoneId(town.new_id())
        await town.open(second, around=JEDDAH)
        walk = Walk(town, random.Random(seed), second)
        for _ in range(ROUNDS):
            await walk.go()
            await walk.rest()
            await walk.check()
        await walk.check_that_it_goes_on()

    mode = list(OfferMode)[seed % len(OfferMode)]
    in_a_town(story, solver=Hasty(), parameters=replace(EAGER, offer_mode=mode))
