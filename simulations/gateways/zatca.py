"""The tax authority's gateway as it is seen from outside: it reads what it is sent, and judges it.

What it checks it computes itself from the document: hash, identifier, place in the chain, stamp.
"""

import base64
import hashlib
from binascii import Error as NotBase64
from collections import deque
from copy import deepcopy
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from msgspec import Struct

from engine.invoices.received import read_xml
from simulations.gateways.server import PaymentServer, Reply, Request

TOKEN, SECRET = "TUlJQ3Rva2Vu", "zatca-secret"
# Who sells as long as the settings name no other company.
SELLER: Final = "399999999900003"
_REPORTING: Final = "/invoices/reporting/single"
_CLEARANCE: Final = "/invoices/clearance/single"
_FIRST: Final = base64.b64encode(hashlib.sha256(b"0").hexdigest().encode()).decode()
_OASIS: Final = "urn:oasis:names:specification:ubl:schema:xsd:Common"
_NAMES: Final = {
    "cac": f"{_OASIS}AggregateComponents-2",
    "cbc": f"{_OASIS}BasicComponents-2",
    "ext": f"{_OASIS}ExtensionComponents-2",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
_QR: Final = "cac:AdditionalDocumentReference[cbc:ID='QR']"
_CONTENT: Final = "cac:Attachment/cbc:EmbeddedDocumentBinaryObject"
_SIMPLIFIED: Final = "02"


class Taken(Struct, frozen=True, kw_only=True):
    """A document that was accepted: by which way, and its bytes."""

    uuid: str
    path: str
    xml: bytes


class Document(Struct, frozen=True, kw_only=True):
    """What is read of a document, and computed from it."""

    uuid: str
    kind: str
    type: str
    seller: str
    counter: int
    previous: str
    hash: str
    certificate: bytes
    is_stamped: bool


class ZatcaProtocol:
    """Answers for one unit.

    `statuses` befall the next requests instead of a judgement; `warnings` are said of the next
    documents; while `clears` is False clearance sends elsewhere.
    """

    def __init__(self, server: PaymentServer, *, vat_number: str) -> None:
        self.taken: dict[str, Taken] = {}
        self.refused: dict[str, list[str]] = {}
        self.statuses: deque[int] = deque()
        self.warnings: deque[str] = deque()
        self.clears = True
        self._vat_number = vat_number
        self._known = {basic(TOKEN, SECRET)}
        # Of who was onboarded: by whom he is known, and with which certificates he may sign.
        self._certified: dict[str, set[bytes]] = {}
        self._hashes: dict[int, str] = {0: _FIRST}
        server.serve(self.answer)

    def admit(self, authorization: str, certificates: set[bytes]) -> None:
        """A unit was onboarded: it may ask, and sign with these certificates (DER)."""
        self._certified[authorization] = certificates

    def revoke(self, authorization: str) -> None:
        """Who asks by this is not known any more."""
        self._certified.pop(authorization, None)

    def answer(self, request: Request) -> Reply | None:
        """None for what is nobody's here."""
        if request.method != "POST" or request.path not in {_REPORTING, _CLEARANCE}:
            return None
        if self.statuses:
            return Reply(status=self.statuses.popleft(), body={})
        if request.headers.get("authorization") not in {*self._known, *self._certified}:
            return Reply(status=401, body={"message": "unauthorized"})
        if request.headers.get("accept-version") != "V2":
            return Reply(status=406, body={"message": "This Version is not supported"})
        if request.path == _CLEARANCE and not self.clears:
            return Reply(status=303, body={"message": "Clearance is deactivated"})
        return self._judged(request)

    def _judged(self, request: Request) -> Reply:
        body = request.json()
        if body.get("invoiceHash") in self.taken:
            return judgement(
                409, request.path, "ERROR", errors=["Invoice Hash Previously Submitted"]
            )
        try:
            xml = base64.b64decode(body["invoice"], validate=True)
            document = read_document(xml)
        except (KeyError, NotBase64, ValueError) as error:
            return judgement(400, request.path, "ERROR", errors=[f"INVALID-DOCUMENT {error}"])
        faults = [*self._faults(document, body, request)]
        # Also what is refused has its place in the chain.
        self._hashes[document.counter] = document.hash
        if faults:
            self.refused[document.uuid] = faults
            return judgement(400, request.path, "ERROR", errors=faults)
        self.taken[document.hash] = Taken(uuid=document.uuid, path=request.path, xml=xml)
        return self._accepted(request.path, xml)

    def _accepted(self, path: str, xml: bytes) -> Reply:
        warnings = [self.warnings.popleft()] if self.warnings else []
        word = "WARNING" if warnings else "PASS"
        more = {}
        if path == _CLEARANCE:
            more["clearedInvoice"] = base64.b64encode(_stamped(xml)).decode()
        return judgement(202 if warnings else 200, path, word, warnings=warnings, more=more)

    def _faults(self, document: Document, body: dict[str, Any], request: Request) -> list[str]:
        is_simplified = document.kind.startswith(_SIMPLIFIED)
        own = self._certified.get(request.headers.get("authorization", ""))
        found = {
            "CERTIFICATE-UNKNOWN the certificate is not one of the unit": (
                own is not None and document.certificate not in own
            ),
            "KSA-13 it does not follow the document before it": (
                self._hashes.get(document.counter - 1, document.previous) != document.previous
            ),
            "BR-KSA-06 another way is for documents of this kind": (
                is_simplified and request.path == _CLEARANCE
            ),
        }
        more = [fault for fault, is_so in found.items() if is_so]
        return [*faults_of(document, body, vat_number=self._vat_number), *more]


def faults_of(document: Document, body: dict[str, Any], *, vat_number: str) -> list[str]:
    """What is wrong with a document for itself, in what was sent with it."""
    found = {
        "INVALID-HASH the hash is another": body.get("invoiceHash") != document.hash,
        "INVALID-UUID the identifier is another": body.get("uuid") != document.uuid,
        "INVALID-STAMP the stamp is of another document": not document.is_stamped,
        "BR-KSA-39 the seller is not whose certificate it is": document.seller != vat_number,
    }
    return [fault for fault, is_so in found.items() if is_so]


def basic(token: str, secret: str) -> str:
    """How a CSID is shown."""
    return "Basic " + base64.b64encode(f"{token}:{secret}".encode()).decode()


def read_document(xml: bytes) -> Document:
    """What a document says; raises ValueError for what is none."""
    root = read_xml(xml)

    def text(path: str) -> str:
        found: str | None = root.findtext(path, namespaces=_NAMES)
        if not found:
            raise ValueError(f"without {path}")
        return found

    bare = deepcopy(root)
    for path in ("ext:UBLExtensions", "cac:Signature", _QR):
        for node in bare.findall(path, _NAMES):
            bare.remove(node)
    digest = hashlib.sha256(etree.tostring(bare, method="c14n")).digest()
    kind = root.find("cbc:InvoiceTypeCode", _NAMES)
    certificate = x509.load_der_x509_certificate(base64.b64decode(text(".//ds:X509Certificate")))
    return Document(
        uuid=text("cbc:UUID"),
        kind="" if kind is None else kind.get("name", ""),
        type=text("cbc:InvoiceTypeCode"),
        seller=text("cac:AccountingSupplierParty//cbc:CompanyID"),
        counter=int(text("cac:AdditionalDocumentReference[cbc:ID='ICV']/cbc:UUID")),
        previous=text(f"cac:AdditionalDocumentReference[cbc:ID='PIH']/{_CONTENT}"),
        hash=base64.b64encode(digest).decode(),
        certificate=certificate.public_bytes(Encoding.DER),
        is_stamped=_is_stamped(certificate, base64.b64decode(text(".//ds:SignatureValue")), digest),
    )


def _is_stamped(certificate: x509.Certificate, signature: bytes, digest: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, digest, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _stamped(xml: bytes) -> bytes:
    """With the authority's QR code in the place of the seller's."""
    root = read_xml(xml)
    node = root.find(f"{_QR}/{_CONTENT}", _NAMES)
    if node is not None:
        node.text = base64.b64encode(b"cleared " + hashlib.sha256(xml).digest()).decode()
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def judgement(
    status: int,
    path: str,
    word: str,
    *,
    errors: list[str] | None = None,
    warnings: list[str] | None = None,
    more: dict[str, str] | None = None,
) -> Reply:
    """How the authority answers for a document."""
    name, done = ("clearanceStatus", "CLEARED")
    if path == _REPORTING:
        name, done = ("reportingStatus", "REPORTED")
    results = {
        "infoMessages": [],
        "warningMessages": [_message("WARNING", one) for one in warnings or ()],
        "errorMessages": [_message("ERROR", one) for one in errors or ()],
        "status": word,
    }
    said = f"NOT_{done}" if errors else done
    return Reply(status=status, body={"validationResults": results, name: said, **(more or {})})


def _message(kind: str, said: str) -> dict[str, str]:
    code, _, text = said.partition(" ")
    return {"type": kind, "code": code, "category": "KSA", "message": text, "status": kind}
