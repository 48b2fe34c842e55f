"""A payment that is split: a part from the customer's wallet, the rest by a gateway (split tender).

To all other rules it is one payment of the whole. The wallet is spent first and gets back last, so
what each has taken and given follows from the whole; neither ever gives back more than it took.
"""

from typing import Final

from msgspec.structs import replace

from engine.payments.gateways import GatewayName, Standing, Statement, WalletPart
from engine.payments.payment import Operation, OperationKind, Payment

# Gateways charge no less (Stripe: half a dollar, 1.88 riyals).
REST_MIN: Final = 200
# Each of them is the whole of a payment: one is the wallet itself, one is a promise until the door.
UNSPLIT: Final = frozenset({GatewayName.WALLET, GatewayName.CASH})
_NOTHING: Final = frozenset({Standing.DECLINED, Standing.VOIDED})


def can_split(gateway: GatewayName, rest_halalas: int) -> bool:
    """Whether a gateway may be left with so much of a payment."""
    return gateway not in UNSPLIT and rest_halalas >= REST_MIN


def wallet_share(total_halalas: int, available_halalas: int) -> int:
    """The most that a wallet can pay of a total: all of it, or what leaves enough to be charged."""
    if available_halalas >= total_halalas:
        return total_halalas
    return max(0, min(available_halalas, total_halalas - REST_MIN))


def gateway_part(payment: Payment) -> Payment:
    """The payment as its gateway knows it: without what the wallet pays."""
    part, operation = _part(payment), payment.operation
    return replace(
        payment,
        wallet=None,
        amount_halalas=payment.amount_halalas - part.halalas,
        captured_halalas=payment.captured_halalas - part.captured_halalas,
        refunded_halalas=payment.refunded_halalas - part.refunded_halalas,
        operation=None if operation is None else asked_of_gateway(payment, operation),
    )


def wallet_part(payment: Payment) -> Payment:
    """The payment as the wallet knows it."""
    part = _part(payment)
    return replace(
        payment,
        wallet=None,
        amount_halalas=part.halalas,
        captured_halalas=part.captured_halalas,
        refunded_halalas=part.refunded_halalas,
        operation=None,
    )


def asked_of_gateway(payment: Payment, operation: Operation) -> Operation | None:
    """What of an operation the gateway does; None when the wallet does all of it.

    What is taken as a part comes from the wallet first; what goes back goes to the gateway first.
    """
    part = _part(payment)
    match operation.kind:
        case OperationKind.CAPTURE if operation.amount_halalas <= part.halalas:
            rest = payment.amount_halalas - part.halalas
            return replace(operation, kind=OperationKind.VOID, amount_halalas=rest)
        case OperationKind.REFUND:
            before = operation.before_halalas - part.refunded_halalas
            left = payment.captured_halalas - part.captured_halalas - before
            amount = min(operation.amount_halalas, max(0, left))
            if not amount:
                return None
            return replace(operation, amount_halalas=amount, before_halalas=before)
        case _:
            return replace(operation, amount_halalas=operation.amount_halalas - part.halalas)


def due_of_wallet(payment: Payment, said: Statement, held: Statement) -> Operation | None:
    """What the wallet is to do so that it stands as the gateway does; None when it does.

    `said` is what the gateway says of its part, `held` what the wallet says of its own.
    """
    operation, part = payment.operation, _part(payment)
    if held.standing is Standing.AUTHORISED:
        asked = part.halalas
        is_capture = operation is not None and operation.kind is OperationKind.CAPTURE
        if operation is not None and is_capture:
            asked = min(asked, operation.amount_halalas)
        is_all = is_capture and operation is not None and operation.amount_halalas <= part.halalas
        if said.standing is Standing.CAPTURED or (is_all and said.standing in _NOTHING):
            return Operation(id=payment.id, kind=OperationKind.CAPTURE, amount_halalas=asked)
        if said.standing in _NOTHING:
            return Operation(id=payment.id, kind=OperationKind.VOID, amount_halalas=asked)
        return None
    if operation is None or operation.kind is not OperationKind.REFUND:
        return None
    return _refund_due(payment, operation, said, held)


def together(payment: Payment, said: Statement, held: Statement | None) -> Statement:
    """What both say, as one statement of the whole."""
    part, standing = _part(payment), said.standing
    captured = 0 if held is None else held.captured_halalas
    refunded = 0 if held is None else held.refunded_halalas
    if captured and standing in _NOTHING:
        # The wallet had enough for what is kept, so the gateway let go of its part.
        standing = Standing.CAPTURED
    return replace(
        said,
        standing=standing,
        amount_halalas=said.amount_halalas + part.halalas,
        captured_halalas=said.captured_halalas + captured,
        refunded_halalas=said.refunded_halalas + refunded,
        wallet=replace(part, captured_halalas=captured, refunded_halalas=refunded),
    )


def _refund_due(
    payment: Payment, operation: Operation, said: Statement, held: Statement
) -> Operation | None:
    asked = asked_of_gateway(payment, operation)
    before = _part(payment).refunded_halalas
    amount = operation.amount_halalas
    if asked is not None:
        if said.refunded_halalas < asked.before_halalas + asked.amount_halalas:
            # Its turn has not come.
            return None
        amount -= asked.amount_halalas
    if not amount or held.refunded_halalas >= before + amount:
        return None
    return replace(operation, amount_halalas=amount, before_halalas=before)


def _part(payment: Payment) -> WalletPart:
    assert payment.wallet is not None, "what is split has a part for the wallet"
    return payment.wallet
