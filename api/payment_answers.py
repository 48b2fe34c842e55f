"""What is answered about payments."""

from typing import Any

from api.answer import Answer, PageAnswer
from engine.payments.gateways import Card, Flow, GatewayName, Network, WalletPart
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason, RefundStatus


class CardShown(Answer):
    """All that we know of a card; the expiry is 0 where the gateway does not tell it."""

    network: Network | None
    last_four: str
    expires_year: int
    expires_month: int


class RefundShown(Answer):
    """Money that goes back."""

    refund_id: str
    amount_halalas: int
    order_id: str | None
    reason: RefundReason
    to: str
    status: RefundStatus
    asked_at: int
    done_at: int | None


class WalletPartShown(Answer):
    """What gift credit and wallet pay of it; what was taken and given is part of the whole."""

    amount_halalas: int
    captured_halalas: int
    refunded_halalas: int


class PaymentShown(Answer):
    """How a payment stands; amounts in halalas.

    With `challenge_url` the customer is to be sent there: his bank wants to hear it from him. The
    order is placed as soon as the money is held or taken, and `reason` says why not. What a dearer
    change or a debt was paid with has the `order_id` of its order.
    """

    payment_id: str
    order_id: str
    status: PaymentStatus
    network: Network
    gateway: GatewayName
    flow: Flow
    amount_halalas: int
    captured_halalas: int
    refunded_halalas: int
    credited_halalas: int
    wallet: WalletPartShown | None
    is_placed: bool
    reason: str
    challenge_url: str
    card: CardShown | None
    refunds: list[RefundShown]
    made_at: int
    expires_at: int


class PaymentsShown(PageAnswer):
    """A page of payments."""

    payments: list[PaymentShown]


class PaymentStanding(Answer):
    """What somebody who comes back from his bank is told."""

    payment_id: str
    status: PaymentStatus
    is_placed: bool


class MethodShown(Answer):
    """A way of paying: with which gateway's form, and key, the app turns it into a token.

    Of `hold` the money is taken at the pick-up; of `charge` at once, and a refund takes days.
    """

    network: Network
    gateway: GatewayName
    flow: Flow
    publishable_key: str


class MethodsShown(Answer):
    """All ways of paying; none where orders are placed without."""

    is_required: bool
    methods: list[MethodShown]


class SavedMethodShown(Answer):
    """A card to pay with again: send its id as a source of the kind `saved`."""

    method_id: str
    network: Network
    gateway: GatewayName
    card: CardShown
    saved_at: int


class SavedMethodsShown(Answer):
    """All saved methods, newest first."""

    methods: list[SavedMethodShown]


class NoticeTaken(Answer):
    """What a gateway is told about its notice."""

    is_known: bool


def shown(payment: Payment) -> dict[str, Any]:
    """A payment as its customer sees it."""
    told = {name: getattr(payment, name) for name in _TOLD}
    return {
        "payment_id": payment.id,
        **told,
        "order_id": payment.for_order_id,
        "wallet": None if payment.wallet is None else _wallet_part(payment.wallet),
        "card": None if payment.card is None else card_shown(payment.card),
        "refunds": [_refund(one) for one in payment.refunds],
    }


def card_shown(card: Card) -> dict[str, Any]:
    """All that we know of a card."""
    return {name: getattr(card, name) for name in CardShown.model_fields}


def _wallet_part(part: WalletPart) -> dict[str, Any]:
    return {
        "amount_halalas": part.halalas,
        "captured_halalas": part.captured_halalas,
        "refunded_halalas": part.refunded_halalas,
    }


def _refund(one: Refund) -> dict[str, Any]:
    return {
        "refund_id": one.id,
        **{name: getattr(one, name) for name in RefundShown.model_fields if name != "refund_id"},
    }


_TOLD = tuple(
    name
    for name in PaymentShown.model_fields
    if name not in {"payment_id", "card", "refunds", "wallet"}
)
