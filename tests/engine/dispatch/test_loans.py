"""Who is wanted from neighbours, who can be spared for them, and how he goes back."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, CourierLent, Duty, Loan
from engine.couriers.handing_over import end_loan, hand_over, lend, loan_over_at
from engine.couriers.messages import EndLoan, HandOver, LendCouriers
from engine.dispatch.loans import need_of, neighbours, spared
from engine.dispatch.pool import is_available
from engine.geo.cells import cell_at, disk
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import Zone
from engine.kernel.ids import ZoneId
from engine.kernel.ownership import TellOwner
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, Instant
from tests.builders import CORNER, DOOR, NOON, SHOP, a_courier, a_zone, an_order, must, new_id

ENDS: Instant = NOON + 30 * MINUTE_MS
NEXT_DOOR = Point(lat=SHOP.lat + 0.1, lng=SHOP.lng)
LATER: Instant = NOON + 60 * MINUTE_MS


def borrowing(*, loan_wait_s: int = 120, loan_travel_s_max: int = 900) -> Zone:
    parameters = ZoneParameters(
        loan_couriers_max=3, loan_wait_s=loan_wait_s, loan_travel_s_max=loan_travel_s_max
    )
    return a_zone(parameters=parameters)


def asking(lender: Zone, *shops: Point, travel_s_max: int = 900) -> LendCouriers:
    return LendCouriers(
        zone_id=lender.id,
        to_zone_id=ZoneId(new_id()),
        shops=shops or (SHOP,),
        travel_s_max=travel_s_max,
        ends_at=ENDS,
    )


def lent_to(command: LendCouriers, courier: Courier) -> Courier:
    points = {courier.id: courier.last_point}
    (change,) = lend([courier], command, points=points, now=NOON).changes
    assert isinstance(change.thing, Courier)
    return change.thing


def test_an_order_is_in_want_when_it_waited_and_could_be_fetched() -> None:
    zone = borrowing(loan_wait_s=120, loan_travel_s_max=600)
    order = an_order(zone=zone)
    first = max(order.placed_at, order.ready_at - 10 * MINUTE_MS) + 2 * MINUTE_MS
    assert need_of(zone, [order], 0, now=first - 1) is None
    need = need_of(zone, [order], 0, now=first)
    assert need is not None
    assert need.shops == (order.shop.point,)


@given(waiting=st.integers(0, 8), borrowed=st.integers(0, 8), most=st.integers(0, 8))
def test_a_zone_never_has_more_than_it_may(waiting: int, borrowed: int, most: int) -> None:
    zone = a_zone(parameters=ZoneParameters(loan_couriers_max=most))
    orders = [an_order(zone=zone) for _ in range(waiting)]
    need = need_of(zone, orders, borrowed, now=LATER)
    wanted = len(need.shops) if need else 0
    assert wanted == max(0, min(waiting, most - borrowed))


@given(idle=st.integers(0, 8), waiting=st.integers(0, 4), keep=st.integers(0, 4))
def test_a_zone_keeps_whom_it_needs_itself(idle: int, waiting: int, keep: int) -> None:
    zone = a_zone(parameters=ZoneParameters(loan_keep_min=keep))
    couriers = [a_courier(zone=zone) for _ in range(idle)]
    command = asking(zone, SHOP, SHOP, SHOP)
    found = spared(zone, couriers, waiting, command, seen={}, now=NOON)
    assert len(found) == max(0, min(3, idle - waiting - keep))


def test_the_nearest_are_lent_and_nobody_who_is_too_far() -> None:
    zone = a_zone(parameters=ZoneParameters(loan_keep_min=0))
    near, far = a_courier(zone=zone), a_courier(zone=zone, last_point=DOOR)
    assert list(spared(zone, [far, near], 0, asking(zone), seen={}, now=NOON)) == [near.id]
    command = asking(zone, NEXT_DOOR, travel_s_max=60)
    assert spared(zone, [far, near], 0, command, seen={}, now=NOON) == {}


def test_only_who_stands_about_at_home_until_the_loan_is_over_is_lent() -> None:
    zone = a_zone(parameters=ZoneParameters(loan_keep_min=0))
    loan = Loan(home_zone_id=ZoneId(new_id()), ends_at=ENDS)
    kept = [
        a_courier(Duty.BREAK, zone=zone),
        a_courier(zone=zone, shift_ends_at=ENDS - 1),
        a_courier(zone=zone, leaves_at=NOON + 1),
        a_courier(zone=zone, loan=loan),
        a_courier(),
    ]
    command = asking(zone, *(SHOP,) * 5)
    assert spared(zone, kept, 0, command, seen={}, now=NOON) == {}
    points = {one.id: one.last_point for one in kept}
    assert lend(kept, command, points=points, now=NOON).changes == ()


def test_who_is_lent_belongs_to_the_other_zone_at_once_and_its_owner_is_told() -> None:
    courier = a_courier(zone=(zone := a_zone()))
    command = asking(zone)
    decision = lend([courier], command, points={courier.id: DOOR}, now=NOON)
    (change,), (effect,) = decision.changes, decision.effects
    assert change.thing == replace(
        courier,
        version=courier.version + 1,
        zone_id=command.to_zone_id,
        last_point=DOOR,
        leaves_at=NOON,
        loan=Loan(home_zone_id=zone.id, ends_at=ENDS),
    )
    assert isinstance(change.events[0], CourierLent)
    assert isinstance(effect, TellOwner)
    assert effect.thing == f"courier:{courier.id}"
    assert decision.reply == {"lent": [courier.id]}


def test_after_the_loan_he_is_asked_nothing_more_and_goes_home() -> None:
    lent = lent_to(asking(zone := a_zone()), a_courier(zone=zone))
    borrower = replace(zone, id=lent.zone_id)
    assert is_available(lent, borrower, ENDS - 1)
    assert not is_available(lent, borrower, ENDS)
    assert end_loan(lent, EndLoan(courier_id=lent.id), now=ENDS - 1).changes == ()
    (change,) = end_loan(lent, EndLoan(courier_id=lent.id), now=ENDS).changes
    assert isinstance(change.thing, Courier)
    assert (change.thing.zone_id, change.thing.loan) == (zone.id, None)


def test_who_has_an_offer_or_rests_is_given_back_later() -> None:
    lent = lent_to(asking(zone := a_zone()), a_courier(zone=zone))
    for busy in (replace(lent, offer_id=new_id()), replace(lent, duty=Duty.BREAK)):
        assert loan_over_at(busy) is None
        assert end_loan(busy, EndLoan(courier_id=lent.id), now=LATER).changes == ()


def test_who_goes_to_a_third_zone_himself_is_lent_no_more() -> None:
    lent = lent_to(asking(zone := a_zone()), a_courier(zone=zone))
    going = HandOver(courier_id=lent.id, zone_id=ZoneId(new_id()), point=CORNER)
    (change,) = must(hand_over(lent, going, now=NOON)).changes
    assert isinstance(change.thing, Courier)
    assert change.thing.loan is None


def test_neighbours_are_those_from_where_one_could_come_in_time() -> None:
    zone = borrowing(loan_travel_s_max=1800)

    def around(point: Point) -> Zone:
        return a_zone(cells=tuple(sorted(disk(cell_at(point, 8), 3))))

    next_door, far = around(NEXT_DOOR), around(Point(lat=SHOP.lat + 1.0, lng=SHOP.lng))
    need = need_of(zone, [an_order(zone=zone)], 0, now=LATER)
    assert need is not None
    assert neighbours(zone, [far, zone, next_door], need) == [next_door]
