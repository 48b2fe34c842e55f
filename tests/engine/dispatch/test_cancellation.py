"""What must hold when an order is taken back: by its customer, by its courier, by an operator."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.couriers.courier import CourierStatus, Duty, ProgressStep, RouteChanged, WentOffDuty
from engine.couriers.messages import ReportProgress
from engine.couriers.progress import Carrying
from engine.dispatch.cancellation import cancel, unassign
from engine.dispatch.offer import OfferStatus, OfferWithdrawn
from engine.dispatch.offers import can_be_offered
from engine.kernel.messages import Caller, Decision, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.orders.messages import CancelOrder, CancelReason, UnassignOrder
from engine.orders.order import (
    CLOSED,
    ON_BOARD,
    Lapse,
    Order,
    OrderCancelled,
    OrderStatus,
    OrderUnassigned,
)
from tests.builders import (
    NOON,
    Story,
    a_courier,
    a_story,
    an_order,
    caller_of,
    customer,
    must,
    operator,
)

S, P = OrderStatus, ProgressStep


def cancelling(order: Order) -> CancelOrder:
    return CancelOrder(order_id=order.id, reason=CancelReason.TOO_SLOW)


def cancelled_alone(order: Order | None, caller: Caller) -> Decision | Refusal:
    command = CancelOrder(order_id=order.id if order else an_order().id, reason=CancelReason.OTHER)
    return cancel(order, command, caller, offer=None, others=[], couriers=[], now=NOON)


def given_back(story: Story, index: int = 0, caller: Caller | None = None) -> Decision | Refusal:
    order = story.orders[index]
    command = UnassignOrder(order_id=order.id, reason="flat tyre")
    carrying = story.courier if order.courier_id else None
    by = caller or caller_of(story.courier)
    answer = unassign(order, command, by, carrying, now=story.at)
    if isinstance(answer, Decision):
        assert story.store(answer)
    return answer


@pytest.mark.parametrize("status", [S.SCHEDULED, S.WAITING])
def test_an_order_that_nobody_was_asked_about_ends_alone(status: OrderStatus) -> None:
    story = a_story(status)
    story.at += MINUTE_MS
    decision = story.cancel()
    order = story.order
    assert len(decision.changes) == 1
    assert (order.status, order.ended_at) == (S.CANCELLED, story.at)
    assert order.cancelled_because == "changed_mind"
    assert story.events_of(order.id)[-1] == OrderCancelled(
        at=story.at,
        by=Role.CUSTOMER,
        reason="changed_mind",
        refund_halalas=order.total_halalas,
    )
    kept = decision.reply["charge_halalas"]
    assert decision.reply == {
        "order_id": order.id,
        "status": "cancelled",
        "charge_halalas": order.charge_halalas,
        "refund_halalas": order.total_halalas - kept,
    }


def test_cancelling_twice_is_cancelling_once() -> None:
    order = an_order(S.CANCELLED)
    answer = cancelled_alone(order, customer(order.customer_id))
    assert answer == Decision(reply={"order_id": order.id, "status": "cancelled"})


@pytest.mark.parametrize("status", sorted(ON_BOARD))
def test_it_is_too_late_to_cancel_once_the_gift_is_on_the_road(status: OrderStatus) -> None:
    order = an_order(status)
    for caller in (customer(order.customer_id), operator()):
        answer = cancelled_alone(order, caller)
        assert answer == Refusal(code="too_late_to_cancel", detail={"status": status.value})


@pytest.mark.parametrize("status", sorted(CLOSED - {S.CANCELLED}))
def test_what_has_ended_cannot_be_cancelled(status: OrderStatus) -> None:
    order = an_order(status)
    answer = cancelled_alone(order, customer(order.customer_id))
    assert answer == Refusal(code="order_state", detail={"status": status.value})


def test_nobody_cancels_what_is_not_his_to_see() -> None:
    order = an_order()
    for seen, caller in ((order, customer()), (None, customer()), (None, operator())):
        answer = cancelled_alone(seen, caller)
        assert isinstance(answer, Refusal)
        assert answer.code == "unknown_order"
    answer = must(cancelled_alone(order, operator()))
    assert answer.changes[0].events == (
        OrderCancelled(
            at=NOON, by=Role.OPERATOR, reason="other", refund_halalas=order.total_halalas
        ),
    )


def test_an_offered_bundle_is_taken_back_and_its_other_orders_wait_again() -> None:
    story = a_story(S.OFFERED, orders=3)
    decision = story.cancel(1)
    assert (story.offer.status, story.offer.answered_at) == (OfferStatus.WITHDRAWN, NOON)
    withdrawn = OfferWithdrawn(at=NOON, reason="order_cancelled")
    assert story.events_of(story.offer.id)[-1] == withdrawn
    assert [one.status for one in story.orders] == [S.WAITING, S.CANCELLED, S.WAITING]
    assert {one.offer_id for one in story.orders} == {None}
    assert story.courier.status is CourierStatus.ON
    assert len(decision.changes) == 5
    for index in (0, 2):
        assert story.orders[index].lapsed[-1].reason is Lapse.WITHDRAWN
        assert can_be_offered(story.orders[index], story.courier)


def test_a_courier_on_his_way_learns_that_an_order_of_his_bundle_is_gone() -> None:
    story = a_story(S.COURIER_AT_SHOP, orders=3)
    must(story.report(P.PICKED_UP, 0))
    decision = story.cancel(1)
    pickup, *doors = story.courier.route
    assert pickup.orders == (story.orders[2].id,)
    assert pickup.arrived_at == NOON
    assert [one.orders for one in doors] == [(story.orders[0].id,), (story.orders[2].id,)]
    assert decision.changes[-1].events == (RouteChanged(at=NOON, stops=3),)
    assert story.orders[1].courier_id is None
    assert [one.status for one in story.orders] == [S.PICKED_UP, S.CANCELLED, S.COURIER_AT_SHOP]
    must(story.report(P.PICKED_UP, 2))
    for index in (0, 2):
        must(story.report(P.REACHED_DOOR, index))
        must(story.report(P.DELIVERED, index))
    assert story.route() == []


def test_the_last_order_of_a_trip_frees_its_courier() -> None:
    story = a_story(S.ASSIGNED)
    story.at += MINUTE_MS
    story.cancel()
    assert story.courier.status is CourierStatus.ON
    assert story.courier.free_since == story.at


@pytest.mark.parametrize("take_back", [lambda s: s.cancel(), given_back])
def test_the_last_order_taken_from_a_courier_who_was_ending_lets_him_go(
    take_back: Callable[[Story], object],
) -> None:
    story = a_story(S.COURIER_AT_SHOP)
    story.go_off()
    take_back(story)
    assert story.duty() is Duty.OFF
    assert story.events_of(story.courier.id)[-2:] == (
        RouteChanged(at=NOON, stops=0),
        WentOffDuty(at=NOON),
    )


@pytest.mark.parametrize("take_back", [lambda s: s.cancel(0), lambda s: given_back(s, 0)])
def test_kept_reports_go_with_their_order_and_those_of_others_stay(
    take_back: Callable[[Story], object],
) -> None:
    story = a_story(S.ASSIGNED, orders=2)
    for index in (0, 1):
        must(story.report(P.PICKED_UP, index))
        must(story.report(P.DELIVERED, index))
    take_back(story)
    assert {one.order_id for one in story.courier.early} == {story.orders[1].id}
    must(story.report(P.REACHED_SHOP, 1))
    must(story.report(P.REACHED_DOOR, 1))
    assert story.status(1) is S.DELIVERED
    assert story.courier.early == ()


def test_a_report_about_a_cancelled_order_is_refused() -> None:
    story = a_story(S.COURIER_AT_SHOP, orders=2)
    story.cancel(0)
    answer = story.report(P.PICKED_UP, 0)
    assert answer == Refusal(code="not_your_order", detail={"order_id": story.orders[0].id})


@pytest.mark.parametrize("status", [S.ASSIGNED, S.COURIER_AT_SHOP])
@pytest.mark.parametrize("by_operator", [False, True])
def test_an_order_given_back_waits_for_another_courier(
    status: OrderStatus, *, by_operator: bool
) -> None:
    story = a_story(status, orders=2)
    story.at += MINUTE_MS
    decision = must(given_back(story, 0, operator() if by_operator else None))
    order = story.order
    assert (order.status, order.courier_id, order.offer_id) == (S.WAITING, None, None)
    assert order.assigned_at is None
    assert order.was_declined_by(story.courier.id)
    assert can_be_offered(order, a_courier(zone=story.zone))
    assert story.events_of(order.id)[-1] == OrderUnassigned(
        at=story.at, courier_id=story.courier.id, reason="flat tyre"
    )
    assert story.courier.orders == (story.orders[1].id,)
    assert story.courier.free_since == NOON
    assert decision.reply == {"order_id": order.id, "status": "waiting"}


@pytest.mark.parametrize("status", sorted(set(S) - {S.PLACED, S.ASSIGNED, S.COURIER_AT_SHOP}))
def test_only_an_order_that_was_not_picked_up_can_be_given_back(status: OrderStatus) -> None:
    answer = given_back(a_story(status), 0, operator())
    assert answer == Refusal(code="order_state", detail={"status": status.value})


def test_a_courier_gives_back_only_his_own() -> None:
    story = a_story(S.ASSIGNED)
    answer = given_back(story, 0, caller_of(a_courier()))
    assert answer == Refusal(code="not_your_order", detail={"order_id": story.order.id})
    unknown = UnassignOrder(order_id=story.order.id, reason="")
    assert unassign(None, unknown, operator(), None, now=NOON) == Refusal(
        code="unknown_order", detail={"order_id": story.order.id}
    )


@given(st.data())
def test_cancelling_giving_back_and_picking_up_at_once_has_one_winner(data: st.DataObject) -> None:
    story = a_story(S.COURIER_AT_SHOP, orders=2)
    order, courier = story.order, story.courier
    picking = ReportProgress(courier_id=courier.id, order_id=order.id, step=P.PICKED_UP)
    carrying = Carrying(courier, story.held, parameters=story.zone.parameters, now=NOON)
    giving = UnassignOrder(order_id=order.id, reason="")
    caller = customer(order.customer_id)
    racing = [
        must(
            cancel(
                order,
                cancelling(order),
                caller,
                offer=None,
                others=[],
                couriers=[courier],
                now=NOON,
            )
        ),
        must(unassign(order, giving, operator(), courier, now=NOON)),
        must(carrying.report(picking)),
    ]
    assert sorted(story.store(one) for one in data.draw(st.permutations(racing))) == [
        False,
        False,
        True,
    ]
    is_held = story.order.id in story.courier.orders
    assert is_held is (story.status() is S.PICKED_UP)


def test_what_is_around_an_order_must_be_handed_in() -> None:
    for status in (S.OFFERED, S.ASSIGNED):
        order = an_order(status)
        with pytest.raises(AssertionError):
            cancelled_alone(order, customer(order.customer_id))
