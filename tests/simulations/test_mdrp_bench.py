"""The bench of recorded days from its command to its file of results, on a tiny day."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from simulations import mdrp
from simulations.mdrp import BadInstance
from simulations.mdrp_bench import RESULTS, Wanted, plan, run
from simulations.mdrp_runs import disagreements
from simulations.mdrp_score import judge
from tests.simulations import small_day, small_solution

PUBLISHED = (
    "instance,ctd_direct_bound,reyes18_undelivered_pct,reyes18_ctd_mean,reyes18_ctd_p90,"
    "reyes18_ctd_overage_mean,reyes18_rtp_mean,reyes18_cost_per_order\n"
    "small,20,10,30,40,1,2,11\n"
)
BASELINES = (
    "instance,algorithm,ctd_mean_all,direct_bound,ctd_mean,ctd_p90,ctd_overage_mean,rtp_mean,"
    "undelivered_pct,cost_per_order\n"
    "small,greedy,45,20,41,50,3,4,5,12\n"
    "other,elsewhere,45,20,41,50,3,4,5,12\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one instance, and what others reached beside it."""
    (tmp_path / "published.csv").write_text(PUBLISHED)
    (tmp_path / "baselines.csv").write_text(BASELINES)
    instances = tmp_path / "instances"
    instances.mkdir()
    small_day.write(instances / "small")
    return instances


def test_days_are_lived_judged_and_told(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["bench-mdrp", "--folder", str(folder), "--out", str(out), "--only", "small"]
    result = CliRunner().invoke(app, [*words, "--seeds", "2", "--leak", "1", "--jobs", "2"])
    assert result.exit_code == 0, result.output
    assert "no leak: " in result.output
    assert "judged by our own rules alone" in result.output
    told = json.loads((out / RESULTS).read_text())
    assert [(one["instance"], one["seed"]) for one in told["runs"]] == [("small", 1), ("small", 2)]
    assert all(one["figures"]["delivered"] == 8 for one in told["runs"])
    assert all(one["slowest_ms"] > 0 and one["faults"] == [] for one in told["runs"])
    assert [one["leak"] is not None for one in told["runs"]].count(True) == 1
    assert told["references"]["published"]["excess"] == pytest.approx(30 * 0.9 + 90 * 0.1 - 20)
    assert told["references"]["greedy"]["excess"] == pytest.approx(25)
    assert told["references"]["elsewhere"] is None
    assert told["better_than_published"] == [1, 1]
    assert {one.name for one in out.glob("small.[12].json")} == {"small.1.json", "small.2.json"}


def test_an_evaluator_that_says_otherwise_is_an_error(folder: Path, tmp_path: Path) -> None:
    evaluator = tmp_path / "strict.py"
    evaluator.write_text("import nowhere")
    found = run(Wanted(folder=folder, out=tmp_path, seeds=1, evaluator=evaluator))
    assert not found.is_clean
    assert "No module named 'nowhere'" in found.runs[0].disagreements[0]


def test_every_figure_that_differs_is_told(folder: Path) -> None:
    judged = judge(mdrp.read(folder / "small"), small_solution.of(small_solution.raw()))
    names = ("mean", "p90")
    told = {
        "feasible": True,
        "violations": 0,
        "delivered": 3,
        "undelivered_pct": 66.6667,
        "click_to_door_mean_all": judged.figures.excess + 10,
        "direct_bound_mean": 10,
        "click_to_door": dict(zip(names, (24.3333, 28.8), strict=True)),
        "click_to_door_overage": dict.fromkeys(names, 0),
        "ready_to_pickup": dict.fromkeys(names, 0.3333),
        "cost_per_order": 21.6667,
        "orders_per_bundle": dict.fromkeys(names, 1.5),
        "over_maximum": 0,
    }
    assert disagreements(judged, told) == ()
    for name in ("violations", "delivered", "undelivered_pct", "cost_per_order", "over_maximum"):
        assert len(disagreements(judged, told | {name: 50})) == 1
    assert len(disagreements(judged, told | {"feasible": False})) == 1
    assert len(disagreements(judged, told | {"click_to_door": None})) == 2
    assert "tells no" in disagreements(judged, {"feasible": True})[0]


def test_the_evaluator_beside_the_instances_agrees(
    folder: Path, tmp_path: Path, instances_folder: Path
) -> None:
    theirs = instances_folder.parent / "evaluate.py"
    (tmp_path / "evaluate.py").write_text(theirs.read_text("utf-8"), "utf-8")
    found = run(Wanted(folder=folder, out=tmp_path / "out", seeds=1, leak=1))
    assert found.is_clean, [(one.disagreements, one.leak) for one in found.runs]


def test_the_largest_days_come_first_and_a_sample_is_cut(folder: Path) -> None:
    small_day.write(folder / "tiny", orders=small_day.ROWS["orders"][:2])
    tasks = plan(Wanted(folder=folder, out=folder, seeds=2, leak=3))
    assert len(tasks) == 4
    assert [one.orders for one in tasks] == sorted((one.orders for one in tasks), reverse=True)
    assert sum(one.run.cut is not None for one in tasks) == 3


def test_what_is_not_there_is_named_with_the_option(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench-mdrp", "--folder", str(tmp_path / "nowhere")])
    assert result.exit_code == 1
    assert "no such folder" in result.output
    assert "--folder" in result.output
    with pytest.raises(BadInstance, match=r"holds no medium; --only .*: small"):
        plan(Wanted(folder=folder, out=tmp_path, only=("small", "medium")))
    with pytest.raises(BadInstance, match="--evaluator"):
        plan(Wanted(folder=folder, out=tmp_path, evaluator=tmp_path / "nothing.py"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BadInstance, match="holds no instances"):
        plan(Wanted(folder=empty, out=tmp_path))
