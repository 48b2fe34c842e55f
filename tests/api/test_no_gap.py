"""Many phones, one order that keeps changing: nobody sees it go back or misses its end."""

import asyncio
import random

from tests.api.town import Socket, Town, order_body


async def watch(town: Town, socket: Socket, order_id: str, *, late_ms: float) -> list[int]:
    """Subscribe after a while; every version seen until the order is delivered."""
    await town.parts.clock.sleep(late_ms)
    channel = f"order:{order_id}"
    await socket.send({"type": "subscribe", "channel": channel})
    versions: list[int] = []
    while True:
        frame = await socket.next("snapshot", "update", channel=channel)
        assert (frame["type"] == "snapshot") == (not versions)
        if frame.get("kind", "state") != "state":
            continue
        versions.append(frame["version"])
        if frame["body"]["status"] == "delivered":
            return versions


async def test_whenever_one_subscribes_there_is_no_gap_after_the_snapshot(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    sockets = [await customer.socket() for _ in range(12)]
    chance = random.Random(7)
    courier, phone = await town.courier()
    offer = await phone.offer(courier)
    watching = [
        asyncio.create_task(watch(town, one, order_id, late_ms=chance.uniform(0, 12_000)))
        for one in sockets
    ]
    await phone.tell("accept", offer_id=offer["offer_id"])
    pin = (await customer.get(f"/v1/orders/{order_id}")).json()["pin"]
    for step in ("reached_shop", "picked_up", "reached_door"):
        await phone.tell("progress", order_id=order_id, step=step)
    for wrong in ("00000", "00001", "00002"):
        await phone.tell("progress", order_id=order_id, step="delivered", pin=wrong)
    await phone.tell("progress", order_id=order_id, step="delivered", pin=pin)
    last = (await customer.get(f"/v1/orders/{order_id}")).json()["version"]
    for seen in await asyncio.gather(*watching):
        assert seen == sorted(seen)
        assert seen[-1] == last


async def test_one_key_sent_many_times_at_once_is_one_order(town: Town) -> None:
    customer = await town.log_in("customer")
    body, key = order_body(await customer.quote()), town.key()
    told = await asyncio.gather(*(customer.post("/v1/orders", body, key=key) for _ in range(8)))
    assert {one.status_code for one in told} == {201}
    assert len({one.json()["order_id"] for one in told}) == 1
    assert len((await customer.get("/v1/orders")).json()["orders"]) == 1


async def test_an_offer_that_has_expired_cannot_be_taken(town: Town) -> None:
    operator = await town.operator()
    body = {"parameters": {"offer_timeout_s": 5}, "reason": "quick"}
    changed = await operator.put(
        f"/v1/zones/{town.zone_id}/parameters", body, **{"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    await (await town.log_in("customer")).order()
    courier, phone = await town.courier()
    offer_id = (await phone.offer(courier))["offer_id"]
    await phone.until(f"courier:{courier.user_id}", offer=None)
    refused = await phone.tell("accept", offer_id=offer_id)
    assert (refused["type"], refused["code"]) == ("refused", "offer_expired")
    over_rest = await courier.post(f"/v1/courier/offers/{offer_id}/accept")
    assert (over_rest.status_code, over_rest.json()["code"]) == (410, "offer_expired")
