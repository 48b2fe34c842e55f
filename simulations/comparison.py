"""Which of two parameter sets is better, by how much, and how sure that is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from simulations.metrics import BY_NAME, METRICS, Metric
from simulations.paired import Estimate, estimate, one_of_many
from simulations.trial_days import Source
from simulations.trials import Lived

LEVEL: Final = 0.95
FEW_DAYS: Final = 10


class Verdict(StrEnum):
    """What could be shown."""

    A_BETTER = "a_better"
    B_BETTER = "b_better"
    NOT_SHOWN = "not_shown"
    NO_DATA = "no_data"


class Compared(Struct, frozen=True, kw_only=True):
    """One metric of both sets over the same days; `low` to `high` holds the mean of B - A.

    `by_day` is B - A of each witness: one day, or the mean of the days that differ only by luck.
    Means, difference and bounds are None where there is nothing to say.
    """

    name: str
    label: str
    unit: str
    lower_is_better: bool
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    level: float
    days: int
    days_needed: int | None
    verdict: Verdict
    by_day: tuple[float, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """Two parameter sets on the same days. `leading` is the metric that was to decide."""

    a: str
    b: str
    a_sets: Mapping[str, Any]
    b_sets: Mapping[str, Any]
    days_of: str
    days: int
    leading: str
    verdict: Verdict
    summary: str
    notes: tuple[str, ...]
    metrics: tuple[Compared, ...]
    lived: tuple[Lived, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no day contradicted itself."""
        return not any(one.faults for one in self.lived)


class Side(Struct, frozen=True, kw_only=True):
    """A parameter set: what it is called, and what it sets."""

    name: str
    sets: Mapping[str, Any]


def compared(
    a: Side,
    b: Side,
    lived: Iterable[Lived],
    source: Source,
    *,
    leading: str,
    level: float = LEVEL,
) -> Comparison:
    """Judge trials of which every day has one named `a` and one named `b`.

    The leading metric, chosen before, has an interval of `level` of its own; the others have
    intervals that hold all together at that level (Bonferroni), since among many metrics one looks
    different by chance.
    """
    trials = tuple(sorted(lived, key=lambda one: (one.number, one.name)))
    others = one_of_many(level, len(METRICS) - 1)
    metrics = tuple(
        _compare(one, _pairs(trials, one), source, level if one.name == leading else others)
        for one in METRICS
    )
    decisive = next(one for one in metrics if one.name == leading)
    return Comparison(
        a=a.name,
        b=b.name,
        a_sets=a.sets,
        b_sets=b.sets,
        days_of=source.of,
        days=len({one.number for one in trials}),
        leading=leading,
        verdict=decisive.verdict,
        summary=_summary(a, b, decisive, metrics),
        notes=tuple(_notes(decisive, trials, source, others, level)),
        metrics=metrics,
        lived=trials,
    )


Pair = tuple[int, float, float]


def _pairs(trials: Sequence[Lived], metric: Metric) -> list[Pair]:
    """The number of each day, A and B on it; a day that has no figure for one is left out."""
    sides: dict[int, dict[str, float | None]] = defaultdict(dict)
    for one in trials:
        sides[one.number][one.name] = one.metrics[metric.name]
    return [
        (number, day["a"], day["b"])
        for number, day in sides.items()
        if day["a"] is not None and day["b"] is not None
    ]


def _compare(metric: Metric, pairs: Sequence[Pair], source: Source, level: float) -> Compared:
    by_kind: dict[int, list[float]] = defaultdict(list)
    kinds = {source.kind(number) for number, _, _ in pairs}
    for number, a, b in pairs:
        # One recorded day alone can only tell of luck; of several, each is one witness.
        by_kind[source.kind(number) if len(kinds) > 1 else number].append(b - a)
    differences = tuple(_mean(one) for one in by_kind.values())
    found = estimate(differences, level=level) if differences else None
    return Compared(
        name=metric.name,
        label=metric.label,
        unit=metric.unit,
        lower_is_better=metric.lower_is_better,
        a=_mean([a for _, a, _ in pairs]) if pairs else None,
        b=_mean([b for _, _, b in pairs]) if pairs else None,
        difference=found.mean if found else None,
        low=found.low if found and found.has_interval else None,
        high=found.high if found and found.has_interval else None,
        level=level,
        days=len(differences),
        days_needed=found.pairs_needed if found else None,
        verdict=_verdict(metric, found),
        by_day=differences,
    )


def _verdict(metric: Metric, found: Estimate | None) -> Verdict:
    if found is None:
        return Verdict.NO_DATA
    if not found.is_shown:
        return Verdict.NOT_SHOWN
    return Verdict.B_BETTER if (found.mean < 0) == metric.lower_is_better else Verdict.A_BETTER


def _summary(a: Side, b: Side, decisive: Compared, metrics: Sequence[Compared]) -> str:
    told = [_sentence(a, b, decisive)]
    shown = [one for one in metrics if one is not decisive and _is_shown(one)]
    if shown:
        told.append("Also shown: " + "; ".join(_words(a, b, one) for one in shown) + ".")
    elif _is_shown(decisive):
        told.append("No other difference could be shown.")
    return " ".join(told)


def _sentence(a: Side, b: Side, one: Compared) -> str:
    match one.verdict:
        case Verdict.NO_DATA:
            return f"Nothing can be said: no day has a figure for {one.label} under both sets."
        case Verdict.NOT_SHOWN if one.difference == 0 and one.low == 0:
            return f"No difference in {one.label} could be shown: it was the same on every day."
        case Verdict.NOT_SHOWN:
            return f"No difference in {one.label} could be shown: {_interval(one)}."
        case _:
            better = a.name if one.verdict is Verdict.A_BETTER else b.name
            return f"{better} is better in {one.label}: {_interval(one)}."


def _words(a: Side, b: Side, one: Compared) -> str:
    better = a.name if one.verdict is Verdict.A_BETTER else b.name
    return f"{better} is better in {one.label} ({_interval(one)})"


def _interval(one: Compared) -> str:
    assert one.difference is not None
    if one.low is None or one.high is None:
        return f"B - A is {one.difference:+.3g} {one.unit}, and how sure that is cannot be told"
    return (
        f"B - A is {one.difference:+.3g} {one.unit}, "
        f"{_percent(one.level)} interval {one.low:+.3g} to {one.high:+.3g}"
    )


def _notes(
    decisive: Compared,
    trials: Sequence[Lived],
    source: Source,
    others: float,
    level: float,
) -> Iterable[str]:
    if decisive.days == 1:
        yield "One day shows nothing: at least two are needed for an interval."
    elif decisive.days < FEW_DAYS:
        yield f"{decisive.days} days are few, so the intervals are wide."
    if decisive.days_needed is not None:
        yield (
            f"If difference and scatter stay as they are, {decisive.days_needed} days "
            f"would show it in {decisive.label}."
        )
    yield (
        f"{BY_NAME[decisive.name].label} was to decide, at {_percent(level)}; the other intervals "
        f"({_percent(others)} each) hold all together at {_percent(level)}."
    )
    days = len({one.number for one in trials})
    kinds = len({source.kind(one.number) for one in trials})
    if kinds == 1 and days > 1:
        yield (
            f"All {days} are the same hours with other luck of people, "
            "so the intervals speak of these hours only."
        )
    elif kinds < days:
        yield f"The {days} days are {kinds} recorded days with other luck; each counts once."
    faulty = [one for one in trials if one.faults]
    if faulty:
        yield f"{len(faulty)} days contradict themselves ({faulty[0].faults[0]}): trust nothing."


def _is_shown(one: Compared) -> bool:
    return one.verdict in {Verdict.A_BETTER, Verdict.B_BETTER}


def _percent(level: float) -> str:
    return f"{100 * level:.3g} %"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
