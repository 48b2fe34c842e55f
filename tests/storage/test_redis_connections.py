"""Whoever talks to the server can be stopped at any moment, and waits for nothing for ever."""

import asyncio
import socket
from contextlib import closing

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from actors.clock import SystemClock
from storage.redis_connections import open_redis

TURNS = 60
MANY_BYTES = bytes(32 * 1024 * 1024)


def opened(url: str, *, patience_s: float = 5.0) -> Redis:
    return open_redis(
        url, connections_max=4, connect_timeout_s=patience_s, command_timeout_s=patience_s
    )


@pytest.mark.parametrize("turns", range(TURNS))
async def test_it_ends_in_whichever_turn_of_the_loop_it_is_cancelled(
    empty_redis_url: str, turns: int
) -> None:
    client = opened(empty_redis_url)
    await client.ping()

    async def read_for_ever() -> None:
        while True:
            await client.ping()

    reading = asyncio.ensure_future(read_for_ever())
    for _ in range(turns):
        await SystemClock().sleep(0)
    reading.cancel()
    ended, _ = await asyncio.wait({reading}, timeout=2)
    assert ended
    assert await client.ping()
    await client.aclose()


async def test_a_server_that_reads_nothing_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        client = opened(f"redis://127.0.0.1:{deaf.getsockname()[1]}", patience_s=0.1)
        with pytest.raises(RedisTimeoutError):
            await client.set("key", MANY_BYTES)
        await client.aclose()


async def test_an_encrypted_address_keeps_its_kind_of_connection() -> None:
    client = opened("rediss://127.0.0.1:1")
    kind = client.connection_pool.connection_class
    assert [one.__name__ for one in kind.__mro__[:3]] == [
        "PromptSSLConnection",
        "_Prompt",
        "SSLConnection",
    ]
    await client.aclose()
