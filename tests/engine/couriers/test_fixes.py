"""Fixes: whatever a phone sends, what is believed goes forward in time and at a possible speed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.fixes import (
    ACCURACY_M_MAX,
    FUTURE_MS_MAX,
    STALE_MS,
    VAGUE_MS,
    Fix,
    FixFault,
    Track,
    follow,
    is_reachable,
)
from engine.kernel.timing import SECOND_MS
from tests.builders import NOON

HERE = Fix(lat=24.7, lng=46.7, at=NOON, accuracy_m=5.0)
KM = 1 / 111.2


def later(seconds: float, *, km: float = 0.0, accuracy_m: float = 5.0) -> Fix:
    """A fix so many seconds after the first, so far north of it."""
    at = NOON + int(seconds * SECOND_MS)
    return replace(HERE, at=at, lat=24.7 + km * KM, accuracy_m=accuracy_m)


@pytest.mark.parametrize(
    ("fix", "fault"),
    [
        (later(4), None),
        (later(4, km=0.2), None),
        (later(4, km=0.5), FixFault.IMPOSSIBLE_SPEED),
        (later(0), FixFault.DUPLICATE),
        (later(-1), FixFault.OUT_OF_ORDER),
        (later(4, accuracy_m=150), FixFault.INACCURATE),
        (later(VAGUE_MS / SECOND_MS, accuracy_m=150), None),
        (later(400, accuracy_m=ACCURACY_M_MAX + 1), FixFault.INACCURATE),
        (later(4, accuracy_m=-1), FixFault.INACCURATE),
        (later(4, accuracy_m=math.nan), FixFault.INACCURATE),
        (later(4 + (FUTURE_MS_MAX + 1) / SECOND_MS), FixFault.FUTURE),
        (replace(later(4), lat=90.1), FixFault.OFF_EARTH),
        (replace(later(4), lng=math.nan), FixFault.OFF_EARTH),
        (replace(later(4), is_mock=True), None),
    ],
)
def test_each_fault_has_its_name(fix: Fix, fault: FixFault | None) -> None:
    now = max(NOON + 4_000, min(fix.at, NOON + 400_000) if fault is not FixFault.FUTURE else 0)
    track, found = follow(Track(newest=HERE), fix, now=now)
    assert found is fault
    assert track is not None
    assert track.newest == (HERE if fault else fix)


def test_what_was_recorded_long_ago_does_not_say_where_he_is() -> None:
    assert follow(None, HERE, now=NOON + STALE_MS) == (Track(newest=HERE), None)
    assert follow(None, HERE, now=NOON + STALE_MS + 1) == (None, FixFault.STALE)


def test_two_that_agree_are_believed_against_one() -> None:
    far, farther = later(4, km=50), later(8, km=50.1)
    track, fault = follow(Track(newest=HERE), far, now=NOON + 8_000)
    assert fault is FixFault.IMPOSSIBLE_SPEED
    assert follow(track, farther, now=NOON + 8_000) == (Track(newest=farther), None)
    back = later(8, km=0.1)
    assert follow(track, back, now=NOON + 8_000) == (Track(newest=back), None)


@given(
    st.lists(
        st.tuples(st.integers(-60, 60), st.floats(-3, 3), st.sampled_from([0.0, 5.0, 80.0, 300.0])),
        max_size=30,
    )
)
def test_what_is_believed_goes_forward_and_is_reachable_or_confirmed(
    said: list[tuple[int, float, float]],
) -> None:
    track: Track | None = None
    for seconds, km, accuracy_m in said:
        before, fix = track, later(seconds, km=km, accuracy_m=accuracy_m)
        track, fault = follow(track, fix, now=NOON)
        if fault is None:
            assert track == Track(newest=fix)
            assert before is None or before.newest.at < fix.at
            from_where = before and [before.newest, before.doubted]
            assert before is None or any(
                one is not None and is_reachable(one, fix) for one in from_where or ()
            )
        else:
            assert (track and track.newest) == (before and before.newest)
