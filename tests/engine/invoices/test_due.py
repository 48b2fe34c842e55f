"""What must hold of when an order is invoiced, and for what."""

import pytest
from msgspec.structs import replace

from engine.invoices.due import draft_of, invoices_for
from engine.invoices.invoice import IssueInvoice, PaidBy
from engine.orders.order import OrderStatus
from engine.orders.policy import return_terms
from engine.orders.quote import Quote, Way, Wishes, quote
from engine.pricing.lines import PriceLine, amounts
from tests.builders import NOON, Story, a_quote, a_story, a_zone
from tests.engine.invoices.drafts import SELLER

S = OrderStatus
ROSES = PriceLine(name="Roses", unit_halalas=11500, includes_vat=True)


def due(story: Story) -> list[IssueInvoice]:
    return [one for decision in story.decisions for one in invoices_for(decision)]


def with_goods(plain: Quote) -> Quote:
    """The same quote with roses."""
    return quote(
        a_zone(),
        quote_id=plain.id,
        customer_id=plain.customer_id,
        way=Way(shop=plain.shop, door=plain.door, route_m=plain.distance_m, travel_s=600),
        preparation_s=plain.preparation_s,
        wishes=Wishes(goods=(ROSES,)),
        now=NOON,
    )


@pytest.mark.parametrize("status", sorted(set(S) - {S.PLACED}))
def test_an_order_is_invoiced_when_it_ends_and_something_is_charged(status: OrderStatus) -> None:
    story = a_story(status)
    told = due(story)
    assert len(told) == (status in {S.DELIVERED, S.RETURNED})
    assert {one.order_id for one in told} <= {story.order.id}
    assert [one.id for one in due(story)] == [one.id for one in told]


def test_a_late_cancellation_is_invoiced_for_its_charge() -> None:
    story = a_story(S.COURIER_AT_SHOP)
    story.cancel()
    (told,) = due(story)
    assert told.order_id == story.order.id
    draft = draft_of(story.order, None, seller=SELLER, now=NOON)
    (line,) = draft.lines
    assert (line.asked_halalas, line.includes_vat) == (story.order.charge_halalas, True)


def test_the_invoice_of_a_delivery_is_what_was_quoted_to_the_halala() -> None:
    quoted = with_goods(a_quote(a_zone()))
    order = replace(
        a_story(S.DELIVERED).order,
        total_halalas=quoted.total_halalas,
        fee_halalas=quoted.fee_halalas,
    )
    draft = draft_of(order, quoted, seller=SELLER, now=NOON)
    assert [one.name for one in draft.lines] == ["Roses", "خدمة توصيل / Delivery"]
    assert amounts(draft.lines).payable_halalas == order.total_halalas
    assert (draft.supplied_at, draft.buyer) == (order.ended_at, None)
    assert draft.paid_by is PaidBy.CARD
    at_the_door = replace(order, is_cash=True)
    assert draft_of(at_the_door, quoted, seller=SELLER, now=NOON).paid_by is PaidBy.CASH


def test_an_order_from_before_goods_were_sold_has_its_delivery_on_the_invoice() -> None:
    order = replace(a_story(S.DELIVERED).order, total_halalas=2070, fee_halalas=None)
    draft = draft_of(order, None, seller=SELLER, now=NOON)
    assert amounts(draft.lines).payable_halalas == 2070


def test_a_return_is_invoiced_for_what_is_kept() -> None:
    order = a_story(S.RETURNED).order
    assert order.charge_halalas == return_terms(order).charge_halalas
    draft = draft_of(order, None, seller=SELLER, now=NOON)
    assert amounts(draft.lines).payable_halalas == order.charge_halalas
