"""The last hours of a running system, lived again."""

import asyncio
from pathlib import Path

import pytest

from engine.couriers.courier import Duty
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from simulations import mdrp, stage
from simulations.day import Day
from simulations.diary import Diary
from simulations.people import Behaviour
from simulations.recent import Recent, TooManyOrders, day_of, read_zone, spells_of
from simulations.replay import VIRTUAL_START
from simulations.trial_days import RecentDays
from simulations.trials import Trial, live
from simulations.virtual import VirtualLoop, run_virtually
from storage.memory import MemoryStore
from storage.store import DutyOf
from tests.builders import a_courier
from tests.simulations import small_day

T = VIRTUAL_START


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return mdrp.day(mdrp.read(small_day.write(tmp_path / "small")), starts_at=T)


@pytest.fixture
def store(day: Day) -> MemoryStore:
    """A system in which the small day was lived."""

    async def main(loop: VirtualLoop) -> MemoryStore:
        built = stage.build(loop, starts_at=day.starts_at, seed=1)
        await stage.play(built, day, Diary(), seed=1, behaviour=Behaviour())
        return built.store

    return run_virtually(main)


def recent_hours(store: MemoryStore, since: int, until: int, *, orders_max: int = 100) -> Recent:
    async def found() -> Recent:
        (zone,) = await store.list_zones()
        return await read_zone(store, zone, since=since, until=until, orders_max=orders_max)

    return asyncio.run(found())


def test_a_day_that_was_lived_is_found_again(day: Day, store: MemoryStore) -> None:
    recent = recent_hours(store, T, T + 24 * HOUR_MS)
    again = day_of([recent])
    # The order that nobody could deliver was cancelled in the end.
    assert recent.cancelled == 1
    wanted = [one for one in day.orders if one.key not in small_day.UNDELIVERABLE]
    assert [one.placed_at for one in again.orders] == [one.placed_at for one in wanted]
    assert [one.shop.point for one in again.orders] == [one.shop.point for one in wanted]
    assert [one.door.point for one in again.orders] == [one.door.point for one in wanted]
    assert all(
        a.placed_at <= a.ready_at <= b.ready_at for a, b in zip(again.orders, wanted, strict=True)
    )
    assert [one.on_at for one in again.couriers] == [one.on_at for one in day.couriers]
    assert again.zone.parameters == day.zone.parameters


def test_only_the_hours_asked_for_are_found(store: MemoryStore) -> None:
    since, until = T + 10 * MINUTE_MS, T + 35 * MINUTE_MS
    recent = recent_hours(store, since, until)
    assert len(recent.orders) == 3
    with pytest.raises(TooManyOrders, match="more than 2"):
        recent_hours(store, since, until, orders_max=2)


def test_the_hours_can_be_lived_again_with_other_luck(store: MemoryStore) -> None:
    recent = recent_hours(store, T, T + HOUR_MS)
    source = RecentDays(recent=recent)
    first, other = (live(source, Trial(name="a", number=n, given={})) for n in range(2))
    assert first.orders == other.orders == 8
    assert (first.faults, other.faults) == ((), ())
    assert source.kind(0) == source.kind(1)
    assert first.metrics != other.metrics


@pytest.mark.parametrize(
    ("duty", "changes", "spells"),
    [
        (Duty.ON, [], [(0, None)]),
        (Duty.BREAK, [], []),
        (Duty.ENDING, [], []),
        (Duty.OFF, [(5, "WentOffDuty")], [(0, 5)]),
        (Duty.OFF, [(5, "DutyEnding"), (8, "WentOffDuty")], [(0, 5)]),
        (Duty.ON, [(5, "BreakTaken"), (8, "BreakEnded")], [(0, 5), (8, None)]),
        (Duty.ON, [(5, "WentOnDuty"), (6, "WentOnDuty")], [(5, None)]),
        (Duty.OFF, [(5, "WentOnDuty"), (6, "WentOffDuty"), (7, "WentOffDuty")], [(5, 6)]),
    ],
)
def test_spells_are_the_times_in_which_he_could_be_asked(
    duty: Duty, changes: list[tuple[int, str]], spells: list[tuple[int, int | None]]
) -> None:
    courier = a_courier(duty=duty)
    found = spells_of(DutyOf(courier=courier, changes=tuple(changes)), 0)
    assert list(found) == spells
