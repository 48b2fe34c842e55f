"""Whatever a gateway says, in whatever order: no halala is invented, lost, or taken twice."""

from collections import Counter
from typing import Any

import hypothesis.strategies as st
from hypothesis import given
from msgspec.structs import replace

from engine.kernel.ids import PaymentId, UserId
from engine.kernel.messages import Decision
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.money.accounts import AccountKind, account, kind_of
from engine.money.ledger import Entry, Head, Ledger
from engine.money.transfers import EnterTransfer
from engine.orders.order import OrderStatus
from engine.payments import decide
from engine.payments.decide import Step, Terms
from engine.payments.gateways import GatewayName, Network, Standing, Statement
from engine.payments.hearing import heard
from engine.payments.owed import owed_of
from engine.payments.payment import OperationKind, Payment, PaymentStatus, RefundStatus
from engine.payments.settling import follow
from storage.payments import change_of
from tests.builders import NOON, a_placing, a_quote, a_zone, an_order, new_id

S = PaymentStatus
TERMS = Terms(settle_s=120)


class Bank:
    """What really happens, of which only statements are heard."""

    def __init__(self, amount: int) -> None:
        self.amount, self.captured, self.refunded = amount, 0, 0
        self.standing: Standing | None = None

    def do(self, payment: Payment) -> None:
        """Carry out what was asked, if it can be."""
        asked = payment.operation
        assert asked is not None
        match asked.kind, self.standing:
            case OperationKind.AUTHORISE, None:
                self.standing = Standing.AUTHORISED
            case OperationKind.CHARGE, None:
                self.standing, self.captured = Standing.CAPTURED, self.amount
            case OperationKind.CAPTURE, Standing.AUTHORISED:
                self.standing, self.captured = Standing.CAPTURED, asked.amount_halalas
            case OperationKind.VOID, Standing.AUTHORISED:
                self.standing = Standing.VOIDED
            case OperationKind.REFUND, Standing.CAPTURED:
                assert self.refunded + asked.amount_halalas <= self.captured
                self.refunded += asked.amount_halalas
            case _:
                pass

    def says(self) -> Statement | None:
        if self.standing is None:
            return None
        return Statement(
            reference="r",
            standing=self.standing,
            amount_halalas=self.amount,
            currency="SAR",
            captured_halalas=self.captured,
            refunded_halalas=self.refunded,
        )


# What a gateway has of ours, and what is owed beyond what was paid.
_BELOW_ZERO = {AccountKind.GATEWAY, AccountKind.RECEIVABLE}


class Walk:
    """One payment, its order and its ledger, moved by what a test draws."""

    def __init__(self, network: Network) -> None:
        zone = a_zone()
        quoted = a_quote(zone)
        order = a_placing(zone, quoted=quoted)
        self.now = NOON
        self.ledger = Ledger(Head(), balances={}, entries={})
        begun = decide.begin(
            PaymentId(new_id()),
            order,
            customer_id=UserId(quoted.customer_id),
            gateway=GatewayName.MOYASAR,
            network=network,
            now=NOON,
            expires_at=quoted.valid_until,
        )
        self.payment = change_of(begun).thing
        self.bank = Bank(self.payment.amount_halalas)
        self.order = an_order()

    def take(self, decision: Decision | None) -> None:
        if decision is None:
            return
        later = change_of(decision).thing
        assert later.version == self.payment.version + 1
        self.payment = later
        for effect in decision.effects:
            assert isinstance(effect, EnterTransfer)
            entered = self.ledger.enter(effect.transfer, self.now)
            assert isinstance(entered, Entry), entered
        self.check()

    def ask(self, *, reaches_the_bank: bool, is_answered: bool) -> None:
        payment = self.payment
        due = decide.operation_due(payment, now=self.now)
        if payment.status is S.NEW:
            due = decide.taking(payment)
        if payment.operation is not None or due is None:
            return
        self.take(decide.ask(payment, due, now=self.now))
        if reaches_the_bank:
            self.bank.do(self.payment)
        if reaches_the_bank and is_answered:
            self.hear()

    def hear(self) -> None:
        if self.payment.operation is not None or self.payment.status is not S.NEW:
            self.take(heard(self.payment, self.bank.says(), terms=TERMS, now=self.now))

    def advance(self) -> None:
        step = decide.next_step(self.payment, now=self.now)
        if step is Step.PLACE:
            self.take(decide.placed(self.payment, now=self.now))

    def follow(self, status: OrderStatus, charge: int | None) -> None:
        order = replace(self.order, status=status, charge_halalas=charge)
        self.take(follow(self.payment, order, terms=TERMS, now=self.now))

    def check(self) -> None:
        payment, bank = self.payment, self.bank
        assert payment.refunded_halalas + payment.credited_halalas <= payment.captured_halalas
        assert payment.captured_halalas <= payment.amount_halalas
        assert payment.promised_halalas <= max(payment.captured_halalas, 0)
        has_due = payment.due_at is not None
        assert has_due or (payment.operation is None and payment.status is not S.NEW)
        known = -self.ledger.balance(account(AccountKind.GATEWAY, "moyasar")).posted
        assert known == payment.captured_halalas - payment.refunded_halalas
        assert known <= bank.captured or payment.operation is not None
        sums: Counter[str] = Counter()
        for name, balance in self.ledger.changed.items():
            sums["all"] += balance.posted
            assert balance.posted >= 0 or kind_of(name) in _BELOW_ZERO, name
        assert sums["all"] == 0


moves = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.booleans(), st.booleans()),
        st.tuples(st.just("hear")),
        st.tuples(st.just("place")),
        st.tuples(st.just("wait"), st.sampled_from([1, 30, 200, 5 * 86_400])),
        st.tuples(
            st.just("follow"),
            st.sampled_from([OrderStatus.PICKED_UP, OrderStatus.DELIVERED, OrderStatus.RETURNED]),
            st.integers(0, 4000),
        ),
    ),
    max_size=20,
)


def moved(walk: Walk, move: tuple[Any, ...]) -> None:
    match move:
        case ("ask", reaches, answered):
            walk.ask(reaches_the_bank=reaches, is_answered=answered)
        case ("hear",):
            walk.hear()
        case ("place",):
            walk.advance()
        case ("wait", seconds):
            walk.now += seconds * SECOND_MS
        case ("follow", status, charge):
            is_over = walk.payment.is_over or not walk.payment.is_placed
            if not is_over:
                walk.follow(status, charge if status is OrderStatus.RETURNED else None)
        case _:
            raise AssertionError(move)


@given(network=st.sampled_from([Network.MADA, Network.VISA]), story=moves)
def test_no_halala_is_invented_or_lost(network: Network, story: list[tuple[Any, ...]]) -> None:
    walk = Walk(network)
    for move in story:
        moved(walk, move)
    # From now on the gateway answers, and the order comes to its end.
    for _ in range(30):
        walk.now += 10 * MINUTE_MS
        walk.ask(reaches_the_bank=True, is_answered=True)
        walk.hear()
        walk.advance()
        if walk.payment.is_placed and not walk.payment.is_over:
            walk.follow(OrderStatus.RETURNED, 500)
    payment, bank = walk.payment, walk.bank
    assert payment.operation is None
    assert (payment.captured_halalas, payment.refunded_halalas) == (bank.captured, bank.refunded)
    kept = bank.captured - bank.refunded
    if payment.is_placed:
        assert payment.status in {S.CAPTURED, S.REFUNDED, S.VOIDED}
        assert kept in {payment.target_halalas, 0}
        owed = owed_of(payment.price)
        assert payment.sale is None or payment.sale.total_halalas == kept + owed
    else:
        assert kept == 0
    assert all(one.status is RefundStatus.DONE for one in payment.refunds)
    assert walk.ledger.balance(account(AccountKind.ORDER, payment.order_id)).posted == 0
