"""What must hold in every store of orders that change courier before the pick-up."""

from msgspec.structs import replace

from engine.dispatch.revision import revise
from engine.orders.order import OrderStatus
from storage.store import Stale, Store
from tests.builders import NOON, a_courier, a_story, an_offer, must
from tests.storage.telling import a_told_story, first, outcome_of, tell

S = OrderStatus


async def test_an_order_may_go_from_one_courier_to_another_and_come_back(store: Store) -> None:
    one = await a_told_story(store, S.ASSIGNED)
    colleague = a_courier(zone=one.zone)
    other = a_story(S.ASSIGNED, zone=one.zone, courier=colleague)
    await tell(store, [first(colleague), *other.decisions])
    couriers = {story.courier.id: story.courier for story in (one, other)}
    orders = {story.order.id: story.order for story in (one, other)}
    here, there = (one.courier.id, other.courier.id)
    a, b = one.order.id, other.order.id
    for trips in ({here: (b,), there: (a,)}, {here: (a,), there: (b,)}):
        decision = must(revise(trips, couriers, orders, now=NOON))
        await tell(store, [decision])
        things = {change.thing.id: change.thing for change in decision.changes}
        couriers |= {key: things[key] for key in couriers if key in things}
        orders |= {key: things[key] for key in orders if key in things}
        for order_id, order in orders.items():
            assert await store.find_order(order_id) == order
    told = await store.list_events(a)
    assert [event.type for event in told][-2:] == ["OrderReassigned"] * 2
    offers_for = await store.list_offers_for(a)
    assert {offer.id for offer in offers_for} == {one.offer.id, other.offer.id}


async def test_an_order_that_joined_a_trip_is_not_asked_about(store: Store) -> None:
    story = await a_told_story(store, S.ASSIGNED)
    waiting = a_story(zone=story.zone)
    orders = {one.id: one for one in (story.order, waiting.order)}
    trips = {story.courier.id: tuple(orders)}
    decision = revise(trips, {story.courier.id: story.courier}, orders, now=NOON)
    other = a_courier(zone=story.zone)
    await tell(store, [*waiting.decisions, must(decision), first(other)])
    second = replace(an_offer([waiting.order], other), version=1)
    assert await outcome_of(store, first(second)) == Stale(f"order:{waiting.order.id}")
