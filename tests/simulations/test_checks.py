"""The outside checks: each sees the one thing that it is for."""

import pytest

from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point
from engine.orders.order import Gift, OrderStatus, Recipient
from simulations.checks import not_in_history, seen_from_outside
from simulations.day import DayCourier, DayOrder
from simulations.diary import Diary, OrderPage, Visit

HERE = Point(lat=0.0, lng=0.0)
DELIVERED = (
    "waiting",
    "offered",
    "assigned",
    "courier_at_shop",
    "picked_up",
    "at_door",
    "delivered",
)


def an_order(diary: Diary, key: str, *heard: str) -> OrderPage:
    place = Place(point=HERE)
    page = diary.order(
        DayOrder(
            key=key,
            placed_at=0,
            ready_at=0,
            shop=place,
            door=place,
            gift=Gift(description="x"),
            recipient=Recipient(name="y"),
        )
    )
    page.order_id = f"id-{key}"
    for version, status in enumerate(heard, 1):
        page.hear(version, status, version)
    return page


def carried(diary: Diary, courier: str, key: str, since: int, until: int | None) -> None:
    page = diary.courier(
        DayCourier(
            key=courier,
            name=courier,
            start=HERE,
            on_at=0,
            off_at=None,
            vehicle=VehicleKind.CAR,
            capacity_units=1,
        )
    )
    for kind, at in (("pickup", since), ("dropoff", until)):
        if at is not None:
            page.visits.append(
                Visit(
                    kind=kind,
                    keys=(key,),
                    point=HERE,
                    left_at=at,
                    arrived_at=at,
                    handed_over_at=at,
                    free_at=at,
                    told_at=(0,),
                )
            )


def test_a_day_that_went_well_shows_nothing() -> None:
    diary = Diary()
    an_order(diary, "a", *DELIVERED)
    carried(diary, "c", "a", 1, 2)
    assert seen_from_outside(diary) == []


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (("d", 5, 9), "handed over 2 times"),
        (("d", 1, 9), "held by c and d at once"),
        (("d", 1, None), "held by c and d at once"),
    ],
)
def test_two_couriers_with_one_order_are_seen(
    second: tuple[str, int, int | None], says: str
) -> None:
    diary = Diary()
    an_order(diary, "a", *DELIVERED)
    carried(diary, "c", "a", 0, 2)
    carried(diary, second[0], "a", second[1], second[2])
    assert any(says in one for one in seen_from_outside(diary))


def test_an_order_without_an_end_is_lost() -> None:
    diary = Diary()
    an_order(diary, "a", "waiting", "offered")
    assert seen_from_outside(diary) == ["order a is lost: last seen offered"]


def test_an_order_that_its_customer_took_back_is_not_lost() -> None:
    diary = Diary()
    an_order(diary, "a", "waiting").withdrawn = True
    assert seen_from_outside(diary) == []


def test_a_status_that_goes_back_is_seen() -> None:
    diary = Diary()
    page = an_order(diary, "a", "assigned", "picked_up", "waiting")
    page.withdrawn = True
    assert seen_from_outside(diary) == ["order a went from picked_up to waiting"]


def test_a_status_may_be_skipped_when_there_is_a_way() -> None:
    diary = Diary()
    an_order(diary, "a", "waiting", "picked_up", "delivered")
    carried(diary, "c", "a", 1, 2)
    assert seen_from_outside(diary) == []


def test_different_ends_are_seen() -> None:
    diary = Diary()
    an_order(diary, "a", *DELIVERED)
    an_order(diary, "b", "waiting", "cancelled")
    carried(diary, "c", "b", 1, 2)
    assert seen_from_outside(diary) == [
        "order a is delivered, but nobody handed it over",
        "order b was handed over, but its customer last heard cancelled",
    ]


def test_what_was_shown_must_be_in_the_history() -> None:
    diary = Diary()
    page = an_order(diary, "a", "waiting", "assigned")
    history = {"id-a": [(1, "OrderPlaced"), (1, "OrderReleased"), (2, "OrderOffered")]}
    assert not_in_history([page], history) == [
        "order a was shown assigned in version 2, which was offered"
    ]
    page.heard[1] = page.heard[1]._replace(status=OrderStatus.OFFERED)
    assert not_in_history([page], history) == []
