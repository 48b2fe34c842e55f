"""Invoices for tests: a seller, drafts, and a chain of issued ones."""

from typing import Any, Final

from actors.stamp import own_stamp
from engine.invoices.invoice import Chain, Draft, Invoice, InvoiceId, InvoiceKind, Party
from engine.invoices.issue import issue
from engine.kernel.ids import OrderId
from engine.pricing.lines import PriceLine
from tests.builders import NOON, new_id

SELLER: Final = Party(
    name_ar="شركة هديتي للتجارة",
    name_en="Hadiyati Trading Company",
    vat_number="399999999900003",
    registration="1010010000",
    street="طريق الملك فهد",
    building="2322",
    district="العليا",
    city="الرياض",
    postal_code="12211",
)
STAMP: Final = own_stamp(b"s" * 32, "HDY")
LINES: Final = (
    PriceLine(name="باقة ورد جوري (٢٤ وردة)", quantity=2, unit_halalas=12050, includes_vat=True),
    PriceLine(name="Cake", unit_halalas=1000, includes_vat=True),
    PriceLine(name="خدمة توصيل / Delivery", unit_halalas=1800),
)


def a_draft(**fields: Any) -> Draft:
    """A draft of a cause of its own; `fields` replace its own."""
    draft_id = new_id()
    plain: dict[str, Any] = {
        "id": InvoiceId(draft_id),
        "cause": f"cause {draft_id}",
        "order_id": OrderId(new_id()),
        "seller": SELLER,
        "lines": LINES,
        "issued_at": NOON,
        "supplied_at": NOON,
    }
    return Draft(**{**plain, **fields})


def a_note_on(original: Invoice, **fields: Any) -> Draft:
    """A credit note on an invoice, about its first line unless told otherwise."""
    plain = {
        "order_id": original.draft.order_id,
        "kind": InvoiceKind.CREDIT_NOTE,
        "lines": LINES[:1],
        "original_id": original.id,
        "original_number": original.number,
        "reason": "وصلت الوردة ذابلة",
    }
    return a_draft(**{**plain, **fields})


def issued(draft: Draft, chain: Chain | None = None) -> Invoice:
    """What was issued; a refusal is not what the test expected."""
    made = issue(draft, chain or Chain(unit="HDY"), STAMP)
    assert isinstance(made, Invoice), made
    return made


def following(last: Invoice, **fields: Any) -> Chain:
    """The chain that ends with this invoice."""
    return Chain(unit=last.unit, counter=last.counter, hash=last.hash, **fields)
