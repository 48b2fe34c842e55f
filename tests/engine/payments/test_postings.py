"""What was sold is divided to the halala, and given back from where it went."""

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace

from engine.kernel.ids import CourierId, PaymentId, UserId
from engine.orders.quote import Quote
from engine.payments import decide, postings
from engine.payments.gateways import GatewayName, Network
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from engine.pricing.lines import PriceLine, amounts
from storage.payments import change_of
from tests.builders import NOON, a_placing, a_quote, a_zone, new_id

COURIER = CourierId(UserId(new_id()))


def quoted(goods: int) -> Quote:
    plain = a_quote(a_zone())
    delivery = PriceLine(name="delivery", unit_halalas=plain.fee_halalas)
    lines = (PriceLine(name="Roses", unit_halalas=goods, includes_vat=True), delivery)
    priced = amounts(lines if goods else lines[1:])
    return replace(
        plain,
        lines=priced.lines,
        vat_halalas=priced.vat_halalas,
        rounding_halalas=priced.rounding_halalas,
        total_halalas=priced.payable_halalas,
    )


def sold(quote: Quote, *, commission: int = 0) -> Payment:
    begun = decide.begin(
        PaymentId(new_id()),
        a_placing(a_zone(), quoted=quote),
        customer_id=UserId(quote.customer_id),
        gateway=GatewayName.MOYASAR,
        network=Network.MADA,
        now=NOON,
        expires_at=quote.valid_until,
    )
    total = quote.total_halalas
    sale = postings.sale_of(quote, total, is_returned=False, commission=commission)
    return replace(
        change_of(begun).thing,
        status=PaymentStatus.CAPTURED,
        captured_halalas=total,
        target_halalas=total,
        sale=sale,
    )


def a_refund(amount: int, reason: RefundReason = RefundReason.GOODS, **fields: Any) -> Refund:
    return Refund(
        id=new_id(),
        amount_halalas=amount,
        reason=reason,
        status=RefundStatus.DONE,
        asked_at=NOON,
        asked_by=UserId(new_id()),
        **{"is_after_sale": True, **fields},
    )


def test_a_whole_sale_is_divided_as_the_quote_says() -> None:
    quote = quoted(11_500)
    sale = postings.sale_of(quote, quote.total_halalas, is_returned=False, commission=0)
    assert (sale.shop_halalas, sale.vat_halalas) == (10_000, quote.vat_halalas)
    assert sale.platform_halalas == quote.fee_halalas + quote.rounding_halalas
    ours = postings.sale_of(quote, quote.total_halalas, is_returned=False, commission=20)
    assert ours.shop_halalas == 8_000
    assert ours.total_halalas == sale.total_halalas


@given(
    goods=st.integers(0, 100_000),
    part=st.integers(1, 100),
    returned=st.booleans(),
    commission=st.integers(0, 100),
)
def test_whatever_is_kept_its_parts_are_none_of_them_negative_and_sum_to_it(
    goods: int, part: int, *, returned: bool, commission: int
) -> None:
    quote = quoted(goods)
    kept = max(1, quote.total_halalas * part // 100)
    sale = postings.sale_of(quote, kept, is_returned=returned, commission=commission)
    assert sale.total_halalas == kept
    assert min(sale.shop_halalas, sale.vat_halalas) >= 0
    assert sale.platform_halalas >= -abs(quote.rounding_halalas)


@given(goods=st.integers(0, 50_000), cuts=st.lists(st.integers(1, 9_000), max_size=12))
def test_however_it_is_given_back_in_the_end_each_has_given_his_part(
    goods: int, cuts: list[int]
) -> None:
    payment = sold(quoted(goods))
    sale = payment.sale
    assert sale is not None
    given: Counter[str] = Counter()
    left = payment.captured_halalas
    for wanted in (*cuts, left):
        amount = min(wanted, left)
        if not amount:
            break
        refund = a_refund(amount)
        transfer = postings.refunded(payment, refund, now=NOON)
        told = amounts((PriceLine(name="Refund", unit_halalas=amount, includes_vat=True),))
        taken = [-leg.amount for leg in transfer.legs if leg.account == postings.VAT]
        assert sum(taken) == told.vat_halalas
        for leg in transfer.legs:
            given[leg.account] -= leg.amount
        payment = replace(payment, refunds=(*payment.refunds, refund))
        left -= amount
    if left == 0:
        assert given[postings.SHOP] == sale.shop_halalas
        # Each note rounds by itself, and what that makes is the platform's.
        off = given[postings.VAT] - sale.vat_halalas
        assert abs(off) <= len(payment.refunds) + 1
        assert given[postings.REVENUE] == sale.platform_halalas - off


@pytest.mark.parametrize(
    ("reason", "bearers"),
    [
        (RefundReason.GOODS, {"shop", "revenue", "vat"}),
        (RefundReason.COURIER, {"goodwill", f"courier_debt:{COURIER}", "vat"}),
        (RefundReason.LATE, {"goodwill", "vat"}),
        (RefundReason.GOODWILL, {"goodwill", "vat"}),
    ],
)
def test_who_is_at_fault_bears_it(reason: RefundReason, bearers: set[str]) -> None:
    payment = sold(quoted(11_500))
    refund = a_refund(5_000, reason, courier_id=COURIER)
    legs = postings.refunded(payment, refund, now=NOON).legs
    assert {one.account for one in legs if one.amount < 0} == bearers
    assert [one.amount for one in legs if one.account == "gateway:moyasar"] == [5_000]


def test_what_nobody_has_earned_yet_comes_from_the_order() -> None:
    payment = sold(quoted(11_500))
    refund = a_refund(5_000, is_after_sale=False)
    legs = postings.refunded(payment, refund, now=NOON).legs
    assert {one.account for one in legs if one.amount < 0} == {f"order:{payment.order_id}"}
