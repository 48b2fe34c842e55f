"""The report of a lived day: a page that stands alone, plots beside it, figures for machines."""

import json
from pathlib import Path

import msgspec
import pytest

from engine.metrics import DEFINITIONS
from simulations.people import LIVELY
from simulations.replay import Lived, live
from simulations.report import facts, write
from simulations.simulate import a_day
from simulations.story import story_of
from simulations.surprises import surprising

PLOTS = {"click_to_door", "waiting", "couriers", "fairness", "offers"}


@pytest.fixture(scope="module")
def lived() -> Lived:
    day = a_day(seed=3, couriers=10, hours=0.3, zones=3)
    return live(surprising(day, LIVELY, seed=3), seed=3, behaviour=LIVELY)


def test_a_report_is_a_page_its_plots_and_its_figures(lived: Lived, tmp_path: Path) -> None:
    page = write(tmp_path / "new" / "report", lived, seed=3)
    found = {one.name for one in page.parent.iterdir()}
    assert found == {"report.html", "report.json", *(f"{one}.png" for one in PLOTS)}
    told = json.loads((page.parent / "report.json").read_text("utf-8"))
    assert told["metrics"]["delivered"] == lived.score.delivered
    text = page.read_text("utf-8")
    assert text.count("data:image/png;base64,") == len(PLOTS)
    assert "http" not in text
    assert all(one.formula[:20] in text for one in DEFINITIONS.values())
    for name in PLOTS:
        assert (page.parent / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_figures_are_the_score_s_and_the_zones_add_up(lived: Lived) -> None:
    told = json.loads(msgspec.json.encode(facts(lived, seed=3)))
    assert told["metrics"]["delivered"] == lived.score.delivered
    assert (told["seed"], told["lost"], told["duplicates"]) == (3, 0, 0)
    zones = [one["metrics"] for one in told["zones"]]
    assert len(zones) == 3
    for name in ("orders", "delivered", "couriers"):
        assert sum(one[name] for one in zones) == told["metrics"][name], name
    assert sum(one["offers"]["made"] for one in zones) == lived.score.offers_made


def test_what_is_drawn_is_what_was_lived(lived: Lived) -> None:
    story = story_of(lived)
    assert len(story.click_to_door_min) == lived.score.delivered
    assert sum(one.orders for one in story.maps) == lived.score.orders
    made = sum(sum(counts) for counts in story.outcomes.values())
    assert made == lived.score.offers_made
    assert max(map(sum, zip(*story.doing.values(), strict=True))) <= 10 + 1e-9
    driven_h = sum(story.doing["driving"]) * 2 / 60
    visits = [one for page in lived.diary.couriers.values() for one in page.visits]
    expected_h = sum(one.arrived_at - one.left_at for one in visits) / 3_600_000
    assert driven_h == pytest.approx(expected_h, rel=0.01)
