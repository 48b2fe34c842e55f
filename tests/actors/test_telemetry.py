"""Telemetry: the latest fix wins, and what cannot be true is dropped and counted."""

import math

import pytest
from msgspec.structs import replace

from actors.telemetry import Telemetry
from engine.couriers.fixes import FUTURE_MS_MAX, FixFault
from engine.kernel.ids import CourierId, UserId
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from storage.live import Fix
from tests.builders import NOON

SALEM, NADIA = CourierId(UserId("salem")), CourierId(UserId("nadia"))
SAMPLE_MS = 30 * SECOND_MS


def _fix(at: int = NOON, *, lat: float = 24.7, lng: float = 46.7) -> Fix:
    return Fix(lat=lat, lng=lng, at=at, accuracy_m=5.0)


def _telemetry(*fixes: tuple[CourierId, Fix]) -> Telemetry:
    telemetry = Telemetry(SAMPLE_MS)
    telemetry.report(fixes, expected=lambda _: True, now=NOON)
    return telemetry


def test_the_latest_fix_wins_whatever_order_they_come_in() -> None:
    telemetry = _telemetry(
        (SALEM, _fix(NOON - 3_000)),
        (SALEM, _fix(NOON - 1_000, lat=24.7001)),
        (SALEM, _fix(NOON - 2_000)),
        (SALEM, _fix(NOON - 1_000, lat=24.7002)),
        (NADIA, _fix(NOON - 9_000)),
    )
    newest = telemetry.fix(SALEM)
    assert newest is not None
    assert (newest.at, newest.lat) == (NOON - 1_000, 24.7001)
    assert (telemetry.received, telemetry.dropped) == (5, 2)


@pytest.mark.parametrize(
    "impossible",
    [
        _fix(NOON + FUTURE_MS_MAX + 1),
        _fix(lat=90.1),
        _fix(lat=-90.1),
        _fix(lng=180.1),
        _fix(lng=-180.1),
        _fix(lat=math.nan),
        _fix(lng=math.nan),
        _fix(lat=math.inf),
        _fix(lng=-math.inf),
    ],
)
def test_what_cannot_be_true_is_dropped_and_counted(impossible: Fix) -> None:
    telemetry = _telemetry((SALEM, impossible))
    assert telemetry.fix(SALEM) is None
    assert telemetry.take_moved() == {}
    assert telemetry.take_trail() == []
    assert (telemetry.received, telemetry.dropped) == (1, 1)


def test_what_is_dropped_is_counted_by_its_fault_and_what_is_mocked_too() -> None:
    telemetry = _telemetry(
        (SALEM, _fix(NOON - 5_000)),
        (SALEM, _fix(NOON - 5_000)),
        (SALEM, _fix(NOON - 6_000)),
        (SALEM, _fix(NOON - 4_000, lat=25.0)),
        (SALEM, replace(_fix(NOON - 1_000), is_mock=True)),
    )
    assert telemetry.faults == {
        FixFault.DUPLICATE: 1,
        FixFault.OUT_OF_ORDER: 1,
        FixFault.IMPOSSIBLE_SPEED: 1,
    }
    assert (telemetry.dropped, telemetry.mocked) == (3, 1)


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    assert _telemetry((SALEM, _fix(NOON + FUTURE_MS_MAX))).fix(SALEM) is not None


def test_who_is_not_expected_is_not_followed() -> None:
    telemetry = Telemetry(SAMPLE_MS)
    fixes = [(SALEM, _fix()), (NADIA, _fix())]
    telemetry.report(fixes, expected=lambda one: one == NADIA, now=NOON)
    assert set(telemetry.fixes()) == {NADIA}
    assert telemetry.dropped == 1


def test_the_trail_is_a_sample_of_each_courier() -> None:
    steps = range(NOON - 2 * MINUTE_MS, NOON, SECOND_MS)
    telemetry = _telemetry(*((one, _fix(at)) for at in steps for one in (SALEM, NADIA)))
    trail = telemetry.take_trail()
    for one in (SALEM, NADIA):
        assert [fix.at for fix in trail if fix.courier_id == one] == [*steps][::30]
    assert telemetry.take_trail() == []


def test_only_what_is_new_is_taken() -> None:
    telemetry = _telemetry((SALEM, _fix(NOON - 2)), (NADIA, _fix(NOON - 2)))
    assert set(telemetry.take_moved()) == {SALEM, NADIA}
    telemetry.report([(SALEM, _fix(NOON - 1))], expected=lambda _: True, now=NOON)
    assert telemetry.take_moved() == {SALEM: _fix(NOON - 1)}
    assert telemetry.take_moved() == {}


def test_who_is_forgotten_leaves_nothing_behind() -> None:
    telemetry = _telemetry((SALEM, _fix()), (NADIA, _fix()))
    telemetry.forget(SALEM)
    assert telemetry.fix(SALEM) is None
    assert set(telemetry.take_moved()) == {NADIA}
    telemetry.forget_all_but(lambda one: one == SALEM)
    assert telemetry.fixes() == {}


def test_remembered_fixes_do_not_replace_newer_ones() -> None:
    telemetry = _telemetry((SALEM, _fix(NOON - 1)))
    telemetry.restore({SALEM: _fix(NOON - 5), NADIA: _fix(NOON - 5)})
    assert {one: seen.at for one, seen in telemetry.fixes().items()} == {
        SALEM: NOON - 1,
        NADIA: NOON - 5,
    }
    assert set(telemetry.take_moved()) == {SALEM}
