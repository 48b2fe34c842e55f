"""What is kept for a while: read once for all, never older than it may be, never more than fits."""

import asyncio
from typing import Final

import pytest

from actors.cached import Cached
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually

TTL_MS: Final = 500
READING_MS: Final = 100


class Owner:
    """Says how often it was asked; each answer takes a while."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.asked: list[str] = []
        self.is_away = False

    async def tell(self, key: str) -> int:
        self.asked.append(key)
        told = len(self.asked)
        await self.clock.sleep(READING_MS)
        if self.is_away:
            raise ConnectionError
        return told


def kept_of(loop: VirtualLoop, *, kept_max: int = 10) -> tuple[Cached[str, int], Owner]:
    owner = Owner(VirtualClock(loop, starts_at=0))
    return Cached(owner.tell, owner.clock, ttl_ms=TTL_MS, kept_max=kept_max), owner


def test_a_herd_has_it_read_once() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, owner = kept_of(loop)
        assert await asyncio.gather(*(kept.get("a") for _ in range(100))) == [1] * 100
        assert owner.asked == ["a"]

    run_virtually(scene)


def test_nothing_is_told_that_was_asked_longer_ago_than_it_may() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, owner = kept_of(loop)
        assert await kept.get("a") == 1
        await owner.clock.sleep(TTL_MS - READING_MS - 1)
        assert await kept.get("a") == 1
        await owner.clock.sleep(1)
        assert await kept.get("a") == 2

    run_virtually(scene)


def test_what_was_changed_while_it_was_read_is_read_again() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, _ = kept_of(loop)
        before = asyncio.ensure_future(kept.get("a"))
        await asyncio.wait([before], timeout=READING_MS / 2000)
        kept.forget("a")
        assert await kept.get("a") == 2
        assert await before == 1
        assert await kept.get("a") == 2

    run_virtually(scene)


def test_of_too_many_the_one_not_asked_for_longest_is_let_go() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, owner = kept_of(loop, kept_max=2)
        for key in ("a", "b", "a", "c", "a", "b"):
            await kept.get(key)
        assert owner.asked == ["a", "b", "c", "b"]

    run_virtually(scene)


def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, owner = kept_of(loop)
        owner.is_away = True
        told = await asyncio.gather(kept.get("a"), kept.get("a"), return_exceptions=True)
        assert [type(one) for one in told] == [ConnectionError] * 2
        owner.is_away = False
        assert await kept.get("a") == 2

    run_virtually(scene)


def test_who_goes_away_takes_the_reading_from_nobody() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, owner = kept_of(loop)
        first, second = (asyncio.ensure_future(kept.get("a")) for _ in range(2))
        await asyncio.wait([first, second], timeout=READING_MS / 2000)
        first.cancel()
        assert await second == 1
        with pytest.raises(asyncio.CancelledError):
            await first
        assert owner.asked == ["a"]

    run_virtually(scene)
