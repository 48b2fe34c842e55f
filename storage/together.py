"""What is asked while others are being answered is asked with the next question."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

V = TypeVar("V")
_Waiting = dict[str, list[asyncio.Future[V | None]]]


class Together(Generic[V]):
    """Asks for many keys with one question, and has one question under way.

    Who asks alone waits for nobody. A key for which several wait is asked for once, and nobody is
    told anything older than his asking: he joins nothing that has left. `ask` is given `most` keys
    at most; what it does not answer has nothing, and who asked for it gets None.
    """

    def __init__(
        self, ask: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]], *, most: int
    ) -> None:
        self._ask = ask
        self._most = most
        self._waiting: _Waiting[V] = {}
        self._asking: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The keys that have not left yet."""
        return len(self._waiting)

    def find(self, key: str) -> asyncio.Future[V | None]:
        """What `ask` tells of a key; raises what `ask` raises."""
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(found)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._run())
        return found

    def give_up(self, error: Exception) -> None:
        """Tell this to all who have not been asked for yet."""
        given_up, self._waiting = self._waiting, {}
        _fail(given_up.values(), error)

    async def _run(self) -> None:
        while self._waiting:
            asked = self._next()
            if not asked:
                continue
            try:
                told = await self._ask(list(asked))
            except Exception as error:  # noqa: BLE001 - each who waits must hear of it
                _fail(asked.values(), error)
                continue
            for key, each in asked.items():
                for one in each:
                    if not one.done():
                        one.set_result(told.get(key))

    def _next(self) -> _Waiting[V]:
        """What leaves now: not what everybody has gone away from."""
        keys = list(islice(self._waiting, self._most))
        leaving = {key: self._waiting.pop(key) for key in keys}
        return {key: each for key, each in leaving.items() if not all(one.done() for one in each)}


def _fail(asked: Iterable[list[asyncio.Future[V | None]]], error: Exception) -> None:
    for each in asked:
        for one in each:
            if not one.done():
                one.set_exception(error)
