"""PayPal over its REST API: Orders v2, Payments v2, and webhooks that it vouches for itself.

An order that is made moves nothing. Its customer approves it on PayPal's page, and then it takes a
second word of ours to hold or take the money; what nobody looks after any more therefore comes to
nothing. Made with our reference as the request's id it is the same order however often it is asked
for. Sources: developer.paypal.com, Orders v2, Payments v2, idempotency, verify webhook signature,
read in November 2026.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx2
import msgspec
from msgspec.structs import replace

from actors.clock import Clock
from actors.gateways.http_gateway import HttpGateway
from actors.gateways.payments import GatewayRejected, GatewayUncertain, Notice
from actors.gateways.paypal_orders import (
    APPROVED,
    DOLLARS,
    UNTRIED,
    PayPalOrder,
    read_order,
    stands,
)
from actors.gateways.paypal_token import AccessToken
from actors.gateways.settings import PayPalSettings
from engine.kernel.ids import PaymentId
from engine.payments.conversion import Mark, Rate, mark_in
from engine.payments.gateways import (
    CURRENCY,
    Card,
    Flow,
    GatewayName,
    Source,
    SourceKind,
    Standing,
    Statement,
)
from engine.payments.payment import TAKING, Operation, OperationKind, Payment, PaymentStatus

_ORDERS: Final = "/v2/checkout/orders"
_VERIFY: Final = "/v1/notifications/verify-webhook-signature"
_SIGNED: Final = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}
# What PayPal says of customers and their cards; anything else is about us.
_DECLINES: Final = frozenset(
    {
        "INSTRUMENT_DECLINED",
        "PAYER_CANNOT_PAY",
        "PAYER_ACCOUNT_RESTRICTED",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "TRANSACTION_REFUSED",
        "COMPLIANCE_VIOLATION",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    }
)
_OPEN: Final = frozenset({PaymentStatus.UNKNOWN, PaymentStatus.CHALLENGED})


class PayPal(HttpGateway):
    """Satisfies `PaymentGateway`; `return_url` is where PayPal sends a customer back to."""

    name = GatewayName.PAYPAL

    def __init__(
        self,
        settings: PayPalSettings,
        *,
        return_url: str,
        timeout_s: float,
        clock: Clock,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        secret = settings.secret_key.get_secret_value()
        super().__init__(
            settings.url,
            timeout_s=timeout_s,
            auth=AccessToken(settings.url, settings.client_id, secret, clock),
            wire=wire,
        )
        self._settings, self._return_url = settings, return_url
        self._rate = Rate(settings.hundred_dollars_halalas)

    async def take(self, payment: Payment, source: Source) -> Statement:
        """See `PaymentGateway.take`."""
        if source.kind is not SourceKind.PAYPAL:
            raise GatewayRejected("no source of PayPal's")
        order = await self._order(payment)
        if order is None:
            raise GatewayUncertain("the order that was made is not there")
        if order.status not in UNTRIED:
            return await self._completed(payment, order)
        url = f"{self._return_url}/{payment.id}/return"
        context = {
            "return_url": url,
            "cancel_url": url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        }
        body = {"payment_source": {"paypal": {"experience_context": context}}}
        path = f"{_ORDERS}/{order.id}/confirm-payment-source"
        await self._post(path, body, once=f"{payment.id} confirm")
        return stands(payment, await self._read(order.id))

    async def carry_out(self, payment: Payment, operation: Operation) -> Statement:
        """See `PaymentGateway.carry_out`."""
        order = await self._order(payment)
        if order is None:
            raise GatewayUncertain("the order is not there")
        if operation.kind is OperationKind.REFUND:
            return await self._refund(payment, operation, order)
        held = order.moves.authorizations
        if not held:
            raise GatewayRejected("nothing is held")
        path = f"/v2/payments/authorizations/{held[0].id}"
        if operation.kind is OperationKind.VOID:
            await self._post(f"{path}/void", None, once=operation.id)
        else:
            mark = self._mark(payment, operation.id, operation.amount_halalas, order)
            cents = mark.rate.cents(operation.amount_halalas)
            body = {"amount": _dollars(cents), "invoice_id": mark.text(), "final_capture": True}
            await self._post(f"{path}/capture", body, once=operation.id)
        return stands(payment, await self._read(order.id))

    async def find(self, payment: Payment) -> Statement | None:
        """See `PaymentGateway.find`: what its customer has approved is held or taken by this."""
        try:
            reference = payment.reference or await self._made(payment)
        except GatewayRejected:
            # Without an order nothing can be taken.
            return None
        try:
            order = await self._order(replace(payment, reference=reference))
            if order is None:
                return _forgotten(payment)
            return None if order.status in UNTRIED else await self._completed(payment, order)
        except GatewayRejected as error:
            # A question is not refused: our own key is wrong, and that says nothing of the payment.
            raise GatewayUncertain(str(error)) from error

    async def describe(self, source: Source) -> Card | None:
        """See `PaymentGateway.describe`: with what a customer pays is between PayPal and him."""
        if source.kind is not SourceKind.PAYPAL:
            raise GatewayRejected("no source of PayPal's")
        return None

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """See `PaymentGateway.read_notice`: PayPal itself is asked whether it has sent it."""
        try:
            told = msgspec.json.decode(body, type=_Webhook)
        except msgspec.DecodeError:
            return None
        signed = {field: headers.get(name, "") for field, name in _SIGNED.items()}
        if not self._settings.webhook_id or not all(signed.values()):
            return None
        # The event as it came, byte by byte: it was signed so.
        asked = {
            **signed,
            "webhook_id": self._settings.webhook_id,
            "webhook_event": msgspec.Raw(body),
        }
        try:
            said = await self.ask("POST", _VERIFY, asked)
        except GatewayRejected:
            return None
        if said is None or said.get("verification_status") != "SUCCESS":
            return None
        mark = mark_in(told.resource.custom_id) or mark_in(told.resource.invoice_id)
        related = told.resource.supplementary_data.related_ids.order_id
        return Notice(
            id=f"paypal:{told.id}",
            reference=related or told.resource.id,
            payment_id=None if mark is None else PaymentId(mark.payment_id),
        )

    async def _completed(self, payment: Payment, order: PayPalOrder) -> Statement:
        """How it stands, after our second word where the customer's has been given.

        That word can be given once; whoever no longer wants the money does not give it.
        """
        if order.status != APPROVED:
            return stands(payment, order)
        operation = payment.operation
        is_wanted = operation is None or operation.kind in TAKING
        if payment.status not in _OPEN or not is_wanted:
            return stands(payment, order, declined=payment.reason or "not_wanted")
        verb = "authorize" if payment.flow is Flow.HOLD else "capture"
        try:
            await self._post(f"{_ORDERS}/{order.id}/{verb}", {}, once=f"{payment.id} {verb}")
        except GatewayRejected as error:
            declined = error.code if error.code in _DECLINES else ""
            return stands(payment, await self._read(order.id), declined=declined)
        return stands(payment, await self._read(order.id))

    async def _refund(
        self, payment: Payment, operation: Operation, order: PayPalOrder
    ) -> Statement:
        """Give back so much that all refunds together are no less than what was asked back.

        So the last one takes the rest. What earlier ones have rounded up to already is not sent.
        """
        said = stands(payment, order)
        taken = order.taken
        if not taken:
            raise GatewayRejected("nothing was taken")
        if any(_is_of(one.invoice_id, operation) for one in order.going_back):
            return said
        known = (said.refunded_halalas, payment.refunded_halalas, operation.before_halalas)
        total = max(known) + operation.amount_halalas
        if total > said.captured_halalas:
            raise GatewayRejected("more than was taken")
        mark = self._mark(payment, operation.id, total, order)
        gone = order.taken_cents - order.left_cents
        cents = min(mark.rate.cents(total) - gone, order.left_cents)
        if total == said.captured_halalas:
            cents = order.left_cents
        if cents <= 0:
            later = said.conversion_halalas + total - said.refunded_halalas
            return replace(said, refunded_halalas=total, conversion_halalas=later)
        body = {"amount": _dollars(cents), "invoice_id": mark.text()}
        await self._post(f"/v2/payments/captures/{taken[0].id}/refund", body, once=operation.id)
        return stands(payment, await self._read(order.id))

    async def _order(self, payment: Payment) -> PayPalOrder | None:
        """The order of our reference, made if it was never there; that moves nothing."""
        reference = payment.reference or await self._made(payment)
        said = await self.ask("GET", f"{_ORDERS}/{reference}")
        return None if said is None else read_order(said)

    async def _made(self, payment: Payment) -> str:
        mark = self._mark(payment, payment.id, payment.amount_halalas)
        unit = {
            "amount": _dollars(mark.rate.cents(payment.amount_halalas)),
            "custom_id": mark.text(),
            "description": f"order {payment.for_order_id}",
        }
        intent = "AUTHORIZE" if payment.flow is Flow.HOLD else "CAPTURE"
        body = {"intent": intent, "purchase_units": [unit]}
        made = await self._post(_ORDERS, body, once=payment.id)
        return str((made or {}).get("id", ""))

    async def _read(self, reference: str) -> PayPalOrder:
        return read_order(await self.ask("GET", f"{_ORDERS}/{reference}"))

    async def _post(self, path: str, body: object, *, once: str) -> dict[str, Any] | None:
        headers = {"paypal-request-id": once}
        return await self.ask("POST", path, body, headers=headers)

    def _mark(
        self, payment: Payment, name: str, halalas: int, order: PayPalOrder | None = None
    ) -> Mark:
        """What is written on what we ask for; the rate is that at which the order was made."""
        made = None if order is None else order.mark
        rate = self._rate if made is None else made.rate
        return Mark(payment_id=payment.id, operation_id=name, halalas=halalas, rate=rate)


class _Related(msgspec.Struct, frozen=True):
    order_id: str = ""


class _Supplementary(msgspec.Struct, frozen=True):
    related_ids: _Related = _Related()


class _Resource(msgspec.Struct, frozen=True):
    id: str
    custom_id: str = ""
    invoice_id: str = ""
    supplementary_data: _Supplementary = _Supplementary()


class _Webhook(msgspec.Struct, frozen=True):
    id: str
    resource: _Resource


def _forgotten(payment: Payment) -> Statement | None:
    """PayPal forgets orders that were never completed: nothing was taken, nor will it be."""
    if payment.status is not PaymentStatus.CHALLENGED:
        return None
    return Statement(
        reference=payment.reference,
        standing=Standing.DECLINED,
        amount_halalas=payment.amount_halalas,
        currency=CURRENCY,
        reason="order_expired",
    )


def _is_of(invoice_id: str, operation: Operation) -> bool:
    mark = mark_in(invoice_id)
    return mark is not None and mark.operation_id == operation.id


def _dollars(cents: int) -> dict[str, str]:
    return {"currency_code": DOLLARS, "value": f"{cents // 100}.{cents % 100:02d}"}
