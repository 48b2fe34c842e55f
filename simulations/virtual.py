"""Virtual time: an event loop whose clock jumps to the next timer when nothing is left to do.

Nothing here waits: a day passes as fast as it can be computed, and the same program does the same
things in the same order every time.
"""

import asyncio
import contextvars
import heapq
import itertools
import selectors
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

from engine.kernel.timing import Instant

T = TypeVar("T")

# Timers closer together than this are one moment: far below the millisecond in which the clock
# counts, far above what adding floats loses in a year.
_RESOLUTION_S: Final = 1e-6
# What a moment of a day with many thousand couriers needs, many times over.
_ROUNDS_MAX: Final = 200_000


class Deadlock(Exception):
    """Everybody waits for somebody: nothing is ready and no timer is set."""


class Livelock(Exception):
    """Something is always ready and no time passes: somebody goes round and round."""


class _NeverWaiting(selectors.DefaultSelector):
    """Tells the loop how long it would have waited; it looks at no file, for none is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.on_idle: Callable[[float | None], None] = lambda _: None
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._rounds += 1
        if timeout is None or timeout > 0:
            self._rounds = 0
            self.on_idle(timeout)
        elif self._rounds > _ROUNDS_MAX:
            self._rounds = 0
            raise Livelock(f"{_ROUNDS_MAX} rounds of the loop in one moment")
        return []


class _Timer(asyncio.TimerHandle):
    """Of timers for one moment the one that was set first rings first.

    A heap alone would let every timer that is still far away change their order, and so let the
    future of a day be felt in its present.
    """

    __slots__ = ("_turn",)

    _scheduled: bool

    def __init__(
        self,
        number: int,
        when: float,
        work: tuple[Callable[..., object], tuple[object, ...]],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        super().__init__(when, *work, loop, context)
        self._turn = (when, number)
        # The base loop counts those of its timers that were cancelled.
        self._scheduled = True

    def __lt__(self, other: object) -> bool:
        assert type(other) is _Timer
        return self._turn < other._turn


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time, from 0 s on; work for threads is done at once, in turn."""

    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        selector = _NeverWaiting()
        self._virtual_s = 0.0
        self._numbers = itertools.count()
        # Hears of every jump, between two things that happen: not a part of what happens.
        self.passed: Callable[[float], None] = lambda _: None
        super().__init__(selector)
        self._clock_resolution = _RESOLUTION_S
        selector.on_idle = self._jump

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at a time of the loop, after those who asked for the same time before."""
        timer = _Timer(next(self._numbers), when, (callback, args), self, context)
        heapq.heappush(self._scheduled, timer)
        return timer

    def _jump(self, seconds: float | None) -> None:
        if seconds is None:
            waiting = sorted(task.get_name() for task in asyncio.all_tasks(self))
            raise Deadlock(
                f"nothing is ready and no timer is set; {len(waiting)} tasks wait: "
                + ", ".join(waiting[:20])
            )
        self._virtual_s += seconds
        self.passed(self._virtual_s)

    def run_in_executor(
        self, executor: object, func: Callable[..., T], *args: object
    ) -> asyncio.Future[T]:
        """Call it here and now: another thread would bring another order of things in every run."""
        del executor
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to who awaits it
            done.set_exception(error)
        return done


class VirtualClock:
    """The loop's time as instants: `starts_at` is its second 0."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, starts_at: Instant) -> None:
        self._loop, self._starts_at = loop, starts_at

    @property
    def speed(self) -> float:
        """A second of the loop is a second."""
        return 1.0

    def now(self) -> Instant:
        """Milliseconds since the Unix epoch."""
        return self._starts_at + round(self._loop.time() * 1000)

    async def sleep(self, ms: float) -> None:
        """Return when so many milliseconds have passed."""
        woken = self._loop.create_future()
        timer = self._loop.call_later(max(0.0, ms) / 1000, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def run_virtually(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a program to its end in virtual time; what it leaves behind is cancelled.

    Raises Deadlock, Livelock, or the error of a task that nobody awaited.
    """
    loop = VirtualLoop()
    unhandled: list[Mapping[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    try:
        result = loop.run_until_complete(main(loop))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(_ended(left))
        loop.close()
    for context in unhandled:
        raise context.get("exception") or RuntimeError(context["message"])
    return result
