"""What must hold of what a store tells about how orders and offers went."""

from engine.dispatch.offer import OfferStatus
from engine.dispatch.outcomes import outcome_of_offer, outcome_of_order
from engine.kernel.ids import ZoneId
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import OrderStatus
from storage.store import Store
from tests.builders import NOON, a_story, new_id
from tests.storage.telling import a_staffed_zone, tell

S = OrderStatus


async def test_what_ended_in_a_time_is_told_newest_first(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    stories = [a_story(S.WAITING, zone=zone, courier=courier) for _ in range(4)]
    for number, story in enumerate(stories[:3]):
        story.at = NOON + number * MINUTE_MS
        story.cancel()
    for story in stories:
        await tell(store, story.decisions)
    ended = [one.order for one in stories[:3]]
    found = await store.order_outcomes(zone.id, since=NOON - 1, until=NOON + 2 * MINUTE_MS)
    assert found == tuple(outcome_of_order(one) for one in reversed(ended))
    found = await store.order_outcomes(zone.id, since=NOON, until=NOON + MINUTE_MS)
    assert found == (outcome_of_order(ended[1]),)
    assert await store.order_outcomes(ZoneId(new_id()), since=0, until=NOON + MINUTE_MS) == ()


async def test_what_was_answered_in_a_time_is_told(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.OFFERED, zone=zone, courier=courier)
    story.at = NOON + MINUTE_MS
    story.decline()
    await tell(store, story.decisions)
    outcome = outcome_of_offer(story.offer)
    assert outcome.status is OfferStatus.DECLINED
    at = NOON + MINUTE_MS
    assert await store.offer_outcomes(zone.id, since=at - 1, until=at) == (outcome,)
    assert await store.offer_outcomes(zone.id, since=at, until=at + 1) == ()
    assert await store.offer_outcomes(zone.id, since=NOON, until=at - 1) == ()
