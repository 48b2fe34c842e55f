"""Whose command begins when more is asked than can be done."""

import asyncio
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from api.admission import TICK_S, Admission
from api.limit_settings import LimitSettings
from api.route_classes import Weight
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually

WAIT_S = 8.0
LOOKS_S = 5 * TICK_S
SETTINGS = LimitSettings(commands_of_cell_at_once=2, command_wait_s=WAIT_S, list_wait_s=2.0)


class Asked(NamedTuple):
    """A command: when it comes (ms), what it is, how long it takes, when its phone goes away."""

    at: int
    cell: str
    weight: Weight
    takes: int
    gone_after: int | None


class Seen(NamedTuple):
    """What became of a command: None if its phone was gone; times are seconds."""

    asked: Asked
    began: bool | None
    waited_s: float
    number: int


asked = st.builds(
    Asked,
    at=st.integers(0, 6_000),
    cell=st.sampled_from(["here", "there"]),
    weight=st.sampled_from([Weight.NORMAL, Weight.VITAL]),
    takes=st.integers(1, 9_000),
    gone_after=st.none() | st.integers(0, 9_000),
)


class Door:
    """Commands that come to an admission in virtual time, and what is seen of them."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop, self._clock = loop, VirtualClock(loop, starts_at=0)
        self.admission = Admission(SETTINGS)
        self.inside = {"here": 0, "there": 0}
        self.most_inside = 0
        self.seen: list[Seen] = []

    async def come(self, one: Asked) -> None:
        await self._clock.sleep(one.at)
        began: bool | None = None
        asked_at = self._loop.time()
        try:
            async with asyncio.timeout(None if one.gone_after is None else one.gone_after / 1000):
                began = await self.admission.enter(one.cell, one.weight)
        except TimeoutError:
            pass
        self.seen.append(Seen(one, began, self._loop.time() - asked_at, len(self.seen)))
        if began:
            await self._work(one)

    async def _work(self, one: Asked) -> None:
        self.inside[one.cell] += 1
        self.most_inside = max(self.most_inside, *self.inside.values())
        await self._clock.sleep(one.takes)
        self.inside[one.cell] -= 1
        self.admission.leave(one.cell)


def come_all(commands: list[Asked]) -> Door:
    async def main(loop: VirtualLoop) -> Door:
        door = Door(loop)
        await asyncio.gather(*(door.come(one) for one in commands))
        # Whatever happened, as many as may begin at once begin at once.
        for cell in door.inside:
            for _ in range(2):
                assert await asyncio.wait_for(door.admission.enter(cell, Weight.NORMAL), 0.001)
        return door

    return run_virtually(main)


@given(st.lists(asked, max_size=40))
def test_few_are_inside_and_nobody_waits_longer_than_his_answer_is_of_use(
    commands: list[Asked],
) -> None:
    door = come_all(commands)
    assert door.most_inside <= 3
    assert door.most_inside <= 2 or any(one.weight is Weight.VITAL for one in commands)
    assert len(door.seen) == len(commands)
    for one in door.seen:
        assert one.waited_s <= WAIT_S + LOOKS_S
        assert one.began is not False or one.waited_s >= WAIT_S


@given(st.lists(asked, max_size=40))
def test_vital_ones_begin_first_and_else_who_came_first(commands: list[Asked]) -> None:
    door = come_all([one._replace(gone_after=None) for one in commands])
    begun = [one for one in door.seen if one.began]
    for late in begun:
        began_at = late.asked.at / 1000 + late.waited_s
        for other in begun:
            is_same_door = other.asked.cell == late.asked.cell
            is_first = other.asked.weight > late.asked.weight or (
                other.asked.weight == late.asked.weight and other.asked.at < late.asked.at
            )
            if is_same_door and is_first and other.asked.at / 1000 < began_at:
                assert other.number < late.number


def test_what_has_waited_elsewhere_already_is_refused_at_once() -> None:
    async def main(loop: VirtualLoop) -> tuple[bool, float]:
        admission = Admission(SETTINGS)
        for _ in range(3):
            assert await admission.enter("here", Weight.VITAL)
        began = await admission.enter("here", Weight.VITAL, waited_s=0.75 * WAIT_S)
        return began, loop.time()

    assert run_virtually(main) == (False, 0.0)


def test_while_commands_wait_lists_begin_one_after_another() -> None:
    async def main(loop: VirtualLoop) -> tuple[list[float], list[float]]:
        admission, clock = Admission(SETTINGS), VirtualClock(loop, starts_at=0)
        for _ in range(2):
            await admission.enter("here", Weight.NORMAL)
        waiting = asyncio.ensure_future(admission.enter("here", Weight.NORMAL))
        await clock.sleep(1)
        began, refused = list[float](), list[float]()

        async def ask() -> None:
            (began if await admission.may_list() else refused).append(round(loop.time(), 3))

        asking = [asyncio.ensure_future(ask()) for _ in range(60)]
        await clock.sleep(2_600)
        admission.leave("here")
        await waiting
        asking += [asyncio.ensure_future(ask()) for _ in range(5)]
        await asyncio.gather(*asking)
        return began, refused

    began, refused = run_virtually(main)
    slowly = [one for one in began if one < 2.6]
    assert len(slowly) >= 2.0 / TICK_S - 2
    assert all(later - sooner >= TICK_S - 0.002 for sooner, later in pairwise(slowly))
    assert refused
    assert all(2.0 <= one <= 2.6 for one in refused)
    assert [one for one in began if one >= 2.6] == [2.601] * 5
