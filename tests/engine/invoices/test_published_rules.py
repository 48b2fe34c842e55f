"""Our documents before a judge who is not ours: the schema of UBL 2.1 and the published rules."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.invoices.invoice import Invoice, InvoiceKind, PaidBy, Party
from engine.kernel.timing import DAY_MS
from engine.pricing.lines import PriceLine
from tests.engine.invoices.drafts import SELLER, a_draft, a_note_on, following, issued
from tests.engine.invoices.judge import Found, judged

BUYER: Final = replace(
    SELLER,
    name_ar="شركة الورود & الهدايا المحدودة",
    name_en="Roses & Gifts Ltd",
    vat_number="311111111100003",
    registration="4030123456",
)


def wrong_with(invoice: Invoice) -> Found:
    return judged(
        invoice.xml,
        invoice.previous_hash,
        at=invoice.draft.issued_at,
        is_simplified=invoice.draft.buyer is None,
    )


@pytest.mark.parametrize("paid_by", PaidBy)
@pytest.mark.parametrize("buyer", [None, BUYER])
def test_an_invoice_and_its_notes_are_as_the_rules_say(
    buyer: Party | None, paid_by: PaidBy
) -> None:
    first = issued(a_draft(buyer=buyer, paid_by=paid_by))
    credit = issued(a_note_on(first, buyer=buyer), following(first, original=first))
    debit_draft = a_note_on(first, buyer=buyer, kind=InvoiceKind.DEBIT_NOTE)
    debit = issued(debit_draft, following(credit, original=first))
    assert [wrong_with(one) for one in (first, credit, debit)] == [set(), set(), set()]


_LINES: Final = st.lists(
    st.builds(
        PriceLine,
        # Shorter names and bare numbers are warned of, and refuse no document.
        name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=3).filter(
            lambda name: not name.isdigit()
        ),
        quantity=st.integers(1, 99),
        unit_halalas=st.integers(1, 10**7),
        includes_vat=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(_LINES, st.sampled_from([None, BUYER]))
def test_so_is_whatever_is_sold(lines: list[PriceLine], buyer: Party | None) -> None:
    assert wrong_with(issued(a_draft(lines=tuple(lines), buyer=buyer))) == set()


def test_the_judge_hears_of_every_kind_of_fault() -> None:
    first = issued(a_draft())
    second = issued(a_draft(), following(first))
    now = second.draft.issued_at

    def spoilt(old: bytes, new: bytes) -> Found:
        assert old in second.xml
        return judged(second.xml.replace(old, new), first.hash, at=now)

    profile, number = (
        b"<cbc:ProfileID>reporting:1.0</cbc:ProfileID>",
        f"<cbc:ID>{second.number}</cbc:ID>".encode(),
    )
    assert {stage for stage, _ in spoilt(profile + number, number + profile)} == {"xsd"}
    assert ("cen", "BR-CO-15") in spoilt(b">35.44<", b">35.43<")
    assert ("ksa", "BR-KSA-37") in spoilt(b">2322<", b">232<")
    assert spoilt(b">Cake<", b">Pie<") == {("signature", "SIGNATURE_DIGEST")}
    told = ("signature", "SIGNED_PROPERTIES_DIGEST")
    assert spoilt(b"2026-01-01T12:00:00<", b"2026-01-01T12:00:01<") == {told}
    assert {stage for stage, _ in spoilt(second.qr.encode(), first.qr.encode())} == {"qr"}
    assert judged(second.xml, second.hash, at=now) == {("previous_invoice_hash", "PIH_MISMATCH")}
    # Issued tomorrow, and sent a day too late.
    assert judged(second.xml, first.hash, at=now - DAY_MS) == {("ksa", "BR-KSA-04")}
    assert judged(second.xml, first.hash, at=now + 2 * DAY_MS) == {("ksa", "BR-KSA-98")}
