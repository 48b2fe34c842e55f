"""The customer's wallet as a gateway: a hold is a pending transfer, and the ledger is its memory.

What it takes lies on `gateway:wallet`, as what Moyasar takes lies on `gateway:moyasar`, so that an
order is the same to the ledger whoever paid for it. Gift credit is spent first, for it buys gifts
alone; what goes back goes into the wallet first, as far as that has paid.
"""

from collections.abc import Mapping
from typing import Final

from actors.gateways.payments import GatewayRejected, GatewayUncertain, Notice
from actors.ledger import LedgerKeeper
from engine.kernel.messages import Effect
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import (
    Leg,
    Transfer,
    TransferId,
    TransferReason,
    about_order,
    move,
    void_of,
)
from engine.payments.gateways import (
    CURRENCY,
    Card,
    GatewayName,
    Source,
    Standing,
    Statement,
)
from engine.payments.messages import ReleaseWallet
from engine.payments.payment import Operation, OperationKind, Payment
from engine.payments.postings import TILL, from_wallet_id
from storage.ledger import LedgerStore
from storage.store import StoreUnavailable

_TRIES_MAX: Final = 3


class Wallet:
    """Satisfies `PaymentGateway`; a wallet that has too little declines."""

    name = GatewayName.WALLET

    def __init__(self, keeper: LedgerKeeper, books: LedgerStore) -> None:
        self._keeper, self._books = keeper, books

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`: set the amount aside."""
        del source
        for _ in range(_TRIES_MAX):
            if await self._enter(await self._hold(payment)) or await self._is_held(payment):
                return await self._found(payment)
            # Somebody spent of the credit meanwhile: what is left decides.
        return _statement(payment, Standing.DECLINED, reason="BALANCE_TOO_LOW")

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`."""
        held = await self._entered(payment, "hold")
        match operation.kind:
            case OperationKind.CAPTURE:
                credit = min(_credit_of(payment, held), operation.amount_halalas)
                legs = _legs(payment, -(operation.amount_halalas - credit), -credit)
                done = _move(payment, legs, "capture", settles=held.id)
            case OperationKind.VOID:
                done = void_of(held, id=_id(payment, "void"))
            case _:
                taken = await self._entered(payment, "capture")
                done = _move(payment, _given(payment, operation, taken), f"refund {operation.id}")
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

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`: a wallet sends none."""
        del headers, body
        return None

    async def on_effect(self, effect: Effect) -> None:
        """A payment has come to nothing; what was taken after all is given back with the rest."""
        assert isinstance(effect, ReleaseWallet)
        held = await self._books.find_entry(from_wallet_id(effect.payment_id, "hold"))
        if held is not None:
            # Refused when it was let go of, or taken, before.
            void = void_of(held.transfer, id=from_wallet_id(effect.payment_id, "void"))
            await self._keeper.enter(void)

    async def _statement(self, payment: Payment) -> Statement:
        if await self._books.find_entry(_id(payment, "void")) is not None:
            return _statement(payment, Standing.VOIDED)
        taken = await self._books.find_entry(_id(payment, "capture"))
        if taken is None:
            return _statement(payment, Standing.AUTHORISED)
        given = 0
        for one in payment.refunds:
            entry = await self._books.find_entry(_id(payment, f"refund {one.id}"))
            # What was given into the wallet may be a part of a refund.
            given -= 0 if entry is None else _of_till(entry.transfer)
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

    async def _is_held(self, payment: Payment) -> bool:
        """Whether whoever asked at the same time has held it, perhaps by another division."""
        try:
            return await self._books.find_entry(_id(payment, "hold")) is not None
        except StoreUnavailable as error:
            raise GatewayUncertain(str(error)) from error

    async def _entered(self, payment: Payment, name: str) -> Transfer:
        try:
            entry = await self._books.find_entry(_id(payment, name))
        except StoreUnavailable as error:
            raise GatewayUncertain(str(error)) from error
        if entry is None:
            raise GatewayRejected(f"there is no {name}")
        return entry.transfer

    async def _hold(self, payment: Payment) -> Transfer:
        try:
            has = await self._books.find_balance(_credit(payment))
        except StoreUnavailable as error:
            raise GatewayUncertain(str(error)) from error
        credit = max(0, min(has.available, payment.amount_halalas))
        return Transfer(
            id=_id(payment, "hold"),
            reason=TransferReason.CAPTURE,
            legs=_legs(payment, -(payment.amount_halalas - credit), -credit),
            # A repetition must be the same to the letter, so it counts for when it was made.
            effective_at=payment.made_at,
            about=about_order(payment.for_order_id),
            pending=True,
        )


def _move(
    payment: Payment, legs: tuple[Leg, ...], name: str, *, settles: TransferId | None = None
) -> Transfer:
    return Transfer(
        id=_id(payment, name),
        reason=TransferReason.REFUND if settles is None else TransferReason.CAPTURE,
        legs=legs,
        effective_at=payment.made_at,
        about=about_order(payment.for_order_id),
        settles=settles,
    )


def _given(payment: Payment, operation: Operation, taken: Transfer) -> tuple[Leg, ...]:
    """The wallet first, as far as it has paid and has not got it back, then the credit."""
    captured = max(leg.amount for leg in taken.legs)
    by_wallet = captured - _credit_of(payment, taken)
    amount = operation.amount_halalas
    wallet = min(amount, max(0, by_wallet - operation.before_halalas))
    return _legs(payment, wallet, amount - wallet)


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


def _legs(payment: Payment, wallet: int, credit: int) -> tuple[Leg, ...]:
    """So much into wallet and credit, or, below zero, out of them."""
    mine = account(AccountKind.CUSTOMER_WALLET, payment.customer_id)
    return move({mine: wallet, _credit(payment): credit, TILL: -wallet - credit})


def _of_till(transfer: Transfer) -> int:
    """What of it the till has got."""
    return sum(leg.amount for leg in transfer.legs if leg.account == TILL)


def _credit(payment: Payment) -> AccountId:
    return account(AccountKind.GIFT_CREDIT, payment.customer_id)


def _credit_of(payment: Payment, transfer: Transfer) -> int:
    """What of it the gift credit pays."""
    return -sum(leg.amount for leg in transfer.legs if leg.account == _credit(payment))


def _id(payment: Payment, name: str) -> TransferId:
    return from_wallet_id(payment.id, name)
