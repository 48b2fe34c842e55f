"""Geofences: nobody is seen to come twice without leaving, and nobody slips through."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.couriers.fixes import Fix
from engine.couriers.geofence import Crossing, FenceEvent, Geofence, Stay, observe
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.kernel.timing import SECOND_MS
from tests.builders import NOON

CENTRE = Point(lat=24.7, lng=46.7)
FENCE = Geofence(centre=CENTRE)
IN, DWELT, OUT = FenceEvent.ENTERED, FenceEvent.DWELT, FenceEvent.LEFT
M = 180 / (EARTH_RADIUS_M * math.pi)


def at(seconds: float, metres: float, *, aside: float = 0.0, accuracy_m: float = 5.0) -> Fix:
    """So far north of the centre, and so far east."""
    lng = CENTRE.lng + aside * M / math.cos(math.radians(CENTRE.lat))
    when = NOON + int(seconds * SECOND_MS)
    return Fix(lat=CENTRE.lat + metres * M, lng=lng, at=when, accuracy_m=accuracy_m)


def walk(*fixes: Fix) -> tuple[Stay | None, list[tuple[FenceEvent, float]]]:
    stay: Stay | None = None
    last: Fix | None = None
    found: list[Crossing] = []
    for fix in fixes:
        stay, crossings = observe(FENCE, stay, last, fix)
        found += crossings
        last = fix
    return stay, [(one.event, (one.at - NOON) / SECOND_MS) for one in found]


@pytest.mark.parametrize(
    ("fixes", "told"),
    [
        ([at(0, 200), at(10, 100)], []),
        ([at(0, 179), at(10, 79)], [(IN, 9.9)]),
        ([at(0, 280), at(10, -120)], [(IN, 5), (OUT, 9)]),
        ([at(0, 280, aside=90), at(10, -120, aside=90)], []),
        ([at(0, 280), at(10, -120, accuracy_m=100)], []),
        ([at(0, 280, accuracy_m=100), at(10, -120)], []),
        ([at(0, 0), at(10, 100), at(20, 90), at(30, 110)], [(IN, 0)]),
        ([at(0, 0), at(10, 160, accuracy_m=60)], [(IN, 0)]),
        ([at(0, 0), at(10, 160)], [(IN, 0), (OUT, 5)]),
        ([at(0, 0, accuracy_m=81)], []),
        ([at(0, 0), at(59, 10), at(61, 0), at(90, 0)], [(IN, 0), (DWELT, 60)]),
        ([at(0, 0), at(200, 160)], [(IN, 0), (DWELT, 60), (OUT, 100)]),
        ([at(0, 1680), at(200, -320)], [(IN, 160), (OUT, 176)]),
    ],
)
def test_what_is_told(fixes: list[Fix], told: list[tuple[FenceEvent, float]]) -> None:
    found = walk(*fixes)[1]
    assert [one for one, _ in found] == [one for one, _ in told]
    assert [when for _, when in found] == pytest.approx([when for _, when in told], abs=0.1)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 90), st.floats(-400, 400), st.floats(-200, 200), st.floats(0, 150)
        ),
        max_size=30,
    )
)
def test_who_comes_dwells_at_most_once_and_leaves_in_that_order_and_in_time(
    steps: list[tuple[int, float, float, float]],
) -> None:
    fixes, now = [], 0
    for seconds, north, east, accuracy_m in steps:
        now += seconds
        fixes.append(at(now, north, aside=east, accuracy_m=accuracy_m))
    stay, found = walk(*fixes)
    story = "".join({IN: "i", DWELT: "d", OUT: "o"}[one] for one, _ in found)
    rest = story.replace("ido", "").replace("io", "")
    assert rest in ({"i", "id"} if stay else {""})
    instants = [when for _, when in found]
    assert instants == sorted(instants)
    assert not instants or instants[-1] <= now
