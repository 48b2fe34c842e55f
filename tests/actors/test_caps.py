"""A full zone takes no more, however many ask at the same moment; and how hard it is pressed."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Window
from storage.store import Answer
from tests.actors.worlds import JEDDAH, QUICK, Town, in_a_town


def codes(answers: list[Answer]) -> list[str]:
    return sorted(one.refusal.code if one.refusal else "" for one in answers)


@pytest.mark.parametrize("cap", ["waiting_orders_max", "open_orders_max"])
def test_of_many_at_once_exactly_as_many_are_taken_as_there_is_room(cap: str) -> None:
    async def story(town: Town) -> list[str]:
        placings = [await town.placing() for _ in range(20)]
        answers = await asyncio.gather(*(town.send(one, town.customer) for one in placings))
        return codes(list(answers))

    found = in_a_town(story, parameters=replace(QUICK, **{cap: 7}))
    assert found == [""] * 7 + ["zone_full"] * 13


def test_a_window_takes_no_more_than_its_cap_and_another_window_still_does() -> None:
    async def story(town: Town) -> tuple[list[str], list[str]]:
        start = town.clock.now() + 6 * HOUR_MS
        evening = Window(start=start, end=start + HOUR_MS)
        night = Window(start=start + HOUR_MS, end=start + 2 * HOUR_MS)
        found = []
        for window in (evening, night):
            placings = [await town.placing(window=window) for _ in range(4)]
            answers = await asyncio.gather(*(town.send(one, town.customer) for one in placings))
            found.append(codes(list(answers)))
        return found[0], found[1]

    evening, night = in_a_town(story, parameters=replace(QUICK, window_orders_max=3))
    assert evening == night == ["", "", "", "window_full"]


def test_an_order_that_ends_makes_room() -> None:
    async def story(town: Town) -> tuple[list[str], list[str]]:
        order = await town.order()
        before = await town.send(await town.placing(), town.customer)
        await town.must(CancelOrder(order_id=order, reason=CancelReason.OTHER), town.customer)
        await town.crash()
        after = await town.send(await town.placing(), town.customer)
        return codes([before]), codes([after])

    found = in_a_town(story, parameters=replace(QUICK, open_orders_max=1))
    assert found == (["zone_full"], [""])


def test_a_zone_tells_how_hard_it_is_pressed_and_follows_slowly() -> None:
    async def story(town: Town) -> list[float | None]:
        zone = await town.store.find_zone(town.zone_id)
        assert zone is not None
        told: list[float | None] = []
        await town.courier(point=JEDDAH)
        for _ in range(3):
            found = await town.bus.pressure(zone)
            told.append(None if found is None else found.percent)
            await town.order()
            await town.clock.sleep(5 * MINUTE_MS)
        return told

    parameters = replace(QUICK, surge_max_percent=200, surge_half_life_s=300)
    first, second, third = in_a_town(story, parameters=parameters)
    assert first == 0.0
    assert second == pytest.approx(50.0, abs=2.0)
    assert third == pytest.approx(125.0, abs=3.0)


def test_a_zone_without_surge_is_not_asked_and_one_that_is_away_makes_nothing_dearer() -> None:
    async def story(town: Town) -> tuple[object, object]:
        zone = await town.store.find_zone(town.zone_id)
        assert zone is not None
        await town.clock.sleep(SECOND_MS)  # The first tick is over.
        calm = await town.bus.pressure(zone)
        surging = replace(
            zone, current=replace(zone.current, parameters=replace(QUICK, surge_max_percent=150))
        )
        assert await town.bus.pressure(surging) is not None
        town.line.away_for(SECOND_MS)
        return calm, await town.another_edge().pressure(surging)

    assert in_a_town(story) == (None, None)
