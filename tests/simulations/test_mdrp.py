"""Reading recorded days, and laying their plane on the earth."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.bounds import faults_in
from engine.geo.cells import cell_at
from engine.geo.travel import GreatCircle, Points, VehicleKind
from engine.kernel.timing import MINUTE_MS
from simulations import mdrp
from simulations.mdrp import BadInstance, Plane, Spot
from tests.simulations import small_day

CAR = VehicleKind.CAR
START = 1_767_571_200_000


@pytest.fixture
def small(tmp_path: Path) -> mdrp.Instance:
    return mdrp.read(small_day.write(tmp_path / "small"))


def test_a_folder_is_read_as_it_stands(small: mdrp.Instance) -> None:
    assert small.name == "small"
    assert small.restaurants["r2"] == Spot(3200, 1000)
    assert small.terms.metres_per_minute == 320
    assert [one.name for one in small.couriers] == ["c1", "c2", "c3"]
    first = small.orders[0]
    assert (first.name, first.placed, first.restaurant, first.ready) == ("o1", 5, "r1", 15)


def test_travel_is_rounded_up_to_whole_minutes(small: mdrp.Instance) -> None:
    assert small.travel_minutes(Spot(0, 0), Spot(0, 0)) == 0
    assert small.travel_minutes(Spot(0, 0), Spot(320, 0)) == 1
    assert small.travel_minutes(Spot(0, 0), Spot(320.5, 0)) == 2


def test_an_order_that_is_ready_after_the_last_shift_is_undeliverable(
    small: mdrp.Instance,
) -> None:
    assert small.undeliverable() == small_day.UNDELIVERABLE


@pytest.mark.parametrize(
    ("file", "rows", "message"),
    [
        ("orders", ("o1\t1\t2\t5\tr1",), r"orders\.txt:2: 5 columns, 6 are expected"),
        ("orders", ("o1\t1\t2\t5\tr9\t6",), r"orders\.txt:2: there is no restaurant r9"),
        ("orders", ("o1\t1\t2\t5\tr1\t4",), r"orders\.txt:2: o1 is ready before it is placed"),
        ("orders", ("o1\t1\tnan\t5\tr1\t6",), r"orders\.txt:2: 'nan' is not a finite number"),
        ("orders", ("o1\t1\t2\tfive\tr1\t6",), r"orders\.txt:2: 'five' is not a number"),
        ("restaurants", ("r1\t1\t2", "", "r1\t1\t2"), r"restaurants\.txt:4: r1 is listed twice"),
        ("couriers", ("c1\t1\t2\t9\t9",), r"couriers\.txt:2: the shift of c1 ends before"),
        ("instance_parameters", (), r"0 rows of parameters, one is expected"),
        ("instance_parameters", ("0\t4\t4\t40\t90\t10\t15",), r"the speed must be above 0"),
    ],
)
def test_a_fault_names_file_and_line(
    tmp_path: Path, file: str, rows: tuple[str, ...], message: str
) -> None:
    folder = small_day.write(tmp_path / "bad", **{file: rows})
    with pytest.raises(BadInstance, match=message):
        mdrp.read(folder)


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInstance, match="no such folder"):
        mdrp.read(tmp_path / "nowhere")
    folder = small_day.write(tmp_path / "half")
    (folder / "couriers.txt").unlink()
    with pytest.raises(BadInstance, match=r"couriers\.txt: No such file"):
        mdrp.read(folder)


def test_a_day_speaks_of_instants_and_degrees(small: mdrp.Instance) -> None:
    day = mdrp.day(small, starts_at=START, centre_lng=3.0)
    assert day.starts_at == START
    assert day.orders[0].placed_at == START + 5 * MINUTE_MS
    assert day.orders[0].shop.notes == "o1"
    assert day.couriers[2].on_at == START + 10 * MINUTE_MS
    assert day.couriers[2].off_at == mdrp.minute_0(START) + 60 * MINUTE_MS
    assert day.shop_service_ms == day.door_service_ms == 4 * MINUTE_MS
    assert faults_in(day.zone.parameters) == []
    covered = set(day.zone.cells)
    places = [one.door.point for one in day.orders] + [one.start for one in day.couriers]
    assert all(cell_at(one, mdrp.ZONE_RESOLUTION) in covered for one in places)
    assert all(abs(one.lat) < 0.1 and abs(one.lng - 3.0) < 0.1 for one in places)
    assert [one.name for one in day.zone.shops] == list(small.restaurants)
    assert {one.shop.point for one in day.orders} <= {one.point for one in day.zone.shops}


def test_the_world_s_travel_times_are_the_instance_s_own(small: mdrp.Instance) -> None:
    plane = Plane(small, centre_lng=40.0)
    for a in plane.spots:
        for b in plane.spots:
            ms = plane.travel_ms(plane.point(a), plane.point(b), vehicle=CAR, at=START)
            assert ms == small.travel_minutes(a, b) * MINUTE_MS


@given(
    x=st.floats(0, 55_000, allow_nan=False),
    y=st.floats(0, 55_000, allow_nan=False),
    centre_lng=st.integers(-169, 169),
)
def test_metres_survive_the_way_through_degrees(x: float, y: float, centre_lng: int) -> None:
    instance = mdrp.Instance(
        name="corners",
        terms=mdrp.Terms(
            metres_per_minute=320, pickup_minutes=4, dropoff_minutes=4, target_minutes=40
        ),
        restaurants={"r1": Spot(0, 0), "r2": Spot(55_000, 55_000)},
        orders=(),
        couriers=(),
    )
    plane = Plane(instance, centre_lng=float(centre_lng))
    back = plane.spot(plane.point(Spot(x, y)))
    assert math.hypot(back.x - x, back.y - y) < 2e-4


@pytest.mark.parametrize("name", ["0o50t100s2p125", "4o50t75s1p125"])
def test_the_service_s_travel_times_are_the_instance_s_but_for_a_hair(
    instances_folder: Path, name: str
) -> None:
    """All pairs: equal, or the distance is a whole number of minutes to a hundred-thousandth."""
    instance = mdrp.read(instances_folder / name)
    plane = Plane(instance)
    ways = GreatCircle(mdrp.zone_parameters(instance.terms).travel)
    points = [plane.point(spot) for spot in plane.spots]
    columns = Points.of(points)
    x, y = (np.array([getattr(one, axis) for one in plane.spots]) for axis in ("x", "y"))
    differing = 0
    for index in range(len(points)):
        believed = ways.seconds(columns[index], columns, vehicle=CAR, at=START) // 60
        minutes = np.hypot(x - x[index], y - y[index]) / instance.terms.metres_per_minute
        off = believed != np.ceil(minutes)
        differing += int(off.sum())
        assert np.all(np.abs(minutes[off] - np.round(minutes[off])) < 1e-5 * minutes[off].clip(1))
    assert differing <= 1e-4 * len(points) ** 2


def test_every_courier_says_an_hour_ahead_when_he_begins(small: mdrp.Instance) -> None:
    for one in mdrp.day(small, starts_at=START).couriers:
        assert one.announced_at == one.on_at - 60 * MINUTE_MS
