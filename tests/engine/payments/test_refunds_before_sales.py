"""What is given back before an order has earned it is credited, and taken from those who earn."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, account
from engine.orders.order import OrderStatus
from engine.payments import decide, postings
from engine.payments.gateways import Network
from engine.payments.payment import Refund, RefundReason, RefundStatus
from engine.payments.refunding import ask_refund, decide_refund
from engine.payments.settling import follow
from engine.pricing.lines import vat_in
from tests.builders import NOON, an_order, new_id
from tests.engine.payments.purse import TERMS, Purse

LIMIT = 1_000
OPERATOR, APPROVER = UserId(new_id()), UserId(new_id())


class Told(Purse):
    """A charged payment of which an operator gives parts back, before or after its orders end."""

    def __init__(self, count: int, *, is_group: bool) -> None:
        super().__init__(Network.MADA, count, is_group=is_group)
        self.settle()
        self.take(decide.placed(self.payment, now=NOON))
        self.is_group = is_group
        self.invoiced = self.invoiced_vat = 0

    def refund(self, place: int, amount: int, reason: RefundReason = RefundReason.GOODS) -> str:
        wish = Refund(
            id=new_id(),
            amount_halalas=amount,
            reason=reason,
            status=RefundStatus.DUE,
            asked_at=NOON,
            asked_by=OPERATOR,
            order_id=self.orders[place].order_id if self.is_group else None,
        )
        asked = ask_refund(self.payment, wish, limit_halalas=LIMIT, now=NOON)
        if not isinstance(asked, Refusal):
            self.take(asked)
            self.settle()
        return wish.id

    def judge(self, refund_id: str, *, is_approved: bool) -> None:
        decided = decide_refund(
            self.payment, refund_id, is_approved=is_approved, by=APPROVER, now=NOON
        )
        if not isinstance(decided, Refusal):
            self.take(decided)
            self.settle()

    def end(self, place: int, charge: int | None = None) -> None:
        """Delivered, or cancelled for a charge; and its invoice, as it is made of the order."""
        quote = self.orders[place].quote
        order = replace(
            an_order(),
            id=self.orders[place].order_id,
            payment_id=self.payment.id,
            status=OrderStatus.DELIVERED if charge is None else OrderStatus.CANCELLED,
            total_halalas=quote.total_halalas,
            charge_halalas=charge,
        )
        self.invoiced += order.price_halalas
        vat = quote.vat_halalas if charge is None else vat_in(charge)
        self.invoiced_vat += vat
        followed = follow(self.payment, order, terms=TERMS, now=NOON, vat_halalas=vat)
        self.take(followed)
        self.settle()

    def check(self) -> None:
        """Documents, gateway and ledger say the same."""
        assert self.captured - self.refunded == self.invoiced - self.notes.total()
        assert self.books[postings.VAT] == self.invoiced_vat - self.vat_of_notes
        assert self.books[account(AccountKind.ORDER, self.payment.order_id)] == 0
        assert self.books.total() == 0


def test_it_is_credited_when_the_order_has_its_invoice() -> None:
    told = Told(1, is_group=False)
    told.refund(0, 700)
    assert not told.notes
    told.end(0)
    assert told.notes == {told.orders[0].order_id: 700}
    told.check()


def test_all_of_it_may_go_back_before_anything_is_earned() -> None:
    told = Told(1, is_group=False)
    waits = told.refund(0, told.payment.captured_halalas)
    told.judge(waits, is_approved=True)
    told.end(0)
    assert told.notes.total() == told.invoiced
    told.check()


@pytest.mark.parametrize("is_approved", [True, False])
def test_what_waits_for_approval_at_the_end_is_judged_afterwards(*, is_approved: bool) -> None:
    told = Told(1, is_group=False)
    waits = told.refund(0, LIMIT + 1)
    told.end(0)
    assert not told.notes
    told.judge(waits, is_approved=is_approved)
    assert told.notes.total() == (LIMIT + 1) * is_approved
    told.check()


def test_what_goes_back_by_itself_after_each_of_two_rejections_is_two_refunds() -> None:
    told = Told(1, is_group=False)
    waiting = [told.refund(0, LIMIT + 1) for _ in range(2)]
    told.end(0, charge=told.payment.captured_halalas - 2 * LIMIT - 1)
    for one in waiting:
        told.judge(one, is_approved=False)
    assert len({one.id for one in told.payment.refunds}) == len(told.payment.refunds) == 4
    told.check()


def test_what_would_have_gone_back_anyhow_is_on_no_invoice() -> None:
    told = Told(1, is_group=False)
    told.refund(0, 700)
    told.end(0, charge=1_000)
    assert not told.notes
    assert told.captured - told.refunded == 1_000
    told.check()


def test_who_is_late_bears_it_as_if_it_had_gone_back_later() -> None:
    before, after = Told(1, is_group=False), Told(1, is_group=False)
    before.refund(0, 900, RefundReason.LATE)
    before.end(0)
    after.end(0)
    after.refund(0, 900, RefundReason.LATE)
    accounts = (postings.SHOP, postings.REVENUE, postings.VAT, postings.GOODWILL)
    assert [before.books[one] for one in accounts] == [after.books[one] for one in accounts]


part = st.tuples(st.integers(1, 3_000), st.sampled_from(["before", "approved", "rejected"]))


@given(
    is_group=st.booleans(),
    story=st.lists(
        st.tuples(st.lists(part, max_size=3), st.none() | st.integers(0, 2_000)),
        min_size=1,
        max_size=3,
    ),
)
def test_whatever_is_given_back_documents_gateway_and_ledger_agree(
    is_group: bool,
    story: list[tuple[list[tuple[int, str]], int | None]],
) -> None:
    told = Told(len(story), is_group=is_group)
    waiting = list[tuple[str, bool]]()
    for place, (parts, charge) in enumerate(story if is_group else story[:1]):
        for amount, when in parts:
            refund_id = told.refund(place, amount)
            if when == "before":
                told.judge(refund_id, is_approved=True)
            else:
                waiting.append((refund_id, when == "approved"))
        told.end(place, charge)
        told.refund(place, 50)
    for refund_id, is_approved in waiting:
        told.judge(refund_id, is_approved=is_approved)
    assert told.payment.is_over
    told.check()
