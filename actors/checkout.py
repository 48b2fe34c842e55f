"""What a customer wants to pay for, and with what."""

from msgspec import Struct

from engine.kernel.ids import PaymentId, UserId
from engine.payments.decide import Payable
from engine.payments.gateways import Network, Source


class Checkout(Struct, frozen=True, kw_only=True):
    """Orders, a gift link's limit, or more of an order, and what they are paid with.

    `wallet_halalas` of it come from his wallet beside that.
    """

    payment_id: PaymentId
    customer_id: UserId
    order: Payable
    network: Network
    source: Source
    wallet_halalas: int = 0
