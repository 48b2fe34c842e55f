"""A cell begins anew under everybody's sockets: all of them are told anew how they stand."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

from engine.kernel.ids import CellId
from simulations.processes import called, descendants
from simulations.realtime.courier import CourierPhone
from simulations.realtime.phone import Heard
from simulations.realtime.processes import RAY, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from simulations.realtime.storm import DELAY_MS_MAX, take_breaks
from storage.live import Batch

_SNAPSHOT: Final = b'{"type":"snapshot",'
_ASKING: Final = 20
_CALM_S: Final = 4.0
_LOOK_MS: Final = 20
_PATIENCE_S: Final = 180.0
_CELL: Final = CellId("begins-anew")
_CELL_PROCESS: Final = "ray::CellHost"
_PARTS: Final = ("edge", "cell", RAY)


class _Flood(NamedTuple):
    """One run: seconds until the first and the last was told, and what it took beside the calm.

    `cpu_us` are microseconds of the processor for each who was told, by part.
    """

    first_s: float
    last_s: float
    missing: int
    cpu_us: Mapping[str, float]
    delays: Sequence[float]


async def restart(site: Site) -> list[Row]:
    """How soon all know again how they stand, what that costs, and how late others' work is."""
    working = site.free(min(_ASKING, len(site.couriers) // 2))
    told = [one for one in site.couriers if one not in working]
    calm = await _calm(site)
    await _begin_anew(site)
    floods = [
        await _flood(site, told, working, calm, partial(_begin_anew, site))
        for _ in site.progress.track(range(site.sizes.runs), description="a cell begins anew")
    ]
    rows = _rows(f"{len(told)} told anew", floods)
    # Cells that live in the edge's own process do not die alone.
    if cells := list(called(_CELL_PROCESS, descendants(os.getpid()))):
        killed = await _flood(site, told, (), calm, partial(_kill, cells))
        rows += _rows_of_kill(f"{len(told)} told anew after their cell was killed", killed)
    return rows


def _rows(title: str, floods: Sequence[_Flood]) -> list[Row]:
    return [
        Row(
            what=f"{title}: not told",
            unit="sockets",
            ours=tuple(float(one.missing) for one in floods),
            at_most=0.0,
        ),
        Row(
            what=f"{title}: the last, after a cell's word that it began anew",
            unit="ms",
            ours=tuple(1000 * one.last_s for one in floods),
        ),
        *(
            Row(
                what=f"{title}: processor for each, {part}",
                unit="µs",
                ours=tuple(one.cpu_us[part] for one in floods),
            )
            for part in _PARTS
        ),
        Row(
            what=f"{title}: commands of others meanwhile, p50",
            unit="ms",
            ours=tuple(median(one.delays) for one in floods),
        ),
        Row(
            what=f"{title}: the slowest command of others meanwhile",
            unit="ms",
            ours=tuple(max(one.delays) for one in floods),
            at_most=DELAY_MS_MAX,
        ),
    ]


def _rows_of_kill(title: str, killed: _Flood) -> list[Row]:
    return [
        Row(
            what=f"{title}: not told",
            unit="sockets",
            ours=(float(killed.missing),),
            at_most=0.0,
        ),
        Row(
            what=f"{title}: the first",
            unit="ms after the kill",
            ours=(1000 * killed.first_s,),
        ),
        Row(
            what=f"{title}: the last",
            unit="ms after the first",
            ours=(1000 * (killed.last_s - killed.first_s),),
        ),
    ]


async def _calm(site: Site) -> Mapping[str, float]:
    """Cores that each part uses while nothing is asked."""
    before, began = usage(), perf_counter()
    await site.wait(_CALM_S, "before the restart")
    seconds = perf_counter() - began
    used = usage().since(before)
    return {part: used.get(part, 0.0) / seconds for part in _PARTS}


async def _begin_anew(site: Site) -> None:
    """The first word of a cell that was another before: whoever reads has missed something."""
    await site.place.live.publish(
        Batch(
            cell=_CELL,
            incarnation=site.new_id(),
            sequence=1,
            at=site.clock.now(),
            publications=(),
        )
    )


async def _kill(cells: Sequence[int]) -> None:
    """End the cells' processes as a fault of the machine would."""
    for pid in cells:
        os.kill(pid, signal.SIGKILL)


async def _flood(
    site: Site,
    told: Sequence[CourierPhone],
    working: Sequence[CourierPhone],
    calm: Mapping[str, float],
    begin: Callable[[], Awaitable[None]],
) -> _Flood:
    delays: list[float] = []
    with _hearing(told) as heard_at:
        before, began = usage(), perf_counter()
        await begin()
        others = asyncio.create_task(take_breaks(site, working, delays))
        while perf_counter() < began + _PATIENCE_S:
            await site.clock.sleep(_LOOK_MS)
            if len(heard_at) == len(told) and (delays or not working):
                break
        seconds = perf_counter() - began
        used = usage().since(before)
        others.cancel()
        with suppress(asyncio.CancelledError):
            await others
    found = [at - began for at in heard_at.values()] or [float("nan")]
    extra = {part: used.get(part, 0.0) - calm[part] * seconds for part in _PARTS}
    return _Flood(
        first_s=min(found),
        last_s=max(found),
        missing=len(told) - len(heard_at),
        cpu_us={part: 1e6 * spent / len(told) for part, spent in extra.items()},
        delays=delays,
    )


@contextmanager
def _hearing(couriers: Sequence[CourierPhone]) -> Iterator[dict[str, float]]:
    """When each was first told by a snapshot how he stands."""
    heard_at: dict[str, float] = {}
    phones = [(one.id, one.phone) for one in couriers if one.phone is not None]
    before = [phone.heard for _, phone in phones]
    for (courier_id, phone), heard in zip(phones, before, strict=True):
        phone.heard = partial(_hear, heard_at, courier_id, heard)
    try:
        yield heard_at
    finally:
        for (_, phone), heard in zip(phones, before, strict=True):
            phone.heard = heard


def _hear(heard_at: dict[str, float], courier_id: str, heard: Heard, message: bytes) -> None:
    if message.startswith(_SNAPSHOT):
        heard_at.setdefault(courier_id, perf_counter())
    heard(message)
