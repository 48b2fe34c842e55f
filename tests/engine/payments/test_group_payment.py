"""What must hold of one payment for several orders: each has its own part, and all add up."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.ids import PaymentId, UserId
from engine.kernel.messages import Decision
from engine.money.accounts import AccountKind, account
from engine.money.transfers import EnterTransfer
from engine.orders.grouping import group_of
from engine.orders.messages import PlaceOrder, PlaceOrders
from engine.orders.order import OrderStatus
from engine.payments import decide
from engine.payments.decide import Terms
from engine.payments.gateways import CURRENCY, GatewayName, Network, Standing, Statement
from engine.payments.hearing import heard
from engine.payments.payment import OperationKind, Payment, PaymentStatus
from engine.payments.settling import follow
from storage.payments import change_of
from tests.builders import NOON, a_placing, a_quote, a_zone, an_order, new_id

CUSTOMER = UserId(new_id())
TERMS = Terms(commission_percent=10)
ENDS = st.sampled_from(
    [OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.PICKED_UP]
)


class Purse:
    """The payment of a group, a gateway that does what it is asked, and what the ledger is told."""

    def __init__(self, network: Network, count: int) -> None:
        zone = a_zone()
        made = [a_placing(zone, quoted=a_quote(zone, customer_id=CUSTOMER)) for _ in range(count)]
        self.orders: tuple[PlaceOrder, ...] = group_of(made)
        begun = decide.begin(
            PaymentId(new_id()),
            PlaceOrders(zone_id=zone.id, orders=self.orders),
            customer_id=CUSTOMER,
            gateway=GatewayName.MOYASAR,
            network=network,
            now=NOON,
            expires_at=NOON + 1,
        )
        self.payment: Payment = change_of(begun).thing
        self.captured = self.refunded = 0
        self.standing = Standing.PENDING
        self.books: dict[str, int] = {}

    def take(self, decision: Decision | None) -> None:
        if decision is None:
            return
        self.payment = change_of(decision).thing
        for effect in decision.effects:
            assert isinstance(effect, EnterTransfer)
            for leg in effect.transfer.legs:
                self.books[leg.account] = self.books.get(leg.account, 0) + leg.amount

    def settle(self) -> None:
        """Ask the gateway for all that is due, and hear what it did."""
        payment = self.payment
        due = decide.taking(payment) if payment.status is PaymentStatus.NEW else None
        while due := due or decide.operation_due(self.payment, now=NOON):
            self.take(decide.ask(self.payment, due, now=NOON))
            match due.kind:
                case OperationKind.AUTHORISE:
                    self.standing = Standing.AUTHORISED
                case OperationKind.VOID:
                    self.standing = Standing.VOIDED
                case OperationKind.REFUND:
                    self.refunded += due.amount_halalas
                case _:
                    self.standing, self.captured = Standing.CAPTURED, due.amount_halalas
            said = Statement(
                reference="r",
                standing=self.standing,
                amount_halalas=self.payment.amount_halalas,
                currency=CURRENCY,
                captured_halalas=self.captured,
                refunded_halalas=self.refunded,
            )
            self.take(heard(self.payment, said, terms=TERMS, now=NOON))
            due = None
            if self.payment.status not in {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}:
                return


@given(
    st.sampled_from([Network.VISA, Network.MADA]),
    st.lists(st.tuples(ENDS, st.integers(0, 1)), min_size=1, max_size=5),
)
def test_however_each_ends_its_part_alone_is_kept_and_the_ledger_is_empty(
    network: Network, ends: list[tuple[OrderStatus, int]]
) -> None:
    purse = Purse(network, len(ends))
    purse.settle()
    purse.take(decide.placed(purse.payment, now=NOON))
    assert purse.payment.orders == ()
    kept = 0
    for command, (status, is_charged) in zip(purse.orders, ends, strict=True):
        total = command.quote.total_halalas
        charge = total // 3 * is_charged
        order = replace(
            an_order(),
            id=command.order_id,
            payment_id=purse.payment.id,
            status=status,
            total_halalas=total,
            charge_halalas=charge,
        )
        purse.take(follow(purse.payment, order, terms=TERMS, now=NOON))
        assert follow(purse.payment, order, terms=TERMS, now=NOON) is None
        purse.settle()
        if status is OrderStatus.PICKED_UP:
            delivered = replace(order, status=OrderStatus.DELIVERED)
            purse.take(follow(purse.payment, delivered, terms=TERMS, now=NOON))
            purse.settle()
        is_brought = status in {OrderStatus.DELIVERED, OrderStatus.PICKED_UP}
        kept += total if is_brought else charge
    assert purse.captured - purse.refunded == kept
    assert purse.payment.is_over
    name = account(AccountKind.ORDER, purse.payment.order_id)
    assert purse.books.get(name, 0) == 0
    assert sum(purse.books.values()) == 0
    sold = sum(one.sale.total_halalas for one in purse.payment.shares if one.sale is not None)
    assert sold == kept
    if kept == 0:
        assert purse.payment.status in {PaymentStatus.VOIDED, PaymentStatus.REFUNDED}
