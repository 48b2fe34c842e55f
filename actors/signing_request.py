"""The key of an invoicing unit and the request with which the tax authority certifies it.

As ZATCA publishes it (Security Features Implementation Standards 1.2, section 2.2.2, and the SDK's
template): a key on secp256k1, the template's name as an extension of Microsoft's, and what the unit
is as a directory name under "subject alternative name".
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct

from engine.invoices.invoice import Party
from engine.invoices.onboarding import Documents
from engine.kernel.ids import derived_id

TEMPLATE_OID: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2")
REGISTERED_ADDRESS: Final = x509.ObjectIdentifier("2.5.4.26")
_SOLUTION, _MODEL = "Hadiyati", "1"
_TEMPLATES: Final = {
    "/simulation": "PREZATCA-Code-Signing",
    "/developer-portal": "TSTZATCA-Code-Signing",
}
_TEMPLATE: Final = "ZATCA-Code-Signing"
_PRINTABLE_STRING: Final = 0x13
# X.520 gives each part of a name an upper bound.
_NAME_MAX: Final = 64
_TEXT_MAX: Final = 128


class UnitSubject(Struct, frozen=True, kw_only=True):
    """What a certificate says of its unit."""

    unit: str
    seller: Party
    branch: str
    business_category: str
    documents: Documents


def new_key() -> str:
    """A private key (PEM, PKCS 8)."""
    key = ec.generate_private_key(ec.SECP256K1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signing_request(subject: UnitSubject, key: ec.EllipticCurvePrivateKey, *, url: str) -> str:
    """The request (PEM) for the authority whose gateway is at `url`."""
    seller = subject.seller
    name = _name(
        (NameOID.COUNTRY_NAME, "SA"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.branch[:_NAME_MAX]),
        (NameOID.ORGANIZATION_NAME, seller.name_en[:_NAME_MAX]),
        (NameOID.COMMON_NAME, f"{_SOLUTION}-{subject.unit}-{seller.vat_number}"),
    )
    about = _name(
        (NameOID.SURNAME, serial_of(subject)),
        (NameOID.USER_ID, seller.vat_number),
        (NameOID.TITLE, subject.documents.value),
        (REGISTERED_ADDRESS, _address(seller)),
        (NameOID.BUSINESS_CATEGORY, subject.business_category[:_TEXT_MAX]),
    )
    made = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .add_extension(
            x509.UnrecognizedExtension(TEMPLATE_OID, _printable(template_of(url))), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.DirectoryName(about)]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def serial_of(subject: UnitSubject) -> str:
    """Solution, model and serial number of a unit: the same for the same unit of a seller."""
    serial = derived_id("invoicing unit", subject.seller.vat_number, subject.unit)
    # The template calls it SN, which OpenSSL writes under the OID of a surname.
    return f"1-{_SOLUTION}|2-{_MODEL}|3-{serial}"


def template_of(url: str) -> str:
    """The name of the certificate's template: another one where units are tried."""
    return next((name for end, name in _TEMPLATES.items() if url.endswith(end)), _TEMPLATE)


def _address(seller: Party) -> str:
    said = (seller.building, seller.street, seller.district, seller.city, seller.postal_code)
    return " ".join(said)[:_TEXT_MAX]


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _printable(text: str) -> bytes:
    return bytes((_PRINTABLE_STRING, len(text))) + text.encode()
