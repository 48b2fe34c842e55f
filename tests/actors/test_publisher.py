"""The way out: in order, one batch at a time, and whatever is lost leaves a gap that shows."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any, TypeVar

from actors.publisher import WAITING_MAX, Publisher
from engine.kernel.ids import CellId
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from storage.live import Batch, LiveUnavailable, Publication
from storage.memory_live import MemoryLive

T = TypeVar("T")
CELL = CellId("845355dffffffff")


class SlowLive(MemoryLive):
    """A stream that takes its time, and is away until `away_until`."""

    gap_ms = 5

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self.takes_ms = 10
        self.away_until = 0
        self.batches: list[Batch] = []

    async def publish(self, batch: Batch) -> None:
        await self._clock.sleep(self.takes_ms)
        if self._clock.now() < self.away_until:
            raise LiveUnavailable("nobody listens")
        self.batches.append(batch)


def _told(
    story: Callable[[Publisher, SlowLive, VirtualClock], Coroutine[Any, Any, None]],
) -> list[Batch]:
    """The batches that were published while a story was told."""

    async def main(loop: VirtualLoop) -> list[Batch]:
        clock = VirtualClock(loop, starts_at=0)
        live = SlowLive(clock)
        publisher = Publisher(CELL, "first", live, clock)
        running = asyncio.ensure_future(publisher.run())
        await story(publisher, live, clock)
        running.cancel()
        return live.batches

    return run_virtually(main)


def _news(number: int) -> Publication:
    return Publication(channel="zone:z", kind="state", version=number, body={})


def _versions(batches: list[Batch]) -> list[int]:
    return [one.version for batch in batches for one in batch.publications]


def test_what_comes_while_a_batch_is_on_its_way_leaves_with_the_next_in_order() -> None:
    async def story(publisher: Publisher, live: SlowLive, clock: VirtualClock) -> None:
        for number in range(1, 101):
            publisher.publish(_news(number))
            await clock.sleep(1)
        await clock.sleep(100)

    batches = _told(story)
    assert _versions(batches) == list(range(1, 101))
    assert [one.sequence for one in batches] == list(range(1, len(batches) + 1))
    assert len(batches) <= 12


def test_the_first_leaves_at_once_and_what_comes_soon_after_leaves_together() -> None:
    async def story(publisher: Publisher, live: SlowLive, clock: VirtualClock) -> None:
        live.takes_ms = 0
        await clock.sleep(100)
        for number in range(1, 101):
            publisher.publish(_news(number))
            await clock.sleep(1)
        await clock.sleep(100)

    batches = _told(story)
    assert (batches[0].at, _versions(batches[:1])) == (100, [1])
    assert _versions(batches) == list(range(1, 101))
    assert len(batches) <= 21


def test_nothing_is_said_when_there_is_nothing_to_say() -> None:
    async def story(publisher: Publisher, live: SlowLive, clock: VirtualClock) -> None:
        publisher.publish(_news(1))
        await clock.sleep(60_000)

    assert len(_told(story)) == 1


def test_a_stream_that_was_away_shows_the_gap_as_soon_as_it_is_back() -> None:
    async def story(publisher: Publisher, live: SlowLive, clock: VirtualClock) -> None:
        publisher.publish(_news(1))
        await clock.sleep(100)
        live.away_until = 5_000
        publisher.publish(_news(2))
        await clock.sleep(6_000)
        assert clock.now() - live.batches[-1].at < 1_500
        publisher.publish(_news(3))
        await clock.sleep(100)

    batches = _told(story)
    assert _versions(batches) == [1, 3]
    sequences = [one.sequence for one in batches]
    assert sequences[0] == 1
    assert sequences[1] > 2
    assert sequences[2] == sequences[1] + 1


def test_too_much_to_say_is_lost_with_a_gap_and_memory_stays_bounded() -> None:
    async def story(publisher: Publisher, live: SlowLive, clock: VirtualClock) -> None:
        publisher.publish(_news(0))
        await clock.sleep(1)
        live.takes_ms = 1
        for number in range(1, WAITING_MAX + 3):
            publisher.publish(_news(number))
        await clock.sleep(100)

    batches = _told(story)
    assert _versions(batches) == [0, WAITING_MAX + 1, WAITING_MAX + 2]
    assert any(b.sequence > a.sequence + 1 for a, b in pairwise(batches))
