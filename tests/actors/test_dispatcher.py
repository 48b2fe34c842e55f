"""A tick: what is planned is put as questions, unless the world moved on meanwhile."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.couriers.messages import EndBreak, GoOffDuty, TakeBreak
from engine.geo.zone import ChangeZoneParameters
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from tests.actors.shaky import Fate
from tests.actors.worlds import JEDDAH, OPERATOR, QUICK, Town, in_a_town


def _ticks(town: Town) -> list[dict[str, object]]:
    return [
        one.body
        for batch in town.noticed.batches
        for one in batch.publications
        if one.kind == "tick"
    ]


async def _statuses(town: Town, order: OrderId) -> list[str]:
    return [one.status.value for one in await town.store.list_offers_for(order)]


async def _thought_about(town: Town) -> tuple[CourierId, OrderId]:
    """A courier and an order that the solver is just thinking about."""
    courier, order = await town.courier(), await town.order()
    town.thinker.takes_ms = SECOND_MS
    while not town.thinker.together:
        await town.clock.sleep(10)
    await town.clock.sleep(500)
    return courier, order


def test_while_the_solver_is_away_orders_wait_and_the_next_tick_after_it_is_back_offers_them() -> (
    None
):
    async def story(town: Town) -> tuple[list[str], str, int, str]:
        town.thinker.is_away = True
        await town.courier()
        order = await town.order()
        await town.clock.sleep(MINUTE_MS)
        before, troubled = await _statuses(town, order), await town.cells.health(await town.cell())
        town.thinker.is_away = False
        back = town.clock.now()
        await town.clock.sleep(5 * SECOND_MS)
        (offer,) = await town.store.list_offers_for(order)
        healthy = await town.cells.health(await town.cell())
        return before, troubled, offer.made_at - back, healthy

    before, troubled, after_ms, healthy = in_a_town(story)
    assert before == []
    assert troubled == "the solver does not answer"
    assert after_ms <= QUICK.tick_s * SECOND_MS
    assert healthy == "ok"


def test_a_solver_that_nobody_needs_any_more_is_no_trouble() -> None:
    async def story(town: Town) -> str:
        town.thinker.is_away = True
        await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        await town.must(CancelOrder(order_id=order, reason=CancelReason.OTHER), town.customer)
        await town.clock.sleep(5 * SECOND_MS)
        return await town.cells.health(await town.cell())

    assert in_a_town(story) == "ok"


def test_an_order_that_was_cancelled_while_the_solver_thought_is_not_offered() -> None:
    async def story(town: Town) -> tuple[list[str], str]:
        _, order = await _thought_about(town)
        await town.must(CancelOrder(order_id=order, reason=CancelReason.OTHER), town.customer)
        await town.clock.sleep(5 * SECOND_MS)
        stored = await town.store.find_order(order)
        assert stored is not None
        return await _statuses(town, order), stored.status.value

    assert in_a_town(story) == ([], "cancelled")


@pytest.mark.parametrize("leaves", [GoOffDuty, TakeBreak])
def test_a_courier_who_left_while_the_solver_thought_is_not_asked(
    leaves: type[GoOffDuty | TakeBreak],
) -> None:
    async def story(town: Town) -> tuple[list[str], str]:
        courier, order = await _thought_about(town)
        await town.must(leaves(courier_id=courier), town.as_courier(courier))
        await town.clock.sleep(5 * SECOND_MS)
        stored = await town.store.find_order(order)
        assert stored is not None
        return await _statuses(town, order), stored.status.value

    assert in_a_town(story) == ([], "waiting")


def test_who_is_gone_after_everything_was_read_anew_is_not_asked() -> None:
    async def story(town: Town) -> tuple[list[str], str]:
        courier, order = await _thought_about(town)
        town.line.fates += [Fate.ANSWER_LOST, Fate.ANSWER_LOST]
        town.thinker.takes_ms = 0
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        for command, caller in (
            (GoOffDuty(courier_id=courier), town.as_courier(courier)),
            (cancel, town.customer),
        ):
            await town.send(command, caller)
        await town.clock.sleep(5 * SECOND_MS)
        assert await town.cells.health(await town.cell()) == "ok"
        stored = await town.store.find_order(order)
        assert stored is not None
        return await _statuses(town, order), stored.status.value

    assert in_a_town(story) == ([], "cancelled")


def test_a_tick_says_only_of_stored_offers_that_they_were_made() -> None:
    async def story(town: Town) -> list[object]:
        await town.courier()
        await town.order()
        town.line.fates.append(Fate.NEVER_ARRIVES)
        await town.clock.sleep(10 * SECOND_MS)
        return [one["offers_made"] for one in _ticks(town) if one["waiting"] or one["offered"]]

    made = in_a_town(story)
    assert sum(int(str(one)) for one in made) == 1


def test_without_anybody_who_could_come_an_order_waits_and_ticks_keep_their_pace() -> None:
    async def story(town: Town) -> tuple[object, int]:
        await town.courier(point=JEDDAH)
        await town.order()
        before = len(_ticks(town))
        await town.clock.sleep(MINUTE_MS)
        return _ticks(town)[-1]["unassigned"], len(_ticks(town)) - before

    unassigned, ticks = in_a_town(story)
    assert unassigned == {"no_candidate": 1}
    assert 28 <= ticks <= 31


def test_a_zone_never_ticks_while_it_ticks_and_goes_on_at_once_when_a_tick_took_too_long() -> None:
    async def story(town: Town) -> tuple[int, list[int]]:
        town.thinker.takes_ms = 5_000
        courier = await town.courier()
        for _ in range(3):
            await town.order()
        town.line.fates.append(Fate.ANSWER_LOST)
        await town.clock.sleep(3_000)
        await town.send(TakeBreak(courier_id=courier), town.as_courier(courier))
        await town.courier()
        await town.clock.sleep(MINUTE_MS)
        offers = [
            one.made_at
            for order in (await town.store.load_cell(await town.cell())).orders
            for one in await town.store.list_offers_for(order.id)
        ]
        return town.thinker.most_together, offers

    most, offers = in_a_town(story)
    assert most == 1
    assert offers


def test_a_plan_that_may_still_change_is_the_next_ones_incumbent() -> None:
    async def story(town: Town) -> None:
        await town.courier()
        await town.courier()
        await town.order(ready_at=town.clock.now() + 60 * MINUTE_MS)
        await town.clock.sleep(10 * SECOND_MS)
        thinker = town.thinker
        assert len(thinker.problems) >= 3
        assert thinker.problems[0].incumbent == ()
        for plan, problem in zip(thinker.plans, thinker.problems[1:], strict=False):
            assert plan.routes
            assert problem.incumbent == plan.routes
        thinker.is_away = True
        await town.clock.sleep(10 * SECOND_MS)
        thinker.is_away = False
        count = len(thinker.plans)
        await town.clock.sleep(3 * SECOND_MS)
        assert thinker.problems[count].incumbent == thinker.plans[count - 1].routes

    in_a_town(story, parameters=replace(QUICK, commit_lead_s=60))


def test_a_new_tick_length_acts_from_the_next_tick_on() -> None:
    async def story(town: Town) -> tuple[int, int]:
        change = ChangeZoneParameters(
            zone_id=town.zone_id,
            parameters=replace(QUICK, tick_s=30),
            author=OPERATOR.user_id,
            reason="a quiet night",
            effective_at=0,
            after_version=1,
        )
        await town.clock.sleep(MINUTE_MS)
        before = len(_ticks(town))
        await town.must(change, OPERATOR)
        await town.clock.sleep(MINUTE_MS * 2)
        return before, len(_ticks(town)) - before

    before, after = in_a_town(story)
    assert 28 <= before <= 32
    assert 4 <= after <= 6


def test_offers_of_one_tick_go_to_different_couriers_and_hold_different_orders() -> None:
    async def story(town: Town) -> tuple[int, int]:
        await asyncio.gather(*(town.courier() for _ in range(5)))
        await asyncio.gather(*(town.order() for _ in range(8)))
        await town.clock.sleep(5 * SECOND_MS)
        offers = (await town.store.load_cell(await town.cell())).offers
        orders = [order for one in offers for order in one.order_ids]
        assert len(orders) == len(set(orders))
        return len(offers), len({one.courier_id for one in offers})

    assert in_a_town(story) == (5, 5)


async def _talk(town: Town, courier: CourierId, answered: list[bool]) -> None:
    """Breaks taken and ended; of each answer, whether there was a plan by then."""
    while True:
        for command in (TakeBreak(courier_id=courier), EndBreak(courier_id=courier)):
            if (await town.send(command, town.as_courier(courier))).refusal is None:
                answered.append(bool(town.thinker.plans))
            await town.clock.sleep(0)


def test_a_cell_hears_while_a_tick_is_stated_and_while_its_offers_are_made() -> None:
    async def story(town: Town) -> tuple[int, int, list[bool]]:
        couriers = [await town.courier() for _ in range(150)]
        ticks = len(_ticks(town))
        while len(_ticks(town)) == ticks:
            await town.clock.sleep(1)
        for _ in range(60):
            await town.order()
        ticks = len(_ticks(town))
        stated, applied, answered = 0, 0, list[bool]()
        await town.clock.sleep(QUICK.tick_s * SECOND_MS - 2)
        while town.clock.now() % (QUICK.tick_s * SECOND_MS):
            await town.clock.sleep(1)
        talking = asyncio.ensure_future(_talk(town, couriers[0], answered))
        # No time passes from here on: each round is one turn of the loop, in which it hears.
        while len(_ticks(town)) == ticks:
            await town.clock.sleep(0)
            stated, applied = (stated, applied + 1) if town.thinker.plans else (stated + 1, applied)
            assert stated + applied < 10_000
        talking.cancel()
        return stated, applied, answered

    stated, applied, answered = in_a_town(story)
    assert stated >= 5
    assert applied >= 60 / 5
    assert answered.count(False) >= 1
    assert answered.count(True) >= 1


@pytest.mark.parametrize("percent", [0, 100])
def test_a_plan_knows_what_is_expected_where_time_has_its_price(percent: int) -> None:
    """From the second plan on: what an order takes is told by the last one."""

    async def story(town: Town) -> list[bool]:
        for _ in range(2):
            await town.courier()
            await town.order()
            await town.clock.sleep(10 * SECOND_MS)
        expected = [one.expected for one in town.thinker.problems]
        assert all(one is None or (one.rate > 0 and one.work_s > 0) for one in expected)
        return [one is not None for one in (expected[0], expected[-1])]

    parameters = replace(QUICK, time_price_percent=percent)
    assert in_a_town(story, parameters=parameters) == [False, percent > 0]
