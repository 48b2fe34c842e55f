"""Virtual time: it jumps, it keeps its order, and it notices when nothing can happen any more."""

import asyncio

import pytest

from simulations.virtual import Deadlock, Livelock, VirtualClock, VirtualLoop, run_virtually


def test_an_hour_passes_at_once_and_is_seen_on_the_clock() -> None:
    async def main(loop: VirtualLoop) -> tuple[int, float]:
        clock = VirtualClock(loop, starts_at=1_000)
        await clock.sleep(3_600_000)
        return clock.now(), loop.time()

    assert run_virtually(main) == (3_601_000, 3600.0)


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        clock = VirtualClock(loop, starts_at=0)
        woken: list[str] = []

        async def sleeper(name: str, ms: float) -> None:
            await clock.sleep(ms)
            woken.append(f"{name} at {clock.now()}")

        naps = [("a", 30), ("b", 10), ("c", 20), ("d", 0)]
        await asyncio.gather(*(sleeper(name, ms) for name, ms in naps))
        return woken

    assert run_virtually(main) == ["d at 0", "b at 10", "c at 20", "a at 30"]


def test_a_thousand_small_sleeps_are_as_long_as_a_large_one() -> None:
    async def main(loop: VirtualLoop) -> int:
        clock = VirtualClock(loop, starts_at=0)
        for _ in range(1000):
            await clock.sleep(7)
        return clock.now()

    assert run_virtually(main) == 7000


def test_time_outs_of_asyncio_pass_virtually() -> None:
    async def main(loop: VirtualLoop) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await asyncio.Event().wait()
        return loop.time()

    assert run_virtually(main) == pytest.approx(600)


def test_work_for_a_thread_is_done_in_its_turn_without_time_passing() -> None:
    async def main(loop: VirtualLoop) -> tuple[int, float]:
        return await asyncio.to_thread(sum, [1, 2, 3]), loop.time()

    assert run_virtually(main) == (6, 0.0)


def test_an_error_in_work_for_a_thread_reaches_who_awaits_it() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def main(loop: VirtualLoop) -> None:
        await loop.run_in_executor(None, fail)

    with pytest.raises(ZeroDivisionError):
        run_virtually(main)


def test_waiting_for_nobody_is_a_deadlock_that_names_who_waits() -> None:
    async def main(_loop: VirtualLoop) -> None:
        task = asyncio.create_task(asyncio.Event().wait(), name="somebody")
        await task

    with pytest.raises(Deadlock, match="somebody"):
        run_virtually(main)


def test_going_round_and_round_in_one_moment_is_a_livelock() -> None:
    async def main(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop, starts_at=0)
        while True:
            await clock.sleep(0)

    with pytest.raises(Livelock, match="in one moment"):
        run_virtually(main)


def test_what_is_left_at_the_end_is_cancelled() -> None:
    ended: list[str] = []

    async def main(loop: VirtualLoop) -> None:
        async def forever() -> None:
            try:
                await VirtualClock(loop, starts_at=0).sleep(10**9)
            finally:
                ended.append("cancelled")

        loop.create_task(forever())
        await VirtualClock(loop, starts_at=0).sleep(1)

    run_virtually(main)
    assert ended == ["cancelled"]
