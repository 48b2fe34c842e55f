"""Lists as files that are written meanwhile, over REST."""

import asyncio
import dataclasses
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from msgspec.structs import replace

from api.sheet_writing import SheetWriter
from engine import sheets as rules
from engine.kernel.ids import OrderId, UserId
from engine.kernel.pages import LAST_INSTANT, Page, Wanted
from engine.kernel.timing import SECOND_MS
from engine.listings import ORDERS
from engine.orders.order import Order
from engine.orders.sheet import HEADINGS
from engine.sheets import Sheet, SheetStatus
from storage.sheets import MemorySheets
from storage.store import StoreUnavailable
from tests.actors.tills import HandClock
from tests.api.test_exports import an_order_for, read
from tests.api.town import Person, Town
from tests.builders import NOON, an_order, new_id
from tests.engine.test_sheets import a_sheet

# Not taken by whoever writes here.
LAST: Final = LAST_INSTANT


async def ended(person: Person, sheet_id: str) -> dict[str, Any]:
    """The sheet, once it is over."""
    async with asyncio.timeout(60):
        while True:
            told = await person.get(f"/v1/sheets/{sheet_id}")
            sheet: dict[str, Any] = told.json()
            if sheet["status"] not in {"queued", "running"}:
                assert "retry-after" not in told.headers
                return sheet
            assert told.headers["retry-after"] == "1"
            await person.town.parts.wall.sleep(20)


async def test_a_sheet_is_asked_for_watched_and_fetched(town: Town) -> None:
    customer, other = await town.log_in("customer"), await town.log_in("customer")
    first = await an_order_for(customer, "نورة")
    second = await an_order_for(customer, "=SUM(A1)")
    await an_order_for(other, "Hind")
    key = town.key()
    asked = [await customer.post("/v1/sheets/orders?status=waiting", key=key) for _ in range(2)]
    assert [one.status_code for one in asked] == [202, 202]
    assert asked[0].json()["sheet_id"] == asked[1].json()["sheet_id"]
    reused = await customer.post("/v1/sheets/orders", key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    sheet = await ended(customer, asked[0].json()["sheet_id"])
    assert (sheet["status"], sheet["rows"], sheet["percent"]) == ("done", 2, 100)
    assert sheet["is_whole"]
    # Whoever has the address needs no token, as a spreadsheet has none.
    file = await town.client.get(sheet["file"])
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    rows = read(file.text)
    assert tuple(rows[0]) == HEADINGS
    assert [one["order_id"] for one in rows] == [second, first]
    assert rows[0]["recipient"] == "'=SUM(A1)"
    straight = await customer.get("/v1/orders.csv?status=waiting")
    assert straight.content == file.content

    found = await customer.post("/v1/sheets/orders?q=نوره")
    assert (await ended(customer, found.json()["sheet_id"]))["rows"] == 1
    listed = (await customer.get("/v1/sheets")).json()["sheets"]
    assert [one["sheet_id"] for one in listed] == [
        found.json()["sheet_id"],
        asked[0].json()["sheet_id"],
    ]
    stranger = await other.get(f"/v1/sheets/{sheet['sheet_id']}")
    assert (stranger.status_code, stranger.json()["code"]) == (404, "unknown_sheet")
    assert (await other.get("/v1/sheets")).json()["sheets"] == []
    odd = await town.client.get(sheet["file"] + "A")
    assert (odd.status_code, odd.json()["code"]) == (404, "unknown_link")
    late = await customer.post(f"/v1/sheets/{sheet['sheet_id']}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "sheet_ended")
    assert (await customer.post("/v1/sheets/orders?limit=3")).status_code == 422


async def test_every_list_can_be_had_by_whom_it_is_for(town: Town) -> None:
    customer = await town.log_in("customer")
    await an_order_for(customer, "Noura")
    courier, _ = await town.courier()
    asking = (
        (customer, "payments", 0),
        (customer, "payment-history", 0),
        (await town.operator(), "order-search", 1),
        (courier, "past-work", 0),
        (await town.admin(), "payment-search", 0),
    )
    for person, kind, rows in asking:
        asked = await person.post(f"/v1/sheets/{kind}")
        assert asked.status_code == 202, asked.text
        sheet = await ended(person, asked.json()["sheet_id"])
        assert (sheet["status"], sheet["rows"]) == ("done", rows), sheet
        assert len(read((await town.client.get(sheet["file"])).text)) == rows


class Orders:
    """A customer's many orders; `on_page` is told of each page that is read."""

    def __init__(self, on_page: Callable[[Wanted], Awaitable[None]]) -> None:
        self._on_page = on_page
        plain = an_order()
        self.all = [
            replace(plain, id=OrderId(new_id()), placed_at=NOON - minutes)
            for minutes in range(1200)
        ]

    async def list_orders_of(self, _: UserId, wanted: Wanted) -> Page[Order]:
        if wanted.limit > 1:
            await self._on_page(wanted)
        return ORDERS.page(self.all, wanted)


class Desk:
    """A writer of sheets with a clock of its own, on orders that are read page by page."""

    def __init__(self, town: Town) -> None:
        self.kept, self.clock = MemorySheets(), HandClock()
        self.pages = 0
        self.seen: list[tuple[int, int]] = []
        self.on_page: Callable[[], Awaitable[None]] | None = None
        store: Any = Orders(self._on_page)
        self.parts = dataclasses.replace(town.parts, sheets=self.kept, store=store, wall=self.clock)
        self.writer = SheetWriter(self.parts)
        self.sheet = a_sheet(at=NOON)

    async def begin(self) -> None:
        assert await self.kept.begin(self.sheet)

    async def now(self) -> Sheet:
        found = await self.kept.find(self.sheet.id)
        assert found is not None
        return found

    async def _on_page(self, _: Wanted) -> None:
        self.pages += 1
        known = await self.now()
        self.seen.append((known.rows, known.percent))
        await self.clock.move(2)
        if self.on_page is not None:
            await self.on_page()


@pytest.fixture
async def desk(town: Town) -> Desk:
    made = Desk(town)
    await made.begin()
    return made


async def test_how_far_it_is_is_told_while_it_is_written(desk: Desk) -> None:
    assert await desk.writer.write_next()
    assert desk.seen == [(0, 0), (500, 41), (1000, 83)]
    done = await desk.now()
    assert (done.status, done.rows, done.percent) == (SheetStatus.DONE, 1200, 100)
    file = await desk.kept.find_file(desk.sheet.id)
    assert file is not None
    assert len(read(zlib.decompress(file, wbits=31).decode())) == 1200
    assert not await desk.writer.write_next()


async def test_what_is_cancelled_on_the_way_stays_so(desk: Desk) -> None:
    async def cancel() -> None:
        if desk.pages == 2:
            cancelled = rules.cancel(await desk.now(), now=NOON)
            assert isinstance(cancelled, Sheet)
            assert await desk.kept.save(cancelled)

    desk.on_page = cancel
    assert await desk.writer.write_next()
    assert (await desk.now()).status is SheetStatus.CANCELLED
    assert await desk.kept.find_file(desk.sheet.id) is None


async def test_what_breaks_is_tried_again_and_then_told(desk: Desk) -> None:
    async def breaks() -> None:
        raise ZeroDivisionError

    desk.on_page = breaks
    for left in reversed(range(rules.TRIES_MAX)):
        assert await desk.writer.write_next()
        assert (await desk.now()).is_open == (left > 0)
        assert not await desk.writer.write_next()
        await desk.clock.move(61)
    failed = await desk.now()
    assert failed.status is SheetStatus.FAILED
    assert "ZeroDivisionError" in failed.problem


async def test_what_the_dead_have_begun_is_written_by_the_living(desk: Desk) -> None:
    async def away() -> None:
        raise StoreUnavailable("away")

    desk.on_page = away
    with pytest.raises(StoreUnavailable):
        await desk.writer.write_next()
    desk.on_page = None
    assert not await desk.writer.write_next()
    await desk.clock.move(rules.LEASE_MS / SECOND_MS)
    assert await desk.writer.write_next()
    done = await desk.now()
    assert (done.status, done.tries, done.rows) == (SheetStatus.DONE, 2, 1200)


async def test_what_has_ended_each_of_its_writers_is_given_up(desk: Desk) -> None:
    for _ in range(rules.TRIES_MAX):
        assert await desk.kept.save(rules.take(await desk.now(), now=desk.clock.now()))
        await desk.clock.move(rules.LEASE_MS / SECOND_MS)
    assert await desk.writer.write_next()
    assert (await desk.now()).status is SheetStatus.FAILED
    assert desk.pages == 0


async def test_a_sheet_has_a_limit_and_says_so(desk: Desk) -> None:
    await SheetWriter(desk.parts, rows_max=700).write_next()
    done = await desk.now()
    assert (done.rows, done.is_whole) == (700, False)


async def test_nobody_has_more_than_three_written_at_once(town: Town) -> None:
    customer = await town.log_in("customer")
    for _ in range(rules.OPEN_MAX):
        assert await town.parts.sheets.begin(replace(a_sheet(customer.user_id), due_at=LAST))
    refused = await customer.post("/v1/sheets/orders")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_sheets")
    (first, *_) = (await customer.get("/v1/sheets")).json()["sheets"]
    path = f"/v1/sheets/{first['sheet_id']}/cancel"
    cancelled = [await customer.post(path) for _ in range(2)]
    assert [one.json()["status"] for one in cancelled] == ["cancelled", "cancelled"]
    assert (await customer.post("/v1/sheets/orders")).status_code == 202
