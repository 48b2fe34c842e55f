"""Revision: whatever is exchanged, every order has one courier and no courier goes for nothing."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers import duty
from engine.couriers.courier import Courier, ProgressStep, StopKind
from engine.couriers.messages import AcceptOffer, ReportProgress
from engine.couriers.progress import Carrying
from engine.dispatch import cancellation, offers
from engine.dispatch.revision import REVISED, first_trip, revise
from engine.dispatch.view import order_view, work_view
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Decision
from engine.kernel.place import Point
from engine.kernel.skills import Skill
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import UnassignOrder
from engine.orders.order import (
    HELD,
    ON_BOARD,
    CourierReachedShop,
    Gift,
    Lapse,
    Lapsed,
    Order,
    OrderJoined,
    OrderReassigned,
    OrderStatus,
    OrderUnassigned,
)
from tests.builders import (
    DOOR,
    NOON,
    PIN,
    SHOP,
    Ledger,
    a_courier,
    a_placing,
    a_quote,
    a_zone,
    an_offer,
    operator,
    placed,
)

S, P = OrderStatus, ProgressStep
ELSEWHERE = Point(lat=SHOP.lat + 0.01, lng=SHOP.lng)
BESIDE = Point(lat=SHOP.lat + 0.001, lng=SHOP.lng)
ANY = st.integers(0, 1_000_000)


class Shop(Ledger):
    """A shop, couriers who have said yes to trips to it, and orders that wait there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.zone = a_zone()
        self.things[self.zone.id] = self.zone
        self._doors = count(1)

    def waits(
        self, *, shop: Point = SHOP, size: int = 1, minutes: int = 10, **gift: Any
    ) -> OrderId:
        door = Point(lat=DOOR.lat + next(self._doors) * 0.001, lng=DOOR.lng)
        quoted = a_quote(self.zone, shop=shop, door=door, preparation_s=60 * minutes, at=self.now)
        wanted = Gift(description="x", size_units=size, **gift)
        command = a_placing(self.zone, quoted=quoted, gift=wanted)
        self.take(placed(self.zone, command, at=self.now))
        return command.order_id

    def on_the_way(self, *order_ids: OrderId, **fields: Any) -> CourierId:
        courier = a_courier(zone=self.zone, **fields)
        self.things[courier.id] = courier
        self.asks(courier.id, *order_ids)
        return courier.id

    def asks(self, courier_id: CourierId, *order_ids: OrderId) -> None:
        orders = [self.order(one) for one in order_ids]
        offer = an_offer(orders, self.courier(courier_id), at=self.now)
        self.take(offers.make(offer, orders, self.courier(courier_id), now=self.now))
        orders = [self.order(one) for one in order_ids]
        command = AcceptOffer(courier_id=courier_id, offer_id=offer.id)
        made, courier = self.things[offer.id], self.courier(courier_id)
        self.take(offers.accept(made, orders, courier, command, now=self.now))

    def courier(self, courier_id: CourierId) -> Courier:
        courier: Courier = self.things[courier_id]
        return courier

    def order(self, order_id: OrderId) -> Order:
        order: Order = self.things[order_id]
        return order

    def trip(self, courier_id: CourierId) -> tuple[OrderId, ...]:
        trip = first_trip(self.courier(courier_id))
        assert trip is not None
        return trip.order_ids

    def report(self, courier_id: CourierId, order_id: OrderId, step: ProgressStep) -> None:
        courier = self.courier(courier_id)
        held = {one: self.order(one) for one in (*courier.orders, order_id)}
        report = ReportProgress(courier_id=courier_id, order_id=order_id, step=step, pin=PIN)
        parameters = self.zone.parameters
        carrying = Carrying(courier, held, parameters=parameters, now=self.now)
        self.take(carrying.report(report))

    def revised(
        self, trips: dict[CourierId, tuple[OrderId, ...]], *, apart_m: int = 0
    ) -> Decision | None:
        couriers = {one.id: one for one in self.all_of(Courier)}
        orders = {one.id: one for one in self.all_of(Order)}
        return revise(trips, couriers, orders, apart_m=apart_m, now=self.now)


def test_an_order_joins_a_trip_and_its_customer_sees_the_courier() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits(minutes=25)
    salem = shop.on_the_way(a)
    shop.now += MINUTE_MS
    shop.take(shop.revised({salem: (b, a)}))
    pickup, *doors = shop.courier(salem).route
    assert (pickup.kind, pickup.orders) == (StopKind.PICKUP, (b, a))
    assert pickup.ready_at == shop.order(b).ready_at
    assert [(one.kind, one.orders) for one in doors] == [
        (StopKind.DROPOFF, (b,)),
        (StopKind.DROPOFF, (a,)),
    ]
    joined = shop.order(b)
    assert (joined.status, joined.assigned_at) == (S.ASSIGNED, shop.now)
    assert joined.offer_id == shop.order(a).offer_id
    assert isinstance(shop.events_of(b)[-1], OrderJoined)
    view = order_view(joined, shop.courier(salem), eta=None)
    assert view["courier"]["courier_id"] == salem
    work = work_view(shop.courier(salem), None, {a: shop.order(a), b: joined})
    assert [one["order_id"] for one in work["orders"]] == [b, a]


def test_two_couriers_exchange_their_orders_and_the_one_who_waits_in_the_shop_is_there() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits()
    salem, nasser = shop.on_the_way(a), shop.on_the_way(b)
    shop.report(nasser, b, P.REACHED_SHOP)
    shop.now += MINUTE_MS
    shop.take(shop.revised({salem: (b,), nasser: (a,)}))
    assert (shop.order(a).courier_id, shop.order(a).status) == (nasser, S.COURIER_AT_SHOP)
    assert (shop.order(b).courier_id, shop.order(b).status) == (salem, S.ASSIGNED)
    reassigned, reached = shop.events_of(a)[-2:]
    assert isinstance(reassigned, OrderReassigned)
    assert (reassigned.from_courier_id, reassigned.courier_id) == (salem, nasser)
    assert isinstance(reached, CourierReachedShop)
    assert shop.courier(nasser).route[0].arrived_at == NOON
    shop.report(nasser, a, P.PICKED_UP)
    assert shop.order(a).status is S.PICKED_UP


def test_an_order_of_the_next_shop_joins_and_is_fetched_there() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits(shop=BESIDE)
    salem = shop.on_the_way(a)
    shop.report(salem, a, P.REACHED_SHOP)
    assert shop.revised({salem: (b, a)}, apart_m=100) is None
    shop.take(shop.revised({salem: (b, a)}, apart_m=120))
    first, then, *doors = shop.courier(salem).route
    assert (first.point, first.orders, first.arrived_at) == (SHOP, (a,), NOON)
    assert (then.point, then.orders, then.arrived_at) == (BESIDE, (b,), None)
    assert [one.orders for one in doors] == [(b,), (a,)]
    assert (shop.order(b).status, shop.order(b).fetched_with) == (S.ASSIGNED, 1)
    shop.report(salem, a, P.PICKED_UP)
    assert first_trip(shop.courier(salem)) is None
    shop.report(salem, b, P.REACHED_SHOP)
    shop.report(salem, b, P.PICKED_UP)
    assert shop.order(b).status is S.PICKED_UP
    assert [one.kind for one in shop.courier(salem).route] == [StopKind.DROPOFF] * 2


def test_who_cannot_fetch_at_the_second_shop_delivers_what_he_has() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits(shop=BESIDE)
    salem = shop.on_the_way(a, b)
    assert [one.point for one in shop.courier(salem).route[:2]] == [SHOP, BESIDE]
    for step in (P.REACHED_SHOP, P.PICKED_UP):
        shop.report(salem, a, step)
    shop.report(salem, b, P.REACHED_SHOP)
    command = UnassignOrder(order_id=b, reason="shop closed")
    courier = shop.courier(salem)
    shop.take(cancellation.unassign(shop.order(b), command, operator(), courier, now=NOON))
    assert shop.order(b).status is S.WAITING
    assert [one.orders for one in shop.courier(salem).route] == [(a,)]


def test_who_went_to_a_later_shop_first_keeps_his_trip() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits(shop=BESIDE)
    salem = shop.on_the_way(a, b)
    shop.report(salem, b, P.REACHED_SHOP)
    assert first_trip(shop.courier(salem)) is None
    assert shop.revised({salem: (a,)}) is None


def test_a_trip_never_begins_in_another_shop_than_was_said() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits(shop=BESIDE)
    salem = shop.on_the_way(a, b)
    assert shop.revised({salem: (b,)}) is None
    shop.take(shop.revised({salem: (a,)}))
    assert shop.order(b).status is S.WAITING
    assert [one.point for one in shop.courier(salem).route[:1]] == [SHOP]


def test_an_order_taken_off_a_trip_waits_again_and_may_come_back() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits()
    salem = shop.on_the_way(a, b)
    shop.take(shop.revised({salem: (b,)}))
    assert shop.order(a).status is S.WAITING
    left = shop.events_of(a)[-1]
    assert isinstance(left, OrderUnassigned)
    assert left.reason == REVISED
    shop.take(shop.revised({salem: (a, b)}))
    assert shop.trip(salem) == (a, b)


def test_only_the_first_trip_is_revised_and_the_rest_of_the_route_stays() -> None:
    shop = Shop()
    a, b, c, elsewhere = shop.waits(), shop.waits(), shop.waits(), shop.waits(shop=ELSEWHERE)
    salem = shop.on_the_way(a)
    shop.asks(salem, elsewhere)
    shop.asks(salem, b)
    before = shop.courier(salem).route
    shop.take(shop.revised({salem: (c,)}))
    assert shop.courier(salem).route[2:] == before[2:]
    assert shop.revised({salem: (c, b)}) is None


def test_the_order_of_delivery_alone_changes_the_courier_only() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits()
    salem = shop.on_the_way(a, b)
    decision = shop.take(shop.revised({salem: (b, a)}))
    assert [one.thing.id for one in decision.changes] == [salem]
    assert shop.revised({salem: (b, a)}) == Decision()


def test_the_trip_of_who_has_begun_to_pick_up_stays() -> None:
    shop = Shop()
    a, b, c = shop.waits(), shop.waits(), shop.waits()
    salem = shop.on_the_way(a, b)
    shop.report(salem, a, P.REACHED_SHOP)
    shop.report(salem, a, P.PICKED_UP)
    assert first_trip(shop.courier(salem)) is None
    assert shop.revised({salem: (b, c)}) is None
    shop.report(salem, b, P.PICKED_UP)
    assert first_trip(shop.courier(salem)) is None


def test_a_pick_up_that_was_heard_of_before_the_arrival_has_begun_too() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits()
    salem = shop.on_the_way(a, b)
    shop.report(salem, b, P.PICKED_UP)
    assert shop.order(b).status is S.ASSIGNED
    assert first_trip(shop.courier(salem)) is None


def test_who_is_free_or_ends_his_work_has_no_trip_to_revise() -> None:
    shop = Shop()
    a = shop.waits()
    salem = shop.on_the_way(a)
    assert first_trip(a_courier()) is None
    shop.take(duty.go_off(shop.courier(salem), now=shop.now))
    assert first_trip(shop.courier(salem)) is None


def test_nobody_is_sent_for_nothing() -> None:
    shop = Shop()
    salem, nasser = shop.on_the_way(a := shop.waits()), shop.on_the_way(b := shop.waits())
    assert shop.revised({salem: (), nasser: (a, b)}) is None


def test_what_the_plan_did_not_know_undoes_it() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits()
    salem, nasser = shop.on_the_way(a), shop.on_the_way(b)
    gone, offered, far = shop.waits(), shop.waits(), shop.waits(shop=ELSEWHERE)
    heavy, late = shop.waits(size=4), shop.waits(minutes=60)
    shop.things[gone] = replace(shop.order(gone), status=S.CANCELLED)
    shop.things[offered] = replace(shop.order(offered), status=S.OFFERED)
    ends_at = NOON + 30 * MINUTE_MS
    shop.things[nasser] = replace(shop.courier(nasser), shift_ends_at=ends_at)
    assert shop.revised({salem: (a, gone)}) is None
    assert shop.revised({salem: (a, offered)}) is None
    assert shop.revised({salem: (a, far)}) is None
    assert shop.revised({salem: (a, heavy)}) is None
    assert shop.revised({salem: (a, b)}) is None, "nasser keeps what he is not asked to give"
    assert shop.revised({nasser: (b, late)}) is None
    assert shop.revised({salem: (a, OrderId("unknown"))}) is None
    assert shop.revised({a_courier().id: (a,)}) is None
    assert shop.revised({salem: (a, late)}) is not None


def test_nobody_is_given_what_he_may_not_carry() -> None:
    shop = Shop()
    mine = shop.waits()
    salem = shop.on_the_way(mine, capacity_g=5000)
    for one in (
        shop.waits(weight_g=5001),
        shop.waits(vehicles=(VehicleKind.BICYCLE,)),
        shop.waits(skills=(Skill.COLD,)),
    ):
        assert shop.revised({salem: (mine, one)}) is None


def test_an_order_never_goes_to_who_declined_it() -> None:
    shop = Shop()
    a, b = shop.waits(), shop.waits()
    salem, nasser = shop.on_the_way(a), shop.on_the_way(b)
    for reason, is_possible in ((Lapse.EXPIRED, True), (Lapse.DECLINED, False)):
        no = Lapsed(courier_id=nasser, reason=reason, at=NOON)
        shop.things[a] = replace(shop.order(a), lapsed=(no,))
        assert (shop.revised({salem: (b,), nasser: (a,)}) is not None) is is_possible


def test_an_order_on_two_trips_is_a_bug() -> None:
    shop = Shop()
    salem, nasser = shop.on_the_way(a := shop.waits()), shop.on_the_way(shop.waits())
    with pytest.raises(AssertionError):
        shop.revised({salem: (a,), nasser: (a,)})


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_revised_every_order_has_one_courier_and_nobody_goes_for_nothing(
    data: st.DataObject,
) -> None:
    shop = Shop()
    orders = [shop.waits(size=data.draw(st.integers(1, 2))) for _ in range(7)]
    couriers = [shop.on_the_way(one) for one in orders[:3]]
    for _ in range(data.draw(st.integers(1, 8))):
        shop.now += SECOND_MS
        _something_else_happens(shop, data.draw(ANY), couriers, orders)
        trips = _some_trips(data, couriers, orders)
        known = dict(shop.things)
        decision = shop.revised(trips)
        if decision is None:
            continue
        shop.take(decision)
        for courier_id, order_ids in trips.items():
            courier = shop.courier(courier_id)
            assert shop.trip(courier_id) == order_ids
            carried = [shop.order(one) for one in order_ids]
            assert {one.courier_id for one in carried} == {courier_id}
            assert sum(one.gift.size_units for one in carried) <= courier.capacity_units
            assert courier.route[0].point == SHOP
            assert courier.route[0].arrived_at == known[courier_id].route[0].arrived_at
        _assert_consistent(shop, known)


def _some_trips(
    data: st.DataObject, couriers: list[CourierId], orders: list[OrderId]
) -> dict[CourierId, tuple[OrderId, ...]]:
    whom = data.draw(st.lists(st.sampled_from(couriers), min_size=1, unique=True))
    cards = iter(data.draw(st.permutations(orders)))
    sizes = [data.draw(st.integers(1, 2)) for _ in whom]
    return {
        courier: tuple(next(cards) for _ in range(size))
        for courier, size in zip(whom, sizes, strict=True)
    }


def _something_else_happens(
    shop: Shop, pick: int, couriers: list[CourierId], orders: list[OrderId]
) -> None:
    courier_id = couriers[pick % 3]
    order_id = orders[pick % 7]
    carried = shop.courier(courier_id).orders
    order = shop.order(order_id)
    match pick % 5:
        case 0 if carried:
            shop.report(courier_id, carried[0], P.REACHED_SHOP)
        case 1 if carried and pick % 2:
            shop.report(courier_id, carried[0], P.PICKED_UP)
        case 2 if order.status in {S.ASSIGNED, S.COURIER_AT_SHOP}:
            assert order.courier_id is not None
            command = UnassignOrder(order_id=order_id, reason="flat tyre")
            carrier = shop.courier(order.courier_id)
            shop.take(cancellation.unassign(order, command, operator(), carrier, now=shop.now))
        case _:
            pass


def _assert_consistent(shop: Shop, known: dict[str, Any]) -> None:
    """Orders and routes tell the same, and nobody lost what he had on board."""
    routes = {one.id: one.orders for one in shop.all_of(Courier)}
    for order in shop.all_of(Order):
        holders = [courier_id for courier_id, ids in routes.items() if order.id in ids]
        assert holders == ([order.courier_id] if order.status in HELD else [])
        if known[order.id].status in ON_BOARD:
            assert order == known[order.id]
        if order.courier_id is not None and order != known[order.id]:
            assert not order.was_declined_by(order.courier_id)
    for courier in shop.all_of(Courier):
        pickups = [one for one in courier.route if one.kind is StopKind.PICKUP]
        assert all(one.orders for one in courier.route)
        for stop in pickups:
            there = S.ASSIGNED if stop.arrived_at is None else S.COURIER_AT_SHOP
            assert {shop.order(one).status for one in stop.orders} == {there}
