"""One event to a thousand watchers, beside a bare broadcast of the same frame."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Final

from msgspec import json

from engine.kernel.ids import CellId
from simulations.realtime.bare import BARE_SOCKETS, running
from simulations.realtime.phone import Phone
from simulations.realtime.processes import cpu_s, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from storage.live import Batch, Bookmark, Publication

_RATIO: Final = 0.6
# Published together, so that nobody waits for the way of each through the stream.
_AT_ONCE: Final = 4
# Versions and offsets of one length, so that all frames are equally long.
_FIRST_VERSION: Final = 1_000_000
_PATIENCE_S: Final = 60.0
_CELL: Final = CellId("fan-out")


class Event:
    """States of an order, newer than any and all equally long, published as a cell does it."""

    def __init__(self, site: Site, order_id: str) -> None:
        self._site = site
        self._channel = f"order:{order_id}"
        self._incarnation = site.new_id()
        self._number = 0

    async def publish(self, times: int) -> None:
        """Tell the next states."""
        self._number += 1
        first = _FIRST_VERSION + self._number * times
        batch = Batch(
            cell=_CELL,
            incarnation=self._incarnation,
            sequence=self._number,
            at=self._site.clock.now(),
            publications=tuple(self._state(first + one) for one in range(times)),
        )
        await self._site.place.live.publish(batch)

    def _state(self, version: int) -> Publication:
        return Publication(
            channel=self._channel,
            kind="state",
            version=version,
            body={"order_id": self._channel, "status": "waiting", "version": version},
            bookmark=Bookmark(epoch=self._incarnation, offset=version),
        )


async def fan_out(site: Site, order_id: str) -> list[Row]:
    """Frames that arrive in a second, and in a second of the server's processor time."""
    # Of what has ended nobody else tells anything.
    event = Event(site, order_id)
    watchers = [
        await site.listener("operator", f"order:{order_id}", lambda _: None)
        for _ in site.progress.track(range(site.sizes.watchers), description="watchers")
    ]
    frame = await _one_frame(watchers[0], event, site)
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    with running(BARE_SOCKETS) as server:
        others = [Phone(server.socket_url, lambda _: None) for _ in watchers]
        for phone in others:
            await phone.open(server.host, server.port)
        speaker = others[0]
        words = f"{_AT_ONCE} ".encode() + frame

        async def shout() -> None:
            speaker.say(words)

        async def publish() -> None:
            await event.publish(_AT_ONCE)

        for _ in site.progress.track(range(site.sizes.runs), description="fan-out"):
            bare.append(await _pace(site, others, shout, lambda: cpu_s(server.pid)))
            ours.append(await _pace(site, watchers, publish, _edge_cpu))
        for phone in (*others, *watchers):
            phone.drop()
    what = f"an event to {len(watchers)} watchers"
    return [
        Row(
            what=f"{what}: frames",
            unit="per CPU-s of the edge",
            ours=tuple(per_cpu for _, per_cpu in ours),
            bare=tuple(per_cpu for _, per_cpu in bare),
            ratio_at_least=_RATIO,
        ),
        Row(
            what=f"{what}: by the clock",
            unit="per s",
            ours=tuple(per_s for per_s, _ in ours),
            bare=tuple(per_s for per_s, _ in bare),
        ),
    ]


def _edge_cpu() -> float:
    return usage().cpu_s["edge"]


async def _one_frame(phone: Phone, event: Event, site: Site) -> bytes:
    """What one event looks like at a phone."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def hear(message: bytes) -> None:
        if json.decode(message).get("type") == "update" and not heard.done():
            heard.set_result(message)

    phone.heard = hear
    await event.publish(1)
    async with asyncio.timeout(_PATIENCE_S):
        found = await heard
    await site.clock.sleep(1000)
    return found


async def _pace(
    site: Site,
    phones: Sequence[Phone],
    send: Callable[[], Awaitable[None]],
    cpu: Callable[[], float],
) -> tuple[float, float]:
    """Frames in a second, and in a second of the processor; the next events when all have these."""
    for phone in phones:
        phone.count()
    await send()
    size = await _arrived(site, phones, 0)
    began, before, rounds = perf_counter(), cpu(), 0
    while perf_counter() - began < site.sizes.run_s:
        rounds += 1
        await send()
        await _arrived(site, phones, size * (rounds + 1))
    frames = rounds * _AT_ONCE * len(phones)
    return frames / (perf_counter() - began), frames / max(cpu() - before, 0.01)


async def _arrived(site: Site, phones: Sequence[Phone], size: int) -> int:
    """Wait until every phone has so many bytes; with 0 until nothing more comes, and how many."""
    gives_up_at = perf_counter() + _PATIENCE_S
    if size == 0:
        await site.clock.sleep(2000)
        return max(one.bytes_received for one in phones)
    late = list(phones)
    while late := [one for one in late if one.bytes_received < size]:
        assert perf_counter() < gives_up_at, f"{len(late)} watchers heard nothing for a minute"
        await site.clock.sleep(1)
    return size
