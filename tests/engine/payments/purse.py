"""A payment with a gateway that does what it is asked."""

from collections import Counter

from engine.invoices.invoice import CreditRefund
from engine.kernel.ids import PaymentId, UserId
from engine.kernel.messages import Decision
from engine.money.transfers import EnterTransfer
from engine.orders.grouping import group_of
from engine.orders.messages import PlaceOrder, PlaceOrders
from engine.payments import decide
from engine.payments.decide import Terms
from engine.payments.gateways import CURRENCY, GatewayName, Network, Standing, Statement
from engine.payments.hearing import heard
from engine.payments.messages import TakePointsBack
from engine.payments.payment import OperationKind, Payment, PaymentStatus
from engine.pricing.lines import vat_in
from storage.payments import change_of
from tests.builders import NOON, a_placing, a_quote, a_zone, new_id

CUSTOMER = UserId(new_id())
TERMS = Terms(commission_percent=10)


class Purse:
    """A payment of an order or a group, a gateway that obeys, and what ledger and invoices hear."""

    def __init__(self, network: Network, count: int, *, is_group: bool = True) -> None:
        zone = a_zone()
        made = [a_placing(zone, quoted=a_quote(zone, customer_id=CUSTOMER)) for _ in range(count)]
        self.orders: tuple[PlaceOrder, ...] = group_of(made) if is_group else tuple(made[:1])
        begun = decide.begin(
            PaymentId(new_id()),
            PlaceOrders(zone_id=zone.id, orders=self.orders) if is_group else self.orders[0],
            customer_id=CUSTOMER,
            gateway=GatewayName.MOYASAR,
            network=network,
            now=NOON,
            expires_at=NOON + 1,
        )
        self.payment: Payment = change_of(begun).thing
        self.captured = self.refunded = 0
        self.standing = Standing.PENDING
        self.books = Counter[str]()
        self.notes = Counter[str]()
        self.vat_of_notes = 0

    def take(self, decision: Decision | None) -> None:
        if decision is None:
            return
        self.payment = change_of(decision).thing
        for effect in decision.effects:
            match effect:
                case EnterTransfer(transfer=transfer):
                    for leg in transfer.legs:
                        self.books[leg.account] += leg.amount
                case CreditRefund():
                    self.notes[effect.order_id] += effect.amount_halalas
                    self.vat_of_notes += vat_in(effect.amount_halalas)
                case _:
                    assert isinstance(effect, TakePointsBack)

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
