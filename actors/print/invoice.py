"""An invoice as a PDF: Arabic and English beside each other, the same bytes every time.

It is a PDF/A-3, in which the XML lies as an attachment (ISO 19005-3): whoever has the one file has
what is read and what is computed with.
"""

import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import msgspec
import regex
import segno
import typst
from fontTools.ttLib import TTFont

from engine.invoices.invoice import Invoice, InvoiceKind, Party
from engine.invoices.ubl import local
from engine.kernel.riyals import riyals
from engine.kernel.timing import SECOND_MS
from engine.pricing.lines import LineAmounts, amounts

_FOLDER: Final = Path(__file__).parent
_FONT: Final = "IBMPlexSansArabic_400Regular.ttf"
# Pictures, and what joins and colours them; what is left out of a word is told.
_LEFT_OUT: Final = {"So", "Sk", "Cf", "Cn", "Co", "Mn", "Me"}
_LACKING: Final = "…"
_BEGINS_ARABIC: Final = regex.compile(r"\P{L}*\p{Arabic}")
_TITLES: Final = {
    (InvoiceKind.INVOICE, False): ("فاتورة ضريبية مبسطة", "Simplified tax invoice"),
    (InvoiceKind.INVOICE, True): ("فاتورة ضريبية", "Tax invoice"),
    (InvoiceKind.CREDIT_NOTE, False): ("إشعار دائن مبسط", "Simplified credit note"),
    (InvoiceKind.CREDIT_NOTE, True): ("إشعار دائن", "Credit note"),
    (InvoiceKind.DEBIT_NOTE, False): ("إشعار مدين مبسط", "Simplified debit note"),
    (InvoiceKind.DEBIT_NOTE, True): ("إشعار مدين", "Debit note"),
}


class InvoicePrinter:
    """Keeps the template and its fonts read; one invoice at a time."""

    def __init__(self) -> None:
        self._compiler: typst.Compiler | None = None
        self._lock = Lock()

    def pdf(self, invoice: Invoice) -> bytes:
        """A PDF/A-3 with embedded fonts and the XML."""
        return self._print(invoice, "pdf", pdf_standards="a-3b")

    def png(self, invoice: Invoice) -> bytes:
        """A picture of its first page."""
        return self._print(invoice, "png")

    def _print(self, invoice: Invoice, kind: Any, **more: Any) -> bytes:  # noqa: ANN401 - as the library has it
        with self._lock:
            if self._compiler is None:
                self._compiler = typst.Compiler(
                    _FOLDER / "invoice.typ",
                    root=_FOLDER,
                    font_paths=[_FOLDER],
                    ignore_system_fonts=True,
                )
            made = self._compiler.compile(
                format=kind,
                sys_inputs={
                    "invoice": msgspec.json.encode(shown(invoice)).decode(),
                    "xml": invoice.xml.decode(),
                },
                timestamp=invoice.draft.issued_at // SECOND_MS,
                **more,
            )
        pages = made if isinstance(made, list) else [made]
        assert pages[0] is not None, "without an output path the library returns what it made"
        return bytes(pages[0])


def shown(invoice: Invoice) -> dict[str, Any]:
    """What the template is given: texts only, so that nothing that people wrote is run."""
    draft = invoice.draft
    title_ar, title_en = _TITLES[draft.kind, draft.buyer is not None]
    return {
        "title_ar": title_ar,
        "title_en": title_en,
        "number": invoice.number,
        "issued": local(draft.issued_at).strftime("%Y-%m-%d %H:%M:%S"),
        "supplied": local(draft.supplied_at).strftime("%Y-%m-%d"),
        "original": draft.original_number,
        "reason": drawable(draft.reason),
        "seller": _party(draft.seller),
        "buyer": draft.buyer and _party(draft.buyer),
        "lines": [_line(one) for one in amounts(draft.lines).lines],
        "net": riyals(invoice.net_halalas),
        "vat": riyals(invoice.vat_halalas),
        "rounding": riyals(invoice.rounding_halalas) if invoice.rounding_halalas else "",
        "payable": riyals(invoice.payable_halalas),
        "qr": segno.make(invoice.qr, error="m", micro=False).svg_inline(scale=4, border=4),
    }


def drawable(text: str) -> str:
    """The text without what the font cannot draw, which would be an empty box."""
    told = ""
    for letter in text:
        if ord(letter) in _known() or letter.isspace():
            told += letter
        elif unicodedata.category(letter) not in _LEFT_OUT and not told.endswith(_LACKING):
            told += _LACKING
    return told


@cache
def _known() -> frozenset[int]:
    return frozenset(TTFont(_FOLDER / _FONT).getBestCmap())


def _party(party: Party) -> dict[str, str]:
    return {name: drawable(text) for name, text in msgspec.structs.asdict(party).items()}


def unit_price(one: LineAmounts) -> str:
    """The net price of a piece, in riyals; of several it need not be a whole halala."""
    exact = Decimal(one.net_halalas) / one.line.quantity / 100
    whole, parts = str(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)).split(".")
    return f"{whole}.{parts[:2]}{parts[2:].rstrip('0')}"


def _line(one: LineAmounts) -> dict[str, Any]:
    return {
        "name": drawable(one.line.name).strip() or _LACKING,
        "unit": unit_price(one),
        "rtl": _BEGINS_ARABIC.match(one.line.name) is not None,
        "quantity": str(one.line.quantity),
        "net": riyals(one.net_halalas),
        "vat": riyals(one.vat_halalas),
        "gross": riyals(one.gross_halalas),
    }
