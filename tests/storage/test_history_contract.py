"""What must hold of a zone's history, in whichever store it is."""

import pytest

from engine.couriers import duty
from engine.couriers.courier import ProgressStep
from engine.dispatch.record import ZoneHistory, duty_spans, metrics_of
from engine.kernel.ids import ZoneId
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import OrderStatus
from storage.store import Store
from tests.builders import NOON, a_courier, end_break, must, new_id, take_break
from tests.storage.telling import a_staffed_zone, a_told_story, first, tell

S, P = OrderStatus, ProgressStep
LATER = NOON + 10 * MINUTE_MS


async def test_a_zone_without_a_past_has_an_empty_history(store: Store) -> None:
    assert await store.zone_history(ZoneId(new_id()), 0) == ZoneHistory()


async def test_everything_of_a_zone_that_something_happened_to_is_told(store: Store) -> None:
    await a_told_story(store, S.DELIVERED)
    story = await a_told_story(store, S.DELIVERED, orders=2)
    found = await store.zone_history(story.zone.id, NOON)
    assert set(found.orders) == set(story.orders)
    assert found.offers == (story.offer,)
    assert found.couriers == (story.courier,)
    assert [one.type for one in found.events].count("CourierReachedShop") == 2
    assert {one.thing_id for one in found.events} == {one.id for one in story.orders}


async def test_what_happened_before_is_left_out_but_who_works_now_is_told(store: Store) -> None:
    story = await a_told_story(store, S.DELIVERED)
    found = await store.zone_history(story.zone.id, NOON + 1)
    assert found == ZoneHistory(couriers=(story.courier,))


async def test_a_courier_who_left_is_told_of_for_as_long_as_he_worked(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    gone = a_courier(zone=zone)
    await tell(store, [first(gone), duty.go_off(gone, now=LATER)])
    found = await store.zone_history(zone.id, NOON)
    assert {one.id for one in found.couriers} == {courier.id, gone.id}
    spans = duty_spans(found, since=NOON, until=LATER + MINUTE_MS)
    assert spans[gone.id] == [(NOON, LATER)]
    assert spans[courier.id] == [(NOON, LATER + MINUTE_MS)]


async def test_a_break_is_no_duty(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    resting = must(take_break(courier, now=NOON + MINUTE_MS))
    again = must(end_break(resting.changes[0].thing, now=LATER))
    await tell(store, [resting, again])
    found = await store.zone_history(zone.id, NOON)
    assert duty_spans(found, since=NOON, until=LATER + MINUTE_MS)[courier.id] == [
        (NOON, NOON + MINUTE_MS),
        (LATER, LATER + MINUTE_MS),
    ]


@pytest.mark.parametrize("status", [S.WAITING, S.ASSIGNED, S.PICKED_UP, S.DELIVERED, S.RETURNED])
async def test_metrics_can_be_made_of_every_moment(store: Store, status: OrderStatus) -> None:
    story = await a_told_story(store, status)
    history = await store.zone_history(story.zone.id, NOON)
    found = metrics_of(history, story.zone.parameters, since=NOON, until=LATER)
    assert found.orders == 1
    assert found.delivered == (status is S.DELIVERED)
    assert found.offers.accepted == (status is not S.WAITING)
    assert found.couriers == 1
