"""The live stream within one process: the twin of the one on Redis, also in virtual time."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence

import msgspec

from engine.kernel.ids import CellId, CourierId
from storage.live import Batch, Fix, LiveUnavailable


class MemoryLive:
    """Satisfies `LiveStream`; positions count the batches since the stream began or was lost."""

    # Nothing is called, so that nothing is spared by waiting.
    gap_ms: float = 0

    def __init__(self, *, kept_max: int = 10_000) -> None:
        self._batches: deque[Batch] = deque(maxlen=kept_max)
        self._count = 0
        self._epoch = 0
        self._fixes: dict[CellId, dict[CourierId, Fix]] = {}
        self._readers: list[asyncio.Future[None]] = []

    async def close(self) -> None:
        """Nothing to give back."""

    def lose(self) -> None:
        """Forget everything, as a server that comes back without its data."""
        self._epoch += 1
        self._count = 0
        self._batches.clear()
        self._fixes.clear()
        self._wake()

    async def publish(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._count += 1
        self._wake()

    async def tail(self) -> str:
        return f"{self._epoch}:{self._count}"

    async def head(self) -> str:
        return f"{self._epoch}:{self._count - len(self._batches)}"

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        seen = self._seen(after)
        if seen == self._count and wait_ms > 0:
            await self._news(wait_ms)
            seen = self._seen(after)
        first = self._count - len(self._batches)
        found = [self._batches[index - first] for index in range(seen, self._count)]
        return f"{self._epoch}:{self._count}", found

    async def save_fixes(self, cell: CellId, fixes: Mapping[CourierId, Fix]) -> None:
        self._fixes.setdefault(cell, {}).update(fixes)

    async def load_fixes(self, cell: CellId) -> dict[CourierId, Fix]:
        return dict(self._fixes.get(cell, {}))

    async def forget(self, ids: Collection[str]) -> None:
        for fixes in self._fixes.values():
            for name in {one for one in fixes if one in ids}:
                del fixes[name]
        if any(_names(one, ids) for one in self._batches):
            self._epoch += 1
            self._count = 0
            self._batches.clear()
            self._wake()

    def _seen(self, after: str) -> int:
        """How many batches a reader has seen, if all that he has not are still there."""
        epoch, _, count = after.partition(":")
        if epoch != str(self._epoch) or not count.isdecimal():
            raise LiveUnavailable("the stream was lost since then")
        seen = int(count)
        if not self._count - len(self._batches) <= seen <= self._count:
            raise LiveUnavailable("the stream does not reach back so far")
        return seen

    async def _news(self, wait_ms: int) -> None:
        reader = asyncio.get_running_loop().create_future()
        self._readers.append(reader)
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await reader
        except TimeoutError:
            pass
        finally:
            if reader in self._readers:
                self._readers.remove(reader)

    def _wake(self) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)


def _names(batch: Batch, ids: Collection[str]) -> bool:
    text = msgspec.json.encode(batch).decode()
    return any(one in text for one in ids)
