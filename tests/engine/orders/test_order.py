"""What must hold of the table of what may follow what."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.ids import CourierId, OfferId, UserId
from engine.kernel.messages import Event, Role
from engine.orders.order import (
    CLOSED,
    HELD,
    ON_BOARD,
    PUBLIC,
    TRANSITIONS,
    CourierReachedDoor,
    CourierReachedShop,
    DeliveryAttemptFailed,
    Lapse,
    Lapsed,
    OrderAssigned,
    OrderCancelled,
    OrderChanged,
    OrderDelivered,
    OrderJoined,
    OrderOffered,
    OrderOfferLapsed,
    OrderPickedUp,
    OrderPlaced,
    OrderReassigned,
    OrderReleased,
    OrderReturned,
    OrderReturnStarted,
    OrderScheduled,
    OrderStatus,
    OrderUnassigned,
    PinMistaken,
    PublicStatus,
    evolve,
    may,
)
from tests.builders import NOON, an_order, new_id

S = OrderStatus
OFFER, COURIER = OfferId(new_id()), CourierId(UserId(new_id()))
EVENTS: Final[tuple[Event, ...]] = (
    OrderPlaced(at=NOON),
    OrderScheduled(at=NOON, release_at=NOON),
    OrderReleased(at=NOON),
    OrderOffered(at=NOON, offer_id=OFFER, courier_id=COURIER),
    OrderOfferLapsed(at=NOON, offer_id=OFFER, courier_id=COURIER, reason=Lapse.EXPIRED),
    OrderAssigned(at=NOON, offer_id=OFFER, courier_id=COURIER),
    OrderJoined(at=NOON, offer_id=OFFER, courier_id=COURIER),
    OrderReassigned(at=NOON, offer_id=OFFER, from_courier_id=COURIER, courier_id=COURIER),
    OrderUnassigned(at=NOON, courier_id=COURIER, reason="flat tyre"),
    CourierReachedShop(at=NOON),
    OrderPickedUp(at=NOON),
    CourierReachedDoor(at=NOON),
    PinMistaken(at=NOON),
    OrderDelivered(at=NOON, proof="pin"),
    DeliveryAttemptFailed(at=NOON, reason="nobody there"),
    OrderReturnStarted(at=NOON),
    OrderReturned(at=NOON),
    OrderChanged(
        at=NOON,
        by=Role.CUSTOMER,
        rule="unassigned",
        is_new_door=True,
        is_new_window=False,
        charge_halalas=0,
        total_before_halalas=1,
        total_halalas=2,
    ),
    OrderCancelled(at=NOON, by=Role.CUSTOMER, reason="other"),
)


def reachable(start: OrderStatus) -> set[OrderStatus]:
    found, ahead = {start}, [start]
    while ahead:
        status = ahead.pop()
        following = {after for (before, _), after in TRANSITIONS.items() if before is status}
        ahead += following - found
        found |= following
    return found


def test_the_table_names_every_event_of_an_order() -> None:
    assert {event for _, event in TRANSITIONS} == {type(one) for one in EVENTS}


def test_every_status_can_be_reached() -> None:
    assert reachable(S.PLACED) == set(S)


@pytest.mark.parametrize("status", S)
def test_every_order_can_come_to_an_end_and_then_nothing_follows(status: OrderStatus) -> None:
    assert reachable(status) & CLOSED
    if status in CLOSED:
        assert reachable(status) == {status}
        assert not an_order(status).is_open


@pytest.mark.parametrize("status", sorted(ON_BOARD))
def test_what_is_on_board_can_neither_be_cancelled_nor_given_to_another(
    status: OrderStatus,
) -> None:
    order = an_order(status)
    assert status in HELD
    assert not may(order, OrderCancelled)
    assert S.CANCELLED not in reachable(status)
    assert S.WAITING not in reachable(status)


@pytest.mark.parametrize("event", EVENTS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("status", S)
def test_an_event_outside_the_table_is_a_bug(status: OrderStatus, event: Event) -> None:
    order = replace(an_order(), status=status)
    after = TRANSITIONS.get((status, type(event)))
    assert may(order, type(event)) is (after is not None)
    if after is None:
        with pytest.raises(AssertionError, match=f"{type(event).__name__} cannot follow {status}"):
            evolve(order, event)
    else:
        evolved = evolve(order, event, pin_tries=3)
        assert (evolved.status, evolved.version) == (after, order.version + 1)
        assert evolved.pin_tries == 3
        assert order.pin_tries == 0


def test_several_events_are_one_version() -> None:
    order = replace(an_order(), status=S.PLACED, version=0)
    evolved = evolve(order, OrderPlaced(at=NOON), OrderReleased(at=NOON))
    assert (evolved.status, evolved.version) == (S.WAITING, 1)


def test_a_customer_reads_one_word_for_every_status() -> None:
    assert set(PUBLIC) == set(S)
    assert set(PUBLIC.values()) == set(PublicStatus)
    assert {PUBLIC[one] for one in ON_BOARD} == {PublicStatus.DELIVERING}
    for status in set(S) - {S.PLACED}:
        assert an_order(status).public_status is PUBLIC[status]


@given(st.lists(st.sampled_from([one for one in EVENTS if type(one) is not OrderPlaced])))
def test_no_sequence_of_allowed_events_leaves_the_table(events: list[Event]) -> None:
    order = replace(an_order(), status=S.PLACED, version=0)
    for event in events:
        if may(order, type(event)):
            order = evolve(order, event)
    assert order.status in reachable(S.PLACED)


def test_only_a_no_is_remembered_as_a_no() -> None:
    other = CourierId(UserId(new_id()))
    for reason in Lapse:
        order = an_order(lapsed=(Lapsed(courier_id=COURIER, reason=reason, at=NOON),))
        assert order.was_declined_by(COURIER) is (reason is Lapse.DECLINED)
        assert not order.was_declined_by(other)
