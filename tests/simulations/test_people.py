"""How simulated people, their phones, the shops and the roads are."""

import math
import random
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.travel import VehicleKind
from engine.kernel.place import Point, distance_m
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from simulations.city import City, CityWays
from simulations.handset import Handset
from simulations.people import Behaviour, Newest, Temper
from simulations.riyadh import RIYADH
from simulations.simulate import AFTERNOON, a_day
from simulations.surprises import Traffic, surprising
from simulations.views import Told, WorkShown
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually

HERE = Point(lat=24.7, lng=46.7)


class Recorder:
    """A door that remembers what went through it."""

    def __init__(self) -> None:
        self.work: Newest[WorkShown] = Newest()
        self.told: list[str] = []
        self.positions: list[Point] = []
        self.is_open = False

    async def open(self) -> str:
        self.is_open = True
        return "me"

    async def close(self) -> None:
        self.is_open = False

    async def tell(self, kind: str, **_: Any) -> Told:
        assert self.is_open
        self.told.append(kind)
        return Told()

    async def give_back(self, order_id: str, reason: str) -> Told:
        return await self.tell(f"give_back {order_id} {reason}")

    async def position(self, point: Point, at: int) -> None:
        assert self.is_open
        assert at > 0
        self.positions.append(point)


def with_phone(
    behaviour: Behaviour,
    living: Callable[[Handset, Recorder, VirtualClock], Coroutine[Any, Any, None]],
) -> Recorder:
    door = Recorder()

    async def main(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop, starts_at=AFTERNOON)
        phone = Handset(door, Temper.of(behaviour, 5), clock)
        await phone.open()
        await living(phone, door, clock)
        await phone.close()

    run_virtually(main)
    return door


@given(
    st.floats(min_value=0, max_value=200),
    st.floats(min_value=0, max_value=200),
    st.integers(min_value=0, max_value=1000),
)
def test_a_nearer_and_better_paid_offer_is_never_refused_more_often(
    approach_min: float, halalas_per_min: float, seed: int
) -> None:
    behaviour = Behaviour(far_min=20, wage_halalas=50)

    def refuses(approach_min: float, halalas_per_min: float) -> bool:
        temper = Temper.of(behaviour, seed)
        return temper.refuses(approach_min=approach_min, halalas_per_min=halalas_per_min)

    if refuses(approach_min, halalas_per_min):
        assert refuses(approach_min + 10, halalas_per_min)
        assert refuses(approach_min, halalas_per_min / 2)


def test_one_in_two_refuses_at_the_threshold() -> None:
    def share(approach_min: float) -> float:
        tempers = (Temper.of(Behaviour(far_min=20), seed) for seed in range(2000))
        refused = [one.refuses(approach_min=approach_min, halalas_per_min=0) for one in tempers]
        return sum(refused) / len(refused)

    assert share(20) == pytest.approx(0.5, abs=0.05)
    assert share(2) < 0.02
    assert share(80) > 0.98


def test_who_has_no_moods_refuses_nothing() -> None:
    temper = Temper.of(Behaviour(), 1)
    assert not temper.refuses(approach_min=1e6, halalas_per_min=0)


def test_an_empty_battery_says_later_what_was_to_be_said() -> None:
    behaviour = Behaviour(phone_deaths_per_h=2, phone_off_min=(5, 10))
    said_at: list[int] = []

    async def living(phone: Handset, door: Recorder, clock: VirtualClock) -> None:
        for _ in range(600):
            before = clock.now()
            await phone.tell("acknowledge")
            said_at.append(clock.now())
            if clock.now() > before:
                assert clock.now() - before <= 10 * MINUTE_MS
            await phone.position(HERE, clock.now())
            await clock.sleep(MINUTE_MS)

    door = with_phone(behaviour, living)
    assert len(door.told) == 600
    longest = max(b - a for a, b in pairwise(said_at))
    assert 4 * MINUTE_MS < longest <= 11 * MINUTE_MS


def test_a_phone_knows_about_where_it_is_and_sometimes_not_at_all() -> None:
    behaviour = Behaviour(gps_noise_m=20, gps_gap=0.1, gps_gap_s=300)

    async def living(phone: Handset, door: Recorder, clock: VirtualClock) -> None:
        assert door.is_open
        for _ in range(2000):
            await phone.position(HERE, clock.now())
            await clock.sleep(MINUTE_MS)

    door = with_phone(behaviour, living)
    assert len(door.positions) == pytest.approx(2000 / (1 + 0.1 * 4), rel=0.1)
    off_m = [distance_m(HERE, one) for one in door.positions]
    assert sum(off_m) / len(off_m) == pytest.approx(20 * math.sqrt(math.pi / 2), rel=0.1)


def roads(seed: int, deviation: float = 0.2) -> Traffic:
    ways = CityWays(RIYADH.travel)
    return Traffic(ways, deviation=deviation, seed=seed, utc_offset_h=3, pace=lambda _: 1.0)


def test_roads_are_what_they_are_whenever_one_looks() -> None:
    there = Point(lat=24.75, lng=46.72)
    first, again, other = (
        one.travel_ms(HERE, there, vehicle=VehicleKind.CAR, at=AFTERNOON)
        for one in (roads(1), roads(1), roads(2))
    )
    assert first == again
    assert first != other
    assert first != roads(1).travel_ms(there, HERE, vehicle=VehicleKind.CAR, at=AFTERNOON)


def test_roads_differ_from_what_is_believed_by_the_deviation() -> None:
    believed, real, chance = CityWays(RIYADH.travel), roads(3), random.Random(1)
    logs = []
    for _ in range(4000):
        there = Point(lat=24.6 + chance.random() / 5, lng=46.6 + chance.random() / 5)
        legs = (HERE, there)
        told = believed.travel_ms(*legs, vehicle=VehicleKind.CAR, at=AFTERNOON)
        found = real.travel_ms(*legs, vehicle=VehicleKind.CAR, at=AFTERNOON)
        logs.append(math.log(found / told))
    mean = sum(logs) / len(logs)
    deviation = math.sqrt(sum((one - mean) ** 2 for one in logs) / len(logs))
    assert deviation == pytest.approx(0.2, rel=0.1)


def test_a_late_shop_said_that_it_would_be_in_time() -> None:
    day = a_day(seed=2, couriers=100, hours=4)
    behaviour = Behaviour(shop_late=0.25, shop_late_min=8)
    found = surprising(day, behaviour, seed=2)
    late = [
        (one, before)
        for one, before in zip(found.orders, day.orders, strict=True)
        if one.expected_ready_at is not None
    ]
    assert len(late) == pytest.approx(len(day.orders) / 4, rel=0.2)
    assert all(one.expected_ready_at == before.ready_at for one, before in late)
    by_min = sum(one.ready_at - before.ready_at for one, before in late) / len(late) / MINUTE_MS
    assert by_min == pytest.approx(8, rel=0.25)
    assert found == surprising(day, behaviour, seed=2)


def test_without_surprises_a_day_stays_as_it_is() -> None:
    day = a_day(seed=2, couriers=5, hours=0.5)
    assert surprising(day, Behaviour(), seed=1) == day


def test_zones_share_the_couriers_and_no_cell() -> None:
    city = City(1)
    zones = city.zones(8)
    cells = [cell for one in zones for cell in one.cells]
    assert len(zones) == 8
    assert len(set(cells)) == len(cells)
    assert set(cells) == set(city.zone().cells)
    assert len({one.name_en for one in zones}) == 8


@pytest.mark.parametrize("city", ["riyadh", "jeddah"])
def test_every_zone_of_a_large_city_has_a_like_number_of_couriers(city: str) -> None:
    day = a_day(seed=1, couriers=4000, hours=0.1, city=city, orders_per_hour=100)
    number_of = day.zone_finder()
    counts = [0] * len(day.zones)
    for one in day.couriers:
        counts[number_of(one.start)] += 1
    assert len(counts) == 10
    assert min(counts) > 150
    assert max(counts) < 800


def test_a_lively_city_has_as_many_orders_as_were_asked_for() -> None:
    day = a_day(seed=4, couriers=10, hours=3, orders_per_hour=400)
    assert len(day.orders) == pytest.approx(1200, rel=0.1)
    last = max(one.placed_at for one in day.orders)
    assert last < AFTERNOON + 3 * HOUR_MS
