"""What was paid, as lists and sheets: one's own, and everybody's for those in charge."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.commands.exports import write_payments
from engine.payments.sheet import HEADINGS, STAFF_HEADINGS
from tests.api.test_exports import CENTURY_MS, read
from tests.api.test_payments import MADA, VISA, Shop, a_shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


async def test_a_customer_has_his_payments_and_refunds_as_a_sheet(shop: Shop) -> None:
    sara, other = await shop.town.log_in("customer"), await shop.town.log_in("customer")
    held, taken = await shop.pay(sara, VISA), await shop.pay(sara, MADA)
    await shop.pay(other, VISA)
    await sara.post(f"/v1/orders/{taken['order_id']}/cancel", {"reason": "other"})
    await shop.until(sara, taken["payment_id"], status="refunded")
    told = await sara.get("/v1/payments.csv")
    assert told.headers["content-disposition"] == 'attachment; filename="payments.csv"'
    first, refund, last = read(told.text)
    assert tuple(first) == HEADINGS
    amount = f"{taken['amount_halalas'] / 100:.2f}"
    assert [one["payment_id"] for one in (first, refund, last)] == [
        taken["payment_id"],
        taken["payment_id"],
        held["payment_id"],
    ]
    assert (first["kind"], first["network"], first["last_four"]) == ("payment", "mada", MADA[-4:])
    assert (first["status"], first["taken_sar"]) == ("refunded", amount)
    assert (refund["kind"], refund["given_back_sar"], refund["to"]) == ("refund", amount, "source")
    assert (last["status"], last["taken_sar"]) == ("authorised", "0.00")
    (only,) = read((await sara.get("/v1/payments.csv?status=authorised")).text)
    assert only["payment_id"] == held["payment_id"]
    assert (await sara.get("/v1/payments.csv?customer_id=x")).status_code == 422


async def test_those_in_charge_find_everybodys_payments(shop: Shop, tmp_path: Path) -> None:
    sara, other = await shop.town.log_in("customer"), await shop.town.log_in("customer")
    hers, theirs = await shop.pay(sara, VISA), await shop.pay(other, MADA)
    admin = await shop.town.admin()

    async def found(query: str) -> list[str]:
        told = await admin.get(f"/v1/payment-search?{query}")
        assert told.status_code == 200, told.text
        return [one["payment_id"] for one in told.json()["payments"]]

    assert await found("") == [theirs["payment_id"], hers["payment_id"]]
    assert await found(f"customer_id={sara.user_id}") == [hers["payment_id"]]
    assert await found(f"order_id={theirs['order_id']}") == [theirs["payment_id"]]
    assert await found("status=captured&gateway=moyasar") == [theirs["payment_id"]]
    assert await found("gateway=paypal") == []
    assert await found(f"made_at[gt]={theirs['made_at']}") == []
    (first,) = (await admin.get("/v1/payment-search?limit=1")).json()["payments"]
    assert first["customer_id"] == other.user_id
    assert await found(f"reference={first['reference']}") == [theirs["payment_id"]]
    sheet = read((await admin.get("/v1/payment-search.csv")).text)
    assert [one["customer_id"] for one in sheet] == [other.user_id, sara.user_id]
    file = tmp_path / "payments.csv"
    count = await write_payments(shop.town.parts.payments, file, since=0, until=CENTURY_MS)
    rows = read(file.read_text("utf-8"))
    assert (count, tuple(rows[0])) == (2, STAFF_HEADINGS)
    assert [one["payment_id"] for one in rows] == [hers["payment_id"], theirs["payment_id"]]
    until = hers["made_at"]
    assert await write_payments(shop.town.parts.payments, file, since=0, until=until) == 0
