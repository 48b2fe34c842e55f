"""From an issued invoice to the tax authority, and what admins see of it."""

import asyncio
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from actors.clock import SystemClock
from actors.gateways.settings import ZatcaSettings
from actors.gateways.zatca import Zatca
from api.parts import Parts
from api.unit_certificates import open_certificates
from engine.invoices.invoice import Invoice, Party
from engine.invoices.issue import issue
from engine.kernel.ids import OrderId
from simulations.gateways.server import PaymentServer
from simulations.gateways.wire import Wire
from simulations.gateways.zatca import SECRET, TOKEN, ZatcaProtocol
from storage.memory_unit_certificates import MemoryUnitCertificates
from tests.api.test_invoices import PATIENCE_S, invoices_of
from tests.api.town import Person, Town, a_town
from tests.engine.invoices.drafts import SELLER, STAMP, a_draft

LIST = "/v1/invoice-submissions"
CHOSEN = ZatcaSettings(token=TOKEN, secret=SecretStr(SECRET), url="http://zatca", poll_s=0.05)


def connected(parts: Parts, server: PaymentServer) -> Parts:
    settings = parts.settings.model_copy(update={"zatca": CHOSEN})
    certificates = open_certificates(settings, MemoryUnitCertificates(), parts.keys)
    authority = Zatca(CHOSEN, certificates, wire=Wire(server))
    return replace(parts, certificates=certificates, authority=authority, settings=settings)


async def once_decided(admin: Person) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await admin.get(LIST)).json()["oldest_not_sent_at"] is not None:
            await SystemClock().sleep(20)


async def an_invoice(town: Town, order_id: str, *, buyer: Party | None = None) -> Invoice:
    """As a delivery has it issued; with a company as its buyer it is a standard one."""
    now = town.parts.clock.now()
    draft = a_draft(order_id=OrderId(order_id), buyer=buyer, issued_at=now)
    made = await town.parts.invoices.issue("HDY", draft, lambda chain: issue(draft, chain, STAMP))
    assert isinstance(made, Invoice)
    return made


async def test_what_is_sold_is_reported_and_what_a_company_buys_is_cleared(
    tmp_path: Path,
) -> None:
    server = PaymentServer()
    authority = ZatcaProtocol(server, vat_number=SELLER.vat_number)
    authority.warnings.append("BR-KSA-98 نُبّه إلى التأخير")
    async with a_town(tmp_path, parts_of=lambda parts: connected(parts, server)) as town:
        customer, admin = await town.log_in("customer"), await town.admin()
        order_id = await customer.order()
        await an_invoice(town, order_id)
        await once_decided(admin)
        (shown,) = await invoices_of(customer, order_id, count=1)
        assert (shown["submission"]["status"], shown["submission"]["has_warnings"]) == (
            "reported",
            True,
        )
        (row,) = (await admin.get(f"{LIST}?status=reported")).json()["submissions"]
        assert (row["invoice_id"], row["tries"]) == (shown["invoice_id"], 1)
        assert [one["code"] for one in row["warnings"]] == ["BR-KSA-98"]
        assert row["report_by"] - row["issued_at"] == 24 * 3600 * 1000
        assert (await admin.get(f"{LIST}?status=refused")).json()["submissions"] == []

        standard = await an_invoice(town, order_id, buyer=SELLER)
        await once_decided(admin)
        _, cleared = await invoices_of(customer, order_id, count=2)
        assert cleared["submission"]["status"] == "cleared"
        xml = await town.client.get(cleared["xml"])
        assert xml.content != standard.xml
        assert cleared["qr"] != standard.qr
        assert cleared["qr"] in xml.text
        assert (await customer.get(LIST)).json()["code"] == "not_allowed"


async def test_a_standard_invoice_that_is_not_cleared_is_not_handed_out(tmp_path: Path) -> None:
    server = PaymentServer()
    ZatcaProtocol(server, vat_number="311111111100003")
    async with a_town(tmp_path, parts_of=lambda parts: connected(parts, server)) as town:
        customer, admin = await town.log_in("customer"), await town.admin()
        order_id = await customer.order()
        await an_invoice(town, order_id, buyer=SELLER)
        await once_decided(admin)
        (shown,) = await invoices_of(customer, order_id, count=1)
        assert shown["submission"]["status"] == "refused"
        for side in ("pdf", "xml"):
            answer = await town.client.get(shown[side])
            assert (answer.status_code, answer.json()["code"]) == (409, "not_cleared")
        (row,) = (await admin.get(f"{LIST}?status=refused")).json()["submissions"]
        assert [one["code"] for one in row["errors"]] == ["BR-KSA-39"]
