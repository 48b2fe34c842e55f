"""Moyasar (mada, Visa, Mastercard, Apple Pay, STC Pay) over its REST API v1.

Its `given_id` becomes the id of the payment, so that it is known to both sides by our reference and
a second charge with it is the first one. Captures and refunds have no such key. Webhooks carry a
shared secret in their body and no signature. Sources: docs.moyasar.com, payments, idempotency,
webhook reference, read in November 2026.
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import msgspec

from actors.gateways.http_gateway import HttpGateway
from actors.gateways.payments import GatewayRejected, GatewayUncertain, Notice
from actors.gateways.settings import MoyasarSettings
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
    "initiated": Standing.CHALLENGED,
    "verified": Standing.PENDING,
    "authorized": Standing.AUTHORISED,
    "paid": Standing.CAPTURED,
    "captured": Standing.CAPTURED,
    "refunded": Standing.CAPTURED,
    "voided": Standing.VOIDED,
    "failed": Standing.DECLINED,
}
_NETWORKS: Final = {
    "mada": Network.MADA,
    "visa": Network.VISA,
    "master": Network.MASTERCARD,
    "mastercard": Network.MASTERCARD,
    "amex": Network.AMEX,
    "stcpay": Network.STC_PAY,
}
_VERBS: Final = {
    OperationKind.CAPTURE: "capture",
    OperationKind.VOID: "void",
    OperationKind.REFUND: "refund",
}


class Moyasar(HttpGateway):
    """Satisfies `PaymentGateway`; `return_url` is where the bank sends a customer back to."""

    name = GatewayName.MOYASAR

    def __init__(
        self,
        settings: MoyasarSettings,
        *,
        return_url: str,
        timeout_s: float,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(
            settings.url,
            timeout_s=timeout_s,
            auth=(settings.secret_key.get_secret_value(), ""),
            wire=wire,
        )
        self._settings = settings
        self._return_url = return_url

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`."""
        body = {
            "given_id": payment.id,
            "amount": payment.amount_halalas,
            "currency": CURRENCY,
            "description": f"order {payment.for_order_id}",
            "callback_url": f"{self._return_url}/{payment.id}/return",
            "metadata": {"order_id": payment.for_order_id},
            "source": _source(source, is_held=payment.flow is Flow.HOLD),
        }
        return _statement(await self.ask("POST", "/v1/payments", body))

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`."""
        verb = _VERBS[operation.kind]
        is_void = operation.kind is OperationKind.VOID
        body = None if is_void else {"amount": operation.amount_halalas}
        return _statement(await self.ask("POST", f"/v1/payments/{payment.id}/{verb}", body))

    async def find(self, payment: Payment) -> Statement | None:
        """See `PaymentGateway.find`."""
        try:
            found = await self.ask("GET", f"/v1/payments/{payment.id}")
        except GatewayRejected as error:
            # A question is not refused: our own key is wrong, and that says nothing of the payment.
            raise GatewayUncertain(str(error)) from error
        return None if found is None else _statement(found)

    async def describe(self, source: Source) -> Card | None:
        """See `PaymentGateway.describe`."""
        if source.kind is not SourceKind.TOKEN:
            return None
        if not source.value.replace("_", "").isalnum():
            raise GatewayRejected("no token")
        found = await self.ask("GET", f"/v1/tokens/{source.value}")
        if found is None:
            raise GatewayRejected("unknown token")
        return Card(
            network=_NETWORKS.get(str(found.get("brand", "")).lower()),
            last_four=str(found.get("last_four", ""))[-4:],
            expires_year=int(found.get("year") or 0),
            expires_month=int(found.get("month") or 0),
        )

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`."""
        del headers
        try:
            told = msgspec.json.decode(body, type=_Webhook)
        except msgspec.DecodeError:
            return None
        ours = self._settings.webhook_secret.get_secret_value()
        if not ours or not hmac.compare_digest(ours.encode(), told.secret_token.encode()):
            return None
        known = PaymentId(told.data.id) if is_id(told.data.id) else None
        return Notice(id=f"moyasar:{told.id}", reference=told.data.id, payment_id=known)


class _About(msgspec.Struct):
    id: str


class _Webhook(msgspec.Struct):
    id: str
    secret_token: str
    data: _About


def _source(source: Source, *, is_held: bool) -> dict[str, Any]:
    match source.kind:
        case SourceKind.TOKEN:
            return {"type": "token", "token": source.value, "3ds": True, "manual": is_held}
        case SourceKind.APPLE_PAY:
            return {"type": "applepay", "token": source.value, "manual": is_held}
        case SourceKind.STC_PAY:
            return {"type": "stcpay", "mobile": _mobile(source.value)}
        case _:
            raise GatewayRejected("no source of Moyasar's")


def _statement(said: dict[str, Any] | None) -> Statement:
    """The payment in an answer; what cannot be read is no answer."""
    try:
        assert said is not None
        source = said.get("source") or {}
        standing = _STANDING[said["status"]]
        amount = int(said["amount"])
        captured = amount if said["status"] == "paid" else int(said.get("captured") or 0)
        refunded = int(said.get("refunded") or 0)
        # One that was charged at once and refunded says nothing of a capture.
        captured = max(captured, amount if standing is Standing.CAPTURED and not captured else 0)
        return Statement(
            reference=str(said["id"]),
            standing=standing,
            amount_halalas=amount,
            currency=str(said["currency"]),
            captured_halalas=captured,
            refunded_halalas=refunded,
            card=_card(source),
            challenge_url=str(source.get("transaction_url") or ""),
            reason=_reason(source) if standing is Standing.DECLINED else "",
        )
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise GatewayUncertain(f"an answer that is none: {type(error).__name__}") from error


def _mobile(phone: str) -> str:
    """As Moyasar wants it, whichever way the app writes it."""
    digits = "".join(one for one in phone if one.isdecimal())
    return f"0{digits[-9:]}" if digits[-9:].startswith("5") else phone


def _reason(source: dict[str, Any]) -> str:
    """A card is declined by a code, STC Pay by a sentence."""
    return str(source.get("response_code") or source.get("message") or "")


def _card(source: dict[str, Any]) -> Card | None:
    number = str(source.get("number") or source.get("mobile") or "")
    network = _NETWORKS.get(str(source.get("company") or source.get("type") or "").lower())
    return Card(network=network, last_four=number[-4:]) if number else None
