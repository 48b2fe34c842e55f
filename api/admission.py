"""Who may begin now: so many commands of each cell at once, and lists one after another."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from api.limit_settings import LimitSettings
from api.route_classes import Weight

TICK_S: Final = 0.05
_LOOK_AT_ALL_EVERY: Final = 10
# The most urgent first.
_ORDER: Final = (Weight.VITAL, Weight.NORMAL)


@dataclass(slots=True, eq=False)
class _Waiter:
    """Somebody at the door; `until` is a time of the loop, `told` whether he may begin."""

    until: float
    told: asyncio.Future[bool]


@dataclass(slots=True)
class _Line:
    """Before one cell: how many are inside, and who waits."""

    inside: int = 0
    waiting: dict[Weight, deque[_Waiter]] = field(
        default_factory=lambda: {one: deque() for one in _ORDER}
    )

    def next(self) -> _Waiter | None:
        for weight in _ORDER:
            while self.waiting[weight]:
                first = self.waiting[weight].popleft()
                if not first.told.done():
                    return first
        return None


class Admission:
    """One for each process of the edge.

    Whoever has a command waits here until few enough of his cell are under way: vital ones before
    all others, else in the order in which they came. Who has waited too long is told no, for by
    then nobody waits for the answer. While commands wait anywhere one list begins every `TICK_S`.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._lines: dict[str, _Line] = {}
        self._lists: deque[_Waiter] = deque()
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return sum(len(queue) for line in self._lines.values() for queue in line.waiting.values())

    async def enter(self, cell: str, weight: Weight, *, waited_s: float = 0.0) -> bool:
        """Whether to begin, as soon as that is known: then `leave` is owed.

        `waited_s` is how long the command has waited elsewhere.
        """
        line = self._lines.setdefault(cell, _Line())
        if line.inside < self._settings.commands_of_cell_at_once:
            line.inside += 1
            return True
        wait_s = self._settings.command_wait_s - waited_s
        return await self._wait(line.waiting[weight], wait_s, cell)

    def leave(self, cell: str) -> None:
        """A command is done; the next may begin."""
        line = self._lines[cell]
        line.inside -= 1
        self._let_in(line)

    async def may_list(self) -> bool:
        """Whether a list may begin, as soon as that is known."""
        if not self._lists and not self.waiting:
            return True
        return await self._wait(self._lists, self._settings.list_wait_s)

    async def _wait(self, line: deque[_Waiter], wait_s: float, cell: str | None = None) -> bool:
        if wait_s <= 0:
            return False
        loop = asyncio.get_running_loop()
        waiter = _Waiter(loop.time() + wait_s, loop.create_future())
        line.append(waiter)
        if self._ticking is None:
            self._ticking = loop.call_later(TICK_S, self._tick)
        try:
            return await waiter.told
        except asyncio.CancelledError:
            was_let_in = waiter.told.done() and not waiter.told.cancelled() and waiter.told.result()
            if was_let_in and cell is not None:
                self.leave(cell)
            raise

    def _let_in(self, line: _Line) -> None:
        is_free = line.inside < self._settings.commands_of_cell_at_once
        if is_free and (first := line.next()) is not None:
            line.inside += 1
            first.told.set_result(True)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticks += 1
        if self._ticks % _LOOK_AT_ALL_EVERY == 0:
            for queue in self._queues():
                _tell_the_late(queue, loop.time())
        for waiter in self._lists_to_begin():
            if not waiter.told.done():
                waiter.told.set_result(True)
        is_over = not any(self._queues())
        self._ticking = None if is_over else loop.call_later(TICK_S, self._tick)

    def _lists_to_begin(self) -> list[_Waiter]:
        if self.waiting:
            return [self._lists.popleft()] if self._lists else []
        found = list(self._lists)
        self._lists.clear()
        return found

    def _queues(self) -> Iterator[deque[_Waiter]]:
        for line in self._lines.values():
            yield from line.waiting.values()
        yield self._lists


def _tell_the_late(queue: deque[_Waiter], now: float) -> None:
    """Who has waited too long is told no; who has gone is forgotten."""
    left = [one for one in queue if not one.told.done()]
    queue.clear()
    for one in left:
        if one.until <= now:
            one.told.set_result(False)
        else:
            queue.append(one)
