"""Why orders wait: known from tick to tick, stored when it changes and no more often."""

from msgspec.structs import replace

from engine.couriers.messages import DeclineOffer, GoOffDuty
from engine.dispatch.waiting import WAITS_MAX, Wait
from engine.dispatch.why import Why
from engine.kernel.ids import OrderId
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Gift
from tests.actors.worlds import JEDDAH, QUICK, Town, in_a_town
from tests.builders import SHOP


async def whys(town: Town, order: OrderId) -> list[Why]:
    return [one.reason.why for one in await town.store.list_waits(order)]


async def now_waits(town: Town, order: OrderId) -> Wait:
    found = await town.bus.why_it_waits(order)
    assert found is not None
    return found


def test_a_reason_is_stored_once_however_long_it_lasts() -> None:
    async def story(town: Town) -> list[Why]:
        order = await town.order()
        await town.clock.sleep(30 * MINUTE_MS)
        return await whys(town, order)

    assert in_a_town(story) == [Why.NO_COURIER]


def test_every_reason_on_the_way_is_told_with_who_was_near() -> None:
    async def story(town: Town) -> None:
        gift = Gift(description="Cake", size_units=3)
        order = await town.order(gift=gift)
        await town.clock.sleep(15 * SECOND_MS)
        far = await town.courier(point=JEDDAH)
        await town.clock.sleep(5 * SECOND_MS)
        small = await town.courier(capacity_units=1)
        await town.clock.sleep(2 * MINUTE_MS)
        assert await whys(town, order) == [Why.NO_COURIER, Why.NO_CANDIDATE, Why.NO_CANDIDATE]
        latest = await now_waits(town, order)
        told = {one.courier_id: one.reason for one in latest.couriers}
        assert told == {small: "full", far: "too_far"}
        assert latest.reach_s == QUICK.approach_s_max

    in_a_town(story)


def test_a_reason_that_wavers_is_not_stored_every_time() -> None:
    async def story(town: Town) -> int:
        order = await town.order()
        for _ in range(30):
            courier = await town.courier(point=JEDDAH)
            await town.clock.sleep(3 * SECOND_MS)
            await town.must(GoOffDuty(courier_id=courier), town.as_courier(courier))
            await town.clock.sleep(3 * SECOND_MS)
        return len(await whys(town, order))

    assert 2 <= in_a_town(story) <= 30 * 6 // 10 + 1


def test_who_said_no_is_named_with_it_and_never_asked_again() -> None:
    async def story(town: Town) -> int:
        courier, order = await town.courier(), await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        (offer,) = await town.store.list_offers_for(order)
        command = DeclineOffer(courier_id=courier, offer_id=offer.id, reason="far")
        await town.must(command, town.as_courier(courier))
        await town.clock.sleep(10 * MINUTE_MS)
        latest = await now_waits(town, order)
        told = {one.courier_id: one.reason for one in latest.couriers}
        assert told == {courier: "declined"}
        return len(await town.store.list_offers_for(order))

    assert in_a_town(story) == 1


def test_who_declines_while_a_tick_plans_is_not_told_of_as_still_asked() -> None:
    async def story(town: Town) -> list[set[str]]:
        courier, order = await town.courier(), await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        (offer,) = await town.store.list_offers_for(order)
        town.thinker.takes_ms = 4 * SECOND_MS
        await town.courier(point=JEDDAH)
        await town.order()
        while not town.thinker.together:
            await town.clock.sleep(SECOND_MS // 10)
        command = DeclineOffer(courier_id=courier, offer_id=offer.id, reason="far")
        await town.must(command, town.as_courier(courier))
        town.thinker.is_away = True
        told = []
        for _ in range(30):
            await town.clock.sleep(SECOND_MS)
            found = await town.bus.why_it_waits(order)
            told += [] if found is None else [{one.reason for one in found.couriers}]
        return told

    told = in_a_town(story)
    assert {*map(frozenset, told)} == {frozenset({"declined", "too_far"})}


def test_a_trip_that_the_plan_holds_back_waits_because_it_is_better() -> None:
    async def story(town: Town) -> None:
        courier = await town.courier()
        order = await town.order(ready_at=town.clock.now() + 60 * MINUTE_MS)
        await town.clock.sleep(10 * SECOND_MS)
        latest = await now_waits(town, order)
        assert latest.reason.why is Why.WAITING_IS_BETTER
        assert latest.reason.courier_id == courier
        assert latest.reason.leaves_at is not None
        assert latest.reason.leaves_at > town.clock.now() + 30 * MINUTE_MS

    in_a_town(story, parameters=replace(QUICK, commit_lead_s=60))


def test_while_the_solver_is_away_that_is_the_reason() -> None:
    async def story(town: Town) -> list[Why]:
        town.thinker.is_away = True
        await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        return await whys(town, order)

    assert in_a_town(story) == [Why.SOLVER_AWAY]


def test_what_could_not_be_stored_is_stored_when_the_database_is_back() -> None:
    async def story(town: Town) -> list[Why]:
        order = await town.order()
        town.line.away_for(20 * SECOND_MS)
        await town.clock.sleep(10 * SECOND_MS)
        assert await whys(town, order) == []
        await town.clock.sleep(20 * SECOND_MS)
        return await whys(town, order)

    assert in_a_town(story) == [Why.NO_COURIER]


def test_who_waits_no_more_has_no_reason_to_and_its_last_one_stays_stored() -> None:
    async def story(town: Town) -> tuple[object, list[Why]]:
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        await town.must(CancelOrder(order_id=order, reason=CancelReason.OTHER), town.customer)
        await town.clock.sleep(5 * SECOND_MS)
        return await town.bus.why_it_waits(order), await whys(town, order)

    assert in_a_town(story) == (None, [Why.NO_COURIER])


def test_an_offer_names_those_who_were_nearer_and_why_they_were_not_asked() -> None:
    async def story(town: Town) -> None:
        near = Point(lat=SHOP.lat, lng=SHOP.lng + 0.0001)
        small = await town.courier(point=near, capacity_units=1)
        able = await town.courier()
        order = await town.order(gift=Gift(description="Cake", size_units=2))
        await town.clock.sleep(5 * SECOND_MS)
        (offer,) = await town.store.list_offers_for(order)
        assert offer.courier_id == able
        told = {one.courier_id: one.reason for one in offer.explanation.next_best}
        assert told == {small: "full"}

    in_a_town(story)


def test_everybody_who_could_have_been_asked_is_told_of_once() -> None:
    async def story(town: Town) -> None:
        couriers = {await town.courier() for _ in range(15)}
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        (offer,) = await town.store.list_offers_for(order)
        against = [one.courier_id for one in offer.explanation.against]
        assert sorted(against) == sorted(couriers - {offer.courier_id})
        assert offer.explanation.passed_over
        late = await town.order(ready_at=town.clock.now() + 60 * MINUTE_MS)
        await town.clock.sleep(5 * SECOND_MS)
        wait = await now_waits(town, late)
        told = {one.courier_id: one.reason for one in wait.against}
        assert len(told) == len(wait.against)
        assert told.keys() >= couriers - {wait.reason.courier_id, offer.courier_id}
        assert set(told.values()) <= {one.value for one in Why}

    in_a_town(story, parameters=replace(QUICK, commit_lead_s=60))


def test_among_many_that_wait_everybody_is_looked_at_in_turn() -> None:
    async def story(town: Town) -> list[int]:
        orders = [await town.order() for _ in range(60)]
        told = []
        for _ in range(6):
            told.append(sum([bool(await whys(town, one)) for one in orders]))
            await town.clock.sleep(QUICK.tick_s * SECOND_MS)
        return told

    told = in_a_town(story)
    assert told == sorted(told)
    assert told[-1] == 60


def test_reasons_that_change_for_ever_are_kept_within_bounds() -> None:
    async def story(town: Town) -> int:
        order = await town.order(gift=Gift(description="Cake", size_units=9))
        for _ in range(WAITS_MAX + 5):
            await town.courier()
            await town.clock.sleep(61 * SECOND_MS)
        return len(await whys(town, order))

    assert in_a_town(story) <= WAITS_MAX
