"""What must hold of a printed invoice."""

from io import BytesIO

import zxingcpp
from msgspec.structs import replace
from PIL import Image

from actors.print.invoice import InvoicePrinter, shown
from engine.pricing.lines import PriceLine
from tests.engine.invoices.drafts import SELLER, a_draft, a_note_on, following, issued


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
        page = Image.open(BytesIO(InvoicePrinter().png(invoice)))
        assert [one.text for one in zxingcpp.read_barcodes(page)] == [invoice.qr]


def test_what_people_write_is_text_and_no_template() -> None:
    names = ('#panic("x")', "*bold* _it_ $x$ `c` <l> @r", "\\", "👨‍👩‍👧‍👦 قلب 🌹", "a\nb")
    lines = tuple(PriceLine(name=one, unit_halalas=100) for one in names)
    invoice = issued(a_draft(lines=lines))
    assert [one["name"] for one in shown(invoice)["lines"]] == list(names)
    assert InvoicePrinter().pdf(invoice).startswith(b"%PDF-")


def test_a_line_runs_in_the_direction_of_its_first_letter() -> None:
    names = {"ورد Roses": True, "Roses ورد": False, "24 ورد": True, "12": False}
    lines = tuple(PriceLine(name=one, unit_halalas=100) for one in names)
    told = shown(issued(a_draft(lines=lines)))["lines"]
    assert {one["name"]: one["rtl"] for one in told} == names
