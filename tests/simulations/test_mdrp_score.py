"""The judge of the recorded problem: figures by hand, and every fault that can be planted."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from simulations import mdrp
from simulations.mdrp_score import BadSolution, judge, read
from tests.simulations import small_day, small_solution

Stops = list[dict[str, Any]]
Break = Callable[[Stops, Stops, list[dict[str, Any]]], object]


def later(stop: dict[str, Any], minutes: float) -> None:
    stop["arrive"] += minutes
    stop["depart"] += minutes


def stop(kind: str, order: str, arrive: float, depart: float, told: float = 6) -> dict[str, Any]:
    times = {"arrive": arrive, "depart": depart, "decided_at": told}
    return {"kind": kind, "order": order, **times}


# What is done to the stops of c1, to those of c2, or to the pages of both.
BROKEN: dict[str, Break] = {
    "unknown_courier": lambda _a, _b, all_: all_[0].update(courier="c9"),
    "courier_listed_twice": lambda _a, _b, all_: all_.append({"courier": "c1", "stops": []}),
    "unknown_kind": lambda _a, b, _: b[2].update(kind="nap"),
    "unknown_order": lambda a, _b, _: a[0].update(orders=["o1", "o99"]),
    "bundle_spans_restaurants": lambda a, _b, _: a[0].update(orders=["o1", "o3"]),
    "bad_dropoff": lambda a, _b, _: a[1].update(order="o99"),
    "move_target_not_a_restaurant": lambda _a, b, _: b[2].update(restaurant="o1"),
    "travel_time": lambda a, _b, _: later(a[1], -1),
    "trip_not_finished": lambda a, _b, _: a.insert(2, stop("pickup", "o4", 60, 64, 12)),
    "pickup_service": lambda a, _b, _: a[0].update(arrive=15),
    "pickup_after_off_time": lambda _a, b, _: b[0].update(depart=93),
    "pickup_before_ready": lambda a, _b, _: a[0].update(depart=17),
    "order_picked_up_twice": lambda a, _b, _: a.append(stop("pickup", "o1", 60, 64)),
    "no_decision_time": lambda a, _b, _: a[0].pop("decided_at"),
    "decided_before_placed": lambda a, _b, _: a[0].update(decided_at=[4, 6]),
    "decided_after_pickup": lambda a, _b, _: a[0].update(decided_at=[6, 17]),
    "left_before_told": lambda a, _b, _: a[0].update(decided_at=[7, 7]),
    "dropoff_without_pickup": lambda a, _b, _: a.append(stop("dropoff", "o4", 60, 64, 12)),
    "dropoff_service": lambda a, _b, _: a[2].update(depart=31),
    "order_dropped_twice": lambda a, _b, _: a.append(stop("dropoff", "o2", 60, 64)),
    "order_never_dropped": lambda a, _b, _: a.pop(),
    "move_with_orders_on_board": lambda _a, b, _: b.insert(1, b[2] | {"arrive": 39}),
    "move_after_off_time": lambda _a, b, _: later(b[2], 60),
    "departs_before_arrival": lambda _a, b, _: b[2].update(depart=50),
}
TOLD_LATE: dict[str, Break] = {
    "to a door": lambda a, _b, _: a[1].update(decided_at=19),
    "to a shop without an order": lambda _a, b, _: b[2].update(decided_at=42),
}


def broken(plant: Break) -> dict[str, Any]:
    told = small_solution.raw()
    pages = told["couriers"]
    plant(pages[0]["stops"], pages[1]["stops"], pages)
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_day.write(tmp_path / "small")


@pytest.fixture
def evaluator(instances_folder: Path) -> ModuleType:
    """The recorded problem's own judge."""
    file = instances_folder.parent / "evaluate.py"
    spec = importlib.util.spec_from_file_location("evaluate", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_day_without_fault_is_measured_as_by_hand(folder: Path) -> None:
    figures, faults = judge(mdrp.read(folder), small_solution.of(small_solution.raw()))
    assert faults == ()
    assert (figures.orders, figures.delivered) == (9, 3)
    assert figures.undelivered_pct == pytest.approx(600 / 9)
    assert figures.click_to_door == pytest.approx((19 + 24 + 30) / 3)
    assert figures.click_to_door_p90 == pytest.approx(24 + 0.8 * 6)
    assert figures.ready_to_pickup == pytest.approx(1 / 3)
    assert figures.overage == 0
    # c1 and c2 bring too little for more than their guarantee, c3 nothing.
    assert figures.cost_per_order == pytest.approx((30 + 22.5 + 12.5) / 3)
    assert figures.orders_per_trip == pytest.approx(1.5)
    everybody = (19 + 24 + 30 + 6 * 90) / 9
    assert figures.excess == pytest.approx(everybody - figures.direct_bound)


def test_pick_ups_of_one_visit_are_one_trip(folder: Path) -> None:
    told = small_solution.raw()
    both = told["couriers"][0]["stops"].pop(0)
    for key in ("o2", "o1"):
        told["couriers"][0]["stops"].insert(0, stop("pickup", key, both["arrive"], both["depart"]))
    figures, faults = judge(mdrp.read(folder), small_solution.of(told))
    assert faults == ()
    assert figures.orders_per_trip == pytest.approx(1.5)


@pytest.mark.parametrize("rule", BROKEN)
def test_every_planted_fault_is_found(folder: Path, rule: str) -> None:
    _, faults = judge(mdrp.read(folder), small_solution.of(broken(BROKEN[rule])))
    assert rule in {one.rule for one in faults}


@pytest.mark.parametrize("where", TOLD_LATE)
def test_who_leaves_before_he_is_told_is_found(folder: Path, where: str) -> None:
    _, faults = judge(mdrp.read(folder), small_solution.of(broken(TOLD_LATE[where])))
    assert {one.rule for one in faults} == {"left_before_told"}


@pytest.mark.parametrize("plant", [*BROKEN.values(), *TOLD_LATE.values()])
def test_the_evaluator_finds_the_same_faults(
    folder: Path, evaluator: ModuleType, plant: Break
) -> None:
    told = broken(plant)
    _, ours = judge(mdrp.read(folder), small_solution.of(told))
    _, theirs, _ = evaluator.evaluate(evaluator.Instance(str(folder)), told)
    assert [(one.rule, one.courier) for one in ours] == [
        (rule.replace("-", "_"), courier) for rule, courier, _ in theirs
    ]


@pytest.mark.parametrize("text", ["", "{}", '{"couriers": [{"courier": "c1"}]}', "[1]"])
def test_a_file_that_is_no_solution_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "solution.json"
    file.write_text(text)
    with pytest.raises(BadSolution, match=r"solution\.json"):
        read(file)
    with pytest.raises(BadSolution, match="No such file"):
        read(tmp_path / "nowhere.json")
