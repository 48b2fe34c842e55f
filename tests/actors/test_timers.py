"""Timers: every deadline rings once, at its time, in order."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.timers import Timers
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually


class Bell:
    """Remembers what rang and when."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.rung: list[tuple[str, int]] = []

    async def ring(self, key: str) -> None:
        self.rung.append((key, self._clock.now()))


async def _run_for(timers: Timers, clock: VirtualClock, ms: int) -> None:
    running = asyncio.ensure_future(timers.run())
    await clock.sleep(ms)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10_000), max_size=30))
def test_every_deadline_rings_once_at_its_time(deadlines: dict[str, int]) -> None:
    async def main(loop: VirtualLoop) -> list[tuple[str, int]]:
        clock = VirtualClock(loop, starts_at=0)
        bell = Bell(clock)
        timers = Timers(clock, bell.ring)
        for key, at in deadlines.items():
            timers.set(key, at)
        await _run_for(timers, clock, 11_000)
        return bell.rung

    rung = run_virtually(main)
    assert dict(rung) == deadlines
    assert [at for _, at in rung] == sorted(deadlines.values())


def test_what_is_set_to_the_same_instant_again_takes_no_more_room_and_rings_once() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[str, int]]:
        clock = VirtualClock(loop, starts_at=0)
        bell = Bell(clock)
        timers = Timers(clock, bell.ring)
        for _ in range(1000):
            timers.set("shift", 500)
        assert len(timers._heap) == 1
        timers.cancel("shift")
        timers.set("shift", 500)
        await _run_for(timers, clock, 1000)
        timers.set("shift", 500)
        await _run_for(timers, clock, 10)
        return bell.rung

    assert run_virtually(main) == [("shift", 500), ("shift", 1000)]


def test_setting_again_replaces_and_cancelling_silences() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[str, int]]:
        clock = VirtualClock(loop, starts_at=0)
        bell = Bell(clock)
        timers = Timers(clock, bell.ring)
        timers.set("later", 100)
        timers.set("later", 300)
        timers.set("sooner", 300)
        timers.set("sooner", 100)
        timers.set("never", 50)
        timers.cancel("never")
        await _run_for(timers, clock, 1000)
        return bell.rung

    assert run_virtually(main) == [("sooner", 100), ("later", 300)]


def test_a_deadline_that_has_passed_rings_at_once_and_a_new_earliest_is_noticed() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[str, int]]:
        clock = VirtualClock(loop, starts_at=5000)
        bell = Bell(clock)
        timers = Timers(clock, bell.ring)
        timers.set("past", 1)
        timers.set("far", 9000)
        running = asyncio.ensure_future(timers.run())
        await clock.sleep(100)
        timers.set("near", 5200)
        await clock.sleep(1000)
        running.cancel()
        return bell.rung

    assert run_virtually(main) == [("past", 5000), ("near", 5200)]


def test_a_ring_that_fails_ends_the_run() -> None:
    async def main(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop, starts_at=0)

        async def ring(key: str) -> None:
            raise KeyError(key)

        timers = Timers(clock, ring)
        timers.set("a", 10)
        timers.set("b", 20)
        await timers.run()

    with pytest.RaisesGroup(KeyError):
        run_virtually(main)
