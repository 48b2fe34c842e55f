"""Many parameter sets on the same days: what each costs, and which no other beats."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from simulations.metrics import BY_NAME, METRICS
from simulations.paired import estimate
from simulations.pareto import Costs, front
from simulations.trials import Lived

LEVEL: Final = 0.95
DEFAULT: Final = "default"


class Difference(Struct, frozen=True, kw_only=True):
    """Against the default, day by day; without bounds where nobody can tell how sure it is."""

    mean: float
    low: float | None
    high: float | None


class Point(Struct, frozen=True, kw_only=True):
    """A parameter set: what it sets, over how many days, and the mean of every metric.

    `against_default` speaks of both axes. A set that was dropped early has fewer days, and one
    without a figure on some day has no mean of it.
    """

    name: str
    sets: dict[str, Any]
    days: int
    means: dict[str, float | None]
    against_default: dict[str, Difference]
    is_on_front: bool = False


class Sweep(Struct, frozen=True, kw_only=True):
    """All sets; `x` and `y` are the metrics that are weighed against each other."""

    days_of: str
    days: int
    x: str
    y: str
    points: tuple[Point, ...]
    faults: tuple[str, ...] = ()

    @property
    def front(self) -> list[Point]:
        """What no other set beats, by `x`."""
        found = [one for one in self.points if one.is_on_front]
        return sorted(found, key=lambda one: (one.means[self.x] or 0.0, one.name))


def swept(
    sets: dict[str, dict[str, Any]],
    lived: Iterable[Lived],
    *,
    days_of: str,
    days: int,
    x: str,
    y: str,
) -> Sweep:
    """Judge trials; the front is taken among the sets that lived all days."""
    by_set: dict[str, dict[int, Lived]] = defaultdict(dict)
    for one in lived:
        by_set[one.name][one.number] = one
    points = [_point(name, sets[name], by_set, (x, y)) for name in sets if name in by_set]
    costs = [(index, costs_of(one.means, x, y)) for index, one in enumerate(points)]
    complete = [(index, cost) for index, cost in costs if cost and points[index].days == days]
    best = {complete[at][0] for at in front([cost for _, cost in complete])}
    return Sweep(
        days_of=days_of,
        days=days,
        x=x,
        y=y,
        points=tuple(
            Point(
                name=one.name,
                sets=one.sets,
                days=one.days,
                means=one.means,
                against_default=one.against_default,
                is_on_front=index in best,
            )
            for index, one in enumerate(points)
        ),
        faults=tuple(
            f"{trial.name}, day {trial.number}: {trial.faults[0]}"
            for trials in by_set.values()
            for trial in trials.values()
            if trial.faults
        ),
    )


def means_of(trials: Sequence[Lived]) -> dict[str, float | None]:
    """The mean of each metric over days; None where a day has no figure."""
    found: dict[str, float | None] = {}
    for metric in METRICS:
        values = [one.metrics[metric.name] for one in trials]
        known = [value for value in values if value is not None]
        found[metric.name] = (
            sum(known) / len(known) if known and len(known) == len(values) else None
        )
    return found


def costs_of(means: dict[str, float | None], x: str, y: str) -> Costs | None:
    """Both axes so that less is better; None where one has no figure."""
    on_x, on_y = (_cost(means[name], name) for name in (x, y))
    return None if on_x is None or on_y is None else (on_x, on_y)


def _cost(value: float | None, name: str) -> float | None:
    return value if value is None or BY_NAME[name].lower_is_better else -value


def _point(
    name: str,
    sets: dict[str, Any],
    by_set: dict[str, dict[int, Lived]],
    axes: tuple[str, str],
) -> Point:
    mine, default = by_set[name], by_set.get(DEFAULT, {})
    return Point(
        name=name,
        sets=sets,
        days=len(mine),
        means=means_of(list(mine.values())),
        against_default={
            axis: found
            for axis in axes
            if name != DEFAULT and (found := _difference(mine, default, axis))
        },
    )


def _difference(
    mine: dict[int, Lived], default: dict[int, Lived], metric: str
) -> Difference | None:
    differences = [
        ours - theirs
        for number in sorted(mine.keys() & default.keys())
        if (ours := mine[number].metrics[metric]) is not None
        and (theirs := default[number].metrics[metric]) is not None
    ]
    if not differences:
        return None
    found = estimate(differences, level=LEVEL)
    has = found.has_interval
    return Difference(
        mean=found.mean, low=found.low if has else None, high=found.high if has else None
    )
