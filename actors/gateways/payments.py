"""Payment gateways: the port that each of them is reached through."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from engine.kernel.ids import PaymentId
from engine.payments.gateways import Card, GatewayName, Source, Statement
from engine.payments.payment import Operation, Payment


class GatewayUncertain(Exception):
    """No answer, or none that says what happened: it may have been done, or may yet be."""


class GatewayRejected(Exception):
    """The gateway refuses what it was asked for: it was not done, and the text says why.

    `code` is the gateway's own name of the fault, empty where it gave none.
    """

    def __init__(self, why: str, *, code: str = "") -> None:
        super().__init__(why)
        self.code = code


class Notice(Struct, frozen=True, kw_only=True):
    """A gateway's word that something happened, already known to be genuine.

    `reference` is the gateway's name of the payment, `payment_id` ours where it tells that.
    """

    id: str
    reference: str
    payment_id: PaymentId | None = None


class PaymentGateway(Protocol):
    """Moves money. Every method may raise `GatewayUncertain`.

    What is asked for is never asked for again without `find` having shown that it was not done.
    """

    name: GatewayName

    async def take(self, payment: Payment, source: Source) -> Statement:
        """Hold or charge what `payment.operation` says; raises `GatewayRejected`."""
        ...

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """Capture, void or refund; raises `GatewayRejected`."""
        ...

    async def find(self, payment: Payment) -> Statement | None:
        """How the payment stands, by our own reference; None when there is none."""
        ...

    async def describe(self, source: Source) -> Card | None:
        """What card a token stands for; None when that shows only when it is charged.

        Raises `GatewayRejected` for a token that the gateway does not know.
        """
        ...

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """What a webhook says; None when it is not genuine."""
        ...
