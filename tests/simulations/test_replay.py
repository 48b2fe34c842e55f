"""A small recorded day in virtual time: delivered, judged alike by two, and the same again."""

from pathlib import Path
from types import ModuleType

import pytest

from engine.kernel.timing import MINUTE_MS
from simulations import mdrp, mdrp_score
from simulations.mdrp_score import judge
from simulations.people import Behaviour
from simulations.replay import VIRTUAL_START, live_virtually, run_virtual
from simulations.score import Score
from tests.simulations import small_day


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_day.write(tmp_path / "small")


def lived(folder: Path, tmp_path: Path, name: str, seed: int = 1) -> tuple[Score, bytes, Path]:
    out, events = tmp_path / f"{name}.json", tmp_path / f"{name}.events"
    found = run_virtual(folder, seed=seed, out=out, events=events)
    return found, events.read_bytes(), out


def test_every_order_that_can_be_delivered_is_delivered_once(folder: Path, tmp_path: Path) -> None:
    found, _, _ = lived(folder, tmp_path, "day")
    assert found.orders == 9
    assert found.delivered == 8
    assert (found.undelivered, found.undeliverable) == (1, 1)
    assert (found.duplicates, found.lost) == (0, 0)
    assert found.is_clean, (found.violations, found.faults)


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    _, first, _ = lived(folder, tmp_path, "first", seed=5)
    _, again, _ = lived(folder, tmp_path, "again", seed=5)
    _, other, _ = lived(folder, tmp_path, "other", seed=6)
    assert first == again
    assert first.count(b"\n") > 100
    assert first != other


def test_the_judge_of_the_recorded_problem_agrees(
    folder: Path, tmp_path: Path, evaluator: ModuleType
) -> None:
    found, _, out = lived(folder, tmp_path, "day")
    instance = evaluator.Instance(str(folder))
    figures, faults, _ = evaluator.evaluate(instance, evaluator.json.loads(out.read_text()))
    assert faults == []
    assert figures["feasible"]
    assert found.click_to_door is not None
    assert found.ready_to_pickup is not None
    assert found.delivered == figures["delivered"]
    theirs, early_min = figures["click_to_door"], mdrp.minute_0(0) / MINUTE_MS
    assert found.click_to_door.mean == pytest.approx(theirs["mean"] + early_min, abs=1e-3)
    assert found.click_to_door.p50 == pytest.approx(theirs["p50"] + early_min, abs=1e-3)
    assert found.click_to_door.p90 == pytest.approx(theirs["p90"] + early_min, abs=1e-3)
    assert found.ready_to_pickup.mean == pytest.approx(figures["ready_to_pickup"]["mean"], abs=1e-3)
    assert found.utilisation == pytest.approx(figures["utilization"]["mean"], abs=1e-3)
    assert found.orders_per_trip == pytest.approx(figures["orders_per_bundle"]["mean"], abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_moody_people_lose_and_double_nothing(folder: Path, seed: int) -> None:
    day = mdrp.day(mdrp.read(folder), starts_at=VIRTUAL_START)
    moody = Behaviour(decline=0.2, ignore=0.1, nobody_home=0.1, think_s=(0.0, 90.0))
    found = live_virtually(day, seed=seed, behaviour=moody)
    assert found.is_clean, (found.violations, found.faults)
    assert found.offers_made == (
        found.offers_accepted + found.offers_declined + found.offers_expired
    )


LAST_MINUTE = {
    "orders": ("o1\t1600\t1800\t5\tr1\t60", "o2\t1000\t1400\t50\tr1\t90"),
    "couriers": ("c1\t1200\t1000\t0\t60", "c2\t9000\t9000\t50\t90"),
}


def test_a_recorded_courier_works_from_the_first_minute_to_the_last(
    tmp_path: Path,
) -> None:
    folder = small_day.write(tmp_path / "last minute", **LAST_MINUTE)
    out = tmp_path / "solution.json"
    run_virtual(folder, seed=1, out=out, events=None)
    judged = judge(mdrp.read(folder), mdrp_score.read(out))
    assert judged.faults == ()
    # Both are picked up in the minute in which a shift ends; the second by who had to leave his
    # place in the minute in which he came and the order was placed.
    assert judged.figures.delivered == 2
    assert judged.figures.ready_to_pickup == 0


BEGINS_SOON = {
    "orders": ("o1\t1600\t1800\t12\tr1\t24",),
    "couriers": ("c1\t20000\t1000\t0\t120", "c2\t1200\t1000\t20\t120"),
}


def test_an_order_waits_for_who_said_that_he_begins_near_it_soon(tmp_path: Path) -> None:
    folder = small_day.write(tmp_path / "begins soon", **BEGINS_SOON)
    out = tmp_path / "solution.json"
    run_virtual(folder, seed=1, out=out, events=None)
    judged = judge(mdrp.read(folder), mdrp_score.read(out))
    assert judged.faults == ()
    # c1 is an hour away; c2 begins eight minutes after the order and is there when it is ready.
    assert judged.figures.ready_to_pickup == 0
