"""Turns: one at a time for every thing, and none while a cell reads itself anew."""

import asyncio

from actors.turns import Turns
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually


def test_two_turns_of_one_thing_never_overlap() -> None:
    inside, most = 0, 0

    async def main(loop: VirtualLoop) -> None:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)

        async def work() -> None:
            nonlocal inside, most
            async with turns.hold(["a"]):
                inside += 1
                most = max(most, inside)
                await clock.sleep(5)
                inside -= 1

        await asyncio.gather(*(work() for _ in range(20)))

    run_virtually(main)
    assert most == 1


def test_turns_of_different_things_run_side_by_side() -> None:
    async def main(loop: VirtualLoop) -> int:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)

        async def work(key: str) -> None:
            async with turns.hold([key]):
                await clock.sleep(5)

        await asyncio.gather(*(work(str(one)) for one in range(50)))
        return clock.now()

    assert run_virtually(main) == 5


def test_crossing_wishes_do_not_lock_each_other_out() -> None:
    async def main(loop: VirtualLoop) -> int:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)

        async def work(*keys: str) -> None:
            async with turns.hold(keys):
                await clock.sleep(1)

        wishes = [("a", "b"), ("b", "a"), ("b", "c", "a")] * 10
        await asyncio.gather(*(work(*keys) for keys in wishes))
        return clock.now()

    assert run_virtually(main) == 30


def test_turns_of_one_thing_are_taken_in_the_order_of_asking() -> None:
    order: list[int] = []

    async def main(loop: VirtualLoop) -> None:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)

        async def work(number: int) -> None:
            async with turns.hold(["a"]):
                await clock.sleep(1)
                order.append(number)

        await asyncio.gather(*(work(one) for one in range(10)))

    run_virtually(main)
    assert order == list(range(10))


def test_whoever_wants_to_be_alone_waits_for_turns_under_way_and_lets_none_begin() -> None:
    story: list[str] = []

    async def main(loop: VirtualLoop) -> None:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)

        async def work(name: str, after_ms: int) -> None:
            await clock.sleep(after_ms)
            async with turns.hold([name]):
                story.append(f"{name} in")
                await clock.sleep(10)
                story.append(f"{name} out")

        async def reload() -> None:
            await clock.sleep(5)
            async with turns.alone():
                story.append("alone")
                await clock.sleep(10)
                story.append("together")

        await asyncio.gather(work("a", 0), reload(), work("b", 7))

    run_virtually(main)
    assert story == ["a in", "a out", "alone", "together", "b in", "b out"]


def test_a_turn_given_up_while_waiting_holds_nothing_back() -> None:
    async def main(loop: VirtualLoop) -> bool:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)
        async with turns.hold(["a"]):

            async def impatient() -> None:
                async with turns.hold(["0", "a"]):
                    raise AssertionError("it was told to give up")

            task = asyncio.ensure_future(impatient())
            await clock.sleep(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with turns.alone(), asyncio.timeout(1):
            pass
        async with turns.hold(["0", "a"]):
            return True

    assert run_virtually(main)


def test_a_turn_that_comes_to_somebody_just_as_he_gives_up_goes_to_the_next() -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)
        story: list[str] = []

        async def work(name: str) -> None:
            async with turns.hold(["a"]):
                story.append(name)

        async with turns.hold(["a"]):
            leaving, patient = (asyncio.ensure_future(work(one)) for one in ("leaving", "patient"))
            await clock.sleep(1)
        # The turn is his since this moment, and he has not heard of it.
        leaving.cancel()
        await asyncio.wait({leaving, patient})
        async with turns.alone(), asyncio.timeout(1):
            return story

    assert run_virtually(main) == ["patient"]


def test_whoever_had_to_wait_is_told_so() -> None:
    async def main(loop: VirtualLoop) -> tuple[bool, bool]:
        turns, clock = Turns(), VirtualClock(loop, starts_at=0)

        async def wait() -> bool:
            async with turns.hold(["a"]) as has_waited:
                return has_waited

        async with turns.hold(["a"]) as has_first_waited:
            second = asyncio.ensure_future(wait())
            await clock.sleep(1)
        return has_first_waited, await second

    assert run_virtually(main) == (False, True)
