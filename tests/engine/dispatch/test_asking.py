"""What must hold of who is asked beside the one it was planned for."""

from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch.asking import Asking
from engine.geo.dispatch_parameters import OfferMode
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CourierId, OrderId, UserId
from optimizer.problem import Alternative, Reason, Trip

COURIERS = [CourierId(UserId(f"c{number}")) for number in range(8)]
ORDERS = [OrderId(f"o{number}") for number in range(4)]


def a_trip(*orders: OrderId) -> Trip:
    return Trip(group="shop", jobs=orders, leave_s=0, pickup_s=0, deliveries_s=(0,) * len(orders))


def asking(mode: OfferMode, asked_max: int = 20, planned: tuple[CourierId, ...] = ()) -> Asking:
    parameters = ZoneParameters(offer_mode=mode, asked_max=asked_max)
    candidates = {ORDERS[0]: COURIERS[:5], ORDERS[1]: COURIERS[2:]}
    return Asking(parameters, candidates, planned)


def test_the_next_best_of_the_plan_come_first_then_the_soonest() -> None:
    ranking = [
        Alternative(vehicle=COURIERS[3], extra_cost=5, reason=Reason.FARTHER),
        Alternative(vehicle=COURIERS[1], extra_cost=None, reason=Reason.FULL),
        Alternative(vehicle=COURIERS[7], extra_cost=6, reason=Reason.FARTHER),
    ]
    line = asking(OfferMode.RANKED).in_line(a_trip(ORDERS[0]), COURIERS[0], ranking)
    assert line == (COURIERS[3], COURIERS[1], COURIERS[2], COURIERS[4])


def test_all_of_a_trip_must_be_askable() -> None:
    line = asking(OfferMode.RANKED).in_line(a_trip(ORDERS[0], ORDERS[1]), COURIERS[2], [])
    assert line == (COURIERS[3], COURIERS[4])


def test_nobody_else_is_asked_directly() -> None:
    for mode in (OfferMode.DIRECT, OfferMode.RANKED):
        assert asking(mode).others(a_trip(ORDERS[0]), COURIERS[0], []) == ()
    for mode in (OfferMode.DIRECT, OfferMode.BROADCAST):
        assert asking(mode).in_line(a_trip(ORDERS[0]), COURIERS[0], []) == ()


@given(
    st.integers(1, 20),
    st.lists(st.sampled_from(ORDERS[:2]), min_size=1, max_size=4),
    st.permutations(COURIERS),
)
def test_in_a_broadcast_nobody_is_asked_about_two_trips(
    asked_max: int, trips: list[OrderId], couriers: list[CourierId]
) -> None:
    planned = tuple(couriers[: len(trips)])
    handing = asking(OfferMode.BROADCAST, asked_max, planned)
    found = [
        handing.others(a_trip(order), courier, [])
        for order, courier in zip(trips, planned, strict=False)
    ]
    everybody = [*planned, *(one for others in found for one in others)]
    assert len(set(everybody)) == len(everybody)
    assert all(len(others) < asked_max for others in found)
