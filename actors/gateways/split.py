"""A payment that is split between a gateway and the customer's wallet, as one gateway.

What the wallet pays is set aside first, so who has too little is not charged at all. From then on
the wallet follows the gateway: whatever that is seen to have done, the wallet does its part of
before anybody hears of it. Its transfers have names of their own, so doing it again is harmless.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from actors.gateways.payments import GatewayRejected, GatewayUncertain, Notice, PaymentGateway
from engine.payments.gateways import Card, GatewayName, Source, SourceKind, Standing, Statement
from engine.payments.payment import Operation, Payment
from engine.payments.splitting import (
    asked_of_gateway,
    due_of_wallet,
    gateway_part,
    together,
    wallet_part,
)


class Split:
    """Satisfies `PaymentGateway` for payments with a `wallet` part."""

    def __init__(self, gateway: PaymentGateway, wallet: PaymentGateway) -> None:
        self.name = gateway.name
        self._gateway, self._wallet = gateway, wallet

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`: the wallet first, for it is asked for nothing twice."""
        held = await self._wallet.take(wallet_part(payment), Source(kind=SourceKind.WALLET))
        if held.standing not in {Standing.AUTHORISED, Standing.CAPTURED}:
            reason = held.reason or "wallet_released"
            whole = payment.amount_halalas
            return replace(held, standing=Standing.DECLINED, amount_halalas=whole, reason=reason)
        said = await self._gateway.take(gateway_part(payment), source)
        return await self._both(payment, said)

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`."""
        whole = replace(payment, operation=operation)
        part, asked = gateway_part(whole), asked_of_gateway(whole, operation)
        if asked is not None:
            return await self._both(whole, await self._gateway.carry_out(part, asked))
        said = await self._gateway.find(part)
        if said is None:
            raise GatewayUncertain("what was paid is not there")
        return await self._both(whole, said)

    async def find(self, payment: Payment) -> Statement | None:
        """See `PaymentGateway.find`; what the gateway has not seen is not there."""
        said = await self._gateway.find(gateway_part(payment))
        return None if said is None else await self._both(payment, said)

    async def describe(self, source: Source) -> Card | None:
        """See `PaymentGateway.describe`."""
        return await self._gateway.describe(source)

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`."""
        return await self._gateway.read_notice(headers, body)

    async def _both(self, payment: Payment, said: Statement) -> Statement:
        part = wallet_part(payment)
        held = await self._wallet.find(part)
        due = None if held is None else due_of_wallet(payment, said, held)
        if due is not None:
            try:
                held = await self._wallet.carry_out(part, due)
            except GatewayRejected:
                # Somebody else has let go of it: that is how it stands.
                held = await self._wallet.find(part)
        return together(payment, said, held)


def gateway_of(gateways: Mapping[GatewayName, PaymentGateway], payment: Payment) -> PaymentGateway:
    """By which gateway a payment goes."""
    gateway = gateways[payment.gateway]
    return gateway if payment.wallet is None else Split(gateway, gateways[GatewayName.WALLET])
