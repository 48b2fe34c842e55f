"""What must hold of orders as columns: kept rows are as good as rows written anew."""

from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.dispatch.waiting_list import Shops, WaitingList
from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point, distance_m
from engine.kernel.skills import Skill
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import OrderStatus
from tests.builders import DOOR, NOON, SHOP, a_story, a_zone

ZONE = a_zone()
ORDERS = [a_story(OrderStatus.WAITING, zone=ZONE).order for _ in range(6)]
fields = st.fixed_dictionaries(
    {},
    optional={
        "shop": st.sampled_from([Place(point=SHOP), Place(point=DOOR)]),
        "ready_at": st.sampled_from([NOON, NOON + MINUTE_MS]),
        "release_at": st.sampled_from([None, NOON - MINUTE_MS]),
        "is_cash": st.booleans(),
        "total_halalas": st.integers(0, 3),
        "gift": st.builds(
            lambda units, vehicles, skills: replace(
                ORDERS[0].gift, size_units=units, vehicles=vehicles, skills=skills
            ),
            st.integers(1, 3),
            st.sampled_from([(), (VehicleKind.CAR, VehicleKind.FOOT)]),
            st.sampled_from([(), (Skill.COLD,)]),
        ),
    },
)
# Which orders wait in a tick, in what order they are told, and how they have changed.
ticks = st.lists(
    st.tuples(st.permutations(range(6)), st.integers(0, 6), st.lists(fields)),
    min_size=1,
    max_size=4,
)


def as_told(listed: WaitingList) -> list[object]:
    shops = listed.shops()
    places = [(shops.lat[one], shops.lng[one]) for one in shops.of.tolist()]
    return [listed.ids, listed.orders, listed.groups, listed.rows.tolist(), places]


@given(ticks)
def test_rows_that_are_kept_say_what_rows_written_anew_would_say(drawn: list[Any]) -> None:
    orders, kept = dict(enumerate(ORDERS)), WaitingList()
    for told, count, changes in drawn:
        for at, changed in enumerate(changes[:6]):
            orders[at] = replace(orders[at], **changed)
        here = [orders[at] for at in told[:count]]
        kept.read(here)
        assert as_told(kept) == as_told(WaitingList.of(here))
        assert kept.orders == tuple(sorted(here, key=lambda one: one.id))


@given(ticks)
def test_orders_of_one_shop_have_one_number_and_its_place(drawn: list[Any]) -> None:
    told, count, changes = drawn[0]
    changed = [
        replace(one, **dict(change)) for one, change in zip(ORDERS, changes, strict=False)
    ] + ORDERS[len(changes) :]
    here = [changed[at] for at in told[:count]]
    listed = WaitingList.of(here)
    shops = listed.shops()
    for order, number in zip(listed.orders, shops.of.tolist(), strict=True):
        place = order.shop.point
        assert (shops.lat[number], shops.lng[number]) == (place.lat, place.lng)
    assert len(shops.lat) == len({one.shop.point for one in here})


@given(st.lists(st.tuples(st.floats(0, 0.01), st.floats(0, 0.01)), max_size=12))
def test_shops_within_metres_are_those_that_great_circles_measure(
    places: list[tuple[float, float]],
) -> None:
    points = [Point(lat=24.7 + north, lng=46.7 + east) for north, east in places]
    shops = Shops(
        np.arange(len(points)),
        np.array([one.lat for one in points]),
        np.array([one.lng for one in points]),
    )
    one, other = shops.within(400)
    found = {frozenset(pair) for pair in zip(one.tolist(), other.tolist(), strict=True)}
    for a, b in combinations(range(len(points)), 2):
        apart_m = distance_m(points[a], points[b])
        if abs(apart_m - 400) > 0.1:
            assert (frozenset((a, b)) in found) is (apart_m < 400)
    assert len(found) == len(one)
