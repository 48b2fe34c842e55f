"""PayPal as the local payment server speaks it: tokens, orders, its page, payments, webhooks.

A webhook is signed with a secret of the server's own; whether one is genuine it tells by asking.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from actors.clock import Clock, SystemClock
from simulations.gateways.cards import ACCOUNTS, BY_NUMBER, MagicCard, Silence
from simulations.gateways.server import SILENT, PaymentServer, Reply, Request, Webhook
from simulations.gateways.till import Charge, ChargeStatus, Refused, Till

CLIENT_ID: Final = "local-paypal-app"
SECRET: Final = "local-paypal-secret"  # noqa: S105 - of a server that knows no money
WEBHOOK_ID: Final = "local-paypal-webhook"
_TOKEN_LASTS_S: Final = 3600
_ORDER: Final = re.compile(
    r"/v2/checkout/orders/(\w+)(?:/(confirm-payment-source|authorize|capture))?"
)
_HELD: Final = re.compile(r"/v2/payments/authorizations/(\w+)A/(capture|void)")
_TAKEN: Final = re.compile(r"/v2/payments/captures/(\w+)C/refund")
_PAGE_OF: Final = re.compile(r"/checkoutnow/(\w+)")
_VERIFY: Final = "/v1/notifications/verify-webhook-signature"


@dataclass(kw_only=True, slots=True)
class Order:
    """What is to be paid for; its charge is made when the merchant says so for the second time."""

    id: str
    intent: str
    unit: dict[str, Any]
    status: str = "CREATED"
    back_url: str = ""
    account: MagicCard | None = None
    capture: dict[str, Any] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)


class PayPalProtocol:
    """Answers as PayPal does; everything that happens is told to `webhook_url`."""

    def __init__(
        self, server: PaymentServer, *, webhook_url: str = "", wall: Clock | None = None
    ) -> None:
        self.till = Till(clock=wall or SystemClock())
        self.orders: dict[str, Order] = {}
        self.tokens: set[str] = set()
        self.webhook_url = webhook_url
        self._server = server
        self._answered: dict[str, Reply] = {}
        self._count = 0
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """The answer to what is for PayPal; None for what is not."""
        page = _PAGE_OF.fullmatch(request.path)
        if page:
            return self._page(self.orders.get(page[1]), request)
        if request.path == "/v1/oauth2/token":
            return self._grant(request)
        if not request.path.startswith(("/v2/", "/v1/notifications/")):
            return None
        if request.bearer() not in self.tokens:
            return Reply(status=401, body={"name": "invalid_token"})
        return self._once(request)

    def _once(self, request: Request) -> Reply | None:
        """What was answered to the same request before, or what is answered now."""
        key = f"{request.path} {request.headers.get('paypal-request-id', '')}"
        if request.method == "POST" and not key.endswith(" ") and key in self._answered:
            return self._answered[key]
        try:
            reply = self._found(request)
        except Refused as error:
            return _fault(422, str(error))
        except (KeyError, TypeError, ValueError):
            return _fault(400, "INVALID_REQUEST")
        if reply is not None and reply.status:
            self._answered[key] = reply
        return reply

    def _found(self, request: Request) -> Reply | None:
        body = request.json()
        if request.path == _VERIFY:
            return _verified(body)
        if request.path == "/v2/checkout/orders":
            return self._create(body)
        for pattern, answer in ((_ORDER, self._order), (_HELD, self._hold)):
            found = pattern.fullmatch(request.path)
            if found:
                known = self.orders.get(found[1])
                return _unknown() if known is None else answer(known, found[2], body)
        found = _TAKEN.fullmatch(request.path)
        known = self.orders.get(found[1]) if found else None
        return _unknown() if known is None else self._refund(known, body)

    def _grant(self, request: Request) -> Reply:
        if request.user() != CLIENT_ID or request.form().get("grant_type") != "client_credentials":
            return Reply(status=401, body={"error": "invalid_client"})
        token = f"A21AA{len(self.tokens):06d}"
        self.tokens.add(token)
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_LASTS_S}
        return Reply(body=granted)

    def _create(self, body: dict[str, Any]) -> Reply:
        (unit,) = body["purchase_units"]
        _cents(unit["amount"])
        made = Order(id=f"5O{len(self.orders):015d}T", intent=str(body["intent"]), unit=unit)
        self.orders[made.id] = made
        return Reply(status=201, body={"id": made.id, "status": made.status, "links": []})

    def _order(self, order: Order, verb: str | None, body: dict[str, Any]) -> Reply:
        match verb:
            case None:
                return Reply(body=self._shown(order))
            case "confirm-payment-source":
                context = body["payment_source"]["paypal"]["experience_context"]
                order.status, order.back_url = "PAYER_ACTION_REQUIRED", str(context["return_url"])
                return Reply(body=self._shown(order))
            case _:
                return self._complete(order, verb)

    def _complete(self, order: Order, verb: str) -> Reply:
        """The merchant's second word: what its customer has approved is held or taken."""
        if order.status != "APPROVED" or order.account is None:
            raise Refused("ORDER_NOT_APPROVED")
        if {"authorize": "AUTHORIZE", "capture": "CAPTURE"}[verb] != order.intent:
            raise Refused("ACTION_DOES_NOT_MATCH_INTENT")
        account = order.account
        if account.declined:
            raise Refused(account.declined)
        if account.silence is Silence.BEFORE:
            order.account = BY_NUMBER[ACCOUNTS[0].number]
            return SILENT
        amount = order.unit["amount"]
        self.till.charge(
            order.id,
            amount=_cents(amount),
            currency=str(amount["currency_code"]),
            card=account,
            is_held=order.intent == "AUTHORIZE",
        )
        order.status = "COMPLETED"
        self._tell(order, "PAYMENT.AUTHORIZATION.CREATED")
        return SILENT if account.silence else Reply(status=201, body=self._shown(order))

    def _hold(self, order: Order, verb: str, body: dict[str, Any]) -> Reply:
        charge = self.till.charges[order.id]
        if verb == "void":
            self.till.void(charge)
            self._tell(order, "PAYMENT.AUTHORIZATION.VOIDED")
            return Reply(status=204)
        self.till.capture(charge, _cents(body["amount"]))
        order.capture = body
        self._tell(order, "PAYMENT.CAPTURE.COMPLETED")
        return Reply(status=201, body={"id": f"{order.id}C", "status": "COMPLETED"})

    def _refund(self, order: Order, body: dict[str, Any]) -> Reply:
        self.till.refund(self.till.charges[order.id], _cents(body["amount"]))
        order.refunds.append(body)
        self._tell(order, "PAYMENT.CAPTURE.REFUNDED")
        return Reply(status=201, body={"id": f"{order.id}R", "status": "COMPLETED"})

    def _page(self, order: Order | None, request: Request) -> Reply:
        """Where a customer approves, and as whom; what follows when he has."""
        if order is None:
            return _unknown()
        if request.method == "GET":
            return Reply(page=_page(order))
        answer = request.form().get("answer", "no")
        if answer != "no" and order.status == "PAYER_ACTION_REQUIRED":
            order.account = BY_NUMBER.get(answer, ACCOUNTS[0])
            order.status = "APPROVED"
            self._tell(order, "CHECKOUT.ORDER.APPROVED")
        told = urlencode({"token": order.id})
        return Reply(status=303, headers={"location": f"{order.back_url}?{told}"})

    def _tell(self, order: Order, kind: str) -> None:
        self._count += 1
        event = {
            "id": f"WH-{self._count:06d}",
            "event_type": kind,
            "resource": {
                "id": order.id,
                "custom_id": order.unit.get("custom_id", ""),
                "supplementary_data": {"related_ids": {"order_id": order.id}},
            },
        }
        body = msgspec.json.encode(event)
        signed = {
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": f"{self._server.url}/v1/notifications/certs/local",
            "paypal-transmission-id": f"{self._count}",
            "paypal-transmission-time": "2026-11-28T09:00:00Z",
        }
        signed["paypal-transmission-sig"] = _signature(f"{self._count}", event)
        self._server.notify(Webhook(url=self.webhook_url, body=body, headers=signed))

    def _shown(self, order: Order) -> dict[str, Any]:
        links = []
        if order.status == "PAYER_ACTION_REQUIRED":
            href = f"{self._server.url}/checkoutnow/{order.id}"
            links.append({"rel": "payer-action", "href": href})
        unit = {**order.unit, "payments": _payments(order, self.till.charges.get(order.id))}
        return {
            "id": order.id,
            "intent": order.intent,
            "status": order.status,
            "purchase_units": [unit],
            "links": links,
        }


def _payments(order: Order, charge: Charge | None) -> dict[str, Any]:
    if charge is None:
        return {}
    shown: dict[str, Any] = {}
    if charge.is_held:
        status = {
            ChargeStatus.AUTHORISED: "CREATED",
            ChargeStatus.CAPTURED: "CAPTURED",
            ChargeStatus.VOIDED: "VOIDED",
        }[charge.status]
        amount = order.unit["amount"]
        shown["authorizations"] = [{"id": f"{order.id}A", "status": status, "amount": amount}]
    if charge.captured:
        status = "PARTIALLY_REFUNDED" if charge.refunded else "COMPLETED"
        status = "REFUNDED" if charge.refunded == charge.captured else status
        taken = {"amount": order.unit["amount"], **order.capture}
        shown["captures"] = [{"id": f"{order.id}C", "status": status, **taken}]
    if order.refunds:
        shown["refunds"] = [
            {"id": f"{order.id}R{number}", "status": "COMPLETED", **one}
            for number, one in enumerate(order.refunds)
        ]
    return shown


def _verified(body: dict[str, Any]) -> Reply:
    wanted = _signature(str(body["transmission_id"]), body["webhook_event"])
    is_genuine = hmac.compare_digest(wanted, str(body["transmission_sig"]))
    is_ours = body["webhook_id"] == WEBHOOK_ID
    return Reply(body={"verification_status": "SUCCESS" if is_genuine and is_ours else "FAILURE"})


def _signature(transmission_id: str, event: object) -> str:
    about = transmission_id.encode() + msgspec.json.encode(event, order="sorted")
    return hmac.new(SECRET.encode(), about, hashlib.sha256).hexdigest()


def _cents(amount: dict[str, Any]) -> int:
    whole, _, rest = str(amount["value"]).partition(".")
    if len(rest) != len("00"):
        raise Refused("DECIMAL_PRECISION")
    if amount["currency_code"] != "USD":
        raise Refused("CURRENCY_NOT_SUPPORTED")
    return int(whole + rest)


def _fault(status: int, issue: str) -> Reply:
    name = "UNPROCESSABLE_ENTITY" if status == 422 else "INVALID_REQUEST"
    details = [{"issue": issue, "description": issue}]
    return Reply(status=status, body={"name": name, "details": details, "debug_id": "local"})


def _unknown() -> Reply:
    return Reply(status=404, body={"name": "RESOURCE_NOT_FOUND"})


def _page(order: Order) -> str:
    buttons = "".join(
        f'<p><button name="answer" value="{one.number}">{one.number}</button> {one.meaning}</p>'
        for one in ACCOUNTS
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>PayPal</title>'
        f'<h1>PayPal</h1><p>{order.unit["amount"]["value"]} USD</p><form method="post">{buttons}'
        '<p><button name="answer" value="no">Cancel</button></p></form></html>'
    )
