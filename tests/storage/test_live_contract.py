"""What must hold of every live stream."""

import asyncio

import pytest

from engine.kernel.ids import CellId, UserId
from storage.live import Batch, Bookmark, Fix, LiveStream, LiveUnavailable, Publication
from storage.memory_live import MemoryLive
from storage.redis_live import RedisLive
from tests.builders import NOON
from tests.storage.telling import CELL, OTHER_CELL


def a_batch(sequence: int, *, cell: CellId = CELL) -> Batch:
    return Batch(
        cell=cell,
        incarnation="first",
        sequence=sequence,
        at=NOON + sequence,
        publications=(
            Publication(
                channel="order:1",
                kind="changed",
                version=sequence,
                body={"status": "waiting", "at": NOON, "share": 0.1, "name": "نورة", "none": None},
                bookmark=Bookmark(epoch="first.0", offset=sequence),
            ),
            Publication(channel="courier:2", kind="position", version=0, body={}),
        ),
    )


async def lose(live: LiveStream) -> None:
    """The server comes back with nothing in it."""
    if isinstance(live, MemoryLive):
        live.lose()
    elif isinstance(live, RedisLive):
        await live._redis.flushall()


async def test_a_reader_sees_what_is_published_after_his_position_in_order(
    live: LiveStream,
) -> None:
    await live.publish(a_batch(0))
    position = await live.tail()
    batches = [a_batch(number) for number in range(1, 4)]
    for batch in batches:
        await live.publish(batch)
    position, found = await live.read(position, wait_ms=0)
    assert list(found) == batches
    assert list((await live.read(position, wait_ms=0))[1]) == []
    await live.publish(a_batch(4))
    assert list((await live.read(position, wait_ms=0))[1]) == [a_batch(4)]


async def test_a_reader_who_begins_at_the_oldest_position_sees_what_is_kept(
    live: LiveStream,
) -> None:
    for number in range(1, 5):
        await live.publish(a_batch(number))
    position, found = await live.read(await live.head(), wait_ms=0)
    # Whatever position an implementation can name, it lies within the first batches.
    assert list(found)[-3:] == [a_batch(number) for number in (2, 3, 4)]
    assert position == await live.tail()


async def test_two_readers_do_not_take_from_each_other(live: LiveStream) -> None:
    position = await live.tail()
    await live.publish(a_batch(1))
    for _ in range(2):
        assert list((await live.read(position, wait_ms=0))[1]) == [a_batch(1)]


async def test_the_first_batch_of_all_is_seen(live: LiveStream) -> None:
    position = await live.tail()
    await live.publish(a_batch(1))
    assert list((await live.read(position, wait_ms=0))[1]) == [a_batch(1)]


async def test_a_reader_who_waits_is_woken_by_a_batch(live: LiveStream) -> None:
    position = await live.tail()
    readers = [asyncio.create_task(live.read(position, wait_ms=30_000)) for _ in range(3)]
    await asyncio.wait(readers, timeout=0)
    await live.publish(a_batch(1))
    async with asyncio.timeout(20):
        for _, found in await asyncio.gather(*readers):
            assert list(found) == [a_batch(1)]


async def test_a_reader_waits_no_longer_than_he_wants_to(live: LiveStream) -> None:
    position = await live.tail()
    async with asyncio.timeout(20):
        assert list((await live.read(position, wait_ms=20))[1]) == []
        after, found = await live.read(position, wait_ms=0)
    assert (list(found), after) == ([], position)


async def test_a_reader_who_gives_up_leaves_the_stream_as_it_was(live: LiveStream) -> None:
    position = await live.tail()
    waiting = asyncio.create_task(live.read(position, wait_ms=30_000))
    await asyncio.wait([waiting], timeout=0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await live.publish(a_batch(1))
    assert list((await live.read(position, wait_ms=0))[1]) == [a_batch(1)]


async def test_a_reader_learns_that_the_stream_was_lost(live: LiveStream) -> None:
    await live.publish(a_batch(1))
    position = await live.tail()
    await lose(live)
    with pytest.raises(LiveUnavailable):
        await live.read(position, wait_ms=0)
    again = await live.tail()
    await live.publish(a_batch(2))
    with pytest.raises(LiveUnavailable):
        await live.read(position, wait_ms=0)
    assert list((await live.read(again, wait_ms=0))[1]) == [a_batch(2)]


async def test_a_reader_who_waits_learns_that_the_stream_was_lost(live: LiveStream) -> None:
    position = await live.tail()
    waiting = asyncio.create_task(live.read(position, wait_ms=30_000))
    await asyncio.wait([waiting], timeout=0.05)
    await lose(live)
    await live.publish(a_batch(1))
    async with asyncio.timeout(20):
        with pytest.raises(LiveUnavailable):
            await waiting


async def test_a_reader_who_is_too_far_behind_learns_it(live: LiveStream) -> None:
    position = await live.tail()
    if isinstance(live, MemoryLive):
        live = MemoryLive(kept_max=100)
    for number in range(150):
        await live.publish(a_batch(number))
    if isinstance(live, RedisLive):
        await live._redis.xtrim("hadiyati:live", maxlen=100, approximate=False)
    with pytest.raises(LiveUnavailable):
        await live.read(position, wait_ms=0)


async def test_a_reader_who_is_just_near_enough_misses_nothing(live: LiveStream) -> None:
    if isinstance(live, MemoryLive):
        live = MemoryLive(kept_max=100)
    for number in range(60):
        await live.publish(a_batch(number))
    position = await live.tail()
    for number in range(60, 150):
        await live.publish(a_batch(number))
    if isinstance(live, RedisLive):
        await live._redis.xtrim("hadiyati:live", maxlen=100, approximate=False)
    _, found = await live.read(position, wait_ms=0)
    assert [one.sequence for one in found] == list(range(60, 150))


async def test_a_long_way_behind_is_read_in_several_goes(live: LiveStream) -> None:
    position = await live.tail()
    for number in range(600):
        await live.publish(a_batch(number))
    seen: list[int] = []
    for _ in range(20):
        position, found = await live.read(position, wait_ms=0)
        seen += [one.sequence for one in found]
    assert seen == list(range(600))


@pytest.mark.parametrize("position", ["", "nonsense", "1:2:3", "0:-1", "x:0-0", "0:99", "é:é"])
async def test_a_position_that_never_was_is_no_position(live: LiveStream, position: str) -> None:
    with pytest.raises(LiveUnavailable):
        await live.read(position, wait_ms=0)


async def test_last_fixes_are_kept_per_cell_and_the_newest_stays(live: LiveStream) -> None:
    salem, fahad = UserId("salem"), UserId("fahad")
    old = Fix(lat=24.7, lng=46.6, at=NOON, accuracy_m=12.5)
    new = Fix(lat=24.8, lng=46.7, at=NOON + 1, accuracy_m=3.0)
    await live.save_fixes(CELL, {salem: old, fahad: old})
    await live.save_fixes(CELL, {salem: new})
    await live.save_fixes(CELL, {})
    await live.save_fixes(OTHER_CELL, {fahad: new})
    assert await live.load_fixes(CELL) == {salem: new, fahad: old}
    assert await live.load_fixes(OTHER_CELL) == {fahad: new}
    assert await live.load_fixes(CellId("empty")) == {}


async def test_lost_fixes_are_simply_not_there(live: LiveStream) -> None:
    fix = Fix(lat=24.7, lng=46.6, at=NOON, accuracy_m=12.5)
    await live.save_fixes(CELL, {UserId("salem"): fix})
    await lose(live)
    assert await live.load_fixes(CELL) == {}
