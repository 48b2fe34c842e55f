"""Gateways: which there are, what each can do, which one takes which card, and what they say."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, HOUR_MS

CURRENCY: Final = "SAR"


class GatewayName(StrEnum):
    """Who moves the money."""

    MOYASAR = "moyasar"
    STRIPE = "stripe"
    PAYPAL = "paypal"
    WALLET = "wallet"
    CASH = "cash"


class Network(StrEnum):
    """What the money comes from: a card's network, or something that is no card."""

    MADA = "mada"
    VISA = "visa"
    MASTERCARD = "mastercard"
    AMEX = "amex"
    STC_PAY = "stc_pay"
    PAYPAL = "paypal"
    WALLET = "wallet"
    CASH = "cash"


class SourceKind(StrEnum):
    """What the app hands over instead of a card."""

    TOKEN = "token"  # noqa: S105 - a kind, no secret
    APPLE_PAY = "apple_pay"
    STC_PAY = "stc_pay"
    PAYPAL = "paypal"
    WALLET = "wallet"
    SAVED = "saved"
    CASH = "cash"


class Source(Struct, frozen=True, kw_only=True):
    """What is charged, as the gateway's own form in the app made it; it is never stored."""

    kind: SourceKind
    value: str = ""


class Flow(StrEnum):
    """When the money is taken."""

    HOLD = "hold"
    CHARGE = "charge"


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a gateway can do.

    `idempotency` is whether a repeated charge with our reference is the same charge; nothing here
    relies on it for captures and refunds, which are looked for before they are asked for again.
    """

    authorise: bool
    partial_capture: bool
    void: bool
    refund: bool
    partial_refund: bool
    tokens: bool
    idempotency: bool
    webhooks: bool


MATRIX: Final[dict[GatewayName, Capabilities]] = {
    GatewayName.MOYASAR: Capabilities(
        authorise=True,
        partial_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        tokens=True,
        idempotency=True,
        webhooks=True,
    ),
    GatewayName.STRIPE: Capabilities(
        authorise=True,
        partial_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        tokens=True,
        idempotency=True,
        webhooks=True,
    ),
    # Its customers say yes on its own page, and it counts in US cents.
    GatewayName.PAYPAL: Capabilities(
        authorise=True,
        partial_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        tokens=False,
        idempotency=True,
        webhooks=True,
    ),
    # Of our own: the customer's wallet in the ledger.
    GatewayName.WALLET: Capabilities(
        authorise=True,
        partial_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        tokens=False,
        idempotency=True,
        webhooks=False,
    ),
    # What the courier takes at the door; what goes back goes into the wallet.
    GatewayName.CASH: Capabilities(
        authorise=True,
        partial_capture=True,
        void=True,
        refund=False,
        partial_refund=False,
        tokens=False,
        idempotency=True,
        webhooks=False,
    ),
}
# Their rules know no hold, or one that not every bank keeps: they are charged when one orders.
CHARGED_AT_ONCE: Final = frozenset({Network.MADA, Network.STC_PAY})

# For how long what is held is safe: banks let go after five to seven days, PayPal honours three.
# What is known to wait longer is charged at once; what turns out to is taken before that. Our own
# wallet, and a door, let go of nothing.
HOLD_LASTS_MS: Final = {
    GatewayName.MOYASAR: 4 * DAY_MS,
    GatewayName.STRIPE: 4 * DAY_MS,
    GatewayName.PAYPAL: 60 * HOUR_MS,
}


class Card(Struct, frozen=True, kw_only=True):
    """All that is ever stored of a card; the expiry is a year and a month, 0 where unknown."""

    network: Network | None
    last_four: str
    expires_year: int = 0
    expires_month: int = 0


class Standing(StrEnum):
    """How a gateway says that a payment stands."""

    PENDING = "pending"
    CHALLENGED = "challenged"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


class WalletPart(Struct, frozen=True, kw_only=True):
    """What wallet and gift credit pay of a payment, the rest of which a gateway takes.

    `halalas` is set aside when he pays; what was taken of it, and given back, is part of the whole.
    """

    halalas: int
    captured_halalas: int = 0
    refunded_halalas: int = 0


class Statement(Struct, frozen=True, kw_only=True):
    """What a gateway says of a payment when it is asked; `challenge_url` is the bank's page.

    What it holds of ours beyond the halalas told, because it counts in another currency, is
    `conversion_halalas`. With `wallet` it speaks of both parts of a payment that is split.
    """

    reference: str
    standing: Standing
    amount_halalas: int
    currency: str
    captured_halalas: int = 0
    refunded_halalas: int = 0
    conversion_halalas: int = 0
    wallet: WalletPart | None = None
    card: Card | None = None
    challenge_url: str = ""
    reason: str = ""


METHOD_NOT_OFFERED = declare(
    "method_not_offered",
    RefusalKind.INVALID,
    en="This way of paying is not offered. Ask which ones are.",
    ar="طريقة الدفع هذه غير متاحة. اطّلع على الطرق المتاحة.",
)


def flow_of(gateway: GatewayName, network: Network) -> Flow:
    """Whether the money is held until the pick-up, or taken when one orders and given back."""
    can_hold = MATRIX[gateway].authorise and network not in CHARGED_AT_ONCE
    return Flow.HOLD if can_hold else Flow.CHARGE


def choose(network: Network, routes: Mapping[Network, GatewayName]) -> GatewayName | Refusal:
    """Who takes this card, by the settings."""
    gateway = routes.get(network)
    return METHOD_NOT_OFFERED(network=network.value) if gateway is None else gateway
