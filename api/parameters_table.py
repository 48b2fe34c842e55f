"""The table of all zone parameters, made from the code."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from msgspec import to_builtins

from engine.geo.bounds import bounds_of
from engine.geo.guard import LOW_IS_BAD, GuardMetric
from engine.geo.parameters import ZoneParameters

_HEAD = """\
# Zone parameters

Made by `hadiyati parameters --write`; do not edit.

Every zone is run by a set of parameters. A set has a version, an author, a reason and a time from
which it acts; it acts from the zone's next tick on, without a restart. How sets are read, changed,
restored and guarded is in [protocol.md](protocol.md), section 5.

| name | unit | default | bounds | meaning | effect of turning it up |
|---|---|---|---|---|---|
"""
_TRAVEL = """
## The travel profile

Travel times are great-circle metres times a detour, driven at a speed by vehicle and hour.

| name | default | meaning |
|---|---|---|
"""
_GUARD = """
## What a guard looks at

A guard is given with a change and takes it back by itself: see [protocol.md](protocol.md).

| metric | over the window | worse is |
|---|---|---|
"""
_METRICS = {
    GuardMetric.CLICK_TO_DOOR_P90_S: "nine of ten orders without a window took at most this long",
    GuardMetric.LATENESS_MEAN_S: "mean seconds after the promise, an order in time counts as 0",
    GuardMetric.LATE_PERCENT: "share of deliveries after the promise",
    GuardMetric.LONG_WAIT_PERCENT: "share of orders that waited `long_wait_s` without a courier",
    GuardMetric.OFFER_ACCEPTANCE_PERCENT: "share of offers taken, of those answered or expired",
}
_TRAVEL_MEANINGS = {
    "detour": "road metres per great-circle metre, 1 to 5",
    "speeds_kmh": "by vehicle on an empty road, 1 to 200 km/h each",
    "hour_factors": "24 factors on the speed, one for each hour, 0.1 to 3",
    "utc_offset_h": "the hours of `hour_factors` are UTC plus this, -12 to 14",
    "whole_s": "times are rounded up to such steps, 1 to 600 s",
}


def table() -> str:
    """All of it as Markdown."""
    return "".join((_HEAD, *_parameters(), _TRAVEL, *_travel(), _GUARD, *_metrics()))


def _parameters() -> Iterator[str]:
    defaults = ZoneParameters()
    for name in ZoneParameters.__struct_fields__:
        meta = bounds_of(name)
        if meta is None:
            continue
        assert meta.extra is not None
        value = getattr(defaults, name)
        bounds = _choices(value) if isinstance(value, StrEnum) else f"{meta.ge} to {meta.le}"
        cells = (f"`{name}`", meta.extra["unit"], f"`{value}`", bounds)
        yield _row(*cells, meta.extra["about"], meta.extra["effect"])


def _travel() -> Iterator[str]:
    profile: dict[str, Any] = to_builtins(ZoneParameters().travel)
    for name, value in profile.items():
        yield _row(f"`travel.{name}`", _short(value), _TRAVEL_MEANINGS[name])


def _metrics() -> Iterator[str]:
    for metric in GuardMetric:
        worse = "lower" if metric in LOW_IS_BAD else "higher"
        yield _row(f"`{metric.value}`", _METRICS[metric], worse)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:g}" for name, number in value.items())
    if isinstance(value, tuple | list):
        return f"{len(value)} × {value[0]:g}"
    return str(value)


def _choices(value: StrEnum) -> str:
    return ", ".join(f"`{one.value}`" for one in type(value))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
