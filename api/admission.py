"""Who may begin now: so many commands of each cell at once, and lists one after another."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from api.limit_settings import LimitSettings
from api.route_classes import Weight

TICK_S: Final = 0.1
_LOOK_AT_ALL_EVERY: Final = 5
_MOST: Final = 0.75
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

    def next(self, weight: Weight) -> _Waiter | None:
        """Who came first of those who still wait."""
        while self.waiting[weight]:
            first = self.waiting[weight].popleft()
            if not first.told.done():
                return first
        return None


class Admission:
    """One for each process of the edge.

    Whoever has a command waits here until few enough of his cell are under way: vital ones before
    all others, else in the order in which they came; half as many more may be under way if they
    are vital. Who has waited too long is told no, for by then nobody waits for the answer. While
    commands wait anywhere one list begins every `TICK_S`.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        at_once = settings.commands_of_cell_at_once
        self._at_once = {Weight.NORMAL: at_once, Weight.VITAL: at_once + -(-at_once // 2)}
        self._lines: dict[str, _Line] = {}
        self._lists: deque[_Waiter] = deque()
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return sum(len(queue) for line in self._lines.values() for queue in line.waiting.values())

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits, or did a moment ago."""
        return self._ticking is not None

    async def enter(self, cell: str, weight: Weight, *, waited_s: float = 0.0) -> bool:
        """Whether to begin, as soon as that is known: then `leave` is owed.

        `waited_s` is how long the command has waited elsewhere. Where that is most of what is put
        up with it is refused at once if there is no room: connections get there one after another,
        as they have their turns, and what waits in them is not read all at one moment.
        """
        begins = self.enter_at_once(cell, weight, waited_s=waited_s)
        if begins is not None:
            return begins
        return await self._wait(
            self._lines[cell].waiting[weight], self._settings.command_wait_s - waited_s, cell
        )

    def enter_at_once(self, cell: str, weight: Weight, *, waited_s: float = 0.0) -> bool | None:
        """The same if it is known now; None if one has to wait to know it."""
        line = self._lines.get(cell)
        if line is None:
            line = self._lines[cell] = _Line()
        if line.inside < self._at_once[weight]:
            line.inside += 1
            return True
        return False if waited_s >= _MOST * self._settings.command_wait_s else None

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
        for weight in _ORDER:
            if line.inside < self._at_once[weight] and (first := line.next(weight)) is not None:
                line.inside += 1
                first.told.set_result(True)
                return

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
