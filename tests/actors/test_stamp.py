"""What must hold of the stamp of an invoicing unit."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from actors.stamp import own_stamp, read_stamp


def a_pem(key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "unit")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2035, 1, 1, tzinfo=UTC))
        .sign(signer, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def test_a_secret_and_a_unit_have_one_stamp() -> None:
    one = own_stamp(b"s" * 32, "HDY")
    own_stamp.cache_clear()
    again = own_stamp(b"s" * 32, "HDY")
    assert (again.certificate, again.sign(b"x")) == (one.certificate, one.sign(b"x"))
    for other in (own_stamp(b"t" * 32, "HDY"), own_stamp(b"s" * 32, "ABC")):
        assert other.public_key != one.public_key


def test_a_certified_stamp_is_read_from_its_file(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    file = tmp_path / "stamp.pem"
    file.write_bytes(a_pem(key, key))
    stamp = read_stamp(file)
    public = load_der_public_key(stamp.public_key)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(stamp.sign(b"hash"), b"hash", ec.ECDSA(hashes.SHA256()))
    assert (stamp.serial, stamp.issuer) == (7, "CN=unit")


def test_a_file_with_another_curve_or_another_key_is_refused(tmp_path: Path) -> None:
    k1, r1 = ec.generate_private_key(ec.SECP256K1()), ec.generate_private_key(ec.SECP256R1())
    other = ec.generate_private_key(ec.SECP256K1())
    for number, pem in enumerate((a_pem(r1, r1), a_pem(k1, other))):
        file = tmp_path / f"{number}.pem"
        file.write_bytes(pem)
        with pytest.raises(ValueError, match="holds"):
            read_stamp(file)
