"""What is said about two parameter sets, and that they meet the same days."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from simulations.comparison import Compared, Comparison, Side, Verdict, compared
from simulations.metrics import METRICS
from simulations.pictures import draw_comparison
from simulations.trial_days import FolderDays, ToLive
from simulations.trials import Lived, Trial, live, live_all
from tests.simulations import small_day
from tests.simulations.tiny_city import tiny_days

A, B = Side(name="calm", sets={}), Side(name="hasty", sets={"tick_s": 1})
TINY = tiny_days(couriers=6, hours=0.3)


@dataclass(frozen=True)
class Kinds:
    """Days of so many kinds that nobody lives."""

    kinds: int = 1000
    of: str = "days of a test"

    def to_live(self, number: int) -> ToLive:
        raise AssertionError(number)

    def kind(self, number: int) -> int:
        return number % self.kinds


def lived(name: str, number: int, value: float | None, **metrics: float | None) -> Lived:
    told = {one.name: value for one in METRICS} | metrics
    return Lived(name=name, number=number, day="x", orders=9, metrics=told)


def judged(a: list[float | None], b: list[float | None], kinds: int = 1000) -> Comparison:
    trials = [
        lived(side, number, value)
        for side, values in (("a", a), ("b", b))
        for number, value in enumerate(values)
    ]
    return compared(A, B, trials, Kinds(kinds), leading="lateness")


def leading(found: Comparison) -> Compared:
    return next(one for one in found.metrics if one.name == found.leading)


def test_the_better_one_is_named_with_how_much_and_how_sure() -> None:
    found = judged([5, 9, 7, 6, 20, 3], [4, 7.9, 6.2, 5.1, 18.9, 2.1])
    assert found.verdict is Verdict.B_BETTER
    assert found.summary.startswith("hasty is better in lateness: B - A is -0.967 min an order")
    one = leading(found)
    assert one.low is not None
    assert one.high is not None
    assert one.low < -0.967 < one.high < 0
    assert judged([2, 3, 2.1], [5, 6, 5]).verdict is Verdict.A_BETTER


def test_where_nothing_could_be_shown_it_is_said() -> None:
    found = judged([5, 9, 7], [6, 8, 7.5])
    assert found.verdict is Verdict.NOT_SHOWN
    assert found.summary.startswith("No difference in lateness could be shown")
    assert any("3 days are few" in one for one in found.notes)
    assert any("days would show it" in one for one in found.notes)
    same = judged([5, 9], [5, 9])
    assert "it was the same on every day" in same.summary
    assert "One day shows nothing" in judged([5], [4]).notes[0]
    assert judged([None, None], [1, 2]).verdict is Verdict.NO_DATA


def test_only_the_leading_metric_has_an_interval_of_its_own() -> None:
    found = judged([5, 9, 7], [6, 8, 7.5])
    widths = {one.name: (one.high or 0) - (one.low or 0) for one in found.metrics}
    assert all(widths["lateness"] < widths[one] for one in widths if one != "lateness")
    others = [one.level for one in found.metrics if one.name != "lateness"]
    assert others == [pytest.approx(1 - 0.05 / (len(METRICS) - 1))] * len(others)


def test_a_day_without_a_figure_is_left_out_of_that_metric_on_both_sides() -> None:
    found = judged([5, None, 7, 8], [6, 1, None, 7])
    assert leading(found).days == 2
    assert (leading(found).a, leading(found).b) == (6.5, 6.5)


def test_recorded_days_that_come_again_are_no_further_witnesses() -> None:
    found = judged([5, 9, 5, 9], [6, 9.5, 6.2, 9.7], kinds=2)
    assert leading(found).days == 2
    assert leading(found).by_day == pytest.approx((1.1, 0.6))
    assert any("other luck" in one for one in found.notes)
    assert leading(judged([5, 5, 5], [6, 7, 6], kinds=1)).days == 3


def test_both_sets_meet_the_same_day_and_the_same_luck() -> None:
    first, again = (live(TINY, Trial(name=name, number=1, given={})) for name in "ab")
    assert first.metrics == again.metrics
    assert first.orders > 0
    other = live(TINY, Trial(name="a", number=2, given={}))
    assert other.metrics != first.metrics
    changed = live(TINY, Trial(name="b", number=1, given={"door_service_s": 3000, "trips_max": 1}))
    assert changed.orders == first.orders


def test_days_lived_side_by_side_are_the_days_lived_one_by_one(tmp_path: Path) -> None:
    source = FolderDays(folders=(small_day.write(tmp_path / "small"),))
    trials = [Trial(name="a", number=number, given={"tick_s": 30}) for number in range(2)]
    alone = list(live_all(source, trials, workers=1))
    beside = sorted(live_all(source, trials, workers=2), key=lambda one: one.number)

    def told(found: list[Lived]) -> list[Lived]:
        return [msgspec.structs.replace(one, wall_s=0) for one in found]

    assert told(beside) == told(alone)
    assert alone[0].metrics["undelivered"] == pytest.approx(100 / 9)


def test_a_comparison_is_drawn_and_written(tmp_path: Path) -> None:
    found = judged([5, 9, 7, None], [6, 8, 7.5, 2])
    draw_comparison(found, tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found
