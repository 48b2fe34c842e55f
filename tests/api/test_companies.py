"""A company orders: it says who it is, and its invoices are standard ones, made out to it."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from api.parts import Parts
from engine.invoices import tlv
from engine.invoices.invoice import FIRST_PREVIOUS_HASH
from engine.invoices.onboarding import Documents
from engine.invoices.ubl import NAMES
from simulations.gateways.server import PaymentServer
from simulations.gateways.zatca import ZatcaProtocol
from tests.api.test_invoices import a_delivered_order, invoices_of
from tests.api.test_submissions import connected, once_decided
from tests.api.town import Town, a_town
from tests.engine.invoices.judge import judged

PATH = "/v1/company"
COMPANY = {
    "name_ar": "شركة الواحة للتقنية",
    "name_en": "Oasis Technology Company",
    "vat_number": "310123456700003",
    "registration": "1010123456",
    "street": "طريق العروبة",
    "building": "4711",
    "district": "السليمانية",
    "city": "الرياض",
    "postal_code": "12243",
}


async def test_what_a_company_orders_is_invoiced_to_it_and_its_note_too(town: Town) -> None:
    customer, operator = await town.log_in("customer"), await town.operator()
    assert (await customer.get(PATH)).json()["code"] == "no_company"
    put = await customer.put(PATH, COMPANY)
    assert (put.status_code, put.json()) == (200, {**COMPANY, "made_at": put.json()["made_at"]})
    assert (await customer.get(PATH)).json() == put.json()
    assert (await (await town.log_in("customer")).get(PATH)).status_code == 404

    order_id = await a_delivered_order(town, customer)
    (invoice,) = await invoices_of(customer, order_id, count=1)
    # Whoever has left the company since has its notes made out to it all the same.
    gone = await town.client.delete(PATH, headers=customer.headers)
    assert gone.json() == put.json()
    again = await town.client.delete(PATH, headers=customer.headers)
    assert again.json()["code"] == "no_company"
    lines = [{"name": "ورد جوري", "unit_halalas": 11500}]
    note = {"kind": "credit_note", "lines": lines, "reason": "ذابلة"}
    made = await operator.post(f"/v1/invoices/{invoice['invoice_id']}/notes", note)
    assert made.status_code == 201, made.text

    debit = await operator.post(
        f"/v1/invoices/{invoice['invoice_id']}/notes", {**note, "kind": "debit_note"}
    )
    assert debit.status_code == 201, debit.text

    previous = FIRST_PREVIOUS_HASH
    for document, kind in ((invoice, "388"), (made.json(), "381"), (debit.json(), "383")):
        xml = (await town.client.get(document["xml"])).content
        now = town.parts.clock.now()
        assert judged(xml, previous, at=now, is_simplified=False) == set()
        previous = tlv.decode(document["qr"])[6].decode()
        root = etree.fromstring(xml)
        code = root.find("cbc:InvoiceTypeCode", NAMES)
        assert (code.text, code.get("name")) == (kind, "0100000")
        party = root.find("cac:AccountingCustomerParty/cac:Party", NAMES)
        told = {one.text for one in party.iter() if one.text}
        assert told >= {text for name, text in COMPANY.items() if name != "name_en"}
        # The authority's own stamp is for simplified ones alone.
        assert set(tlv.decode(document["qr"])) == set(range(1, 9))
        pdf = await town.client.get(document["pdf"])
        assert pdf.content[:5] == b"%PDF-"


async def test_the_authority_clears_it_before_the_company_gets_it(tmp_path: Path) -> None:
    server = PaymentServer()
    async with a_town(tmp_path, parts_of=lambda parts: connected(parts, server)) as town:
        ZatcaProtocol(server, vat_number=town.parts.settings.invoices.vat_number)
        customer = await town.log_in("customer")
        await customer.put(PATH, COMPANY)
        order_id = await a_delivered_order(town, customer)
        await invoices_of(customer, order_id, count=1)
        await once_decided(await town.admin())
        (invoice,) = await invoices_of(customer, order_id, count=1)
        assert invoice["submission"]["status"] == "cleared"
        xml = await town.client.get(invoice["xml"])
        assert xml.status_code == 200
        assert COMPANY["vat_number"] in xml.text


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("vat_number", "410123456700003"),
        ("vat_number", "31012345670003"),
        ("registration", "101012345"),
        ("building", "47"),
        ("postal_code", "1224"),
        ("name_ar", ""),
    ],
)
async def test_what_no_invoice_may_say_is_refused(town: Town, field: str, text: str) -> None:
    customer = await town.log_in("customer")
    refused = await customer.put(PATH, {**COMPANY, field: text})
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == [f"/{field}"]
    assert (await customer.get(PATH)).status_code == 404


async def test_a_unit_that_issues_simplified_ones_alone_says_so(tmp_path: Path) -> None:
    def simplified(parts: Parts) -> Parts:
        invoices = parts.settings.invoices.model_copy(update={"documents": Documents.SIMPLIFIED})
        return replace(parts, settings=parts.settings.model_copy(update={"invoices": invoices}))

    async with a_town(tmp_path, parts_of=simplified) as town:
        refused = await (await town.log_in("customer")).put(PATH, COMPANY)
        assert (refused.status_code, refused.json()["code"]) == (409, "no_standard_invoices")
