"""Whatever happens by the rules, both stores tell the same, and it is what happened."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace
from pydantic import SecretStr

from engine.couriers import duty
from engine.couriers.courier import Courier, Duty, ProgressStep
from engine.couriers.messages import AcceptOffer, DeclineOffer, ReportProgress
from engine.couriers.progress import Carrying
from engine.dispatch import cancellation, offers
from engine.dispatch.offer import Offer, OfferStatus
from engine.dispatch.revision import FirstTrip, first_trip, revise
from engine.geo.zone import Zone
from engine.kernel.ids import CellId, CourierId, OrderId
from engine.kernel.messages import Change, Decision
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders import decide
from engine.orders.messages import CancelOrder, CancelReason, UnassignOrder
from engine.orders.order import HELD, Order, OrderStatus
from storage.memory import MemoryStore
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import CellContents, Commit, Outcome, Repeated, Stale, Stored
from tests.builders import (
    NOON,
    PIN,
    WRONG,
    Ledger,
    a_courier,
    a_placing,
    a_window,
    a_zone,
    an_offer,
    customer,
    end_break,
    new_id,
    operator,
    placed,
    take_break,
)
from tests.storage.telling import a_commit, first

S, P = OrderStatus, ProgressStep
ALONG = (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED)
NEXT = {
    S.ASSIGNED: P.REACHED_SHOP,
    S.COURIER_AT_SHOP: P.PICKED_UP,
    S.PICKED_UP: P.REACHED_DOOR,
    S.AT_DOOR: P.DELIVERED,
    S.ATTEMPT_FAILED: P.RETURN_STARTED,
    S.RETURNING: P.RETURNED,
}
ANY = st.integers(0, 1_000_000)


class City(RuleBasedStateMachine):
    """One cell's life; every decision goes to both stores, some twice, some too late."""

    runner: asyncio.Runner
    postgres: PostgresStore

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryStore()
        self.cell = CellId(new_id())
        self.now = NOON
        self.ledger = Ledger()
        self.commits: list[Commit] = []

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def both(self, commit: Commit) -> Outcome:
        """What the stores say, which must be the same."""
        said = [self.run(store.commit(commit)) for store in (self.memory, self.postgres)]
        assert said[0] == said[1], said
        outcome: Outcome = said[0]
        return outcome

    def take(self, decision: Any) -> None:
        """Commit what was decided, unless it was a refusal or nothing."""
        if not isinstance(decision, Decision):
            return
        commit = a_commit(decision, cell=self.cell, command_id=new_id(), at=self.now)
        assert self.both(commit) == Stored()
        assert self.ledger.store(decision)
        self.commits.append(commit)

    def one(self, kind: type[Any], pick: int) -> Any:
        found = self.ledger.all_of(kind)
        return found[pick % len(found)]

    def orders_in(self, offer: Offer) -> list[Order]:
        return [self.ledger.things[one] for one in offer.order_ids]

    def asked(self, offer: Offer) -> list[Courier]:
        return [self.ledger.things[one] for one in offer.asked]

    def say_yes(self, offer: Offer, pick: int) -> None:
        courier = self.asked(offer)[pick % len(offer.asked)]
        others = [one for one in self.asked(offer) if one is not courier]
        command = AcceptOffer(courier_id=courier.id, offer_id=offer.id)
        orders = self.orders_in(offer)
        self.take(offers.accept(offer, orders, courier, command, others=others, now=self.now))

    def open_offers(self) -> list[Offer]:
        return [one for one in self.ledger.all_of(Offer) if one.status is OfferStatus.OPEN]

    def held(self) -> list[Order]:
        return [one for one in self.ledger.all_of(Order) if one.status in HELD]

    def askable(self) -> list[tuple[Courier, list[Order]]]:
        """Couriers with the orders that they can be asked about."""
        orders = self.ledger.all_of(Order)
        pairs = [
            (courier, [one for one in orders if offers.can_be_offered(one, courier)])
            for courier in self.ledger.all_of(Courier)
        ]
        return [(courier, waiting) for courier, waiting in pairs if waiting]

    @initialize(couriers=st.integers(1, 3), orders=st.integers(1, 4))
    def open(self, couriers: int, orders: int) -> None:
        zone = a_zone(cells=(self.cell,))
        for thing in [zone, *(a_courier(zone=zone) for _ in range(couriers))]:
            self.take(first(thing))
        for _ in range(orders):
            self.place(scheduled=False)

    @rule(minutes=st.integers(1, 30))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE_MS

    @rule(scheduled=st.booleans())
    def place(self, scheduled: bool) -> None:
        (zone,) = self.ledger.all_of(Zone)
        command = a_placing(zone, window=a_window(self.now) if scheduled else None)
        command = replace(command, quote=replace(command.quote, valid_until=self.now + 1))
        self.take(placed(zone, command, at=self.now))

    @rule(pick=ANY)
    def release(self, pick: int) -> None:
        order = self.one(Order, pick)
        (zone,) = self.ledger.all_of(Zone)
        self.take(decide.release(order, zone, now=self.now))

    @precondition(lambda self: bool(self.askable()))
    @rule(size=st.integers(1, 3), pick=ANY, then_taken=st.sampled_from([True, True, False]))
    def ask(self, size: int, pick: int, then_taken: bool) -> None:
        askable = self.askable()
        courier, waiting = askable[pick % len(askable)]
        offer = an_offer(waiting[:size], courier, at=self.now)
        others = [one for one in self.ledger.all_of(Courier) if one is not courier]
        others = others if pick % 2 else []
        self.take(offers.make(offer, waiting[:size], courier, others=others, now=self.now))
        if then_taken and (made := self.ledger.things.get(offer.id)):
            self.say_yes(made, pick)

    @precondition(lambda self: bool(self.open_offers()))
    @rule(pick=ANY)
    def accept(self, pick: int) -> None:
        offer = self.open_offers()[pick % len(self.open_offers())]
        self.say_yes(offer, pick)

    @precondition(lambda self: bool(self.open_offers()))
    @rule(pick=ANY)
    def decline(self, pick: int) -> None:
        offer = self.open_offers()[pick % len(self.open_offers())]
        courier = self.asked(offer)[pick % len(offer.asked)]
        command = DeclineOffer(courier_id=courier.id, offer_id=offer.id, reason="far")
        self.take(offers.decline(offer, self.orders_in(offer), courier, command, now=self.now))

    @precondition(lambda self: bool(self.open_offers()))
    @rule(pick=ANY)
    def expire(self, pick: int) -> None:
        offer = self.open_offers()[pick % len(self.open_offers())]
        self.now = max(self.now, offer.expires_at)
        asked = self.asked(offer)
        self.take(offers.expire(offer, self.orders_in(offer), asked, now=self.now))

    @rule(pick=ANY)
    def cancel(self, pick: int) -> None:
        order = self.one(Order, pick)
        offer = self.ledger.things[order.offer_id] if order.status is S.OFFERED else None
        carrying = [self.ledger.things[order.courier_id]] if order.courier_id else []
        self.take(
            cancellation.cancel(
                order,
                CancelOrder(order_id=order.id, reason=CancelReason.OTHER),
                customer(order.customer_id),
                offer=offer,
                others=[one for one in self.orders_in(offer) if one is not order] if offer else [],
                couriers=self.asked(offer) if offer else carrying,
                now=self.now,
            )
        )

    def first_trips(self) -> dict[CourierId, FirstTrip]:
        trips = {one.id: first_trip(one) for one in self.ledger.all_of(Courier)}
        return {courier_id: trip for courier_id, trip in trips.items() if trip is not None}

    @precondition(lambda self: bool(self.first_trips()))
    @rule(chance=st.randoms(use_true_random=False))
    def revise(self, chance: Random) -> None:
        """The first trips and the waiting orders are dealt anew, one or two to every courier."""
        trips = self.first_trips()
        orders = {one.id: one for one in self.ledger.all_of(Order)}
        cards = [one for trip in trips.values() for one in trip.order_ids]
        cards += [one.id for one in orders.values() if one.status is S.WAITING]
        chance.shuffle(cards)
        hands: dict[CourierId, tuple[OrderId, ...]] = {one: (cards.pop(),) for one in trips}
        if cards:
            hands[chance.choice([*hands])] += (cards.pop(),)
        couriers = {one.id: one for one in self.ledger.all_of(Courier)}
        self.take(revise(hands, couriers, orders, now=self.now))

    @precondition(lambda self: bool(self.held()))
    @rule(pick=ANY)
    def unassign(self, pick: int) -> None:
        order = self.held()[pick % len(self.held())]
        command = UnassignOrder(order_id=order.id, reason="flat tyre")
        assert order.courier_id is not None
        courier = self.ledger.things[order.courier_id]
        self.take(cancellation.unassign(order, command, operator(), courier, now=self.now))

    @precondition(lambda self: bool(self.held()))
    @rule(pick=ANY, steps=st.lists(st.sampled_from(ProgressStep), min_size=1, max_size=4))
    def report(self, pick: int, steps: list[ProgressStep]) -> None:
        """Reports in any order, some of them before their time."""
        order = self.held()[pick % len(self.held())]
        for step in steps:
            self.carry(order.id, step, pin=PIN)

    @precondition(lambda self: bool(self.held()))
    @rule(pick=ANY, steps=st.sampled_from([4, 3, 2, 1]), pin=st.sampled_from([PIN, PIN, WRONG]))
    def go_on(self, pick: int, steps: int, pin: str) -> None:
        """The way to the door, step by step."""
        order = self.held()[pick % len(self.held())]
        for step in ALONG[:steps]:
            self.carry(order.id, step, pin=pin)

    def carry(self, order_id: OrderId, step: ProgressStep, *, pin: str) -> None:
        order: Order = self.ledger.things[order_id]
        if order.courier_id is None:
            return
        courier = self.ledger.things[order.courier_id]
        (zone,) = self.ledger.all_of(Zone)
        held = {one: self.ledger.things[one] for one in courier.orders}
        carrying = Carrying(
            courier, held | {order.id: order}, parameters=zone.parameters, now=self.now
        )
        report = ReportProgress(
            courier_id=courier.id, order_id=order.id, step=step, device_at=self.now - 5, pin=pin
        )
        self.take(carrying.report(report))

    @rule(picks=st.lists(ANY, min_size=5, max_size=15))
    def an_hour_of_work(self, picks: list[int]) -> None:
        """What moves orders along, one thing after the other."""
        for pick in picks:
            self.now += SECOND_MS
            if self.held() and pick % 5:
                order = self.held()[pick % len(self.held())]
                self.carry(order.id, NEXT[order.status], pin=PIN if pick % 7 else WRONG)
            elif self.open_offers() and pick % 3:
                self.accept(pick)
            elif self.askable():
                self.ask(1 + pick % 3, pick, then_taken=False)

    @rule(pick=ANY, rest=st.booleans())
    def change_duty(self, pick: int, rest: bool) -> None:
        courier: Courier = self.one(Courier, pick)
        if courier.offer_id is not None:
            return
        if courier.duty is Duty.BREAK:
            self.take(end_break(courier, now=self.now))
        elif rest:
            self.take(take_break(courier, now=self.now))
        else:
            self.take(duty.go_off(courier, now=self.now))

    @precondition(lambda self: bool(self.commits))
    @rule(pick=ANY)
    def repeat(self, pick: int) -> None:
        """A command comes again; it was answered."""
        commit = self.commits[pick % len(self.commits)]
        assert commit.answer is not None
        assert self.both(commit) == Repeated(commit.answer)

    @precondition(lambda self: bool(self.commits))
    @rule(pick=ANY)
    def come_late(self, pick: int) -> None:
        """The same change under another command; its time is over."""
        commit = self.commits[pick % len(self.commits)]
        late = a_commit(commit.decision, cell=self.cell, command_id=new_id())
        expected = Stale if commit.decision.changes else Stored
        assert type(self.both(late)) is expected

    @rule(pick=ANY)
    def ask_twice(self, pick: int) -> None:
        """A second question about an order that is asked about or carried, past all rules."""
        order: Order = self.one(Order, pick)
        courier = a_courier(zone=self.ledger.all_of(Zone)[0])
        offer = replace(an_offer([order], courier), version=1)
        decision = Decision(changes=(Change(courier, ()), Change(offer, ())))
        if order.status in HELD | {S.OFFERED}:
            assert self.both(a_commit(decision, cell=self.cell)) == Stale(f"order:{order.id}")

    @invariant()
    def the_cell_is_as_the_rules_have_it(self) -> None:
        ours = CellContents(
            zones=tuple(self.ledger.all_of(Zone)),
            orders=_by_id(one for one in self.ledger.all_of(Order) if one.is_open),
            couriers=_by_id(one for one in self.ledger.all_of(Courier) if one.duty is not Duty.OFF),
            offers=_by_id(
                one for one in self.ledger.all_of(Offer) if one.status is OfferStatus.OPEN
            ),
        )
        assert self.run(self.memory.load_cell(self.cell)) == ours
        assert self.run(self.postgres.load_cell(self.cell)) == ours

    def teardown(self) -> None:
        for thing in self.ledger.things.values():
            told = [self.run(one.list_events(thing.id)) for one in (self.memory, self.postgres)]
            assert told[0] == told[1]
            assert len(told[0]) == len(self.ledger.lines[thing.id])
        for order in self.ledger.all_of(Order):
            found = [
                self.run(one.list_offers_for(order.id)) for one in (self.memory, self.postgres)
            ]
            assert found[0] == found[1]
            assert self.run(self.postgres.find_order(order.id)) == order
        self.run(self.assignments_agree())

    async def assignments_agree(self) -> None:
        async with self.postgres._database.session() as session:
            wrong = await session.connection.fetch(
                """
                select orders.id, orders.status, assignments.status as assignment
                from orders
                left join assignments on assignments.order_id = orders.id
                    and assignments.status in ('open', 'held')
                where orders.cell = $1
                    and coalesce(assignments.status, '') is distinct from case
                        when orders.status = 'offered' then 'open'
                        when orders.status in ('delivered', 'returned') then ''
                        when orders.courier_id is not null then 'held'
                        else ''
                    end
                """,
                self.cell,
            )
        assert not wrong


def _by_id(things: Iterator[Any]) -> tuple[Any, ...]:
    return tuple(sorted(things, key=lambda one: one.id))


@pytest.fixture
def city(dsn: str) -> Iterator[type[City]]:
    """The machine with a database; its examples do not see each other's cells."""
    with asyncio.Runner() as runner:
        database = DatabaseSettings(dsn=SecretStr(dsn), pool_max=2)
        postgres = runner.run(PostgresStore.open(database))
        yield type("CityHere", (City,), {"runner": runner, "postgres": postgres})
        runner.run(postgres.close())


def test_both_stores_tell_the_history_that_happened(city: type[City]) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        city,
        settings=settings(max_examples=25, stateful_step_count=30, suppress_health_check=slow),
    )


@pytest.mark.parametrize("seed", range(6))
def test_both_stores_tell_a_long_day_alike(city: type[City], seed: int) -> None:
    chance = Random(seed)
    day = city()
    day.open(couriers=3, orders=2)
    for _ in range(25):
        day.place(scheduled=chance.random() < 0.2)
        day.an_hour_of_work([chance.randrange(1_000_000) for _ in range(7)])
        for _ in range(2):
            chance.choice(rare_events(day))(chance.randrange(1_000_000))
        day.the_cell_is_as_the_rules_have_it()
    assert S.DELIVERED in {one.status for one in day.ledger.all_of(Order)}
    day.teardown()


def rare_events(day: City) -> list[Any]:
    """What may happen now beside the work."""
    found: list[Any] = [day.release, day.cancel, day.repeat, day.come_late, day.ask_twice]
    if day.open_offers():
        found += [day.decline, day.expire]
    if day.held():
        found.append(day.unassign)
    return found
