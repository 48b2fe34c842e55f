"""How a payment gateway is spoken to over HTTP: once, and without guessing what silence means."""

from collections.abc import Mapping
from typing import Any, Final

import httpx2
import msgspec

from actors.gateways.http_client import HttpClient
from actors.gateways.payments import GatewayRejected, GatewayUncertain

_NOT_FOUND: Final = 404
# Nothing was done yet, or something else is under way: neither is a no.
_UNDECIDED: Final = frozenset({408, 409, 425, 429})


class HttpGateway(HttpClient):
    """A client for one gateway; nothing is repeated here."""

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any] | None:
        """The answer; None for what is not there.

        Raises:
            GatewayRejected: it was refused, and so not done.
            GatewayUncertain: whether it was done is not known.
        """
        content = None if body is None else msgspec.json.encode(body)
        sent = {"content-type": "application/json", **(headers or {})}
        try:
            answer = await self._client.request(method, path, content=content, headers=sent)
        except httpx2.TransportError as error:
            raise GatewayUncertain(f"no answer: {type(error).__name__}") from error
        status = answer.status_code
        if status == _NOT_FOUND:
            return None
        if answer.is_success:
            return _said(answer)
        if status in _UNDECIDED or status >= 500 or not answer.is_client_error:
            raise GatewayUncertain(f"status {status}")
        code = _why(answer)
        raise GatewayRejected(f"status {status}: {code}", code=code)


def _said(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(answer.content) if answer.content else {}
    except msgspec.DecodeError as error:
        raise GatewayUncertain("the answer is no JSON") from error
    if not isinstance(body, dict):
        raise GatewayUncertain("the answer is no object")
    return body


def _why(answer: httpx2.Response) -> str:
    """What the gateway calls the fault; its texts may quote what was sent, so they are not told."""
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return ""
    found = body if isinstance(body, dict) else {}
    details = found.get("details")
    first = details[0] if isinstance(details, list) and details else None
    issue = first.get("issue") if isinstance(first, dict) else None
    return str(issue or found.get("type") or found.get("name") or "")[:100]
