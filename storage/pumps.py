"""Few journeys under way, while what comes next gathers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Pumps:
    """Tasks that carry away what waits, so many at once at most.

    A journey costs the same however much it carries, so a further one leaves with half as many as
    are under way, or more. `carry` goes on while that is so and anything may leave.
    """

    def __init__(self, carry: Callable[[], Awaitable[None]], *, at_once: int) -> None:
        self._carry = carry
        self._at_once = at_once
        self._travelling = 0
        self._running: set[asyncio.Task[Any] | None] = set()

    def start(self, waiting: int) -> None:
        """So many wait now: let another pump run if that is worth it."""
        if len(self._running) < self._at_once and self.is_worth_it(waiting):
            self._running.add(asyncio.get_running_loop().create_task(self._run()))

    def is_worth_it(self, waiting: int) -> bool:
        """Whether so many are worth a journey beside those under way."""
        return 2 * waiting >= self._travelling

    @contextmanager
    def under_way(self, count: int) -> Iterator[None]:
        """So many travel until the block ends."""
        self._travelling += count
        try:
            yield
        finally:
            self._travelling -= count

    async def end(self) -> None:
        """Wait until none runs."""
        while self._running:
            await asyncio.wait([one for one in self._running if one is not None])

    async def _run(self) -> None:
        try:
            await self._carry()
        finally:
            # It leaves by itself: it is done a moment later than it has looked for the last time.
            self._running.discard(asyncio.current_task())
