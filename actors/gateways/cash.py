"""Cash at the door as a gateway: a promise, until the courier's report says what he took.

Nobody is asked over a network: what a payment has been told to do is done. That the money was taken
is in the order, by which the payment is told to capture; whose hands it is in is in the ledger.
"""

from collections.abc import Mapping

from actors.gateways.payments import GatewayRejected, Notice
from engine.payments.gateways import CURRENCY, Card, GatewayName, Source, Standing, Statement
from engine.payments.payment import Operation, OperationKind, Payment, PaymentStatus

_STANDING = {
    OperationKind.CAPTURE: Standing.CAPTURED,
    OperationKind.VOID: Standing.VOIDED,
}


class Cash:
    """Satisfies `PaymentGateway`."""

    name = GatewayName.CASH

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`: it will be paid at the door."""
        del source
        return _stands(payment, payment.operation)

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`: nothing goes back to where cash came from."""
        if operation.kind is OperationKind.REFUND:
            raise GatewayRejected("cash goes back into the wallet")
        return _stands(payment, operation)

    async def find(self, payment: Payment) -> Statement | None:
        """See `PaymentGateway.find`: as it was told."""
        return _stands(payment, payment.operation)

    async def describe(self, source: Source) -> Card | None:
        """See `PaymentGateway.describe`: it is no card."""
        del source
        return None

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`: nobody sends one."""
        del headers, body
        return None


def _stands(payment: Payment, operation: Operation | None) -> Statement:
    standing, captured = Standing.AUTHORISED, payment.captured_halalas
    if operation is not None:
        standing = _STANDING.get(operation.kind, standing)
        captured = operation.amount_halalas if standing is Standing.CAPTURED else captured
    elif captured:
        standing = Standing.CAPTURED
    elif payment.status is PaymentStatus.VOIDED:
        standing = Standing.VOIDED
    return Statement(
        reference=payment.id,
        standing=standing,
        amount_halalas=payment.amount_halalas,
        currency=CURRENCY,
        captured_halalas=captured,
        refunded_halalas=payment.refunded_halalas,
    )
