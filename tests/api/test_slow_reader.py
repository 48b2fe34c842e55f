"""A phone that does not read is let go, and everybody else is served."""

from pathlib import Path

from tests.api.town import a_town


async def test_a_phone_that_does_not_read_is_asked_to_connect_again(tmp_path: Path) -> None:
    async with a_town(tmp_path, frames_waiting_max=50, frames_burst=100_000) as town:
        customer = await town.log_in("customer")
        order_id = await customer.order()
        deaf, other = await customer.socket(), await customer.socket()
        for _ in range(12_000):
            await deaf.send({"type": "subscribe", "channel": f"order:{order_id}"})
        await other.send({"type": "ping"})
        assert await other.next("pong")
        assert await deaf.closed() == 4503
