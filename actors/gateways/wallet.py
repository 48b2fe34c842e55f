"""The customer's wallet as a gateway: a hold is a pending transfer, and the ledger is its memory.

What it takes lies on `gateway:wallet`, as what Moyasar takes lies on `gateway:moyasar`, so that an
order is the same to the ledger whoever paid for it.
"""

from collections.abc import Mapping
from typing import Final

from actors.gateways.payments import GatewayRejected, GatewayUncertain, Notice
from actors.ledger import LedgerKeeper
from engine.kernel.ids import derived_id
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Leg, Transfer, TransferId, TransferReason, move, void_of
from engine.payments.gateways import (
    CURRENCY,
    Card,
    GatewayName,
    Source,
    Standing,
    Statement,
)
from engine.payments.payment import Operation, OperationKind, Payment
from engine.payments.postings import about
from storage.ledger import LedgerStore
from storage.store import StoreUnavailable

TILL: Final = account(AccountKind.GATEWAY, GatewayName.WALLET.value)


class Wallet:
    """Satisfies `PaymentGateway`; a wallet that has too little declines."""

    name = GatewayName.WALLET

    def __init__(self, keeper: LedgerKeeper, books: LedgerStore) -> None:
        self._keeper, self._books = keeper, books

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`: set the amount aside."""
        del source
        if await self._enter(self._hold(payment)):
            return await self._found(payment)
        return _statement(payment, Standing.DECLINED, reason="BALANCE_TOO_LOW")

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`."""
        match operation.kind:
            case OperationKind.CAPTURE:
                done = self._move(payment, -operation.amount_halalas, "capture", is_capture=True)
            case OperationKind.VOID:
                done = void_of(self._hold(payment), id=_id(payment, "void"))
            case _:
                done = self._move(payment, operation.amount_halalas, f"refund {operation.id}")
        if not await self._enter(done):
            raise GatewayRejected("the ledger refuses")
        return await self._found(payment)

    async def find(self, payment: Payment) -> Statement | None:
        """See `PaymentGateway.find`: what the ledger says."""
        try:
            if await self._books.find_entry(_id(payment, "hold")) is None:
                return None
            return await self._statement(payment)
        except StoreUnavailable as error:
            raise GatewayUncertain(str(error)) from error

    async def describe(self, source: Source) -> Card | None:
        """See `PaymentGateway.describe`: it is no card."""
        del source
        return None

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`: a wallet sends none."""
        del headers, body
        return None

    async def _statement(self, payment: Payment) -> Statement:
        if await self._books.find_entry(_id(payment, "void")) is not None:
            return _statement(payment, Standing.VOIDED)
        taken = await self._books.find_entry(_id(payment, "capture"))
        if taken is None:
            return _statement(payment, Standing.AUTHORISED)
        given = 0
        for one in payment.refunds:
            entry = await self._books.find_entry(_id(payment, f"refund {one.id}"))
            given += one.amount_halalas if entry is not None else 0
        captured = max(leg.amount for leg in taken.transfer.legs)
        return _statement(payment, Standing.CAPTURED, captured=captured, refunded=given)

    async def _found(self, payment: Payment) -> Statement:
        said = await self.find(payment)
        assert said is not None, "what was entered is found"
        return said

    async def _enter(self, transfer: Transfer) -> bool:
        try:
            return not isinstance(await self._keeper.enter(transfer), Refusal)
        except StoreUnavailable as error:
            raise GatewayUncertain(str(error)) from error

    def _hold(self, payment: Payment) -> Transfer:
        return Transfer(
            id=_id(payment, "hold"),
            reason=TransferReason.CAPTURE,
            legs=_legs(payment, -payment.amount_halalas),
            # A repetition must be the same to the letter, so it counts for when it was made.
            effective_at=payment.made_at,
            about=about(payment.order_id),
            pending=True,
        )

    def _move(
        self, payment: Payment, amount: int, name: str, *, is_capture: bool = False
    ) -> Transfer:
        return Transfer(
            id=_id(payment, name),
            reason=TransferReason.CAPTURE if is_capture else TransferReason.REFUND,
            legs=_legs(payment, amount),
            effective_at=payment.made_at,
            about=about(payment.order_id),
            settles=_id(payment, "hold") if is_capture else None,
        )


def _statement(
    payment: Payment,
    standing: Standing,
    *,
    captured: int = 0,
    refunded: int = 0,
    reason: str = "",
) -> Statement:
    return Statement(
        reference=_id(payment, "hold"),
        standing=standing,
        amount_halalas=payment.amount_halalas,
        currency=CURRENCY,
        captured_halalas=captured,
        refunded_halalas=refunded,
        reason=reason,
    )


def _legs(payment: Payment, amount: int) -> tuple[Leg, ...]:
    """So much into the wallet, or, below zero, out of it."""
    mine = account(AccountKind.CUSTOMER_WALLET, payment.customer_id)
    return move({mine: amount, TILL: -amount})


def _id(payment: Payment, name: str) -> TransferId:
    return TransferId(derived_id("wallet payment", payment.id, name))
