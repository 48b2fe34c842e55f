"""The live stream when its server is away, silent, full, or holds what we did not write."""

import asyncio

import pytest

from engine.kernel.ids import UserId
from storage.live import Fix, LiveUnavailable
from storage.redis_live import RedisLive
from storage.settings import RedisSettings
from tests.builders import NOON
from tests.storage.telling import CELL
from tests.storage.test_live_contract import a_batch
from tests.wire import Wire

FIX = Fix(lat=24.7, lng=46.6, at=NOON, accuracy_m=12.5)
HASTY = RedisSettings(command_timeout_s=0.3, connect_timeout_s=0.3)


async def assert_unavailable(live: RedisLive, position: str) -> None:
    for attempt in (
        live.publish(a_batch(1)),
        live.tail(),
        live.read(position, wait_ms=0),
        live.read(position, wait_ms=60_000),
        live.save_fixes(CELL, {UserId("salem"): FIX}),
        live.load_fixes(CELL),
    ):
        async with asyncio.timeout(20):
            with pytest.raises(LiveUnavailable):
                await attempt


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    live = RedisLive("redis://127.0.0.1:1/0")
    await assert_unavailable(live, "1.1:1-0")
    await live.close()


async def test_a_silent_server_does_not_hold_us(empty_redis_url: str) -> None:
    async with Wire.to(empty_redis_url) as wire:
        live = RedisLive(wire.url, HASTY)
        position = await live.tail()
        wire.fall_silent()
        await assert_unavailable(live, position)
        wire.speak_again()
        assert list((await live.read(await live.tail(), wait_ms=0))[1]) == []
        await live.close()


async def test_a_reader_goes_on_where_he_was_after_a_cut(empty_redis_url: str) -> None:
    async with Wire.to(empty_redis_url) as wire:
        reader, cell = RedisLive(wire.url), RedisLive(empty_redis_url)
        position = await reader.tail()
        waiting = asyncio.create_task(reader.read(position, wait_ms=60_000))
        await asyncio.wait([waiting], timeout=0.05)
        wire.cut()
        with pytest.raises(LiveUnavailable):
            await waiting
        await cell.publish(a_batch(1))
        assert list((await reader.read(position, wait_ms=0))[1]) == [a_batch(1)]
        await reader.close()
        await cell.close()


async def test_nothing_is_published_twice_by_itself(empty_redis_url: str) -> None:
    async with Wire.to(empty_redis_url) as wire:
        live = RedisLive(wire.url)
        position = await live.tail()
        wire.cut_after_sending(b"XADD")
        with pytest.raises(LiveUnavailable):
            await live.publish(a_batch(1))
        assert len((await live.read(position, wait_ms=0))[1]) <= 1
        await live.close()


async def test_a_server_without_memory_left_is_unavailable(redis_live: RedisLive) -> None:
    position = await redis_live.tail()
    limit = str((await redis_live._redis.config_get("maxmemory"))["maxmemory"])
    await redis_live._redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(LiveUnavailable):
            await redis_live.publish(a_batch(1))
    finally:
        await redis_live._redis.config_set("maxmemory", limit)
    assert list((await redis_live.read(position, wait_ms=0))[1]) == []


async def test_what_we_did_not_write_makes_the_reader_begin_anew(redis_live: RedisLive) -> None:
    position = await redis_live.tail()
    await redis_live._redis.xadd("hadiyati:live", {"b": b"\xc1 no msgpack"})
    with pytest.raises(LiveUnavailable):
        await redis_live.read(position, wait_ms=0)
    assert list((await redis_live.read(await redis_live.tail(), wait_ms=0))[1]) == []


async def test_fixes_do_not_stay_for_ever(redis_live: RedisLive) -> None:
    await redis_live.save_fixes(CELL, {UserId("salem"): FIX})
    assert 0 < await redis_live._redis.ttl(f"hadiyati:fixes:{CELL}") <= 6 * 3600


async def test_large_batches_leave_room_for_fewer(empty_redis_url: str) -> None:
    live = RedisLive(empty_redis_url, kept_bytes=1_000_000)
    large = a_batch(1)
    large.publications[0].body["text"] = "x" * 20_000
    for _ in range(200):
        await live.publish(large)
    assert 16 <= await live._redis.xlen("hadiyati:live") <= 60
    await live.close()
