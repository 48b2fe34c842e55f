"""Generated hours in virtual time."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from simulations.people import LIVELY, Behaviour
from simulations.replay import live_virtually
from simulations.score import UNDELIVERED_MIN
from simulations.simulate import (
    AFTERNOON,
    NoSuchCity,
    NoSuchTime,
    Source,
    a_day,
    local_instant,
    pace_of,
    run,
)


def test_generated_hours_lose_and_double_nothing(tmp_path: Path) -> None:
    source = Source(day=a_day(seed=3, couriers=12, hours=0.5))
    found = run(source, seed=3, behaviour=LIVELY, events=tmp_path / "events").score
    assert found.is_clean, (found.violations, found.faults)
    assert found.orders > 5
    assert found.delivered + found.returned + found.cancelled == found.orders
    assert (tmp_path / "events").stat().st_size > 0


def test_a_generated_day_has_orders_for_its_hours_and_couriers_for_longer() -> None:
    day = a_day(seed=1, couriers=20, hours=1)
    hour_ms = 3_600_000
    assert all(AFTERNOON <= one.placed_at < AFTERNOON + hour_ms for one in day.orders)
    assert {one.off_at for one in day.couriers} == {AFTERNOON + 2 * hour_ms}


def test_the_same_seed_writes_the_same_bytes_whatever_people_do(tmp_path: Path) -> None:
    moods = replace(LIVELY, phone_deaths_per_h=0.5, patience_min=60.0, nobody_home=0.1)

    def lived(name: str, seed: int) -> bytes:
        day = a_day(seed=seed, city="jeddah", couriers=8, hours=0.25, zones=3)
        source = Source(day=day, pace=pace_of("jeddah"))
        found = run(source, seed=seed, behaviour=moods, events=tmp_path / name).score
        assert found.is_clean, (found.violations, found.faults)
        return (tmp_path / name).read_bytes()

    first, again, other = lived("a", 5), lived("b", 5), lived("c", 6)
    assert first == again
    assert first != other


def test_a_time_on_the_wall_is_one_of_the_city() -> None:
    assert local_instant("2026-01-07T16:30", "riyadh") == AFTERNOON
    assert local_instant("2026-01-07T13:30Z", "jeddah") == AFTERNOON
    with pytest.raises(NoSuchTime, match="2026-02-14T16:30"):
        local_instant("soon", "riyadh")
    with pytest.raises(NoSuchCity, match="riyadh, jeddah"):
        local_instant("2026-01-07T16:30", "atlantis")


def test_whom_a_cap_turns_away_is_counted_and_is_nobodys_fault() -> None:
    day = a_day(seed=2, couriers=6, hours=0.2)
    parameters = structs.replace(day.zone.parameters, open_orders_max=1)
    day = replace(day, zone=replace(day.zone, parameters=parameters))
    found = live_virtually(day, seed=2, behaviour=Behaviour())
    assert found.is_clean, (found.violations, found.faults)
    assert found.turned_away > 0
    assert found.delivered + found.turned_away == found.orders
    assert found.lateness_min >= UNDELIVERED_MIN * found.turned_away / found.orders


def test_who_changes_his_mind_in_time_has_his_order_cancelled() -> None:
    day = a_day(seed=2, couriers=6, hours=0.2)
    found = live_virtually(day, seed=2, behaviour=Behaviour(patience_min=10.0))
    assert found.is_clean, (found.violations, found.faults)
    assert found.cancelled > 0
    assert found.delivered > 0
    assert found.cancelled + found.delivered == found.orders
