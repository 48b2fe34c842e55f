"""What an order is charged beyond its payments is owed, and settled once, to the halala."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.invoices.invoice import CreditRefund
from engine.kernel.ids import PaymentId, UserId
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, account
from engine.money.transfers import EnterTransfer
from engine.orders.covering import covered, kept_to_its_price, owed
from engine.orders.fees import Supplement
from engine.orders.order import Order, OrderStatus
from engine.payments import decide, dues
from engine.payments.decide import Payable, Terms
from engine.payments.gateways import GatewayName, Network
from engine.payments.messages import NOTHING_OWED, FollowOrder
from engine.payments.owed import Settlement, SettlementKind, Supplementing
from engine.payments.payment import Payment, PaymentStatus
from engine.payments.settling import follow, sell
from storage.payments import change_of
from tests.builders import NOON, a_placing, a_quote, a_zone, an_order, new_id

S = OrderStatus
CUSTOMER = UserId(new_id())
TERMS = Terms(commission_percent=10)


class Purse:
    """An order, its payments, and what the ledger is told of them."""

    def __init__(self, parts: tuple[int, ...]) -> None:
        zone = a_zone()
        placing = a_placing(zone, quoted=a_quote(zone, customer_id=CUSTOMER))
        self.zone_id, self.books, self.notes = zone.id, Counter[str](), 0
        self.first = self.paid(placing)
        total = self.first.amount_halalas
        whats = [self._more(one, number) for number, one in enumerate(parts)]
        self.more = [self.paid(one) for one in whats]
        self.order: Order = replace(
            an_order(),
            id=self.first.order_id,
            payment_id=self.first.id,
            total_halalas=total + sum(parts),
            paid_halalas=total,
            supplements=tuple(
                Supplement(payment_id=one.id, halalas=one.amount_halalas) for one in self.more
            ),
        )

    def _more(self, halalas: int, number: int) -> Supplementing:
        return Supplementing(
            order_id=self.first.order_id,
            zone_id=self.zone_id,
            first_payment_id=self.first.id,
            halalas=halalas,
            number=number,
        )

    def paid(self, what: Payable) -> Payment:
        """One that was taken at once."""
        begun = decide.begin(
            PaymentId(new_id()),
            what,
            customer_id=CUSTOMER,
            gateway=GatewayName.MOYASAR,
            network=Network.MADA,
            now=NOON,
            expires_at=NOON + 1,
        )
        payment: Payment = change_of(begun).thing
        self.books[account(AccountKind.ORDER, payment.for_order_id)] += payment.amount_halalas
        return replace(
            payment,
            status=PaymentStatus.CAPTURED,
            is_placed=True,
            captured_halalas=payment.amount_halalas,
        )

    def take(self, decision: Decision | Refusal | None, before: Payment) -> Payment:
        assert not isinstance(decision, Refusal), decision
        if decision is None:
            return before
        for effect in decision.effects:
            self.notes += isinstance(effect, CreditRefund)
            if isinstance(effect, EnterTransfer):
                for leg in effect.transfer.legs:
                    self.books[leg.account] += leg.amount
        return change_of(decision).thing

    def end(self, **fields: Any) -> None:
        """The order is over, and its payments hear of it, the last first."""
        self.order = replace(self.order, **fields)
        for number, one in reversed(list(enumerate(self.more))):
            self.more[number] = self.take(self._followed(one), one)
        self.first = self.take(self._followed(self.first), self.first)

    def _followed(self, payment: Payment) -> Decision | None:
        return follow(payment, self.order, terms=TERMS, now=NOON, vat_halalas=77)

    def balance(self, kind: AccountKind, owner: str = "") -> int:
        return self.books[account(kind, owner)]

    @property
    def owed(self) -> int:
        return -self.balance(AccountKind.RECEIVABLE, self.order.id)


@given(parts=st.lists(st.integers(1, 2000), max_size=3), charge=st.none() | st.integers(1, 9000))
def test_each_payment_keeps_its_part_and_what_is_beyond_all_of_them_is_owed(
    parts: list[int], charge: int | None
) -> None:
    purse = Purse(tuple(parts))
    taken = covered(purse.order)
    purse.end(status=S.DELIVERED if charge is None else S.RETURNED, charge_halalas=charge)
    price = purse.order.price_halalas
    assert purse.owed == owed(purse.order) == max(0, price - taken)
    kept = [(one.target_halalas or 0) for one in (purse.first, *purse.more)]
    assert sum(kept) == min(price, taken)
    # What is not kept waits on the order's account until it has gone back.
    assert purse.balance(AccountKind.ORDER, purse.order.id) == taken - sum(kept)
    assert purse.balance(AccountKind.VAT) == 77
    assert sum(purse.books[one] for one in ("shop", "revenue", "vat")) == price
    assert covered(kept_to_its_price(purse.order)) == min(price, taken)


def test_what_a_change_was_paid_with_is_owed_to_nobody_again() -> None:
    purse = Purse((600,))
    purse.end(status=S.DELIVERED)
    assert purse.owed == purse.first.owed_for(purse.order.id) == 0
    assert dues.due_of(purse.first, purse.order.id) == NOTHING_OWED()
    purse = Purse((600,))
    purse.end(status=S.RETURNED, charge_halalas=purse.order.total_halalas + 900)
    assert purse.owed == late(purse).halalas == 900


def test_nothing_is_sold_before_it_was_taken() -> None:
    purse = Purse(())
    held = replace(purse.first, status=PaymentStatus.AUTHORISED, captured_halalas=0)
    over = replace(purse.order, status=S.RETURNED, charge_halalas=purse.order.total_halalas + 900)
    told = follow(held, over, terms=TERMS, now=NOON)
    assert told is not None
    waiting: Payment = change_of(told).thing
    assert (waiting.sale, waiting.is_over, told.effects) == (None, True, ())
    taken = replace(waiting, status=PaymentStatus.CAPTURED, captured_halalas=waiting.amount_halalas)
    sold: Payment = change_of(sell(taken, (), (), terms=TERMS, now=NOON)).thing
    assert sold.sale is not None
    assert sold.sale.total_halalas == over.price_halalas


def test_what_a_door_has_paid_is_owed_by_nobody_however_dear_it_became() -> None:
    purse = Purse(())
    cash = replace(
        purse.first,
        gateway=GatewayName.CASH,
        status=PaymentStatus.AUTHORISED,
        captured_halalas=0,
    )
    due = purse.order.total_halalas + 600
    over = replace(purse.order, status=S.DELIVERED, is_cash=True, cash_taken_halalas=due)
    told = follow(cash, over, terms=TERMS, now=NOON)
    assert told is not None
    waiting: Payment = change_of(told).thing
    assert (waiting.amount_halalas, waiting.sale) == (due, None)
    assert waiting.owed_for(over.id) == 0


def late(purse: Purse) -> Supplementing:
    due = dues.due_of(purse.first, purse.order.id)
    assert isinstance(due, Supplementing)
    return due


def test_it_is_paid_later_once() -> None:
    purse = Purse(())
    total = purse.order.total_halalas
    purse.end(status=S.RETURNED, charge_halalas=total + 900)
    payment = purse.paid(late(purse))
    assert payment.amount_halalas == 900
    for _ in range(2):
        purse.first = purse.take(dues.settle(purse.first, payment, now=NOON), purse.first)
    purse.take(dues.placed(payment, terms=TERMS, now=NOON), payment)
    assert (purse.owed, purse.first.owed_for(purse.order.id)) == (0, 0)
    assert purse.balance(AccountKind.ORDER, purse.order.id) == 0
    second = purse.paid(replace(late_wish(purse), number=1))
    refused = dues.settle(purse.first, second, now=NOON)
    assert isinstance(refused, Refusal)
    assert refused.code == "nothing_owed"


def late_wish(purse: Purse) -> Supplementing:
    return Supplementing(
        order_id=purse.order.id,
        zone_id=purse.zone_id,
        first_payment_id=purse.first.id,
        halalas=900,
        is_due=True,
    )


@pytest.mark.parametrize(
    ("kind", "lost", "vat", "notes"),
    [
        (SettlementKind.UNCOLLECTABLE, {"bad_debt": -1150}, 77, 0),
        (SettlementKind.WAIVED, {"goodwill": -1000}, 77 - 150, 1),
    ],
)
def test_it_is_given_up_once(
    kind: SettlementKind, lost: dict[str, int], vat: int, notes: int
) -> None:
    purse = Purse(())
    purse.end(status=S.RETURNED, charge_halalas=purse.order.total_halalas + 1150)
    wish = Settlement(
        id=new_id(),
        order_id=purse.order.id,
        kind=kind,
        halalas=0,
        at=NOON,
        by=UserId(new_id()),
        note="he moved abroad",
    )
    for _ in range(100):
        purse.first = purse.take(dues.give_up(purse.first, wish), purse.first)
    assert purse.owed == 0
    assert {one: purse.books[one] for one in lost} == lost
    assert (purse.balance(AccountKind.VAT), purse.notes) == (vat, notes)
    other = dues.give_up(purse.first, replace(wish, id=new_id()))
    assert isinstance(other, Refusal)
    reused = dues.give_up(purse.first, replace(wish, note="another"))
    assert isinstance(reused, Refusal)
    assert (other.code, reused.code) == ("nothing_owed", "idempotency_key_reused")


def test_while_an_order_is_under_way_nothing_of_it_is_due_yet() -> None:
    purse = Purse(())
    refused = dues.due_of(purse.first, purse.order.id)
    assert isinstance(refused, Refusal)


@pytest.mark.parametrize("is_told_first", [True, False])
def test_what_a_lapsed_hold_does_not_bring_is_due_once(is_told_first: bool) -> None:
    purse = Purse((700, 500))
    for number in (0, 1):
        held = replace(purse.more[number], status=PaymentStatus.AUTHORISED, captured_halalas=0)
        purse.more[number] = held
        purse.books[account(AccountKind.ORDER, purse.order.id)] -= held.amount_halalas
    first = purse.first
    purse.end(status=S.DELIVERED)
    assert (purse.owed, purse.first.owed_for(purse.order.id)) == (1200, 0)
    gone = sell(replace(purse.more[1], status=PaymentStatus.VOIDED), (), (), terms=TERMS, now=NOON)
    lapsed = purse.take(gone, purse.more[1])
    (told,) = (one for one in gone.effects if isinstance(one, FollowOrder))
    assert (told.payment_id, told.lapse and told.lapse.halalas) == (first.id, 500)
    assert told.lapse is not None
    # Neither the order's end nor the bank's word, once more, tells of it again.
    assert follow(lapsed, purse.order, terms=TERMS, now=NOON) is None
    assert not sell(lapsed, (), (), terms=TERMS, now=NOON).effects
    if is_told_first:
        hears = purse.take(dues.lapse(first, told.lapse, now=NOON), first)
        purse.first = purse.take(follow(hears, purse.order, terms=TERMS, now=NOON), hears)
    else:
        purse.first = purse.take(dues.lapse(purse.first, told.lapse, now=NOON), purse.first)
    assert dues.lapse(purse.first, told.lapse, now=NOON) is None
    assert purse.first.owed_for(purse.order.id) == 500
    due = dues.due_of(purse.first, purse.order.id)
    assert isinstance(due, Supplementing)
    assert due.halalas == 500


def test_a_hold_that_lapsed_before_the_order_was_over_is_due_then() -> None:
    purse = Purse((700,))
    voided = replace(purse.more[0], status=PaymentStatus.VOIDED, captured_halalas=0)
    on_board = replace(purse.order, status=S.PICKED_UP)
    carried = purse.take(follow(voided, on_board, terms=TERMS, now=NOON), voided)
    assert (carried.target_halalas, carried.is_lapsed) == (700, False)
    over = replace(purse.order, status=S.DELIVERED)
    ended = follow(carried, over, terms=TERMS, now=NOON)
    assert ended is not None
    (told,) = (one for one in ended.effects if isinstance(one, FollowOrder))
    assert told.lapse is not None
    assert (told.lapse.halalas, purse.take(ended, carried).is_lapsed) == (700, True)


@pytest.mark.parametrize("charge", [None, 900])
@pytest.mark.parametrize("lapses_before_its_end", [True, False])
def test_a_first_hold_that_lapsed_is_sold_as_owed_and_due_once(
    charge: int | None, *, lapses_before_its_end: bool
) -> None:
    purse = Purse(())
    held = replace(purse.first, status=PaymentStatus.AUTHORISED, captured_halalas=0)
    voided = replace(held, status=PaymentStatus.VOIDED)
    purse.books.clear()
    purse.first = voided if lapses_before_its_end else held
    purse.end(status=S.DELIVERED if charge is None else S.CANCELLED, charge_halalas=charge)
    if not lapses_before_its_end:
        assert purse.first.sale is None
        gone = replace(purse.first, status=PaymentStatus.VOIDED)
        purse.first = purse.take(sell(gone, (), (), terms=TERMS, now=NOON), gone)
    price = purse.order.price_halalas
    assert purse.first.sale is not None
    assert (purse.owed, purse.first.owed_for(purse.order.id)) == (price, price)
    assert purse.balance(AccountKind.ORDER, purse.order.id) == 0
    assert sum(purse.books[one] for one in ("shop", "revenue", "vat")) == price
    # Neither the order nor the bank, once more, makes anything else of it.
    assert follow(purse.first, purse.order, terms=TERMS, now=NOON) is None
    assert not sell(purse.first, (), (), terms=TERMS, now=NOON).effects
    due = dues.due_of(purse.first, purse.order.id)
    assert isinstance(due, Supplementing)
    assert due.halalas == price


def test_a_first_hold_that_was_let_go_because_nothing_is_charged_leaves_nothing_owed() -> None:
    purse = Purse(())
    purse.books.clear()
    purse.first = replace(purse.first, status=PaymentStatus.VOIDED, captured_halalas=0)
    purse.end(status=S.CANCELLED, charge_halalas=0)
    assert (purse.owed, purse.first.owed_for(purse.order.id), purse.first.sale) == (0, 0, None)
