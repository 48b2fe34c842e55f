"""ZATCA's e-invoicing gateway, version V2: single documents are reported or cleared.

Whoever asks is known by his production CSID: the certificate as the authority gave it
(`binarySecurityToken`) and its secret. Sources: ZATCA's developer portal manual 3 and the detailed
technical guideline, by way of public integrations, read in November 2026; the gateway itself
cannot be asked without an onboarded unit.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final, Protocol

import httpx2
import msgspec

from actors.gateways.authority import AuthorityUncertain
from actors.gateways.http_client import HttpClient
from actors.gateways.settings import ZatcaSettings
from engine.invoices.invoice import Invoice
from engine.invoices.onboarding import Csid
from engine.invoices.received import qr_of
from engine.invoices.submission import Remark, SubmissionStatus, Verdict

_REPORTING: Final = "/invoices/reporting/single"
_CLEARANCE: Final = "/invoices/clearance/single"
_TAKEN: Final = frozenset({200, 202})
_CLEARANCE_IS_OFF: Final = 303
_NOT_VALID: Final = 400
_KNOWN_ALREADY: Final = 409
_TOO_LARGE: Final = 413
_REFUSALS: Final = frozenset({"NOT_REPORTED", "NOT_CLEARED"})
_REMARKS_MAX: Final = 50
_TEXT_MAX: Final = 1000
_TOO_LARGE_REMARK: Final = Remark(code="413", text="The document is too large for the authority.")
_COPY_LOST: Final = Remark(
    code="cleared_copy_lost",
    text="It was cleared before, but the answer with the stamped document was lost.",
)


class KnownBy(Protocol):
    """By what the authority knows our unit."""

    async def csid(self) -> Csid | None:
        """The production CSID that is in force; None as long as there is none."""
        ...


class Zatca(HttpClient):
    """Satisfies `Authority`; nothing is repeated here."""

    def __init__(
        self,
        settings: ZatcaSettings,
        known_by: KnownBy,
        *,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(
            settings.url,
            timeout_s=settings.timeout_s,
            headers=headers_for(settings),
            wire=wire,
        )
        self._known_by = known_by

    async def is_open(self) -> bool:
        """See `Authority.is_open`."""
        return await self._known_by.csid() is not None

    async def report(self, invoice: Invoice) -> Verdict:
        """See `Authority.report`."""
        answer = await self._send(_REPORTING, invoice, clearance="0")
        return _verdict(answer, invoice, SubmissionStatus.REPORTED)

    async def clear(self, invoice: Invoice) -> Verdict:
        """See `Authority.clear`."""
        answer = await self._send(_CLEARANCE, invoice, clearance="1")
        if answer.status_code == _CLEARANCE_IS_OFF:
            return await self.report(invoice)
        return _verdict(answer, invoice, SubmissionStatus.CLEARED)

    async def _send(self, path: str, invoice: Invoice, *, clearance: str) -> httpx2.Response:
        csid = await self._known_by.csid()
        if csid is None:
            raise AuthorityUncertain("the unit has no certificate")
        return await ask(
            self._client,
            "POST",
            path,
            document_of(invoice),
            csid=csid,
            headers={"clearance-status": clearance},
        )


def headers_for(settings: ZatcaSettings) -> dict[str, str]:
    """What every request says."""
    return {
        "accept": "application/json",
        "accept-version": "V2",
        "accept-language": settings.language,
        "content-type": "application/json",
    }


def document_of(invoice: Invoice) -> dict[str, str]:
    """A document as the authority is sent it."""
    return {
        "invoiceHash": invoice.hash,
        "uuid": invoice.id,
        "invoice": base64.b64encode(invoice.xml).decode(),
    }


async def ask(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    body: Mapping[str, str],
    *,
    csid: Csid | None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """What it answers, under a CSID if there is one; silence is `AuthorityUncertain`."""
    auth = None if csid is None else httpx2.BasicAuth(csid.token, csid.secret)
    content = msgspec.json.encode(body)
    try:
        return await client.request(method, path, content=content, headers=headers, auth=auth)
    except httpx2.TransportError as error:
        raise AuthorityUncertain(f"no answer: {type(error).__name__}") from error


def _verdict(answer: httpx2.Response, invoice: Invoice, taken: SubmissionStatus) -> Verdict:
    status = answer.status_code
    if status == _TOO_LARGE:
        return Verdict(status=SubmissionStatus.REFUSED, errors=(_TOO_LARGE_REMARK,))
    if status == _KNOWN_ALREADY:
        return _known_already(answered(answer), invoice, taken)
    if status in _TAKEN:
        return _taken(_said(answer), invoice, taken)
    if status == _NOT_VALID and (said := answered(answer)) and _is_refused(said):
        return Verdict(
            status=SubmissionStatus.REFUSED,
            warnings=remarks_of(said, "warningMessages"),
            errors=remarks_of(said, "errorMessages"),
        )
    # 401, 404 or 406 say that we are set wrongly, and nothing of the document.
    raise AuthorityUncertain(f"status {status}")


def _taken(said: dict[str, Any], invoice: Invoice, taken: SubmissionStatus) -> Verdict:
    word = said.get("clearanceStatus") or said.get("reportingStatus")
    if word != taken.value.upper():
        raise AuthorityUncertain(f"the answer does not say {taken.value.upper()}, but {word}")
    xml, qr = _cleared(said, invoice)
    if taken is SubmissionStatus.CLEARED and not xml:
        raise AuthorityUncertain("the answer is without the cleared document")
    return Verdict(
        status=taken, warnings=remarks_of(said, "warningMessages"), cleared_xml=xml, cleared_qr=qr
    )


def _known_already(said: dict[str, Any], invoice: Invoice, taken: SubmissionStatus) -> Verdict:
    """It was taken by a request whose answer did not come; its errors say only that."""
    xml, qr = _cleared(said, invoice)
    is_lost = taken is SubmissionStatus.CLEARED and not xml
    return Verdict(
        status=taken, warnings=(_COPY_LOST,) if is_lost else (), cleared_xml=xml, cleared_qr=qr
    )


def _cleared(said: dict[str, Any], invoice: Invoice) -> tuple[bytes, str]:
    """The document with the authority's stamp, and its QR code; empty where none came."""
    sent = said.get("clearedInvoice")
    if not sent:
        return b"", ""
    try:
        xml = base64.b64decode(sent, validate=True)
        return xml, qr_of(xml, uuid=invoice.id)
    except (ValueError, TypeError) as error:
        raise AuthorityUncertain(f"the cleared document cannot be read: {error}") from error


def _is_refused(said: dict[str, Any]) -> bool:
    words = {said.get("reportingStatus"), said.get("clearanceStatus")}
    return bool(words & _REFUSALS or remarks_of(said, "errorMessages"))


def _said(answer: httpx2.Response) -> dict[str, Any]:
    said = answered(answer)
    if not said:
        raise AuthorityUncertain("the answer is no object")
    return said


def answered(answer: httpx2.Response) -> dict[str, Any]:
    """The object that was answered; empty where it was none."""
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def remarks_of(said: dict[str, Any], kind: str) -> tuple[Remark, ...]:
    """Messages of a kind; the gateway sends a lone one without its list."""
    results = said.get("validationResults")
    found = results.get(kind) if isinstance(results, dict) else None
    rows = found if isinstance(found, list) else [found]
    return tuple(
        Remark(code=str(row.get("code", "")), text=str(row.get("message", ""))[:_TEXT_MAX])
        for row in rows[:_REMARKS_MAX]
        if isinstance(row, dict)
    )
