"""From the delivery to the invoice, its files and its corrections."""

import asyncio
from typing import Any

from actors.clock import SystemClock
from engine.invoices import tlv
from engine.invoices.invoice import FIRST_PREVIOUS_HASH
from tests.api.town import QUOTE, Person, Town, order_body
from tests.engine.invoices.judge import judged

PATIENCE_S = 60


async def invoices_of(person: Person, order_id: str, *, count: int) -> list[dict[str, Any]]:
    """An order's invoices, once there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = await person.get(f"/v1/orders/{order_id}/invoices")
            found: list[dict[str, Any]] = told.json()["invoices"]
            if len(found) >= count:
                return found
            await SystemClock().sleep(20)


async def a_delivered_order(town: Town, customer: Person, *, taken_by: str = "Noura") -> str:
    """Two bouquets for 230.00 with VAT, brought to the door."""
    goods = [{"name": "ورد جوري", "quantity": 2, "unit_halalas": 11500}]
    quoted = await customer.post("/v1/quotes", {**QUOTE, "goods": goods})
    placed = await customer.post("/v1/orders", order_body(quoted.json()["quote_id"]))
    order_id: str = placed.json()["order_id"]
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
        at_door = {"handover": {"taken_by": taken_by}} if step == "delivered" else {}
        told = await phone.tell("progress", order_id=order_id, step=step, pin=pin, **at_door)
        assert told["type"] == "reply", told
    return order_id


async def test_what_was_delivered_is_invoiced_printed_and_corrected(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await a_delivered_order(town, customer)
    total = (await customer.get(f"/v1/orders/{order_id}")).json()["total_halalas"]
    (invoice,) = await invoices_of(customer, order_id, count=1)
    assert (invoice["number"], invoice["kind"]) == ("HDY-00000001", "invoice")
    assert invoice["payable_halalas"] == total
    sums = invoice["net_halalas"] + invoice["vat_halalas"] + invoice["rounding_halalas"]
    assert sums == total
    assert tlv.decode(invoice["qr"])[4].decode() == f"{total // 100}.{total % 100:02}"

    pdf = await town.client.get(invoice["pdf"])
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await town.client.get(invoice["pdf"])).content == pdf.content
    xml = await town.client.get(invoice["xml"])
    assert "ورد جوري" in xml.text
    now = town.parts.clock.now()
    assert judged(xml.content, FIRST_PREVIOUS_HASH, at=now) == set()
    odd = await town.client.get(invoice["pdf"] + "A")
    assert (odd.status_code, odd.json()["code"]) == (404, "unknown_link")

    path = f"/v1/invoices/{invoice['invoice_id']}/notes"
    note = {
        "kind": "credit_note",
        "lines": [{"name": "ورد جوري", "unit_halalas": 11500}],
        "reason": "وصلت الوردة ذابلة",
    }
    operator, key = await town.operator(), town.key()
    made = await operator.post(path, note, key=key)
    assert (made.status_code, made.json()["payable_halalas"]) == (201, 11500)
    corrected = await town.client.get(made.json()["xml"])
    previous_hash, now = tlv.decode(invoice["qr"])[6].decode(), town.parts.clock.now()
    assert judged(corrected.content, previous_hash, at=now) == set()
    assert (await operator.post(path, note, key=key)).json()["number"] == made.json()["number"]
    other = await operator.post(path, {**note, "reason": "another"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    lines = [{"name": "all", "unit_halalas": total - 11499}]
    too_much = await operator.post(path, {**note, "lines": lines})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "credit_exceeded")
    assert too_much.json()["left_halalas"] == total - 11500
    assert (await customer.post(path, note)).json()["code"] == "not_allowed"
    kinds = [one["kind"] for one in await invoices_of(customer, order_id, count=2)]
    assert kinds == ["invoice", "credit_note"]
    stranger = await (await town.log_in("customer")).get(f"/v1/orders/{order_id}/invoices")
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_order")


async def test_what_was_cancelled_without_a_charge_has_no_invoice(town: Town) -> None:
    customer = await town.log_in("customer")
    cancelled = await customer.order()
    await customer.post(f"/v1/orders/{cancelled}/cancel", {"reason": "other"})
    delivered = await a_delivered_order(town, customer)
    # The outbox takes what is older first: by the time of the second there would be the first.
    await invoices_of(customer, delivered, count=1)
    assert await invoices_of(customer, cancelled, count=0) == []
