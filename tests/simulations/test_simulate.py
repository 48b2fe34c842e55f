"""Generated hours in virtual time."""

from pathlib import Path

from simulations.people import LIVELY
from simulations.simulate import AFTERNOON, Source, a_day, run


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
