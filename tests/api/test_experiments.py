"""The commands that try parameters, as their user meets them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from simulations.metrics import BY_NAME
from tests.simulations import small_day


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in words], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def toml(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_two_files_are_compared_on_a_recorded_day(tmp_path: Path) -> None:
    day = small_day.write(tmp_path / "small")
    a, b = toml(tmp_path / "calm.toml", ""), toml(tmp_path / "hasty.toml", "tick_s = 30")
    figures, picture = tmp_path / "c.json", tmp_path / "c.png"
    code, text = run(
        *("compare", a, b, "--folder", day, "--days", 2, "--workers", 1),
        *("--json", figures, "--png", picture),
    )
    assert code == 0, text
    assert "A = calm, B = hasty" in text
    assert "2 days are few" in text
    told = json.loads(figures.read_text("utf-8"))
    assert [one["name"] for one in told["metrics"]] == list(BY_NAME)
    assert told["b_sets"] == {"tick_s": 30}
    assert len(told["lived"]) == 4
    assert picture.stat().st_size > 0


def test_a_sweep_over_a_recorded_day_names_the_front(tmp_path: Path) -> None:
    day = small_day.write(tmp_path / "small")
    out = tmp_path / "sweep"
    code, text = run(
        *("tune", "--parameter", "trips_max=1,4", "--folder", day, "--days", 1),
        *("--workers", 1, "--out", out),
    )
    assert code == 0, text
    assert "What no other of 3 sets beats" in text
    assert "The best of many looks better than it is" in text.replace("\n", " ")
    assert json.loads((out / "sweep.json").read_text("utf-8"))["days"] == 1


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["compare", "A", "B"], "tick_s must be 1 to 600; given is 0", 1),
        (["compare", "B", "B"], "both come to the same parameters", 1),
        (["compare", "B", "nothing.toml"], "No such file", 1),
        (["compare", "B", "C", "--metric", "beauty"], "beauty is not known", 2),
        (["compare", "B", "C", "--city", "atlantis"], "there is no city 'atlantis'", 1),
        (["compare", "B", "C", "--folder", "nowhere"], "nowhere: no such folder", 1),
        (["tune", "--parameter", "tick_s=1..9"], "tick_s: has no step", 1),
        (["tune", "--parameter", "tock_s=1..9:1"], "did you mean tick_s?", 1),
        (["tune", "--parameter", "tick_s=1..2:1", "--y", "beauty"], "beauty is not known", 2),
    ],
)
def test_what_cannot_be_is_told_without_a_trace(
    words: list[str], told: str, code: int, tmp_path: Path
) -> None:
    files = {
        "A": toml(tmp_path / "a.toml", "tick_s = 0"),
        "B": toml(tmp_path / "b.toml", "tick_s = 9"),
        "C": toml(tmp_path / "c.toml", "tick_s = 8"),
    }
    found, text = run(*(files.get(one, one) for one in words))
    assert told in " ".join(text.split()), text
    assert found == code
    assert "Traceback" not in text
