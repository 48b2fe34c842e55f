"""Parameters on probation: a zone takes them back by itself, whatever dies meanwhile."""

from typing import Any

import pytest

from actors.guards import CHECK_MS
from engine.couriers.messages import DeclineOffer
from engine.geo.guard import Guard, GuardMetric
from engine.geo.zone import ChangeZoneParameters, ParameterSet, Zone
from engine.kernel.ids import CourierId
from engine.kernel.messages import SYSTEM_CALLER
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from tests.actors.shaky import Fate
from tests.actors.worlds import OPERATOR, QUICK, Town, in_a_town

FEW_ACCEPT = Guard(
    metric=GuardMetric.OFFER_ACCEPTANCE_PERCENT,
    bound=50.0,
    samples_min=3,
    window_s=600,
    deadline_s=1800,
)


async def turn(town: Town, guard: Guard, **fields: Any) -> None:
    change = ChangeZoneParameters(
        zone_id=town.zone_id,
        parameters=QUICK,
        author=OPERATOR.user_id,
        reason="a bold idea",
        guard=guard,
        **{"effective_at": 0, "after_version": 1, **fields},
    )
    await town.must(change, OPERATOR)


async def decline_offers(town: Town, times: int) -> None:
    """So many couriers are asked one after the other, and each says no."""
    await town.order()
    for _ in range(times):
        courier = await town.courier()
        await town.clock.sleep(5 * SECOND_MS)
        await decline(town, courier)


async def decline(town: Town, courier: CourierId) -> None:
    offer = town.noticed.body(f"courier:{courier}")["offer"]
    command = DeclineOffer(courier_id=courier, offer_id=offer["offer_id"], reason="no")
    await town.must(command, town.as_courier(courier))


async def zone_of(town: Town) -> Zone:
    zone = await town.store.find_zone(town.zone_id)
    assert zone is not None
    return zone


async def newest(town: Town) -> ParameterSet:
    return (await town.store.list_parameter_sets(town.zone_id))[0]


def test_parameters_under_which_nobody_accepts_are_taken_back_by_the_system() -> None:
    async def story(town: Town) -> tuple[ParameterSet, int, int]:
        await turn(town, FEW_ACCEPT)
        await decline_offers(town, 3)
        await town.clock.sleep(2 * CHECK_MS)
        shown = town.noticed.body(f"zone:{town.zone_id}")["parameters_version"]
        return await newest(town), (await zone_of(town)).parameters_version, shown

    back, in_force, shown = in_a_town(story)
    assert (back.version, back.restores, back.reverts) == (3, 1, 2)
    assert in_force == shown == 3
    assert back.author == SYSTEM_CALLER.user_id
    assert back.reason == (
        "guard of version 2: offer_acceptance_percent is 0.0 (3 samples), the bound is 50"
    )


def test_too_few_answers_are_no_verdict() -> None:
    async def story(town: Town) -> int:
        await turn(town, FEW_ACCEPT)
        await decline_offers(town, 2)
        await town.clock.sleep(2 * CHECK_MS)
        return (await newest(town)).version

    assert in_a_town(story) == 2


@pytest.mark.parametrize("crashes", [1, 3])
def test_a_guard_survives_the_death_of_its_cell(crashes: int) -> None:
    async def story(town: Town) -> int:
        await turn(town, FEW_ACCEPT)
        await decline_offers(town, 3)
        for _ in range(crashes):
            await town.crash()
        await town.clock.sleep(2 * CHECK_MS)
        return (await newest(town)).version

    assert in_a_town(story) == 3


def test_while_the_database_is_away_nothing_is_judged_and_then_it_is() -> None:
    async def story(town: Town) -> tuple[int, int]:
        await turn(town, FEW_ACCEPT)
        await decline_offers(town, 3)
        town.line.fates += [Fate.ANSWER_LOST] * 2
        await town.clock.sleep(3 * CHECK_MS)
        sets = await town.store.list_parameter_sets(town.zone_id)
        return sets[0].version, sum(one.reverts == 2 for one in sets)

    assert in_a_town(story) == (3, 1)


def test_after_its_time_a_guard_sleeps() -> None:
    async def story(town: Town) -> int:
        await turn(town, FEW_ACCEPT)
        await town.clock.sleep((FEW_ACCEPT.deadline_s + 60) * SECOND_MS)
        await decline_offers(town, 3)
        await town.clock.sleep(2 * CHECK_MS)
        return (await newest(town)).version

    assert in_a_town(story) == 2


def test_a_guard_begins_when_its_parameters_do() -> None:
    async def story(town: Town) -> tuple[int, int]:
        begins = town.clock.now() + 10 * MINUTE_MS
        await turn(town, FEW_ACCEPT, effective_at=begins)
        await decline_offers(town, 3)
        await town.clock.sleep(2 * CHECK_MS)
        before = (await newest(town)).version
        await town.clock.sleep(begins - town.clock.now() + SECOND_MS)
        await decline_offers(town, 3)
        await town.clock.sleep(2 * CHECK_MS)
        return before, (await newest(town)).version

    assert in_a_town(story) == (2, 3)


def test_worse_than_before_is_measured_against_as_long_a_time_before() -> None:
    async def story(town: Town) -> tuple[int, str]:
        for _ in range(3):
            await town.order()
            courier = await town.courier()
            await town.clock.sleep(5 * SECOND_MS)
            answer = await town.accept(courier)
            assert answer.refusal is None
        relative = Guard(
            metric=GuardMetric.OFFER_ACCEPTANCE_PERCENT,
            worse_by_percent=50,
            samples_min=3,
            window_s=600,
        )
        await turn(town, relative)
        await decline_offers(town, 3)
        await town.clock.sleep(2 * CHECK_MS)
        found = await newest(town)
        return found.version, found.reason

    version, reason = in_a_town(story)
    assert version == 3
    assert "it was 100.0: worse by more than 50 %" in reason


def test_orders_that_nobody_takes_are_a_long_wait_while_they_wait() -> None:
    async def story(town: Town) -> int:
        guard = Guard(
            metric=GuardMetric.LONG_WAIT_PERCENT, bound=10.0, samples_min=2, long_wait_s=120
        )
        await turn(town, guard)
        for _ in range(2):
            await town.order()
        await town.clock.sleep(100 * SECOND_MS)
        assert (await newest(town)).version == 2
        await town.clock.sleep(2 * CHECK_MS)
        return (await newest(town)).version

    assert in_a_town(story) == 3
