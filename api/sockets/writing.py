"""How what is said to a socket leaves: at once, with what follows it, or when the phone reads."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from api.admission import Admission
from api.sockets.outgoing import Outgoing
from api.sockets.wire import Wire

GATHERED_S: Final = 0.01


class Departures:
    """One for each process: while commands wait, what is said meanwhile leaves every `GATHERED_S`.

    A command's answer, what it changes for its courier and what was turned away beside it are then
    one write, for the edge and for the phone. When nothing waits, nobody waits for others.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._waiting: list[Callable[[], None]] = []

    @property
    def gather(self) -> bool:
        """Whether to wait for more."""
        return self._admission.is_busy

    def add(self, leave: Callable[[], None]) -> None:
        """Call this with the next ones that leave."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(GATHERED_S, self._leave)
        self._waiting.append(leave)

    def _leave(self) -> None:
        waiting, self._waiting = self._waiting, []
        for leave in waiting:
            leave()


class Writing:
    """Of one socket; it has a task only while its phone does not read."""

    __slots__ = ("_departures", "_has_begun", "_is_over", "_spawn", "_wire")

    def __init__(
        self,
        wire: Wire,
        departures: Departures,
        *,
        is_over: Callable[[], bool],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._wire = wire
        self._departures = departures
        self._is_over = is_over
        self._spawn = spawn
        self._has_begun = False

    def say_at_once(self, frame: bytes) -> bool:
        """Whether it was said now: not while frames gather, nor to who does not read."""
        return not (self._is_over() or self._departures.gather) and self._wire.say_at_once(frame)

    def begin(self, outgoing: Outgoing) -> None:
        """Something waits."""
        if self._has_begun or self._is_over():
            return
        self._has_begun = True
        if self._departures.gather:
            self._departures.add(lambda: self._leave(outgoing))
        else:
            self._spawn(self._write(outgoing))

    def finish(self, outgoing: Outgoing) -> None:
        """What has gathered leaves before the goodbye."""
        if self._wire.is_free and not outgoing.is_empty:
            self._wire.say_at_once(*outgoing.take())

    def _leave(self, outgoing: Outgoing) -> None:
        if self._is_over():
            return
        if self._wire.is_free:
            self._has_begun = False
            self._wire.say_at_once(*outgoing.take())
        else:
            self._spawn(self._write(outgoing))

    async def _write(self, outgoing: Outgoing) -> None:
        while not outgoing.is_empty:
            await self._wire.say(outgoing.take())
        self._has_begun = False
