"""How often and how many at once, and who is let go first when there is too much to do."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from actors.clock import SystemClock
from api.allowance import Allowance, Due
from api.description import document
from api.limit_settings import LimitSettings
from api.route_classes import Weight, class_of
from engine.kernel.ids import OrderId
from engine.kernel.rates import Quota, Standing
from engine.orders.order import Order
from storage.live import LiveUnavailable
from storage.memory import MemoryStore
from storage.rates import MemoryRates, Spending
from tests.api.town import Town, a_town
from tests.builders import new_id


class Away:
    """Nobody counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def spend(self, spendings: Sequence[Spending]) -> tuple[Standing, ...]:
        self.asked += 1
        raise LiveUnavailable("away")


async def test_answers_say_how_the_quotas_stand(tmp_path: Path) -> None:
    limits = LimitSettings(person_per_min=40, device_per_min=30)
    async with a_town(tmp_path, limits=limits, is_open=False) as town:
        customer = await town.log_in("customer")
        told = await customer.get("/v1/me")
        policy = '"person";q=40;w=60, "device";q=30;w=60'
        assert told.headers["ratelimit-policy"] == policy
        assert told.headers["ratelimit"].startswith('"person";r=39;t=')
        unknown = await town.client.get("/v1/clock")
        assert unknown.headers["ratelimit-policy"] == '"address";q=12000;w=60'
        assert "ratelimit" not in (await town.client.get("/healthz")).headers


async def test_whoever_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    limits = LimitSettings(person_per_min=20, device_per_min=10)
    async with a_town(tmp_path, limits=limits, is_open=False) as town:
        customer, other = [await town.log_in("customer") for _ in range(2)]
        told = [await customer.get("/v1/me") for _ in range(11)]
        assert [one.status_code for one in told] == [200] * 10 + [429]
        body = told[-1].json()
        assert body["code"] == "quota_exceeded"
        assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
        assert body["violated-policies"] == ["device"]
        assert 1 <= int(told[-1].headers["retry-after"]) <= 6
        assert (await other.get("/v1/me")).status_code == 200
        again = await town.log_in("customer", customer.phone)
        dear = [(await again.get("/v1/sessions")).status_code for _ in range(4)]
        assert dear == [200, 200, 200, 429]


class Slow(MemoryStore):
    """A store in which reading an order takes until somebody says go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.waiting = 0

    async def find_order(self, order_id: OrderId) -> Order | None:
        self.waiting += 1
        await self.go.wait()
        return await super().find_order(order_id)


async def in_flight(town: Town, store: Slow, count: int) -> list[asyncio.Task[Any]]:
    """So many requests of different people that wait."""
    people = [await town.log_in("customer") for _ in range(count)]
    tasks = [asyncio.ensure_future(one.get(f"/v1/orders/{new_id()}")) for one in people]
    async with asyncio.timeout(30):
        while store.waiting < count:
            await SystemClock().sleep(2)
    return tasks


async def test_lists_are_let_go_before_orders_and_offers_never(tmp_path: Path) -> None:
    store, limits = Slow(), LimitSettings(in_flight_max=10)
    async with a_town(tmp_path, store=store, limits=limits, is_open=False) as town:
        customer, courier = await town.log_in("customer"), await town.log_in("courier")
        tasks = await in_flight(town, store, 6)
        let_go = await customer.get("/v1/orders")
        assert (let_go.status_code, let_go.json()["code"]) == (503, "overloaded")
        assert let_go.json()["type"].endswith("#temporary-reduced-capacity")
        assert "retry-after" in let_go.headers
        assert (await customer.get("/v1/me")).status_code == 200
        tasks += await in_flight_more(town, store, 9)
        assert (await customer.get("/v1/me")).status_code == 503
        answered = await courier.post(f"/v1/courier/offers/{new_id()}/accept")
        assert answered.json()["code"] != "overloaded"
        assert (await customer.post("/v1/auth/logout")).status_code == 200
        store.go.set()
        assert {one.status_code for one in await asyncio.gather(*tasks)} == {404}


async def in_flight_more(town: Town, store: Slow, total: int) -> list[asyncio.Task[Any]]:
    """As many more as make so many, of somebody who is logged in while that is possible."""
    courier = await town.log_in("customer")
    more = total - store.waiting
    tasks = [asyncio.ensure_future(courier.get(f"/v1/orders/{new_id()}")) for _ in range(more)]
    async with asyncio.timeout(30):
        while store.waiting < total:
            await SystemClock().sleep(2)
    return tasks


async def test_nobody_takes_all_the_room_for_himself(tmp_path: Path) -> None:
    store, limits = Slow(), LimitSettings(in_flight_of_one_max=3)
    async with a_town(tmp_path, store=store, limits=limits, is_open=False) as town:
        customer, other = [await town.log_in("customer") for _ in range(2)]
        tasks = [asyncio.ensure_future(customer.get(f"/v1/orders/{new_id()}")) for _ in range(3)]
        async with asyncio.timeout(30):
            while store.waiting < 3:
                await SystemClock().sleep(2)
        refused = await customer.get("/v1/me")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
        assert (await other.get("/v1/me")).status_code == 200
        store.go.set()
        await asyncio.gather(*tasks)
        assert (await customer.get("/v1/me")).status_code == 200


async def test_while_nobody_counts_each_process_counts_for_itself(tmp_path: Path) -> None:
    limits = LimitSettings(person_per_min=10, device_per_min=10)
    async with a_town(tmp_path, limits=limits, is_open=False) as town:
        customer = await town.log_in("customer")
        town.app.state.allowance = Allowance(Away(), town.parts.wall)
        told = [(await customer.get("/v1/me")).status_code for _ in range(11)]
        assert told == [200] * 10 + [429]
        closed = await town.client.post("/v1/auth/otp", json={"phone": town.phone()})
        assert (closed.status_code, closed.json()["code"]) == (503, "overloaded")
        assert "retry-after" in closed.headers


async def test_who_is_away_is_not_asked_at_every_request() -> None:
    away, quota = Away(), Quota(name="any", units=100)
    allowance = Allowance(away, SystemClock())
    for _ in range(20):
        due = Due(key="a", quota=quota, units=1)
        assert await allowance.spend([due], fails_open=True) is not None
    assert away.asked == 1


async def test_processes_together_spend_no_more_than_there_is() -> None:
    wall = SystemClock()
    common = MemoryRates(wall.now)
    quota = Quota(name="any", units=50, window_s=86_400)
    processes = [Allowance(common, wall) for _ in range(3)]
    allowed = 0
    for number in range(120):
        due = Due(key="a", quota=quota, units=1)
        told = await processes[number % 3].spend([due], fails_open=True)
        assert told is not None
        allowed += told[0].is_allowed
    assert allowed == 50


VITAL = {
    "POST /v1/auth/refresh",
    "POST /v1/auth/logout",
    "GET /v1/courier",
    "POST /v1/courier/duty",
    "POST /v1/courier/offers/{offer_id}/acknowledge",
    "POST /v1/courier/offers/{offer_id}/accept",
    "POST /v1/courier/offers/{offer_id}/decline",
    "POST /v1/courier/progress",
    "POST /v1/courier/waiting-point",
    "POST /v1/orders/{order_id}/cancel",
    "POST /v1/orders/{order_id}/changes",
    "POST /v1/orders/{order_id}/unassign",
    "POST /v1/webhooks/{gateway}",
    "GET /v1/payments/{payment_id}/return",
}
FAIL_CLOSED = {
    "POST /v1/auth/otp",
    "POST /v1/auth/token",
    "POST /v1/auth/password",
    "POST /v1/auth/password/forgotten",
    "POST /v1/auth/password/reset",
    "POST /v1/auth/password/change",
    "POST /v1/auth/step-up",
    "POST /v1/auth/step-up/code",
    "POST /v1/auth/enrolment",
    "POST /v1/auth/email",
    "POST /v1/profile/email/verification",
    "POST /v1/auth/enrolment/accept",
    "POST /v1/phone/codes",
    "POST /v1/phone/undo",
    "POST /v1/phone/undo/code",
}


def test_every_route_declares_what_it_is_worth() -> None:
    vital, closed = set(), set()
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            found = class_of(method.upper(), path)
            assert (found is None) == (not path.startswith("/v1/")), path
            if found is None:
                continue
            name = f"{method.upper()} {path}"
            if found.weight is Weight.VITAL:
                vital.add(name)
            if not found.fails_open:
                closed.add(name)
            if any(one["name"] == "cursor" for one in operation.get("parameters", ())):
                assert found.weight is Weight.LIST, name
    assert (vital, closed) == (VITAL, FAIL_CLOSED)


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/nothing", "/v1/"])
def test_what_is_not_named_is_normal(path: str) -> None:
    found = class_of("POST", path)
    assert found is not None
    assert (found.weight, found.cost) == (Weight.NORMAL, 1)
