"""How a no looks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.errors import STATUS_BY_CODE, STATUS_BY_KIND, TYPE_PREFIX, prefers_arabic, status_of
from engine.kernel.ids import CellId, OrderId
from engine.kernel.pages import Page
from engine.kernel.refusals import CATALOGUE, RefusalKind
from engine.orders.order import Order
from storage.memory import MemoryStore
from storage.store import StoreUnavailable
from tests.api.town import QUOTE, Town, a_town


def test_every_code_has_a_status_and_both_texts() -> None:
    assert set(STATUS_BY_KIND) == set(RefusalKind)
    for code, declared in CATALOGUE.items():
        assert code == declared.code
        assert 400 <= status_of(declared) < 600
        assert declared.en.strip()
        assert any("\u0600" <= letter <= "\u06ff" for letter in declared.ar), code
    assert set(STATUS_BY_CODE) <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("header", "arabic"),
    [
        ("", False),
        ("ar", True),
        ("ar-SA,en;q=0.8", True),
        ("en-GB,ar;q=0.9", False),
        ("ar;q=0.2, en;q=0.1", True),
        ("fr, *;q=0.5", False),
        ("ar;q=x", False),
    ],
)
def test_the_language_that_is_liked_best_is_spoken(header: str, *, arabic: bool) -> None:
    assert prefers_arabic(header) is arabic


async def test_a_problem_says_what_when_and_which_request(town: Town) -> None:
    refused = await town.client.get("/v1/me", headers={"Accept-Language": "ar"})
    body = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.headers["content-language"] == "ar"
    assert body["status"] == refused.status_code == 401
    assert body["type"] == TYPE_PREFIX + "not_authenticated"
    assert body["title"] == body["title_ar"] == CATALOGUE["not_authenticated"].ar
    assert body["request_id"] == refused.headers["x-request-id"]
    english = (await town.client.get("/v1/me")).json()
    assert english["title"] == CATALOGUE["not_authenticated"].en
    assert english["request_id"] != body["request_id"]


async def test_a_good_answer_has_a_request_id_too(town: Town) -> None:
    answers = [await town.client.get("/healthz") for _ in range(2)]
    assert len({one.headers["x-request-id"] for one in answers}) == 2


async def test_an_address_that_is_not_ours_is_a_problem_as_well(town: Town) -> None:
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "no_such_page"),
        ("GET", "/", 404, "no_such_page"),
        ("GET", "/v1/orders/", 404, "no_such_page"),
        ("DELETE", "/v1/orders", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ):
        refused = await town.client.request(method, path)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    refused = await town.client.delete("/v1/orders")
    assert refused.headers["allow"] == "GET, POST"


async def test_a_request_that_is_too_large_is_refused_before_it_is_read(town: Town) -> None:
    customer = await town.log_in("customer")
    limit = town.parts.settings.edge.body_bytes_max
    refused = await customer.post("/v1/quotes", {**QUOTE, "x": "y" * limit})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


async def test_a_request_that_grows_too_large_is_refused_while_it_is_read(town: Town) -> None:
    customer = await town.log_in("customer")

    async def body() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b" " * 1024

    headers = {**customer.headers, "Content-Type": "application/json"}
    refused = await town.client.post("/v1/quotes", content=body(), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


class Moody(MemoryStore):
    """A store that can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.mood: Exception | None = None

    async def list_orders_of(self, *of: Any) -> Page[Order]:
        if self.mood is not None:
            raise self.mood
        return await super().list_orders_of(*of)

    async def find_order(self, order_id: OrderId) -> Order | None:
        if self.mood is not None:
            raise self.mood
        return await super().find_order(order_id)

    async def list_cells(self) -> tuple[CellId, ...]:
        if self.mood is not None:
            raise self.mood
        return await super().list_cells()


async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_again(
    tmp_path: Path,
) -> None:
    store = Moody()
    async with a_town(tmp_path, store=store) as town:
        customer = await town.log_in("customer")
        store.mood = StoreUnavailable("away")
        refused = await customer.get("/v1/orders")
        assert (refused.status_code, refused.json()["code"]) == (503, "temporarily_unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        ready = await town.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
        assert ready.json()["database"] != "ok"
        store.mood = None
        assert (await customer.get("/v1/orders")).status_code == 200


async def test_who_subscribes_while_the_database_is_away_is_told_when_it_is_back(
    tmp_path: Path,
) -> None:
    store = Moody()
    async with a_town(tmp_path, store=store) as town:
        customer = await town.log_in("customer")
        channel = f"order:{await customer.order()}"
        socket = await customer.socket()
        store.mood = StoreUnavailable("away")
        await socket.send({"type": "subscribe", "channel": channel})
        await socket.send({"type": "ping"})
        await socket.next("pong")
        store.mood = None
        told = await socket.next("snapshot", "error")
        assert (told["type"], told["channel"]) == ("snapshot", channel)


async def test_a_fault_of_ours_is_a_500_that_gives_nothing_away(tmp_path: Path) -> None:
    store = Moody()
    async with a_town(tmp_path, store=store) as town:
        customer = await town.log_in("customer")
        store.mood = ZeroDivisionError("the secret of the house")
        refused = await customer.get("/v1/orders")
        assert (refused.status_code, refused.json()["code"]) == (500, "internal_error")
        assert "secret" not in refused.text
        assert "ZeroDivision" not in refused.text
        assert refused.headers["x-request-id"] == refused.json()["request_id"]
        store.mood = None
        assert (await customer.get("/v1/orders")).status_code == 200


async def test_many_at_once_each_get_their_own_answer(town: Town) -> None:
    customers = await asyncio.gather(*(town.log_in("customer") for _ in range(8)))
    told = await asyncio.gather(*(one.get("/v1/me") for one in customers))
    assert [one.json()["user_id"] for one in told] == [one.user_id for one in customers]
