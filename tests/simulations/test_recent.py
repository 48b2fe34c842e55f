"""What happened in the running system, judged by the same figures and lived again."""

import asyncio
from dataclasses import replace

import pytest
from msgspec import to_builtins
from msgspec.structs import replace as changed

from engine.dispatch.record import metrics_of
from engine.metrics import Metrics
from simulations import recent, stage
from simulations.day import Day
from simulations.diary import Diary
from simulations.people import Behaviour
from simulations.replay import live_virtually
from simulations.score import score
from simulations.simulate import AFTERNOON, a_day
from simulations.stage import Stage
from simulations.virtual import VirtualLoop, run_virtually
from storage.memory import MemoryStore

MOODY = Behaviour(decline=0.1, ignore=0.05, nobody_home=0.1, think_s=(1, 20))


def lived(day: Day, behaviour: Behaviour) -> tuple[MemoryStore, Diary, int]:
    diary = Diary()

    async def main(loop: VirtualLoop) -> Stage:
        built = stage.build(loop, starts_at=day.starts_at, seed=1)
        assert await stage.play(built, day, diary, seed=1, behaviour=behaviour) == []
        return built

    built = run_virtually(main)
    return built.store, diary, built.clock.now()


@pytest.mark.parametrize("wait_moves_max", [0, 5])
def test_a_day_is_judged_alike_by_what_is_stored_and_by_its_people(wait_moves_max: int) -> None:
    day = a_day(seed=3, couriers=8, hours=0.25, zones=1)
    parameters = changed(day.zone.parameters, wait_moves_max=wait_moves_max)
    day = replace(day, zone=replace(day.zone, parameters=parameters))
    store, diary, until = lived(day, MOODY)
    (zone,) = asyncio.run(store.list_zones())
    history = asyncio.run(store.zone_history(zone.id, AFTERNOON))
    stored = metrics_of(history, zone.parameters, since=AFTERNOON, until=until)
    seen = score(diary, day, ended_at=until, wall_s=1).metrics
    for name in ("orders", "delivered", "couriers", "offers"):
        assert getattr(stored, name) == getattr(seen, name), name
    for name in _NEAR:
        told, expected = (_mean(one, name) for one in (stored, seen))
        assert told == pytest.approx(expected, rel=0.03, abs=0.03), name


_NEAR = (
    "click_to_door_min",
    "ready_to_pickup_min",
    "excess_min",
    "overage_min",
    "late_share",
    "utilisation",
    "idle_share",
    "orders_per_trip",
    "idle_gini",
    "earnings_gini",
)


def _mean(found: Metrics, name: str) -> float | None:
    value = to_builtins(getattr(found, name))
    mean: float | None = value["mean"] if isinstance(value, dict) else value
    return mean


def test_the_last_hours_are_lived_again() -> None:
    day = a_day(seed=3, couriers=8, hours=0.25, zones=2)
    store, _, until = lived(day, Behaviour())
    found = asyncio.run(recent.read(store, since=AFTERNOON, until=until))
    assert len(found.zones) == 2
    assert [one.placed_at for one in found.orders] == [one.placed_at for one in day.orders]
    assert [one.shop.point for one in found.orders] == [one.shop.point for one in day.orders]
    assert len(found.couriers) == len(day.couriers)
    assert all(one.off_at is not None and one.off_at > one.on_at for one in found.couriers)
    again = live_virtually(found, seed=2, behaviour=Behaviour())
    assert again.is_clean, (again.violations, again.faults)
    assert again.delivered == len(day.orders)


async def test_where_nothing_happened_there_is_no_day() -> None:
    with pytest.raises(recent.NothingHappened):
        await recent.read(MemoryStore(), since=0, until=AFTERNOON)
