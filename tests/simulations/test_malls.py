"""Generated hours of a city whose shops stand next to each other, with trips to several of them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from engine.kernel.place import Point
from simulations.day import Day
from simulations.people import LIVELY, Behaviour
from simulations.replay import Lived
from simulations.simulate import Source, a_day, run

MOODY = replace(LIVELY, decline=0.2, ignore=0.1, nobody_home=0.1, patience_min=60.0)


def mall_day(*, seed: int, apart_m: int) -> Day:
    """Hours in which all that is ordered comes from two malls of four shops each."""
    day = a_day(seed=seed, couriers=8, hours=0.5, orders_per_hour=50)
    shops = sorted({one.shop.point for one in day.orders}, key=lambda one: (one.lat, one.lng))
    malls = shops[0], shops[-1]
    number = {shop: n for n, shop in enumerate(shops)}

    def in_a_mall(shop: Point) -> Point:
        n = number[shop]
        mall = malls[n % 2]
        return Point(lat=mall.lat + 0.0003 * (n % 8 // 2), lng=mall.lng)

    orders = tuple(
        replace(one, shop=structs.replace(one.shop, point=in_a_mall(one.shop.point)))
        for one in day.orders
    )
    parameters = structs.replace(day.zone.parameters, shops_apart_m_max=apart_m)
    return replace(day, zone=replace(day.zone, parameters=parameters), orders=orders)


def lived(tmp_path: Path, behaviour: Behaviour, *, seed: int = 3, apart_m: int = 150) -> Lived:
    day = mall_day(seed=seed, apart_m=apart_m)
    return run(Source(day=day), seed=seed, behaviour=behaviour, events=tmp_path / "events")


def next_doors(found: Lived) -> Iterator[tuple[str, ...]]:
    """What couriers fetched in one shop with things from another one on board."""
    shop = {one.key: one.shop.point for one in found.day.orders}
    for page in found.diary.couriers.values():
        for before, after in pairwise(page.visits):
            if (
                before.kind == after.kind == "pickup"
                and shop[before.keys[0]] != shop[after.keys[0]]
            ):
                yield after.keys


@pytest.mark.parametrize("apart_m", [0, 150])
def test_couriers_go_from_shop_to_shop_where_the_zone_lets_them(
    tmp_path: Path, apart_m: int
) -> None:
    found = lived(tmp_path, LIVELY, apart_m=apart_m)
    assert found.score.is_clean, (found.score.violations, found.score.faults)
    assert found.score.orders > 15
    assert bool(list(next_doors(found))) is bool(apart_m)


@pytest.mark.parametrize("seed", [4, 5])
def test_moody_people_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    found = lived(tmp_path, MOODY, seed=seed)
    assert found.score.is_clean, (found.score.violations, found.score.faults)
    assert list(next_doors(found))


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    lived(tmp_path, MOODY)
    first = (tmp_path / "events").read_bytes()
    lived(tmp_path, MOODY)
    assert (tmp_path / "events").read_bytes() == first
