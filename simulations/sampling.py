"""Which parameter sets a sweep tries: a whole grid, or points spread evenly over the ranges."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import to_builtins

from engine.geo.parameters import ZoneParameters
from simulations.parameter_files import BadParameters, faults_of

POINTS_MAX: Final = 5000
_FAULTS_MAX: Final = 3
_FORM: Final = "write it as NAME=low..high, NAME=low..high:step or NAME=one,another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The values that one parameter may take: listed, or evenly from `low` to `high`.

    `name` may lead into a table, as in `travel.detour`. Without a `step` there is no list.
    """

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    is_whole: bool = True

    def at(self, share: float) -> Any:  # noqa: ANN401 - whatever the parameter is
        """The value that lies so far along the range; `share` is at least 0 and below 1."""
        if self.values:
            return self.values[int(share * len(self.values))]
        if self.is_whole:
            return int(self.low) + int(share * (int(self.high) - int(self.low) + 1))
        return self.low + share * (self.high - self.low)


def read_range(written: str) -> Range:
    """A range as the command line has it; raises BadParameters."""
    name, equals, values = written.partition("=")
    if not equals or not values:
        raise BadParameters(written, [_FORM])
    found = _spanned(name, values) if ".." in values else _listed(name, values)
    # Between two ends that may be, everything may be.
    ends = [found.at(0), found.at(math.nextafter(1, 0))] if ".." in values else found.values
    if faults := [fault for one in ends for fault in faults_of(nested({name: one}))]:
        raise BadParameters(written, list(dict.fromkeys(faults))[:_FAULTS_MAX])
    return found


def grid(ranges: Sequence[Range]) -> list[dict[str, Any]]:
    """Every combination; raises BadParameters where a range has no list or they are too many."""
    for one in ranges:
        if not one.values:
            fault = "has no step, so there is no grid: add :step, or say how many --points"
            raise BadParameters(one.name, [fault])
    count = math.prod(len(one.values) for one in ranges)
    if count > POINTS_MAX:
        raise BadParameters("the grid", [f"has {count} points, {POINTS_MAX} are allowed"])
    return [
        nested(dict(zip((one.name for one in ranges), values, strict=True)))
        for values in itertools.product(*(one.values for one in ranges))
    ]


def spread_evenly(ranges: Sequence[Range], count: int, *, seed: int) -> list[dict[str, Any]]:
    """At most so many different points: a scrambled Sobol sequence (Owen 1998, ACM TOMACS 8)."""
    from scipy.stats import qmc  # noqa: PLC0415 - takes a second to load

    sobol = qmc.Sobol(len(ranges), rng=seed)
    shares = sobol.random_base2(max(0, math.ceil(math.log2(count))))[:count]
    points = [
        nested({one.name: one.at(float(share)) for one, share in zip(ranges, row, strict=True)})
        for row in shares
    ]
    return [one for number, one in enumerate(points) if one not in points[:number]]


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Names with points in them as tables."""
    found: dict[str, Any] = {}
    for name, value in flat.items():
        table, *rest = name.split(".", 1)
        if rest:
            found.setdefault(table, {}).update(nested({rest[0]: value}))
        else:
            found[name] = value
    return found


def flat(given: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    """Tables as names with points in them."""
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _spanned(name: str, values: str) -> Range:
    ends, colon, step = values.partition(":")
    try:
        low, high = (float(one) for one in ends.split(".."))
        wide = float(step) if colon else 0.0
    except ValueError:
        raise BadParameters(f"{name}={values}", [_FORM]) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or (colon and not wide > 0):
        fault = "the low end must be below the high end, and the step above 0"
        raise BadParameters(f"{name}={values}", [fault])
    is_whole = isinstance(dict(flat(to_builtins(ZoneParameters()))).get(name), int)
    steps = math.floor((high - low) / wide + 1e-9) if colon else 0
    if steps >= POINTS_MAX:
        raise BadParameters(f"{name}={values}", [f"has {steps + 1} values, too many"])
    listed = [low + wide * number for number in range(steps + 1)] if colon else []
    return Range(
        name=name,
        values=tuple(int(one) if is_whole and one.is_integer() else one for one in listed),
        low=low,
        high=high,
        is_whole=is_whole,
    )


def _listed(name: str, values: str) -> Range:
    return Range(name=name, values=tuple(_value(one.strip()) for one in values.split(",")))


def _value(written: str) -> Any:  # noqa: ANN401 - whatever the parameter is
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written
