"""A guard: the promise, given with new parameters, to go back by itself when they do harm."""

from enum import StrEnum
from typing import Annotated, Final, get_args, get_type_hints

from msgspec import Meta, Struct

from engine.kernel.timing import SECOND_MS, Instant


class GuardMetric(StrEnum):
    """What a guard looks at."""

    CLICK_TO_DOOR_P90_S = "click_to_door_p90_s"
    LATENESS_MEAN_S = "lateness_mean_s"
    LATE_PERCENT = "late_percent"
    LONG_WAIT_PERCENT = "long_wait_percent"
    OFFER_ACCEPTANCE_PERCENT = "offer_acceptance_percent"


LOW_IS_BAD: Final = frozenset({GuardMetric.OFFER_ACCEPTANCE_PERCENT})


class Guard(Struct, frozen=True, kw_only=True):
    """When the metric falls off the cliff, the parameters that acted before act again.

    The cliff is `bound`, or `worse_by_percent` against an equally long time before the parameters
    came into force, or whichever comes first. It is looked for in the last `window_s`, once that
    has `samples_min` samples, until `deadline_s` after they came into force; afterwards they stay.
    """

    metric: GuardMetric
    bound: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    worse_by_percent: Annotated[int, Meta(ge=1, le=1000)] | None = None
    window_s: Annotated[int, Meta(ge=60, le=86_400)] = 1800
    samples_min: Annotated[int, Meta(ge=1, le=5000)] = 20
    deadline_s: Annotated[int, Meta(ge=60, le=604_800)] = 7200
    long_wait_s: Annotated[
        int, Meta(ge=30, le=7200, description="From when on an order has waited long.")
    ] = 600

    def is_due(self, since: Instant, now: Instant) -> bool:
        """Whether it still looks at parameters that are in force since then."""
        return now <= since + self.deadline_s * SECOND_MS


class Measured(Struct, frozen=True, kw_only=True):
    """A metric and from how many samples it is."""

    value: float
    samples: int


def faults_in_guard(guard: Guard | None) -> list[str]:
    """What is out of bounds, as sentences."""
    if guard is None:
        return []
    faults = [
        f"guard.{name} must be {meta.ge:g} to {meta.le:g}"
        for name, meta in _BOUNDS.items()
        if (value := getattr(guard, name)) is not None
        and not float(meta.ge or 0) <= value <= float(meta.le or 0)
    ]
    if guard.bound is None and guard.worse_by_percent is None:
        faults.append("guard needs a bound or worse_by_percent")
    return faults


def breach(guard: Guard, now: Measured, before: Measured | None) -> str:
    """What is so bad that the parameters must go, as a sentence; empty while it is not."""
    if now.samples < guard.samples_min:
        return ""
    told = f"{guard.metric.value} is {now.value:.1f} ({now.samples} samples)"
    if guard.bound is not None and _is_worse(guard, now.value, guard.bound):
        return f"{told}, the bound is {guard.bound:g}"
    if guard.worse_by_percent is None or before is None or before.samples < guard.samples_min:
        return ""
    if _is_worse(guard, now.value, _cliff(guard, before.value)):
        return f"{told}, it was {before.value:.1f}: worse by more than {guard.worse_by_percent} %"
    return ""


def _is_worse(guard: Guard, value: float, cliff: float) -> bool:
    return value < cliff if guard.metric in LOW_IS_BAD else value > cliff


def _cliff(guard: Guard, before: float) -> float:
    """Of nothing there is no percentage, so that less than one counts as one."""
    assert guard.worse_by_percent is not None
    share = guard.worse_by_percent / 100
    return before * (1 - share) if guard.metric in LOW_IS_BAD else max(before, 1.0) * (1 + share)


def _bounds() -> dict[str, Meta]:
    hints = get_type_hints(Guard, include_extras=True)
    found = {}
    for name, hint in hints.items():
        for one in (hint, *get_args(hint)):
            metas = [meta for meta in get_args(one) if isinstance(meta, Meta)]
            if metas:
                found[name] = metas[0]
    return found


_BOUNDS: Final = _bounds()
