"""Whose trip may be revised, and which revisions hang together."""

import random

from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch.underway import Trips, UnderWay, independent
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.place import Point

SHOP = Point(lat=24.7, lng=46.7)


def courier(number: int) -> CourierId:
    return CourierId(UserId(f"courier {number}"))


def order(number: int) -> OrderId:
    return OrderId(f"order {number}")


def present_of(sizes: list[int]) -> dict[CourierId, UnderWay]:
    begins = [sum(sizes[:at]) for at in range(len(sizes))]
    return {
        courier(at): UnderWay((SHOP,), tuple(map(order, range(begin, begin + size))), 0)
        for at, (begin, size) in enumerate(zip(begins, sizes, strict=True))
    }


@given(st.lists(st.integers(1, 3), max_size=8), st.integers(0, 1000), st.integers(0, 6))
def test_groups_share_no_courier_and_no_order(sizes: list[int], seed: int, joining: int) -> None:
    present, chance = present_of(sizes), random.Random(seed)
    pool = [one for trip in present.values() for one in trip.order_ids]
    pool += [order(100 + number) for number in range(joining)]
    dealt = {who: [one] for who, one in zip(present, pool, strict=False)}
    for one in pool[len(present) :]:
        if dealt and chance.random() < 0.7:
            chance.choice(list(dealt.values())).append(one)
    takers = list(dealt)
    swapped = random.Random(seed).sample(takers, len(takers) // 2)
    mixed = dict(zip(swapped, reversed([dealt[who] for who in swapped]), strict=True))
    wanted: Trips = {who: tuple(orders) for who, orders in (dealt | mixed).items()}

    groups = independent(wanted, present)
    changed = {who: trip for who, trip in wanted.items() if trip != present[who].order_ids}
    assert {who: trip for group in groups for who, trip in group.items()} == changed
    assert sum(map(len, groups)) == len(changed)
    touched = [
        {one for who, trip in group.items() for one in (*present[who].order_ids, *trip)}
        for group in groups
    ]
    assert len(set().union(*touched)) == sum(map(len, touched))


def test_what_stays_as_it_is_is_not_revised() -> None:
    present = present_of([2, 1])
    wanted: Trips = {who: trip.order_ids for who, trip in present.items()}
    assert independent(wanted, present) == []


def test_two_exchanges_at_two_shops_are_carried_out_apart() -> None:
    present = present_of([1, 1, 1, 1])
    wanted: Trips = {
        courier(0): (order(1),),
        courier(1): (order(0),),
        courier(2): (order(3),),
        courier(3): (order(2),),
    }
    groups = independent(wanted, present)
    assert [sorted(group) for group in groups] == [
        [courier(0), courier(1)],
        [courier(2), courier(3)],
    ]
