"""What must hold of an issued invoice: read back from its bytes, by other means than wrote it."""

import base64
import hashlib
import xml.etree.ElementTree as ET

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from engine.invoices import tlv
from engine.invoices.invoice import (
    FIRST_PREVIOUS_HASH,
    Chain,
    Invoice,
    InvoiceKind,
    PaidBy,
    correctable,
)
from engine.invoices.issue import issue
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS
from engine.pricing.lines import PriceLine, vat_on
from tests.builders import NOON
from tests.engine.invoices.drafts import (
    LINES,
    SELLER,
    STAMP,
    a_draft,
    a_note_on,
    following,
    issued,
)

NAMES = {
    "i": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "ext": "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
}


def read(invoice: Invoice) -> ET.Element:
    return ET.fromstring(invoice.xml)


def text(root: ET.Element, path: str) -> str:
    found = root.find(path, NAMES)
    assert found is not None, path
    return found.text or ""


def test_an_invoice_says_what_it_must() -> None:
    invoice = issued(a_draft())
    root = read(invoice)
    assert text(root, "cbc:ProfileID") == "reporting:1.0"
    assert text(root, "cbc:ID") == invoice.number == "HDY-00000001"
    assert text(root, "cbc:UUID") == invoice.id
    assert (text(root, "cbc:IssueDate"), text(root, "cbc:IssueTime")) == ("2026-01-01", "12:00:00")
    kind = root.find("cbc:InvoiceTypeCode", NAMES)
    assert kind is not None
    assert (kind.text, kind.get("name")) == ("388", "0200000")
    references = root.findall("cac:AdditionalDocumentReference", NAMES)
    assert [text(one, "cbc:ID") for one in references] == ["ICV", "PIH", "QR"]
    assert text(references[0], "cbc:UUID") == "1"
    supplier = "cac:AccountingSupplierParty/cac:Party"
    assert text(root, f"{supplier}/cac:PartyTaxScheme/cbc:CompanyID") == SELLER.vat_number
    assert text(root, f"{supplier}/cac:PartyLegalEntity/cbc:RegistrationName") == SELLER.name_ar
    # Of the lines: 209.57 + 8.70 + 18.00; one halala is rounded away from the labels' sum.
    money = "cac:LegalMonetaryTotal"
    assert text(root, f"{money}/cbc:TaxExclusiveAmount") == "236.27"
    assert text(root, f"{money}/cbc:TaxInclusiveAmount") == "271.71"
    assert text(root, f"{money}/cbc:PayableRoundingAmount") == "-0.01"
    assert text(root, f"{money}/cbc:PayableAmount") == "271.70"
    assert [one.text for one in root.findall("cac:TaxTotal/cbc:TaxAmount", NAMES)] == ["35.44"] * 2
    assert len(root.findall("cac:InvoiceLine", NAMES)) == 3


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(
            PriceLine,
            name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1),
            quantity=st.integers(1, 99),
            unit_halalas=st.integers(0, 10**7),
            includes_vat=st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ).map(tuple)
)
def test_the_sums_of_the_document_are_those_of_its_lines(lines: tuple[PriceLine, ...]) -> None:
    root = read(issued(a_draft(lines=lines)))

    def halalas(one: ET.Element | None) -> int:
        assert one is not None
        whole, _, cents = (one.text or "").partition(".")
        assert len(cents) == 2
        return int(whole + cents)

    nets = 0
    for node, line in zip(root.findall("cac:InvoiceLine", NAMES), lines, strict=True):
        net = halalas(node.find("cbc:LineExtensionAmount", NAMES))
        vat = halalas(node.find("cac:TaxTotal/cbc:TaxAmount", NAMES))
        assert vat == vat_on(net)
        assert halalas(node.find("cac:TaxTotal/cbc:RoundingAmount", NAMES)) == net + vat
        assert halalas(node.find("cac:Price/cbc:PriceAmount", NAMES)) == net
        assert text(node, "cac:Price/cbc:BaseQuantity") == str(line.quantity)
        nets += net
    money = root.find("cac:LegalMonetaryTotal", NAMES)
    assert money is not None
    assert halalas(money.find("cbc:LineExtensionAmount", NAMES)) == nets
    inclusive = halalas(money.find("cbc:TaxInclusiveAmount", NAMES))
    assert inclusive == nets + vat_on(nets)
    rounding = money.find("cbc:PayableRoundingAmount", NAMES)
    rest = 0 if rounding is None else halalas(rounding)
    assert halalas(money.find("cbc:PayableAmount", NAMES)) == inclusive + rest


def bare_hash(invoice: Invoice) -> str:
    """The hash as a reader computes it, from the bytes alone."""
    root = etree.fromstring(invoice.xml)
    left_out = "ext:UBLExtensions | cac:Signature | cac:AdditionalDocumentReference[cbc:ID = 'QR']"
    for node in root.xpath(left_out, namespaces=NAMES):
        root.remove(node)
    canonical = etree.tostring(root, method="c14n")
    return base64.b64encode(hashlib.sha256(canonical).digest()).decode()


def test_each_invoice_names_the_hash_of_the_one_before() -> None:
    first = issued(a_draft())
    second = issued(a_draft(), following(first))
    third = issued(a_draft(), following(second))
    pih = "cac:AdditionalDocumentReference[cbc:ID='PIH']/cac:Attachment/*"
    named = [text(read(one), pih) for one in (first, second, third)]
    assert named == [FIRST_PREVIOUS_HASH, first.hash, second.hash]
    assert FIRST_PREVIOUS_HASH.startswith("NWZlY2ViNjZmZmM4")
    assert [one.counter for one in (first, second, third)] == [1, 2, 3]
    assert len({one.hash for one in (first, second, third)}) == 3


def test_the_hash_is_that_of_the_document_and_the_signature_that_of_the_hash() -> None:
    invoice = issued(a_draft())
    root = read(invoice)
    reference = "ds:Reference[@Id='invoiceSignedData']/ds:DigestValue"
    (info,) = root.iter(f"{{{NAMES['ds']}}}SignedInfo")
    assert text(info, reference) == invoice.hash == bare_hash(invoice)
    (signature,) = root.iter(f"{{{NAMES['ds']}}}SignatureValue")
    (certificate,) = root.iter(f"{{{NAMES['ds']}}}X509Certificate")
    key = x509.load_der_x509_certificate(base64.b64decode(certificate.text or "")).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256k1"
    signed, digest = base64.b64decode(signature.text or ""), base64.b64decode(invoice.hash)
    key.verify(signed, digest, ec.ECDSA(hashes.SHA256()))
    (properties,) = root.iter(f"{{{NAMES['xades']}}}CertDigest")
    assert (
        text(properties, "ds:DigestValue")
        == base64.b64encode(
            hashlib.sha256((certificate.text or "").encode()).hexdigest().encode()
        ).decode()
    )


def test_a_changed_halala_changes_the_hash_and_a_changed_signature_does_not() -> None:
    invoice = issued(a_draft())
    dearer = replace(invoice, xml=invoice.xml.replace(b">271.70<", b">271.71<"))
    assert dearer.xml != invoice.xml
    assert bare_hash(dearer) != bare_hash(invoice)
    unsigned = replace(invoice, xml=invoice.xml.replace(b"2026-01-01T12", b"2027-01-01T12"))
    assert unsigned.xml != invoice.xml
    assert bare_hash(unsigned) == bare_hash(invoice)


def test_the_same_draft_at_the_same_place_is_the_same_bytes() -> None:
    draft = a_draft()
    assert issued(draft) == issued(draft)


def test_the_qr_code_holds_what_a_phone_checks() -> None:
    invoice = issued(a_draft())
    values = tlv.decode(invoice.qr)
    assert [values[tag].decode() for tag in range(1, 7)] == [
        SELLER.name_ar,
        SELLER.vat_number,
        "2026-01-01T12:00:00",
        "271.70",
        "35.44",
        invoice.hash,
    ]
    key = load_der_public_key(values[8])
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed, digest = base64.b64decode(values[7]), base64.b64decode(invoice.hash)
    key.verify(signed, digest, ec.ECDSA(hashes.SHA256()))
    assert values[9] == STAMP.certificate_signature
    assert len(invoice.qr) <= 700
    standard = issued(a_draft(buyer=SELLER))
    assert set(tlv.decode(standard.qr)) == set(range(1, 9))
    kind = read(standard).find("cbc:InvoiceTypeCode", NAMES)
    assert kind is not None
    assert kind.get("name") == "0100000"


def test_a_name_longer_than_its_tag_is_cut_and_not_lost() -> None:
    seller = replace(SELLER, name_ar="هدية" * 50)
    values = tlv.decode(issued(a_draft(seller=seller)).qr)
    assert len(values[1]) <= 255
    assert seller.name_ar.startswith(values[1].decode())


@pytest.mark.parametrize(
    ("kind", "code"), [(InvoiceKind.CREDIT_NOTE, "381"), (InvoiceKind.DEBIT_NOTE, "383")]
)
def test_a_note_names_what_it_corrects_and_why(kind: InvoiceKind, code: str) -> None:
    first = issued(a_draft())
    note = a_note_on(first, kind=kind)
    root = read(issued(note, following(first, original=first)))
    assert text(root, "cbc:InvoiceTypeCode") == code
    reference = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
    assert text(root, reference) == first.number
    assert text(root, "cac:PaymentMeans/cbc:InstructionNote") == note.reason


@pytest.mark.parametrize(
    ("paid_by", "code"), [(PaidBy.CARD, "48"), (PaidBy.CASH, "10"), (PaidBy.DEDUCTED, "1")]
)
def test_it_says_how_it_was_paid(paid_by: PaidBy, code: str) -> None:
    root = read(issued(a_draft(paid_by=paid_by)))
    assert text(root, "cac:PaymentMeans/cbc:PaymentMeansCode") == code


def test_never_more_is_credited_than_was_invoiced() -> None:
    first = issued(a_draft())
    whole = a_note_on(first, lines=LINES)
    for credited, code in ((0, None), (1, "credit_exceeded")):
        refusal = correctable(whole, following(first, original=first, credited_halalas=credited))
        assert (refusal and refusal.code) == code
    debit = replace(whole, kind=InvoiceKind.DEBIT_NOTE)
    assert correctable(debit, following(first, original=first, credited_halalas=1)) is None
    note = issued(a_note_on(first), following(first, original=first))
    on_a_note = issue(a_note_on(note), following(note, original=note), STAMP)
    assert isinstance(on_a_note, Refusal)
    assert on_a_note.code == "not_an_invoice"
    of_nothing = issue(whole, Chain(unit="HDY"), STAMP)
    assert isinstance(of_nothing, Refusal)
    assert of_nothing.code == "unknown_invoice"


def test_a_day_begins_at_midnight_in_the_kingdom() -> None:
    late = NOON + DAY_MS // 2 - 1000
    root = read(issued(a_draft(issued_at=late)))
    assert (text(root, "cbc:IssueDate"), text(root, "cbc:IssueTime")) == ("2026-01-01", "23:59:59")
    root = read(issued(a_draft(issued_at=late + 1000)))
    assert (text(root, "cbc:IssueDate"), text(root, "cbc:IssueTime")) == ("2026-01-02", "00:00:00")
