"""The tax authority's gateway for certificates, as it is seen from outside.

It reads the signing request that it is sent, gives a certificate of its own for it, and gives the
production CSID only to who has had every kind of document judged that the request names.
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from msgspec import Struct

from simulations.gateways.server import PaymentServer, Reply, Request
from simulations.gateways.zatca import (
    ZatcaProtocol,
    basic,
    faults_of,
    judgement,
    read_document,
)

_COMPLIANCE: Final = "/compliance"
_CHECK: Final = "/compliance/invoices"
_PRODUCTION: Final = "/production/csids"
_TEMPLATE: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2")
_TEMPLATES: Final = frozenset(
    b"\x13" + bytes((len(name),)) + name
    for name in (b"ZATCA-Code-Signing", b"PREZATCA-Code-Signing", b"TSTZATCA-Code-Signing")
)
_SERIAL: Final = re.compile(r"1-[^|]+\|2-[^|]+\|3-[^|]+")
_TITLES: Final = {"1000": ("01",), "0100": ("02",), "1100": ("01", "02")}
_TYPES: Final = ("388", "381", "383")
_ISSUER: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PRZEINVOICESCA4-CA")])


class _Compliance(Struct, kw_only=True):
    """A compliance CSID, and the documents that have passed under it."""

    request_id: str
    request: x509.CertificateSigningRequest
    certificate: bytes
    wanted: set[tuple[str, str]]
    # Where a renewal: by what the unit was known before.
    renews: str = ""


class CsidProtocol:
    """Answers for one company.

    `otps` are the one-time passwords of its portal that are still good; `valid_days` is how long
    a certificate lives; while `checks_renewals`, who renews has documents checked before.
    """

    def __init__(
        self,
        server: PaymentServer,
        zatca: ZatcaProtocol,
        *,
        vat_number: str,
        now: datetime,
    ) -> None:
        self.otps: set[str] = set()
        self.valid_days = 365
        self.checks_renewals = True
        self.faults: list[str] = []
        self._zatca, self._vat_number = zatca, vat_number
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256K1())
        self._compliance: dict[str, _Compliance] = {}
        self._certificates: set[bytes] = set()
        self._production: set[str] = set()
        server.serve(self.answer)

    def answer(self, request: Request) -> Reply | None:
        """None for what is nobody's here."""
        found = {
            ("POST", _COMPLIANCE): self._recognise,
            ("POST", _CHECK): self._check,
            ("POST", _PRODUCTION): self._certify,
            ("PATCH", _PRODUCTION): self._renew,
        }.get((request.method, request.path))
        if found is None:
            return None
        if request.headers.get("accept-version") != "V2":
            return Reply(status=406, body={"message": "This Version is not supported"})
        return found(request)

    def _recognise(self, request: Request) -> Reply:
        return self._otp_refused(request) or self._requested(request, renews="")

    def _renew(self, request: Request) -> Reply:
        known_by = request.headers.get("authorization", "")
        if known_by not in self._production:
            return Reply(status=401, body={"message": "unauthorized"})
        refused = self._otp_refused(request)
        if refused is not None:
            return refused
        if self.checks_renewals:
            return self._requested(request, renews=known_by)
        read = self._read(request)
        if isinstance(read, Reply):
            return read
        return self._produced(read, renews=known_by)

    def _otp_refused(self, request: Request) -> Reply | None:
        otp = request.headers.get("otp", "")
        if otp not in self.otps:
            return _refused("Invalid-OTP", "The provided OTP is invalid or has expired.")
        self.otps.remove(otp)
        return None

    def _requested(self, request: Request, *, renews: str) -> Reply:
        read = self._read(request)
        if isinstance(read, Reply):
            return read
        certificate, reply, known_by = self._given(read)
        title = _about(read).get_attributes_for_oid(NameOID.TITLE)[0].value
        self._compliance[known_by] = _Compliance(
            request_id=str(reply["requestID"]),
            request=read,
            certificate=certificate,
            wanted={(sort, kind) for sort in _TITLES[str(title)] for kind in _TYPES},
            renews=renews,
        )
        if renews:
            return Reply(status=428, body={**reply, "dispositionMessage": "NOT_COMPLIANT"})
        return Reply(body=reply)

    def _check(self, request: Request) -> Reply:
        mine = self._compliance.get(request.headers.get("authorization", ""))
        if mine is None:
            return Reply(status=401, body={"message": "unauthorized"})
        body = request.json()
        document = read_document(base64.b64decode(body["invoice"]))
        faults = faults_of(document, body, vat_number=self._vat_number)
        if document.certificate != mine.certificate:
            faults.append("CERTIFICATE-UNKNOWN the certificate is another")
        if self.faults:
            faults.append(self.faults.pop(0))
        path = "/invoices/clearance/single"
        if document.kind.startswith("02"):
            path = "/invoices/reporting/single"
        if faults:
            return judgement(400, path, "ERROR", errors=faults)
        mine.wanted.discard((document.kind[:2], document.type))
        return judgement(200, path, "PASS")

    def _certify(self, request: Request) -> Reply:
        mine = self._compliance.get(request.headers.get("authorization", ""))
        if mine is None:
            return Reply(status=401, body={"message": "unauthorized"})
        if request.json().get("compliance_request_id") != mine.request_id:
            return _refused("Invalid-RequestID", "The compliance request is another.")
        if mine.wanted:
            return _refused("Missing-ComplianceSteps", "Compliance steps are not complete.")
        return self._produced(mine.request, renews=mine.renews)

    def _produced(self, request: x509.CertificateSigningRequest, *, renews: str) -> Reply:
        certificate, reply, known_by = self._given(request)
        self._certificates.add(certificate)
        self._production.add(known_by)
        self._zatca.admit(known_by, self._certificates)
        if renews:
            self._production.discard(renews)
            self._zatca.revoke(renews)
        return Reply(body=reply)

    def _read(self, request: Request) -> x509.CertificateSigningRequest | Reply:
        try:
            pem = base64.b64decode(request.json()["csr"], validate=True)
            read = x509.load_pem_x509_csr(pem)
            faults = _request_faults(read, self._vat_number)
        except (KeyError, ValueError, x509.ExtensionNotFound) as error:
            return _refused("Invalid-CSR", f"The provided CSR is invalid: {error}")
        if faults:
            return _refused("Invalid-CSR", f"The provided CSR is invalid: {', '.join(faults)}")
        return read

    def _given(
        self, request: x509.CertificateSigningRequest
    ) -> tuple[bytes, dict[str, object], str]:
        number = x509.random_serial_number()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(_ISSUER)
            .public_key(request.public_key())
            .serial_number(number)
            .not_valid_before(self._now)
            .not_valid_after(self._now + timedelta(days=self.valid_days))
            .sign(self._key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )
        token = base64.b64encode(base64.b64encode(certificate)).decode()
        secret = f"secret-{number}"
        body: dict[str, object] = {
            "requestID": number % 10**13,
            "dispositionMessage": "ISSUED",
            "binarySecurityToken": token,
            "secret": secret,
            "errors": None,
        }
        return certificate, body, basic(token, secret)


def _request_faults(request: x509.CertificateSigningRequest, vat_number: str) -> list[str]:
    key, about = request.public_key(), _about(request)

    def said(oid: x509.ObjectIdentifier) -> str:
        found = about.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    template = request.extensions.get_extension_for_oid(_TEMPLATE).value
    country = request.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    found = {
        "signature": not request.is_signature_valid,
        "key": not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256k1",
        "template": template.public_bytes() not in _TEMPLATES,
        "country": not country or country[0].value != "SA",
        "serial number": not _SERIAL.fullmatch(said(NameOID.SURNAME)),
        "VAT number": said(NameOID.USER_ID) != vat_number,
        "title": said(NameOID.TITLE) not in _TITLES,
        "registered address": not said(x509.ObjectIdentifier("2.5.4.26")),
        "business category": not said(NameOID.BUSINESS_CATEGORY),
    }
    return [fault for fault, is_so in found.items() if is_so]


def _about(request: x509.CertificateSigningRequest) -> x509.Name:
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (name,) = names.get_values_for_type(x509.DirectoryName)
    return name


def _refused(code: str, message: str) -> Reply:
    return Reply(status=400, body={"errors": [{"code": code, "message": message}]})
