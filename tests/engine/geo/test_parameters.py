"""What must hold of the bounds of a zone's parameters."""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from engine.geo.bounds import bounds_of, faults_in
from engine.geo.parameters import ZoneParameters

UNBOUNDED: Final = {"travel", "offer_mode"}
BOUNDED: Final = [one for one in ZoneParameters.__struct_fields__ if one not in UNBOUNDED]


def bounds(name: str) -> tuple[int, int]:
    meta = bounds_of(name)
    assert meta is not None
    assert isinstance(meta.ge, int)
    assert isinstance(meta.le, int)
    return meta.ge, meta.le


def with_one(name: str, value: Any) -> ZoneParameters:
    return replace(ZoneParameters(), **{name: value})


def test_a_zone_may_be_run_by_the_defaults() -> None:
    assert faults_in(ZoneParameters()) == []


@pytest.mark.parametrize("name", BOUNDED)
def test_every_parameter_says_what_it_does_and_how_far_it_may_be_turned(name: str) -> None:
    meta = bounds_of(name)
    assert meta is not None
    assert meta.description
    assert meta.description.endswith(".")
    low, high = bounds(name)
    assert low < high
    assert low <= getattr(ZoneParameters(), name) <= high


@pytest.mark.parametrize("name", BOUNDED)
def test_a_parameter_may_be_turned_to_its_bounds_and_no_further(name: str) -> None:
    low, high = bounds(name)
    for inside in (low, high):
        assert faults_in(with_one(name, inside)) == []
    for outside in (low - 1, high + 1):
        assert faults_in(with_one(name, outside)) == [f"{name} must be {low} to {high}"]


def test_every_fault_is_named_in_one_answer() -> None:
    faulty = ZoneParameters(
        tick_s=0, trips_max=7, travel=replace(ZoneParameters().travel, whole_s=0)
    )
    assert faults_in(faulty) == [
        "tick_s must be 1 to 600",
        "trips_max must be 1 to 6",
        "travel.whole_s must be 1 to 600",
    ]


def test_the_travel_profile_names_its_own_faults() -> None:
    assert bounds_of("travel") is None


@pytest.mark.parametrize(("service_s", "leave_s"), [(0, 0), (1, 1), (180, 90), (181, 91)])
def test_half_of_a_visit_comes_after_the_handover(service_s: int, leave_s: int) -> None:
    parameters = ZoneParameters(shop_service_s=service_s, door_service_s=service_s)
    assert parameters.shop_leave_s == parameters.door_leave_s == leave_s
