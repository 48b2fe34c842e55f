"""The XML of an invoice: UBL 2.1 as ZATCA's XML Implementation Standard 1.2 narrows it.

It is written without a blank between elements, so that taking the signature and the QR code out for
the hash leaves exactly what was there before they were put in.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeAlias

from lxml import etree

from engine.invoices.invoice import Chain, Draft, InvoiceKind, PaidBy, Party
from engine.kernel.riyals import riyals
from engine.kernel.timing import SECOND_MS, Instant
from engine.pricing.lines import VAT_PERCENT, Amounts, LineAmounts, amounts

Element: TypeAlias = Any  # the library has no types
_OASIS: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
INVOICE: Final = f"{{{_OASIS}Invoice-2}}"
CAC: Final = f"{{{_OASIS}CommonAggregateComponents-2}}"
CBC: Final = f"{{{_OASIS}CommonBasicComponents-2}}"
EXT: Final = f"{{{_OASIS}CommonExtensionComponents-2}}"
NAMES: Final = {
    None: INVOICE[1:-1],
    "cac": CAC[1:-1],
    "cbc": CBC[1:-1],
    "ext": EXT[1:-1],
}
_TYPE_CODES: Final = {
    InvoiceKind.INVOICE: "388",
    InvoiceKind.CREDIT_NOTE: "381",
    InvoiceKind.DEBIT_NOTE: "383",
}
_SIMPLIFIED, _STANDARD = "0200000", "0100000"
_PAYMENT_MEANS: Final = {PaidBy.CARD: "48", PaidBy.CASH: "10", PaidBy.DEDUCTED: "1"}
_RIYADH: Final = timezone(timedelta(hours=3))


def local(at: Instant) -> datetime:
    """An instant by the Kingdom's clocks, to the second."""
    return datetime.fromtimestamp(at // SECOND_MS, tz=_RIYADH)


def document(draft: Draft, chain: Chain, *, number: str) -> Element:
    """The invoice without signature and QR code."""
    priced = amounts(draft.lines)
    root = etree.Element(INVOICE + "Invoice", nsmap=NAMES)
    _head(root, draft, number=number)
    if draft.original_number:
        reference = _node(_node(root, "BillingReference"), "InvoiceDocumentReference")
        _text(reference, "ID", draft.original_number)
    counter = _node(root, "AdditionalDocumentReference")
    _text(counter, "ID", "ICV")
    _text(counter, "UUID", str(chain.counter + 1))
    attach(root, "PIH", chain.hash)
    _party(_node(root, "AccountingSupplierParty"), draft.seller)
    customer = _node(root, "AccountingCustomerParty")
    if draft.buyer is not None:
        _party(customer, draft.buyer)
    _text(_node(root, "Delivery"), "ActualDeliveryDate", f"{local(draft.supplied_at):%Y-%m-%d}")
    means = _node(root, "PaymentMeans")
    _text(means, "PaymentMeansCode", _PAYMENT_MEANS[draft.paid_by])
    if draft.reason:
        _text(means, "InstructionNote", draft.reason)
    _totals(root, priced)
    for index, line in enumerate(priced.lines, start=1):
        _line(root, index, line)
    return root


def _head(root: Element, draft: Draft, *, number: str) -> None:
    issued = local(draft.issued_at)
    _text(root, "ProfileID", "reporting:1.0")
    _text(root, "ID", number)
    _text(root, "UUID", draft.id)
    _text(root, "IssueDate", issued.strftime("%Y-%m-%d"))
    _text(root, "IssueTime", issued.strftime("%H:%M:%S"))
    type_code = _text(root, "InvoiceTypeCode", _TYPE_CODES[draft.kind])
    type_code.set("name", _STANDARD if draft.buyer else _SIMPLIFIED)
    _text(root, "DocumentCurrencyCode", "SAR")
    _text(root, "TaxCurrencyCode", "SAR")


def attach(root: Element, name: str, content: str, *, after: Element | None = None) -> Element:
    """A document reference with some text in it, at the end or after a sibling."""
    reference = etree.Element(CAC + "AdditionalDocumentReference")
    _text(reference, "ID", name)
    attachment = _text(_node(reference, "Attachment"), "EmbeddedDocumentBinaryObject", content)
    attachment.set("mimeCode", "text/plain")
    if after is None:
        root.append(reference)
    else:
        after.addnext(reference)
    return reference


def _node(parent: Element, name: str) -> Element:
    return etree.SubElement(parent, CAC + name)


def _text(parent: Element, name: str, text: str) -> Element:
    node = etree.SubElement(parent, CBC + name)
    node.text = text
    return node


def _amount(parent: Element, name: str, halalas: int) -> None:
    _text(parent, name, riyals(halalas)).set("currencyID", "SAR")


def _party(parent: Element, party: Party) -> None:
    node = _node(parent, "Party")
    _text(_node(node, "PartyIdentification"), "ID", party.registration).set("schemeID", "CRN")
    address = _node(node, "PostalAddress")
    _text(address, "StreetName", party.street)
    _text(address, "BuildingNumber", party.building)
    _text(address, "CitySubdivisionName", party.district)
    _text(address, "CityName", party.city)
    _text(address, "PostalZone", party.postal_code)
    _text(_node(address, "Country"), "IdentificationCode", "SA")
    tax = _node(node, "PartyTaxScheme")
    _text(tax, "CompanyID", party.vat_number)
    _text(_node(tax, "TaxScheme"), "ID", "VAT")
    _text(_node(node, "PartyLegalEntity"), "RegistrationName", party.name_ar)


def _totals(root: Element, priced: Amounts) -> None:
    total = _node(root, "TaxTotal")
    _amount(total, "TaxAmount", priced.vat_halalas)
    subtotal = _node(total, "TaxSubtotal")
    _amount(subtotal, "TaxableAmount", priced.net_halalas)
    _amount(subtotal, "TaxAmount", priced.vat_halalas)
    _category(_node(subtotal, "TaxCategory"))
    # Once more in the currency of the tax, which is the same (BR-KSA-68).
    _amount(_node(root, "TaxTotal"), "TaxAmount", priced.vat_halalas)
    money = _node(root, "LegalMonetaryTotal")
    _amount(money, "LineExtensionAmount", priced.net_halalas)
    _amount(money, "TaxExclusiveAmount", priced.net_halalas)
    _amount(money, "TaxInclusiveAmount", priced.total_halalas)
    if priced.rounding_halalas:
        _amount(money, "PayableRoundingAmount", priced.rounding_halalas)
    _amount(money, "PayableAmount", priced.payable_halalas)


def _line(root: Element, index: int, one: LineAmounts) -> None:
    node = _node(root, "InvoiceLine")
    _text(node, "ID", str(index))
    _text(node, "InvoicedQuantity", str(one.line.quantity)).set("unitCode", "PCE")
    _amount(node, "LineExtensionAmount", one.net_halalas)
    tax = _node(node, "TaxTotal")
    _amount(tax, "TaxAmount", one.vat_halalas)
    _amount(tax, "RoundingAmount", one.gross_halalas)
    item = _node(node, "Item")
    _text(item, "Name", one.line.name)
    _category(_node(item, "ClassifiedTaxCategory"))
    price = _node(node, "Price")
    # Of all pieces together, for the net price of one need not be a whole halala.
    _amount(price, "PriceAmount", one.net_halalas)
    _text(price, "BaseQuantity", str(one.line.quantity)).set("unitCode", "PCE")


def _category(node: Element) -> None:
    _text(node, "ID", "S")
    _text(node, "Percent", f"{VAT_PERCENT}.00")
    _text(_node(node, "TaxScheme"), "ID", "VAT")
