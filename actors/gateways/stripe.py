"""Stripe over its official SDK: a payment intent is made, which moves nothing, and then confirmed.

Made with our reference as the idempotency key it is the same intent however often it is asked for,
and so it can be found again. The SDK waits, so it does so in a thread. Source: docs.stripe.com,
payment intents, idempotent requests, webhook signatures, read in November 2026.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import stripe

from actors.gateways.payments import GatewayRejected, GatewayUncertain, Notice
from actors.gateways.settings import StripeSettings
from engine.kernel.ids import PaymentId, is_id
from engine.payments.gateways import (
    CURRENCY,
    Card,
    Flow,
    GatewayName,
    Network,
    Source,
    SourceKind,
    Standing,
    Statement,
)
from engine.payments.payment import Operation, OperationKind, Payment

_STANDING: Final = {
    "requires_confirmation": Standing.PENDING,
    "requires_action": Standing.CHALLENGED,
    "processing": Standing.PENDING,
    "requires_capture": Standing.AUTHORISED,
    "succeeded": Standing.CAPTURED,
    "canceled": Standing.VOIDED,
}
_UNTRIED: Final = "requires_payment_method"
_NETWORKS: Final = {"visa": Network.VISA, "mastercard": Network.MASTERCARD, "amex": Network.AMEX}
_REFUSED: Final = frozenset({400, 402, 404})
_EXPAND: Final = {"expand": ["latest_charge"]}


class Stripe:
    """Satisfies `PaymentGateway`; `return_url` is where the bank sends a customer back to."""

    name = GatewayName.STRIPE

    def __init__(self, settings: StripeSettings, *, return_url: str, timeout_s: float) -> None:
        self._settings, self._return_url = settings, return_url
        self._client = stripe.StripeClient(
            settings.secret_key.get_secret_value(),
            base_addresses={"api": settings.url},
            http_client=stripe.RequestsClient(timeout=timeout_s),
            # What is silent is looked for, and never asked again by a library.
            max_network_retries=0,
        )

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`."""
        if source.kind is not SourceKind.TOKEN:
            raise GatewayRejected("no source of Stripe's")
        intent = await self._intent(payment)
        params: Any = {
            "payment_method": source.value,
            "return_url": f"{self._return_url}/{payment.id}/return",
            **_EXPAND,
        }
        key: Any = {"idempotency_key": f"{payment.id} confirm"}
        intents = self._client.v1.payment_intents
        try:
            said = await _asked(lambda: intents.confirm(intent["id"], params, key))
        except stripe.CardError:
            return self._declined(payment, await self._retrieved(str(intent["id"])))
        return _must(payment, said)

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`."""
        reference = payment.reference or str((await self._intent(payment))["id"])
        key: Any = {"idempotency_key": operation.id}
        intents, amount = self._client.v1.payment_intents, operation.amount_halalas
        match operation.kind:
            case OperationKind.CAPTURE:
                capture: Any = {"amount_to_capture": amount}
                await _asked(lambda: intents.capture(reference, capture, key))
            case OperationKind.VOID:
                await _asked(lambda: intents.cancel(reference, None, key))
            case _:
                wish: Any = {"payment_intent": reference, "amount": amount}
                await _asked(lambda: self._client.v1.refunds.create(wish, key))
        return _must(payment, await self._retrieved(reference))

    async def find(self, payment: Payment) -> Statement | None:
        """See `PaymentGateway.find`."""
        try:
            intent = await self._intent(payment)
            said = await self._retrieved(payment.reference or str(intent["id"]))
        except GatewayRejected as error:
            raise GatewayUncertain(str(error)) from error
        if said["status"] == _UNTRIED and said.get("last_payment_error"):
            return self._declined(payment, said)
        return _statement(payment, said)

    async def describe(self, source: Source) -> Card | None:
        """See `PaymentGateway.describe`."""
        if source.kind is not SourceKind.TOKEN or not source.value.replace("_", "").isalnum():
            raise GatewayRejected("no payment method")
        methods = self._client.v1.payment_methods
        return _card((await _asked(lambda: methods.retrieve(source.value))).get("card"))

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`: signed, and not older than five minutes."""
        secret = self._settings.webhook_secret.get_secret_value()
        try:
            event: Any = stripe.Webhook.construct_event(
                body, headers.get("stripe-signature"), secret
            )
        except (ValueError, stripe.SignatureVerificationError):
            return None
        if not secret:
            return None
        about = event.data.object.to_dict()
        ours = str((about.get("metadata") or {}).get("payment_id", ""))
        return Notice(
            id=f"stripe:{event.id}",
            reference=str(about.get("payment_intent") or about.get("id")),
            payment_id=PaymentId(ours) if is_id(ours) else None,
        )

    async def _intent(self, payment: Payment) -> dict[str, Any]:
        """The intent of our reference, made if it was never there; it moves nothing."""
        if payment.reference:
            return {"id": payment.reference}
        params: Any = {
            "amount": payment.amount_halalas,
            "currency": CURRENCY.lower(),
            "capture_method": "manual" if payment.flow is Flow.HOLD else "automatic",
            "metadata": {"payment_id": payment.id, "order_id": payment.for_order_id},
            "payment_method_types": ["card"],
        }
        key: Any = {"idempotency_key": payment.id}
        return await _asked(lambda: self._client.v1.payment_intents.create(params, key))

    async def _retrieved(self, reference: str) -> dict[str, Any]:
        expand: Any = _EXPAND
        return await _asked(lambda: self._client.v1.payment_intents.retrieve(reference, expand))

    def _declined(self, payment: Payment, said: dict[str, Any]) -> Statement:
        error = said.get("last_payment_error") or {}
        reason = str(error.get("decline_code") or error.get("code") or "declined").upper()
        return Statement(
            reference=str(said["id"]),
            standing=Standing.DECLINED,
            amount_halalas=int(said["amount"]),
            currency=str(said["currency"]).upper(),
            card=payment.card,
            reason=reason,
        )


async def _asked(ask: Callable[[], Any]) -> dict[str, Any]:
    """What the SDK answers, and what its silence and its refusals mean."""
    try:
        found = await asyncio.to_thread(ask)
    except stripe.CardError:
        raise
    except stripe.StripeError as error:
        if error.http_status in _REFUSED:
            raise GatewayRejected(f"status {error.http_status}: {error.code}") from error
        raise GatewayUncertain(f"{type(error).__name__}: {error.http_status}") from error
    return dict(found.to_dict())


def _must(payment: Payment, said: dict[str, Any]) -> Statement:
    found = _statement(payment, said)
    if found is None:
        raise GatewayUncertain(f"status {said.get('status')}")
    return found


def _statement(payment: Payment, said: dict[str, Any]) -> Statement | None:
    """The payment in an answer; None for an intent that nothing was tried with."""
    standing = _STANDING.get(str(said["status"]))
    if standing is None:
        return None
    charge = said.get("latest_charge") or {}
    action = (said.get("next_action") or {}).get("redirect_to_url") or {}
    card = _card((charge.get("payment_method_details") or {}).get("card"))
    return Statement(
        reference=str(said["id"]),
        standing=standing,
        amount_halalas=int(said["amount"]),
        currency=str(said["currency"]).upper(),
        captured_halalas=int(said.get("amount_received") or 0),
        refunded_halalas=int(charge.get("amount_refunded") or 0),
        card=card or payment.card,
        challenge_url=str(action.get("url") or ""),
    )


def _card(told: dict[str, Any] | None) -> Card | None:
    if not told:
        return None
    return Card(
        network=_NETWORKS.get(str(told.get("brand"))),
        last_four=str(told.get("last4", ""))[-4:],
        expires_year=int(told.get("exp_year") or 0),
        expires_month=int(told.get("exp_month") or 0),
    )
