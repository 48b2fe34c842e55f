"""Stripe as the local payment server speaks it: intents, refunds, the bank's page, webhooks."""

import hashlib
import hmac
import re
from typing import Any, Final

import msgspec

from actors.clock import Clock, SystemClock
from engine.kernel.timing import SECOND_MS
from simulations.gateways.cards import MagicCard, Silence
from simulations.gateways.server import SILENT, PaymentServer, Reply, Request, Webhook
from simulations.gateways.till import Charge, ChargeStatus, Refused, Till

SECRET_KEY: Final = "sk_test_stripe"  # noqa: S105 - of a server that knows no money
WEBHOOK_SECRET: Final = "whsec_local"  # noqa: S105 - likewise
_INTENT: Final = re.compile(r"/v1/payment_intents/(pi_\w+)(?:/(confirm|capture|cancel))?")
_METHOD: Final = re.compile(r"/v1/payment_methods/(\w+)")
_BANK: Final = re.compile(r"/stripe/bank/(pi_\w+)")
_STATUS: Final = {
    ChargeStatus.CHALLENGED: "requires_action",
    ChargeStatus.AUTHORISED: "requires_capture",
    ChargeStatus.CAPTURED: "succeeded",
    ChargeStatus.DECLINED: "requires_payment_method",
    ChargeStatus.VOIDED: "canceled",
}


class StripeProtocol:
    """Answers as Stripe does; everything that happens is told to `webhook_url`."""

    def __init__(
        self, server: PaymentServer, *, webhook_url: str = "", wall: Clock | None = None
    ) -> None:
        self._server, self._wall = server, wall or SystemClock()
        self.till, self.webhook_url = Till(clock=self._wall), webhook_url
        self._intents: dict[str, dict[str, str]] = {}
        self._by_key: dict[str, Reply] = {}
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """The answer to what is for Stripe; None for what is not."""
        bank = _BANK.fullmatch(request.path)
        if bank:
            return self._bank(self.till.charges[bank[1]], request)
        if request.headers.get("authorization") != f"Bearer {SECRET_KEY}":
            return None
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        if key in self._by_key:
            return self._by_key[key]
        try:
            reply = self._found(request)
        except Refused as error:
            reply = _fault(400, "invalid_request_error", str(error))
        except (KeyError, ValueError):
            reply = _fault(400, "invalid_request_error", "parameter_invalid")
        if key and reply is not None and reply.status:
            self._by_key[key] = reply
        return reply

    def order_id(self, name: str) -> str:
        """For which order an intent pays, by its metadata."""
        return self._intents[name].get("metadata[order_id]", "")

    def _found(self, request: Request) -> Reply | None:
        form, intent = request.form(), _INTENT.fullmatch(request.path)
        method = _METHOD.fullmatch(request.path)
        if intent:
            return self._act(intent[1], intent[2], form)
        if method:
            return self._method(method[1])
        match request.path:
            case "/v1/payment_intents":
                name = f"pi_{len(self._intents) + 1:08d}"
                self._intents[name] = form
                return Reply(body=self._shown(name))
            case "/v1/payment_methods":
                return self._method(self.till.tokenise(form["card[number]"])[0])
            case "/v1/refunds":
                charge = self.till.charges[form["payment_intent"]]
                self.till.refund(charge, int(form["amount"]))
                self._tell(charge.id, "charge.refunded")
                return Reply(body={"id": f"re_{charge.refunded}", "object": "refund"})
            case _:
                return None

    def _method(self, token: str) -> Reply:
        card = self.till.tokens.get(token)
        if card is None:
            return _fault(404, "invalid_request_error", "resource_missing")
        return Reply(body={"id": token, "object": "payment_method", "card": _card(card)})

    def _act(self, name: str, verb: str | None, form: dict[str, str]) -> Reply:
        if name not in self._intents:
            return _fault(404, "invalid_request_error", "resource_missing")
        if verb is None:
            return Reply(body=self._shown(name))
        if verb == "confirm":
            return self._confirm(name, form)
        charge = self.till.charges.get(name)
        if charge is None:
            raise Refused("payment_intent_unexpected_state")
        if verb == "capture":
            self.till.capture(charge, int(form["amount_to_capture"]))
        else:
            self.till.void(charge)
        self._tell(name, f"payment_intent.{_STATUS[charge.status]}")
        return Reply(body=self._shown(name))

    def _confirm(self, name: str, form: dict[str, str]) -> Reply:
        made, card = self._intents[name], self.till.tokens[form["payment_method"]]
        if card.silence is Silence.BEFORE:
            return SILENT
        charge = self.till.charge(
            name,
            amount=int(made["amount"]),
            currency=made["currency"],
            card=card,
            is_held=made["capture_method"] == "manual",
            callback_url=form["return_url"],
        )
        self._tell(name, f"payment_intent.{_STATUS[charge.status]}")
        if card.silence is Silence.AFTER:
            return SILENT
        if charge.status is ChargeStatus.DECLINED:
            return _fault(402, "card_error", "card_declined")
        return Reply(body=self._shown(name))

    def _bank(self, charge: Charge, request: Request) -> Reply:
        """The page on which a customer confirms, and what follows when he has."""
        if request.method == "POST":
            self.till.answer(charge, is_approved=request.form().get("answer") == "yes")
            self._tell(charge.id, f"payment_intent.{_STATUS[charge.status]}")
            where = f"{charge.callback_url}?payment_intent={charge.id}"
            return Reply(status=303, headers={"location": where})
        return Reply(page="<h1>3-D Secure</h1>")

    def _tell(self, name: str, kind: str) -> None:
        shown = self._shown(name)
        event = {"id": f"evt_{len(self._server.requests)}", "object": "event", "type": kind}
        body = msgspec.json.encode({**event, "data": {"object": shown}})
        at = self._wall.now() // SECOND_MS
        signed = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256)
        headers = {"stripe-signature": f"t={at},v1={signed.hexdigest()}"}
        self._server.notify(Webhook(url=self.webhook_url, body=body, headers=headers))

    def _shown(self, name: str) -> dict[str, Any]:
        made, charge = self._intents[name], self.till.charges.get(name)
        names = {"payment_id", "order_id"}
        told: dict[str, Any] = {
            "id": name,
            "object": "payment_intent",
            "amount": int(made["amount"]) if charge is None else charge.amount,
            "currency": made["currency"] if charge is None else charge.currency,
            "metadata": {one: made.get(f"metadata[{one}]", "") for one in names},
            "status": "requires_payment_method",
            "amount_received": 0,
        }
        return told if charge is None else {**told, **self._moved(charge)}

    def _moved(self, charge: Charge) -> dict[str, Any]:
        is_declined = charge.status is ChargeStatus.DECLINED
        is_challenged = charge.status is ChargeStatus.CHALLENGED
        bank = {"redirect_to_url": {"url": f"{self._server.url}/stripe/bank/{charge.id}"}}
        code = charge.card.declined.lower() or "authentication_failed"
        return {
            "status": _STATUS[charge.status],
            "amount_received": charge.captured,
            "next_action": bank if is_challenged else None,
            "last_payment_error": {"decline_code": code} if is_declined else None,
            "latest_charge": {
                "id": f"ch_{charge.id}",
                "object": "charge",
                "amount_refunded": charge.refunded,
                "payment_method_details": {"card": _card(charge.card)},
            },
        }


def _card(card: MagicCard) -> dict[str, Any]:
    return {
        "brand": card.network.value,
        "last4": card.number[-4:],
        "exp_month": 12,
        "exp_year": 2030,
    }


def _fault(status: int, kind: str, code: str) -> Reply:
    return Reply(status=status, body={"error": {"type": kind, "code": code, "message": code}})
