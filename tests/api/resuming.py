"""States with bookmarks, what a phone reads of them, and an edge that knows them all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import msgspec

from actors.clock import SystemClock
from api.sockets.hub import Hub
from api.sockets.outgoing import Outgoing
from storage.live import Bookmark, Publication
from storage.memory_live import MemoryLive

if TYPE_CHECKING:
    from actors.bus import Bus

KEPT = 5


def a_bookmark(offset: int, epoch: str = "a") -> Bookmark:
    return Bookmark(epoch=epoch, offset=offset)


def a_state(offset: int, epoch: str, version: int, *, channel: str = "order:1") -> Publication:
    return Publication(
        channel=channel,
        kind="state",
        version=version,
        body={},
        bookmark=a_bookmark(offset, epoch),
    )


def spelled(publication: Publication) -> bytes:
    return msgspec.json.encode(
        {"type": "update", "version": publication.version, "bookmark": publication.bookmark}
    )


def read(outgoing: Outgoing) -> list[dict[str, Any]]:
    """All that waits for a phone."""
    frames = [msgspec.json.decode(one) for one in outgoing._critical]
    outgoing._critical.clear()
    outgoing._size = 0
    return frames


@asynccontextmanager
async def a_hub_that_asks_nobody(live: MemoryLive) -> AsyncIterator[Hub]:
    class NobodyHome:
        async def snapshot(self, channel: str) -> Publication | None:
            raise AssertionError(f"{channel} need not be asked for")

    bus, notices = cast("Bus", NobodyHome()), list[Publication]()
    hub = Hub(bus, live, wall=SystemClock(), snapshots_at_once=1, on_notice=notices.append)
    running = asyncio.ensure_future(hub.run())
    try:
        yield hub
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
