"""What must hold of a printed invoice."""

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.print.invoice import InvoicePrinter, shown
from engine.pricing.lines import PriceLine
from tests.engine.invoices.drafts import SELLER, a_draft, a_note_on, following, issued

PRINTER = InvoicePrinter()


def attachments(pdf: bytes) -> list[tuple[str, bytes]]:
    """What lies in a PDF, by name."""
    document = pypdfium2.PdfDocument(pdf)
    found = [document.get_attachment(at) for at in range(document.count_attachments())]
    return [(one.get_name(), bytes(one.get_data())) for one in found]


def test_the_same_invoice_is_the_same_bytes_whoever_prints_it() -> None:
    invoice, one = issued(a_draft()), InvoicePrinter()
    pdf = one.pdf(invoice)
    assert pdf == one.pdf(invoice) == InvoicePrinter().pdf(invoice)
    assert pdf.startswith(b"%PDF-")
    assert b"IBMPlexSansArabic" in pdf
    assert b"/FontFile" in pdf


def test_a_phone_reads_the_qr_code_from_the_page() -> None:
    first = issued(a_draft())
    credit = issued(a_note_on(first), following(first, original=first))
    standard = issued(a_draft(buyer=replace(SELLER, name_ar="شركة أخرى")))
    for invoice in (first, credit, standard):
        page = pypdfium2.PdfDocument(InvoicePrinter().pdf(invoice))[0].render(scale=2).to_pil()
        assert [one.text for one in zxingcpp.read_barcodes(page)] == [invoice.qr]


def test_whoever_has_the_pdf_has_the_xml() -> None:
    invoice = issued(a_draft())
    pdf = InvoicePrinter().pdf(invoice)
    (attached,) = attachments(pdf)
    assert attached == (f"{invoice.number}.xml", invoice.xml)
    assert b"pdfaid:part>3<" in pdf
    assert b"/AFRelationship/Alternative" in pdf


def test_what_people_write_is_text_and_no_template() -> None:
    names = ('#panic("x")', "*bold* _it_ $x$ `c` <l> @r", "\\", "قلب", "a\nb")
    lines = tuple(PriceLine(name=one, unit_halalas=100) for one in names)
    invoice = issued(a_draft(lines=lines))
    assert [one["name"] for one in shown(invoice)["lines"]] == list(names)
    assert InvoicePrinter().pdf(invoice).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("told", "drawn"),
    [
        ("👨‍👩‍👧‍👦 قلب 🌹", "قلب"),
        ("می‌خواهم", "می‌خواهم".replace("\N{ZERO WIDTH NON-JOINER}", "")),
        ("Bouquet 花束", "Bouquet …"),
        ("🌹", "…"),
        ("مُبَارَك ٢٤", "مُبَارَك ٢٤"),
    ],
)
def test_what_the_font_cannot_draw_is_left_out_and_told(told: str, drawn: str) -> None:
    (line,) = shown(issued(a_draft(lines=(PriceLine(name=told, unit_halalas=100),))))["lines"]
    assert line["name"] == drawn


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_whatever_people_write_can_be_printed(text: str) -> None:
    invoice = issued(a_draft(lines=(PriceLine(name=text, unit_halalas=100),)))
    assert PRINTER.pdf(invoice).startswith(b"%PDF-")


def test_the_price_of_a_piece_is_told_to_the_part_of_a_halala() -> None:
    lines = tuple(
        PriceLine(name="x", quantity=quantity, unit_halalas=halalas, includes_vat=includes_vat)
        for quantity, halalas, includes_vat in ((1, 1800, False), (2, 12050, True), (3, 1000, True))
    )
    told = shown(issued(a_draft(lines=lines)))["lines"]
    assert [one["unit"] for one in told] == ["18.00", "104.785", "8.6967"]


def test_a_line_runs_in_the_direction_of_its_first_letter() -> None:
    names = {"ورد Roses": True, "Roses ورد": False, "24 ورد": True, "12": False}
    lines = tuple(PriceLine(name=one, unit_halalas=100) for one in names)
    told = shown(issued(a_draft(lines=lines)))["lines"]
    assert {one["name"]: one["rtl"] for one in told} == names
