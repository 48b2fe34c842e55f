"""A sweep: tried on the same days, taken up again, and judged."""

from pathlib import Path

import msgspec
import pytest

from simulations import trials
from simulations.finished import FILE, Finished, OtherSweep
from simulations.metrics import METRICS
from simulations.parameter_files import read
from simulations.pictures import draw_sweep
from simulations.sampling import read_range
from simulations.sweep import DEFAULT, Sweep, swept
from simulations.trials import Lived
from simulations.tune import run, sets_of
from tests.simulations.tiny_city import tiny_days

TINY = tiny_days(couriers=4, hours=0.25)


def lived(name: str, number: int, x: float | None, y: float, *faults: str) -> Lived:
    metrics = dict.fromkeys((one.name for one in METRICS), 1.0) | {"road": x, "lateness": y}
    return Lived(name=name, number=number, day="d", orders=1, metrics=metrics, faults=faults)


def judged(told: list[Lived], days: int = 2) -> Sweep:
    sets: dict[str, dict[str, object]] = {one.name: {} for one in told}
    return swept(sets, told, days_of="days", days=days, x="road", y="lateness")


def a_sweep(folder: Path) -> Sweep:
    sets = sets_of([read_range("trips_max=1,3")], {"tick_s": 60}, points=None, seed=1)
    return run(sets, TINY, days=1, halving=False, x="road", y="lateness", workers=1, out=folder)


def test_the_front_is_what_no_set_beats_on_all_days() -> None:
    found = judged(
        [
            *(lived(DEFAULT, day, 5, 5) for day in range(2)),
            *(lived("late", day, 3, 8 + day) for day in range(2)),
            *(lived("dear", day, 9, 1) for day in range(2)),
            *(lived("worse", day, 6, 6) for day in range(2)),
            lived("half", 0, 1, 1),
            *(lived("blind", day, None, 0) for day in range(2)),
        ]
    )
    assert [one.name for one in found.front] == ["late", DEFAULT, "dear"]
    late = found.front[0]
    assert late.means["lateness"] == 8.5
    against = late.against_default["lateness"]
    assert against.mean == 3.5
    assert against.low is not None
    assert against.low < 3.5
    # Two days less by exactly the same: nobody knows the scatter.
    assert late.against_default["road"].low is None
    blind = next(one for one in found.points if one.name == "blind")
    assert blind.means["road"] is None


def test_a_day_that_contradicts_itself_is_told() -> None:
    found = judged([lived(DEFAULT, 0, 1, 1, "delivered twice")], days=1)
    assert found.faults == ("default, day 0: delivered twice",)


def test_a_sweep_leaves_all_it_found(tmp_path: Path) -> None:
    found = a_sweep(tmp_path)
    assert [one.name for one in found.points] == [DEFAULT, "p1", "p2"]
    assert {one.days for one in found.points} == {1}
    written = msgspec.json.decode((tmp_path / "sweep.json").read_bytes(), type=Sweep)
    assert written == found
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")
    for one in found.front:
        assert read(tmp_path / f"{one.name}.toml") == one.sets


def test_a_sweep_is_taken_up_where_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = a_sweep(tmp_path)
    file = tmp_path / FILE
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    # Killed in the middle of the last trial's line.
    file.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    again = a_sweep(tmp_path)
    assert again.points == first.points
    assert len(file.read_bytes().splitlines()) == len(lines)
    # With all of them finished, nothing is lived at all.
    monkeypatch.setattr(trials, "live", lambda *_: pytest.fail("lived again"))
    assert a_sweep(tmp_path).points == first.points


def test_trials_of_other_days_are_not_mixed_in(tmp_path: Path) -> None:
    Finished(tmp_path, "these days")
    with pytest.raises(OtherSweep, match="choose another --out"):
        Finished(tmp_path, "other days")
    with pytest.raises(OtherSweep):
        a_sweep(tmp_path)


def test_halving_gives_more_days_to_the_better_sets(tmp_path: Path) -> None:
    sets = sets_of([read_range("trips_max=1,3")], {}, points=None, seed=1)
    found = run(sets, TINY, days=2, halving=True, x="road", y="lateness", workers=1, out=tmp_path)
    days = {one.name: one.days for one in found.points}
    assert days[DEFAULT] == 2
    assert sorted(days.values()) == [1, 2, 2]
    assert {one.name for one in found.front} <= {name for name, wide in days.items() if wide == 2}


def test_a_picture_is_drawn_of_whatever_was_found(tmp_path: Path) -> None:
    none: list[Lived] = []
    for told in (none, [lived("blind", 0, None, 1)], [lived(DEFAULT, 0, 1, 1)]):
        draw_sweep(judged(told, days=1), tmp_path / "p.png")
        assert (tmp_path / "p.png").stat().st_size > 0
