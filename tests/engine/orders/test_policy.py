"""What must hold of what a cancellation and a return cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.dispatch.cancellation import cancel
from engine.kernel.messages import Decision, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Order, OrderCancelled, OrderReturned, OrderStatus, may
from engine.orders.policy import CANCELLATION, cancellation_terms, return_terms
from tests.builders import NOON, a_story, customer

S = OrderStatus
STATUSES = sorted(set(OrderStatus) - {S.PLACED})


def an_order_of(status: OrderStatus) -> Order:
    """Goods for 230.00 and a delivery for 23.00, with VAT."""
    order = a_story(status).order
    return replace(order, total_halalas=25300, fee_halalas=2000, due_at=NOON + 60 * MINUTE_MS)


@pytest.mark.parametrize("status", STATUSES)
def test_there_are_terms_exactly_while_an_order_may_be_cancelled(status: OrderStatus) -> None:
    order = an_order_of(status)
    for role in (Role.CUSTOMER, Role.OPERATOR):
        terms = cancellation_terms(order, role, now=NOON)
        assert (terms is not None) is may(order, OrderCancelled)


@pytest.mark.parametrize(
    ("status", "minutes", "rule", "charge"),
    [
        (S.SCHEDULED, 59, "unassigned", 0),
        (S.WAITING, 59, "unassigned", 0),
        (S.OFFERED, 59, "unassigned", 0),
        (S.ASSIGNED, 4, "just_assigned", 0),
        (S.ASSIGNED, 5, "assigned", 1150),
        (S.COURIER_AT_SHOP, 0, "courier_at_shop", 2300 + 11500),
        (S.COURIER_AT_SHOP, 61, "late", 0),
    ],
)
def test_a_customer_pays_by_the_table(
    status: OrderStatus, minutes: int, rule: str, charge: int
) -> None:
    order = an_order_of(status)
    terms = cancellation_terms(order, Role.CUSTOMER, now=NOON + minutes * MINUTE_MS)
    assert terms is not None
    assert (terms.rule, terms.charge_halalas) == (rule, charge)
    assert terms.refund_halalas == 25300 - charge
    free = cancellation_terms(order, Role.OPERATOR, now=NOON)
    assert free is not None
    assert (free.rule, free.charge_halalas) == ("operator", 0)


def test_dearer_terms_are_announced() -> None:
    order = an_order_of(S.ASSIGNED)
    assert order.assigned_at is not None
    terms = cancellation_terms(order, Role.CUSTOMER, now=NOON)
    assert terms is not None
    assert terms.until == order.assigned_at + 5 * MINUTE_MS
    later = cancellation_terms(order, Role.CUSTOMER, now=terms.until)
    assert later is not None
    assert (later.until, later.charge_halalas > terms.charge_halalas) == (None, True)


@given(
    total=st.integers(0, 10**9),
    fee=st.none() | st.integers(0, 10**6),
    status=st.sampled_from([S.WAITING, S.ASSIGNED, S.COURIER_AT_SHOP]),
    minutes=st.integers(0, 100),
)
def test_no_halala_is_lost_or_charged_beyond_the_total(
    total: int, fee: int | None, status: OrderStatus, minutes: int
) -> None:
    order = replace(an_order_of(status), total_halalas=total, fee_halalas=fee)
    at = NOON + minutes * MINUTE_MS
    for terms in (cancellation_terms(order, Role.CUSTOMER, now=at), return_terms(order)):
        assert terms is not None
        assert terms.charge_halalas + terms.refund_halalas == total
        assert 0 <= terms.charge_halalas <= total


def test_the_longer_a_customer_waits_the_less_he_gets_back() -> None:
    shares = [(row.delivery_percent, row.goods_percent) for row in CANCELLATION]
    assert shares == sorted(shares)


def test_nothing_is_cancelled_for_more_than_was_agreed_to() -> None:
    story = a_story(S.COURIER_AT_SHOP)
    order = replace(story.order, total_halalas=25300, fee_halalas=2000)

    def cancelled(agreed: int | None) -> Decision | Refusal:
        return cancel(
            order,
            CancelOrder(order_id=order.id, reason=CancelReason.OTHER, charge_halalas_max=agreed),
            customer(order.customer_id),
            offer=None,
            others=[],
            couriers=[story.courier],
            now=NOON,
        )

    refused = cancelled(13799)
    assert isinstance(refused, Refusal)
    assert refused.code == "charge_risen"
    assert refused.detail == {"charge_halalas": 13800, "refund_halalas": 11500}
    for agreed in (None, 13800):
        decision = cancelled(agreed)
        assert isinstance(decision, Decision)
        change = decision.changes[0]
        (event,) = change.events
        assert isinstance(event, OrderCancelled)
        assert (event.charge_halalas, event.refund_halalas) == (13800, 11500)
        assert change.thing.charge_halalas == 13800


def test_what_comes_back_to_the_shop_costs_the_ways() -> None:
    story = a_story(S.RETURNED)
    events = [
        event
        for decision in story.decisions
        for change in decision.changes
        for event in change.events
        if isinstance(event, OrderReturned)
    ]
    (event,) = events
    assert event.charge_halalas == story.order.charge_halalas
    assert event.charge_halalas + event.refund_halalas == story.order.total_halalas
    # Without goods, one and a half deliveries are more than was paid: all of it is kept.
    assert event.refund_halalas == 0
