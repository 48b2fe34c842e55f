"""Positions: shown to those who wait, found again after a restart, kept as a sample."""

from collections.abc import Mapping

from engine.kernel.ids import CellId, CourierId
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from storage.live import Fix
from tests.actors.worlds import Noticed, Town, in_a_town
from tests.builders import CORNER, DOOR, SHOP


def _report(town: Town, courier: CourierId, *, lat: float = DOOR.lat) -> Fix:
    fix = Fix(lat=lat, lng=DOOR.lng, at=town.clock.now(), accuracy_m=5.0)
    town.bus.report_position(courier, fix)
    return fix


async def _carrying(town: Town) -> CourierId:
    courier = await town.courier()
    await town.order()
    await town.clock.sleep(5 * SECOND_MS)
    assert (await town.accept(courier)).refusal is None
    return courier


async def _seen_after_a_crash(town: Town, courier: CourierId) -> Fix | None:
    await town.clock.sleep(5 * SECOND_MS)
    await town.crash()
    return town.cells._homes[await town.cell()].cell._telemetry.fix(courier)


def test_a_position_is_shown_to_nobody_before_the_courier_carries_something() -> None:
    async def story(town: Town) -> list[str]:
        courier = await town.courier()
        _report(town, courier)
        await town.clock.sleep(30 * SECOND_MS)
        return [kind for _, kind in town.noticed.newest if kind == "position"]

    assert in_a_town(story) == []


def test_a_customer_is_shown_the_newest_position_every_few_seconds() -> None:
    async def story(town: Town) -> tuple[list[float], float]:
        courier = await _carrying(town)
        for step in range(60):
            _report(town, courier, lat=CORNER.lat + step / 10_000)
            await town.clock.sleep(SECOND_MS)
        shown = [
            one.body["lat"]
            for batch in town.noticed.batches
            for one in batch.publications
            if one.kind == "position"
        ]
        return shown, CORNER.lat + 59 / 10_000

    shown, last = in_a_town(story)
    assert shown == sorted(shown)
    assert 14 <= len(shown) <= 16
    assert last - shown[-1] < 5 / 10_000


def test_who_waits_is_told_when_the_courier_comes_to_the_shop_stays_and_leaves() -> None:
    async def story(town: Town) -> list[tuple[str, str]]:
        courier = await _carrying(town)
        for metres in (900, 400, *[10] * 20, 400, 900):
            lat = SHOP.lat + metres / 111_195
            fix = Fix(lat=lat, lng=SHOP.lng, at=town.clock.now(), accuracy_m=5.0)
            town.bus.report_position(courier, fix)
            await town.clock.sleep(20 * SECOND_MS)
        return [
            (one.body["stop"], one.body["event"])
            for batch in town.noticed.batches
            for one in batch.publications
            if one.kind == "stop"
        ]

    assert in_a_town(story) == [
        ("pickup", "entered"),
        ("pickup", "dwelt"),
        ("pickup", "left"),
    ]


def test_a_restarted_cell_knows_where_everybody_was() -> None:
    async def story(town: Town) -> tuple[Fix, Fix | None]:
        courier = await _carrying(town)
        fix = _report(town, courier)
        return fix, await _seen_after_a_crash(town, courier)

    fix, found = in_a_town(story)
    assert found == fix


def test_where_the_stream_kept_nothing_the_sampled_trail_serves() -> None:
    async def story(town: Town) -> tuple[Fix, Fix | None, Fix | None]:
        courier = await _carrying(town)
        fix = _report(town, courier)
        await town.clock.sleep(5 * SECOND_MS)
        town.noticed.fixes.clear()
        found = await _seen_after_a_crash(town, courier)
        town.noticed.is_away = True
        found_again = await _seen_after_a_crash(town, courier)
        town.noticed.is_away = False
        return fix, found, found_again

    fix, found, found_again = in_a_town(story)
    assert found == found_again == fix


def test_who_went_off_duty_meanwhile_is_not_followed_after_a_restart() -> None:
    async def story(town: Town) -> Fix | None:
        courier = await town.courier(shift_min=1)
        await town.clock.sleep(50 * SECOND_MS)
        _report(town, courier)
        await town.clock.sleep(5 * SECOND_MS)
        cell = await town.cell()
        await town.cells.kill(cell)
        await town.clock.sleep(MINUTE_MS)
        await town.cells.wake()
        await town.clock.sleep(SECOND_MS)
        stored = await town.store.find_courier(courier)
        assert stored is not None
        assert stored.duty.value == "off"
        return town.cells._homes[cell].cell._telemetry.fix(courier)

    assert in_a_town(story) is None


class Counted(Noticed):
    """Remembers how many positions were saved at once."""

    def __init__(self) -> None:
        super().__init__({})
        self.sizes: list[int] = []

    async def save_fixes(self, cell: CellId, fixes: Mapping[CourierId, Fix]) -> None:
        self.sizes.append(len(fixes))
        await super().save_fixes(cell, fixes)


def test_many_positions_are_saved_in_parts_so_that_the_cell_hears_in_between() -> None:
    live = Counted()

    async def story(town: Town) -> set[CourierId]:
        couriers = [await town.courier() for _ in range(600)]
        for one in couriers:
            _report(town, one)
        await town.clock.sleep(3 * SECOND_MS)
        town.noticed.newest.update(live.newest)
        return set(couriers) - set(live.fixes[await town.cell()])

    assert in_a_town(story, live=live) == set()
    assert sum(live.sizes) >= 600
    assert max(live.sizes) <= 250
