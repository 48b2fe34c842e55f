"""ZATCA's gateway for certificates, version V2: compliance and production CSIDs, and renewals.

Sources: as of `actors.gateways.zatca`. A renewal is answered with 200 and a production CSID, or
with 428 and a compliance CSID whose documents are to be checked first.
"""

import base64
from typing import Any, Final

import httpx2

from actors.gateways.authority import AuthorityUncertain, CsidRefused
from actors.gateways.http_client import HttpClient
from actors.gateways.settings import ZatcaSettings
from actors.gateways.zatca import answered, ask, document_of, headers_for, remarks_of
from engine.invoices.invoice import Invoice
from engine.invoices.onboarding import Csid
from engine.invoices.submission import Remark

_COMPLIANCE: Final = "/compliance"
_CHECK: Final = "/compliance/invoices"
_PRODUCTION: Final = "/production/csids"
_DONE: Final = 200
_WITH_WARNINGS: Final = 202
_KNOWN_ALREADY: Final = 409
_TO_CHECK_FIRST: Final = 428
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_TEXT_MAX: Final = 1000
_REMARKS_MAX: Final = 50


class ZatcaCsids(HttpClient):
    """Satisfies `CsidAuthority`; nothing is repeated here."""

    def __init__(
        self, settings: ZatcaSettings, *, wire: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(
            settings.url, timeout_s=settings.timeout_s, headers=headers_for(settings), wire=wire
        )

    async def recognise(self, request: str, *, otp: str) -> Csid:
        """See `CsidAuthority.recognise`."""
        body, headers = {"csr": _base64(request)}, {"otp": otp}
        return _csid(
            await ask(self._client, "POST", _COMPLIANCE, body, csid=None, headers=headers),
            {_DONE},
        )

    async def check(self, invoice: Invoice, *, csid: Csid) -> None:
        """See `CsidAuthority.check`."""
        answer = await ask(self._client, "POST", _CHECK, document_of(invoice), csid=csid)
        if answer.status_code not in {_DONE, _WITH_WARNINGS, _KNOWN_ALREADY}:
            raise _refused(answer)
        errors = remarks_of(answered(answer), "errorMessages")
        if errors and answer.status_code != _KNOWN_ALREADY:
            raise CsidRefused(errors)

    async def certify(self, csid: Csid) -> Csid:
        """See `CsidAuthority.certify`."""
        body = {"compliance_request_id": csid.request_id}
        return _csid(await ask(self._client, "POST", _PRODUCTION, body, csid=csid), {_DONE})

    async def renew(self, request: str, *, csid: Csid, otp: str) -> tuple[Csid, bool]:
        """See `CsidAuthority.renew`."""
        body, headers = {"csr": _base64(request)}, {"otp": otp}
        answer = await ask(self._client, "PATCH", _PRODUCTION, body, csid=csid, headers=headers)
        is_final = answer.status_code == _DONE
        return _csid(answer, {_DONE, _TO_CHECK_FIRST}), is_final


def _base64(request: str) -> str:
    return base64.b64encode(request.encode()).decode()


def _csid(answer: httpx2.Response, good: set[int]) -> Csid:
    if answer.status_code not in good:
        raise _refused(answer)
    said = answered(answer)
    token, secret = said.get("binarySecurityToken"), said.get("secret")
    if not isinstance(token, str) or not isinstance(secret, str) or not (token and secret):
        if errors := _errors(said):
            raise CsidRefused(errors)
        raise AuthorityUncertain("the answer is without a certificate")
    return Csid(token=token, secret=secret, request_id=str(said.get("requestID", "")))


def _refused(answer: httpx2.Response) -> AuthorityUncertain | CsidRefused:
    status = answer.status_code
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return AuthorityUncertain(f"status {status}")
    said = answered(answer)
    found = remarks_of(said, "errorMessages") or _errors(said)
    return CsidRefused(found or (Remark(code=str(status), text=str(said.get("message", ""))),))


def _errors(said: dict[str, Any]) -> tuple[Remark, ...]:
    """Errors of requests for certificates: a list, or a lone one in the answer itself."""
    listed = said.get("errors")
    rows = listed if isinstance(listed, list) else [said]
    return tuple(
        Remark(code=str(row["code"]), text=str(row.get("message", ""))[:_TEXT_MAX])
        for row in rows[:_REMARKS_MAX]
        if isinstance(row, dict) and row.get("code")
    )
