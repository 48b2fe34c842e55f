"""The stamp of an invoicing unit: a key on secp256k1 and its certificate."""

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from engine.invoices.invoice import Stamp
from engine.invoices.onboarding import Csid

_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
# The same message has the same signature (RFC 6979), so the same invoice the same bytes.
_ECDSA: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@cache
def own_stamp(secret: bytes, unit: str) -> Stamp:
    """A stamp that the tax authority has not certified, made from a secret: for trying things."""
    number = int.from_bytes(hashlib.sha512(secret + unit.encode()).digest()) % (_ORDER - 1) + 1
    key = ec.derive_private_key(number, ec.SECP256K1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "SA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hadiyati"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"uncertified {unit}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(unit.encode()).digest()[:8]) or 1)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2044, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return _stamp(key, certificate)


def read_stamp(file: Path) -> Stamp:
    """The stamp that the tax authority has certified: a PEM file with its key and certificate.

    Raises:
        ValueError: the file holds no such pair.
    """
    content = file.read_bytes()
    try:
        return _matched(read_key(content), x509.load_pem_x509_certificate(content))
    except ValueError as error:
        raise ValueError(f"{file} holds no stamp: {error}") from error


def stamp_of(private_key: str, csid: Csid) -> Stamp:
    """The stamp of a key (PEM) and the certificate that the tax authority gave for it.

    Raises:
        ValueError: they are no such pair.
    """
    return _matched(read_key(private_key.encode()), certificate_of(csid))


def certificate_of(csid: Csid) -> x509.Certificate:
    """The certificate in a CSID's token; raises ValueError where there is none."""
    return x509.load_der_x509_certificate(base64.b64decode(base64.b64decode(csid.token)))


def read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """A private key on secp256k1; raises ValueError for any other."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256k1":
        raise ValueError("this is no key on secp256k1")
    return key


def _matched(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Stamp:
    if certificate.public_key() != key.public_key():
        raise ValueError("the certificate is of another key")
    return _stamp(key, certificate)


def _stamp(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Stamp:
    def sign(content: bytes) -> bytes:
        return key.sign(content, _ECDSA)

    return Stamp(
        certificate=base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        certificate_signature=certificate.signature,
        public_key=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        sign=sign,
    )
