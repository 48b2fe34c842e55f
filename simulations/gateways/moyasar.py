"""Moyasar as the local payment server speaks it: payments, tokens, the bank's page, webhooks."""

import re
import uuid
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from actors.clock import Clock, SystemClock
from engine.payments.gateways import Network
from simulations.gateways import stc_pay
from simulations.gateways.cards import BY_NUMBER, MagicCard, Silence
from simulations.gateways.server import SILENT, PaymentServer, Reply, Request, Webhook
from simulations.gateways.till import Charge, ChargeStatus, Refused, Till

SECRET_KEY: Final = "sk_test_local"  # noqa: S105 - of a server that knows no money
PUBLISHABLE_KEY: Final = "pk_test_local"
WEBHOOK_SECRET: Final = "local-webhook-secret"  # noqa: S105 - likewise
_PAYMENT: Final = re.compile(r"/v1/payments/([0-9a-f-]{36})(?:/(capture|void|refund))?")
_BANK: Final = re.compile(r"/v1/transaction_auths/([0-9a-f-]{36})/form")
_STC_PAY: Final = re.compile(r"/v1/stc_pays/([0-9a-f-]{36})/proceed")
_TOKEN: Final = re.compile(r"/v1/tokens/(\w+)")
_BRANDS: Final = {"mastercard": "master"}
_NAMESPACE: Final = uuid.UUID("0d5b6c3e-6c0f-5a8a-9f5f-4a6e0d3c2b10")
_APPROVED: Final = "4111111111111111"


class MoyasarProtocol:
    """Answers as Moyasar does; everything that happens is told to `webhook_url`."""

    def __init__(
        self, server: PaymentServer, *, webhook_url: str = "", wall: Clock | None = None
    ) -> None:
        self.till = Till(clock=wall or SystemClock())
        self.webhook_url = webhook_url
        self._server = server
        self._count = 0
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """The answer to what is for Moyasar; None for what is not."""
        bank = _BANK.fullmatch(request.path)
        if bank:
            return self._bank(self.till.charges.get(bank[1]), request)
        told = _STC_PAY.fullmatch(request.path)
        if told:
            return self._proceed(self.till.charges.get(told[1]), request)
        is_ours = request.user() in {SECRET_KEY, PUBLISHABLE_KEY}
        try:
            found = self._found(request) if is_ours else None
        except Refused as error:
            return _fault(400, str(error))
        except (KeyError, TypeError, ValueError):
            return _fault(400, "invalid_request_error")
        is_known = request.path.startswith(("/v1/payments", "/v1/tokens"))
        return _fault(401, "authentication_error") if is_known and not is_ours else found

    def _found(self, request: Request) -> Reply | None:
        known = _PAYMENT.fullmatch(request.path)
        if known:
            return self._payment(request, known[1], known[2])
        token = _TOKEN.fullmatch(request.path)
        if token:
            return self._token(token[1])
        match request.path:
            case "/v1/tokens":
                return self._tokenise(request.json())
            case "/v1/payments":
                return self._create(request.json())
            case _:
                return None

    def _create(self, body: dict[str, Any]) -> Reply:
        source = body["source"]
        card = self._card(source)
        if card.silence is Silence.BEFORE:
            return SILENT
        is_new = body["given_id"] not in self.till.charges
        charge = self.till.charge(
            str(uuid.UUID(body["given_id"])),
            amount=int(body["amount"]),
            currency=str(body["currency"]),
            card=card,
            # A mobile knows no holds.
            is_held=bool(source.get("manual", False)) and source["type"] != "stcpay",
            callback_url=str(body["callback_url"]),
        )
        charge.more.setdefault("metadata", body.get("metadata"))
        charge.more.setdefault("source", source["type"])
        if is_new:
            self._tell(charge)
        return SILENT if card.silence else Reply(status=201, body=self._shown(charge))

    def _card(self, source: dict[str, Any]) -> MagicCard:
        match source["type"]:
            case "token":
                if source["token"] not in self.till.tokens:
                    raise Refused("invalid_request_error")
                return self.till.tokens[source["token"]]
            case "applepay":
                # What a phone encrypts stands for a card; here it may be the number of one.
                return BY_NUMBER.get(str(source["token"]), BY_NUMBER[_APPROVED])
            case "stcpay":
                return stc_pay.account_of(str(source["mobile"]))
            case _:
                raise Refused("invalid_request_error")

    def _payment(self, request: Request, charge_id: str, verb: str | None) -> Reply:
        charge = self.till.charges.get(charge_id)
        if charge is None:
            return _fault(404, "record_not_found")
        if verb is None:
            return Reply(body=self._shown(charge))
        if request.user() != SECRET_KEY:
            return _fault(403, "authentication_error")
        amount = request.json().get("amount")
        match verb:
            case "capture":
                self.till.capture(charge, amount)
            case "void":
                self.till.void(charge)
            case _:
                self.till.refund(charge, amount)
        self._tell(charge)
        return Reply(body=self._shown(charge))

    def _tokenise(self, body: dict[str, Any]) -> Reply:
        token, _ = self.till.tokenise(str(body["number"]))
        return Reply(status=201, body=self._token(token).body)

    def _token(self, token: str) -> Reply:
        card = self.till.tokens.get(token)
        if card is None:
            return _fault(404, "record_not_found")
        shown = {
            "id": token,
            "status": "active",
            "brand": _brand(card),
            "last_four": card.number[-4:],
            "month": "12",
            "year": "2030",
        }
        return Reply(body=shown)

    def _bank(self, charge: Charge | None, request: Request) -> Reply:
        """The page on which a customer confirms, and what follows when he has."""
        if charge is None:
            return _fault(404, "record_not_found")
        if request.method == "GET":
            return Reply(page=_PAGE.format(amount=f"{charge.amount / 100:.2f}"))
        self.till.answer(charge, is_approved=request.form().get("answer") == "yes")
        self._tell(charge)
        told = urlencode({"id": charge.id, "status": _status(charge), "message": ""})
        return Reply(status=303, headers={"location": f"{charge.callback_url}?{told}"})

    def _proceed(self, charge: Charge | None, request: Request) -> Reply:
        """Where the code goes that STC Pay has sent to a mobile."""
        if charge is None or request.query.get("otp_token") != _otp_token(charge):
            return _fault(404, "record_not_found")
        if charge.status is ChargeStatus.CHALLENGED:
            self.till.answer(charge, is_approved=stc_pay.is_told(charge, request))
            self._tell(charge)
        return Reply(body=self._shown(charge))

    def _tell(self, charge: Charge) -> None:
        self._count += 1
        body = {
            "id": str(uuid.uuid5(_NAMESPACE, f"{charge.id} {self._count}")),
            "type": f"payment_{_status(charge)}",
            "secret_token": WEBHOOK_SECRET,
            "live": False,
            "data": self._shown(charge),
        }
        self._server.notify(Webhook(url=self.webhook_url, body=msgspec.json.encode(body)))

    def _shown(self, charge: Charge) -> dict[str, Any]:
        is_wallet = charge.card.network is Network.STC_PAY
        return {
            "id": charge.id,
            "status": _status(charge),
            "amount": charge.amount,
            "fee": 0,
            "currency": charge.currency,
            "refunded": charge.refunded,
            "captured": charge.captured if charge.is_held else 0,
            "metadata": charge.more.get("metadata"),
            "source": self._mobile_of(charge) if is_wallet else self._card_of(charge),
        }

    def _card_of(self, charge: Charge) -> dict[str, Any]:
        is_challenged = charge.status is ChargeStatus.CHALLENGED
        form = f"{self._server.url}/v1/transaction_auths/{charge.id}/form"
        is_declined = charge.status is ChargeStatus.DECLINED
        is_apple_pay = charge.more.get("source") == "applepay"
        return {
            "type": "applepay" if is_apple_pay else "creditcard",
            "company": _brand(charge.card),
            "number": f"XXXX-XXXX-XXXX-{charge.card.number[-4:]}",
            "transaction_url": form if is_challenged else None,
            "response_code": (charge.card.declined or "3DS_FAILED") if is_declined else None,
        }

    def _mobile_of(self, charge: Charge) -> dict[str, Any]:
        page = f"{self._server.url}/v1/stc_pays/{charge.id}/proceed"
        url = f"{page}?otp_token={_otp_token(charge)}"
        is_declined = charge.status is ChargeStatus.DECLINED
        why = charge.more.get("message") or charge.card.declined
        return {
            "type": "stcpay",
            "mobile": charge.card.number,
            "reference_number": f"{charge.id}-stc",
            "transaction_url": url if charge.status is ChargeStatus.CHALLENGED else None,
            "message": why if is_declined else None,
        }


def _otp_token(charge: Charge) -> str:
    return uuid.uuid5(_NAMESPACE, f"otp {charge.id}").hex


def _brand(card: MagicCard) -> str:
    return _BRANDS.get(card.network.value, card.network.value)


def _status(charge: Charge) -> str:
    match charge.status:
        case ChargeStatus.CHALLENGED:
            return "initiated"
        case ChargeStatus.AUTHORISED:
            return "authorized"
        case ChargeStatus.DECLINED:
            return "failed"
        case ChargeStatus.VOIDED:
            return "voided"
        case ChargeStatus.CAPTURED:
            if charge.refunded:
                return "refunded"
            return "captured" if charge.is_held else "paid"


def _fault(status: int, kind: str) -> Reply:
    return Reply(status=status, body={"type": kind, "message": kind, "errors": None})


_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Your bank</title>
<h1>3-D Secure</h1><p>{amount} SAR</p>
<form method="post"><button name="answer" value="yes">Confirm</button>
<button name="answer" value="no">Refuse</button></form></html>"""
