"""What must hold of a guard: what it may say, and when it has seen enough."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.guard import LOW_IS_BAD, Guard, GuardMetric, Measured, breach, faults_in_guard

M = GuardMetric


def a_guard(metric: GuardMetric = M.CLICK_TO_DOOR_P90_S, **fields: Any) -> Guard:
    return Guard(metric=metric, **{"bound": 3600.0, "samples_min": 10, **fields})


def measured(value: float, samples: int = 10) -> Measured:
    return Measured(value=value, samples=samples)


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({}, []),
        ({"bound": None, "worse_by_percent": 20}, []),
        ({"bound": None}, ["guard needs a bound or worse_by_percent"]),
        ({"bound": -1.0}, ["guard.bound must be 0 to 1e+06"]),
        ({"worse_by_percent": 0}, ["guard.worse_by_percent must be 1 to 1000"]),
        ({"window_s": 59}, ["guard.window_s must be 60 to 86400"]),
        ({"samples_min": 0}, ["guard.samples_min must be 1 to 5000"]),
        ({"deadline_s": 604_801}, ["guard.deadline_s must be 60 to 604800"]),
        ({"long_wait_s": 29}, ["guard.long_wait_s must be 30 to 7200"]),
    ],
)
def test_every_fault_of_a_guard_is_named(fields: dict[str, Any], faults: list[str]) -> None:
    assert faults_in_guard(a_guard(**fields)) == faults


def test_no_guard_has_no_faults() -> None:
    assert faults_in_guard(None) == []


@pytest.mark.parametrize(
    ("metric", "bound", "value", "falls"),
    [
        (M.CLICK_TO_DOOR_P90_S, 3600.0, 3600.0, False),
        (M.CLICK_TO_DOOR_P90_S, 3600.0, 3600.1, True),
        (M.OFFER_ACCEPTANCE_PERCENT, 50.0, 50.0, False),
        (M.OFFER_ACCEPTANCE_PERCENT, 50.0, 49.9, True),
    ],
)
def test_beyond_the_bound_is_a_breach(
    metric: GuardMetric, bound: float, value: float, *, falls: bool
) -> None:
    said = breach(a_guard(metric, bound=bound), measured(value), None)
    assert bool(said) is falls
    assert not falls or (metric.value in said and f"{bound:g}" in said)


def test_worse_by_more_than_was_allowed_is_a_breach() -> None:
    guard = a_guard(bound=None, worse_by_percent=20)
    assert breach(guard, measured(1200.0), measured(1000.0)) == ""
    assert "worse by more than 20 %" in breach(guard, measured(1200.5), measured(1000.0))
    # Nothing to compare with, or too little of it, is no verdict.
    assert breach(guard, measured(9999.0), None) == ""
    assert breach(guard, measured(9999.0), measured(1000.0, samples=9)) == ""


def test_of_nothing_a_second_is_not_infinitely_more() -> None:
    guard = a_guard(M.LATENESS_MEAN_S, bound=None, worse_by_percent=100)
    assert breach(guard, measured(2.0), measured(0.0)) == ""
    assert breach(guard, measured(2.1), measured(0.0)) != ""


@given(st.sampled_from(GuardMetric), st.floats(0, 1e6), st.integers(0, 9))
def test_too_few_samples_are_never_a_breach(
    metric: GuardMetric, value: float, samples: int
) -> None:
    guard = a_guard(metric, bound=0.0, worse_by_percent=1)
    assert breach(guard, measured(value, samples), measured(1e6)) == ""


@given(
    st.sampled_from(GuardMetric),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 1000),
)
def test_what_is_worse_than_a_breach_is_a_breach(
    metric: GuardMetric, value: float, other: float, before: float, percent: int
) -> None:
    guard = a_guard(metric, bound=None, worse_by_percent=percent)
    better, worse = sorted((value, other), reverse=metric in LOW_IS_BAD)
    if breach(guard, measured(better), measured(before)):
        assert breach(guard, measured(worse), measured(before))
