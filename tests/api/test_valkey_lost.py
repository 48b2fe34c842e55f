"""Valkey is killed in the middle, comes back, and is empty: nobody loses anything by it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from storage.redis_live import RedisLive
from storage.redis_rates import RedisRates
from storage.servers import Servers, embedded_servers
from storage.servers.patience import becomes_true
from storage.settings import DatabaseSettings
from tests.api.town import QUOTE, Person, Town, a_town

# Given by address, so that none is started; nobody connects to it.
NO_DATABASE = DatabaseSettings(dsn=SecretStr("postgresql://127.0.0.1:1/none"))
RAISED = 700


@pytest.fixture
async def town_and_servers(tmp_path: Path) -> AsyncIterator[tuple[Town, Servers]]:
    with embedded_servers(database=NO_DATABASE, throwaway=True) as servers:
        live, rates = RedisLive(servers.redis_url), RedisRates(servers.redis_url)
        async with a_town(tmp_path, live=live, rates=rates) as town:
            yield town, servers
        await live.close()
        await rates.close()


async def becomes(check: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(becomes_true, check, within_s=60)


async def price(customer: Person) -> int:
    quoted = await customer.post("/v1/quotes", QUOTE)
    assert quoted.status_code == 201, quoted.text
    return int(quoted.json()["fee_halalas"])


def is_emptied(redis_url: str) -> bool:
    with redis.Redis.from_url(redis_url) as client:
        try:
            return bool(client.flushall())
        except redis.RedisError:
            return False


async def raise_prices(town: Town) -> None:
    operator = await town.operator()
    path = f"/v1/zones/{town.zone_id}/parameters"
    seen = (await operator.get(f"/v1/zones/{town.zone_id}")).json()
    raised = seen["parameters"]["fee_base_halalas"] + RAISED
    body = {"parameters": {"fee_base_halalas": raised}, "reason": "Eid"}
    told = await operator.put(path, body, **{"If-Match": f'"{seen["parameters_version"]}"'})
    assert told.status_code == 200, told.text


async def test_whoever_is_in_the_middle_of_something_goes_on(
    town_and_servers: tuple[Town, Servers],
) -> None:
    town, servers = town_and_servers
    customer = await town.log_in("customer")
    courier, phone = await town.courier()
    order_id = await customer.order()
    watching = await customer.socket()
    await watching.send({"type": "subscribe", "channel": f"order:{order_id}"})
    offer_id = (await phone.offer(courier))["offer_id"]
    before = await price(customer)

    killed = servers.valkey_pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    assert await price(customer) == before
    await raise_prices(town)
    assert await price(customer) == before + RAISED
    second_id = await customer.order()
    assert (await phone.tell("accept", offer_id=offer_id))["type"] == "reply"
    await watching.until(f"order:{order_id}", status="assigned")
    talk = f"conversation:{order_id}"
    await watching.send({"type": "subscribe", "channel": talk})
    await watching.next("snapshot", channel=talk)
    assert (await phone.tell("message", order_id=order_id, text="On my way"))["type"] == "reply"
    told = await watching.next("update", channel=talk)
    assert [one["text"] for one in told["body"]["messages"]] == ["On my way"]
    assert (await courier.post("/v1/auth/logout")).status_code == 200
    assert (await courier.get("/v1/courier")).status_code == 401

    await becomes(lambda: servers.valkey_pid not in {None, killed})
    await becomes(lambda: is_emptied(servers.redis_url))
    async with asyncio.timeout(60):
        while (await town.client.get("/readyz")).json()["status"] != "ready":
            await town.parts.wall.sleep(50)

    assert await price(customer) == before + RAISED
    cancelled = await customer.post(f"/v1/orders/{order_id}/cancel", {"reason": "other"})
    assert cancelled.status_code == 200, cancelled.text
    await watching.until(f"order:{order_id}", status="cancelled")
    shown = (await customer.get(f"/v1/orders/{second_id}")).json()
    assert shown["order_id"] == second_id
    again = await town.log_in("courier", courier.phone)
    assert (await again.get("/v1/courier")).status_code == 200
