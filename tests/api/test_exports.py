"""Orders as a sheet."""

import csv
import io
from pathlib import Path

import pytest

from api.commands.exports import instant_of, write_orders
from engine.orders.sheet import HEADINGS
from tests.api.town import Person, Town, order_body

CENTURY_MS = 100 * 365 * 86_400_000


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


async def an_order_for(customer: Person, name: str) -> str:
    body = order_body(await customer.quote(), recipient={"name": name, "phone": "0501234567"})
    placed = await customer.post("/v1/orders", body)
    assert placed.status_code == 201, placed.text
    return str(placed.json()["order_id"])


async def test_a_customers_orders_are_a_sheet_with_the_filters_of_the_list(town: Town) -> None:
    customer, other = await town.log_in("customer"), await town.log_in("customer")
    first = await an_order_for(customer, "نورة")
    second = await an_order_for(customer, 'Fahd, "Abu Ali"')
    await an_order_for(other, "Hind")
    await customer.post(f"/v1/orders/{first}/cancel", {"reason": "other"})
    told = await customer.get("/v1/orders.csv")
    assert told.headers["content-type"] == "text/csv; charset=utf-8"
    assert told.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    rows = read(told.text)
    assert [one["order_id"] for one in rows] == [second, first]
    assert rows[0]["recipient"] == 'Fahd, "Abu Ali"'
    assert rows[1]["status"] == "cancelled"
    order = (await customer.get(f"/v1/orders/{second}")).json()
    assert round(float(rows[0]["total_sar"]) * 100) == order["total_halalas"]
    by_name = read((await customer.get("/v1/orders.csv?q=نوره")).text)
    assert [one["order_id"] for one in by_name] == [first]
    open_only = read((await customer.get("/v1/orders.csv?status=waiting")).text)
    assert [one["order_id"] for one in open_only] == [second]
    assert (await customer.get("/v1/orders.csv?limit=3")).status_code == 422


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1+1", "@SUM(A1)", "-2"])
async def test_nobody_writes_a_formula_into_a_sheet(town: Town, name: str) -> None:
    customer = await town.log_in("customer")
    await an_order_for(customer, name)
    (row,) = read((await customer.get("/v1/orders.csv")).text)
    assert row["recipient"] == f"'{name}"


async def test_a_zones_orders_are_written_into_a_file(town: Town, tmp_path: Path) -> None:
    ids = [await an_order_for(await town.log_in("customer"), f"Noura {n}") for n in range(3)]
    file = tmp_path / "orders.csv"
    count = await write_orders(town.parts.store, town.zone_id, file, since=0, until=CENTURY_MS)
    rows = read(file.read_text("utf-8"))
    assert (count, [one["order_id"] for one in rows]) == (3, ids)
    assert tuple(rows[0]) == HEADINGS


def test_a_day_begins_at_midnight_in_utc_and_nonsense_is_refused() -> None:
    assert instant_of("2026-11-28") == instant_of("2026-11-28T00:00:00Z")
    assert instant_of("2026-11-28T03:00:00+03:00") == instant_of("2026-11-28")
    with pytest.raises(ValueError, match="Invalid isoformat"):
        instant_of("yesterday")
