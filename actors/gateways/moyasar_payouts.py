"""Payouts over Moyasar's REST API v1: from our account at a bank to any Saudi IBAN.

Our sixteen digits (`sequence_number`) name a payout from the first moment on, but the API finds
nothing by them: until its own name is known, the whole list is read, in whatever order. Sources:
docs.moyasar.com, create, fetch and list payouts, payout details, read in November 2026.
"""

from typing import Any, Final

import httpx2
import msgspec

from actors.gateways.http_client import HttpClient
from actors.gateways.payouts import PayoutRejected, PayoutUncertain
from actors.gateways.settings import PayoutSettings
from engine.payouts.payout import (
    CURRENCY,
    BankAccount,
    Payout,
    PayoutStanding,
    PayoutStatement,
)

_STANDING: Final = {
    "queued": PayoutStanding.PENDING,
    "initiated": PayoutStanding.PENDING,
    "paid": PayoutStanding.PAID,
    "failed": PayoutStanding.FAILED,
    "canceled": PayoutStanding.FAILED,
    "returned": PayoutStanding.RETURNED,
}
_PURPOSE: Final = "payroll_benefits"
_PAGES_MAX: Final = 200
_NOT_FOUND: Final = 404
# Whoever is told one of these was not paid out; anything else may mean that it was.
_REJECTED: Final = frozenset({400, 401, 403, 404, 405, 422})


class MoyasarPayouts(HttpClient):
    """Satisfies `PayoutGateway`; nothing is repeated here."""

    def __init__(
        self, settings: PayoutSettings, *, wire: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(
            settings.url,
            timeout_s=settings.timeout_s,
            auth=(settings.api_key.get_secret_value(), ""),
            wire=wire,
        )
        self._source = settings.source_id

    async def send(self, payout: Payout, to: BankAccount) -> PayoutStatement:
        """See `PayoutGateway.send`."""
        body = {
            "source_id": self._source,
            "sequence_number": payout.number,
            "amount": payout.amount_halalas,
            "purpose": _PURPOSE,
            "destination": {
                "type": "bank",
                "iban": to.iban,
                "name": to.holder_name,
                "mobile": to.phone,
                "country": "SA",
                "city": to.city,
            },
            "metadata": {"payout_id": payout.id},
        }
        answer = await self._ask("POST", "/v1/payouts", body)
        if answer.status_code in _REJECTED:
            raise PayoutRejected(f"status {answer.status_code}: {_type_of(answer)}")
        return _statement(_said(answer))

    async def find(self, payout: Payout) -> PayoutStatement | None:
        """See `PayoutGateway.find`."""
        if payout.reference:
            answer = await self._ask("GET", f"/v1/payouts/{payout.reference}")
            return None if answer.status_code == _NOT_FOUND else _statement(_said(answer))
        for page in range(1, _PAGES_MAX + 1):
            told = _said(await self._ask("GET", f"/v1/payouts?page={page}"))
            found = [one for one in told["payouts"] if one["sequence_number"] == payout.number]
            if found:
                return _statement(found[0])
            if not told["meta"].get("next_page"):
                return None
        raise PayoutUncertain("more pages than are read")

    async def _ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"}
        try:
            return await self._client.request(method, path, content=content, headers=headers)
        except httpx2.TransportError as error:
            raise PayoutUncertain(f"no answer: {type(error).__name__}") from error


def _said(answer: httpx2.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise PayoutUncertain(f"status {answer.status_code}")
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise PayoutUncertain("the answer is no JSON object") from error


def _statement(said: dict[str, Any]) -> PayoutStatement:
    """The payout in an answer; what cannot be read is no answer."""
    try:
        return PayoutStatement(
            reference=str(said["id"]),
            standing=_STANDING[said["status"]],
            amount_halalas=int(said["amount"]),
            currency=str(said.get("currency", CURRENCY)),
            iban=str(said["destination"]["iban"]),
            reason=str(said.get("failure_reason") or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PayoutUncertain(f"an answer that is none: {type(error).__name__}") from error


def _type_of(answer: httpx2.Response) -> str:
    """What the provider calls the fault; its texts may quote what was sent and are not told."""
    try:
        return str(msgspec.json.decode(answer.content, type=dict[str, Any]).get("type", ""))[:100]
    except msgspec.DecodeError:
        return ""
