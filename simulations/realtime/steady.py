"""Positions as a fleet sends them, while orders are dispatched: how late, and at what cost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from time import perf_counter
from typing import Final

from simulations.realtime.courier import CourierPhone
from simulations.realtime.processes import SERVICE, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from simulations.views import AgesShown

_STEP_MS: Final = 5.0
_OUR_PARTS: Final = ("edge", "cell")
P50_MS_MAX: Final = 10.0
P99_MS_MAX: Final = 25.0
CORES_MAX: Final = 1.0
GROWTH_MAX: Final = 1.2


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was seen while positions came steadily: latencies in ms, and cores by part."""

    couriers: int
    positions_per_s: float
    p50_ms: float
    p99_ms: float
    cores: dict[str, float]

    @property
    def our_cores(self) -> float:
        """Of the edge and the cell."""
        return sum(self.cores.get(part, 0.0) for part in _OUR_PARTS)

    @property
    def cpu_us_per_courier(self) -> float:
        """Microseconds of edge and cell a second and courier."""
        return 1e6 * self.our_cores / self.couriers


@asynccontextmanager
async def streaming(site: Site, couriers: Sequence[CourierPhone]) -> AsyncIterator[None]:
    """Everybody says where he is every few seconds, evenly spread, until the block ends."""
    sending = asyncio.create_task(_send(site, couriers))
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


async def _send(site: Site, couriers: Sequence[CourierPhone]) -> None:
    began, sent = perf_counter(), 0
    while True:
        due = int((perf_counter() - began) * len(couriers) / site.sizes.every_s)
        now = site.clock.now()
        for number in range(sent, due):
            couriers[number % len(couriers)].report(now)
        sent = due
        await site.clock.sleep(_STEP_MS)


async def stretches(site: Site, couriers: Sequence[CourierPhone]) -> list[Stretch]:
    """Measure while these couriers send, each run from one tick of the zone to a later one."""
    async with streaming(site, couriers):
        await site.wait(site.sizes.every_s, "warming up")
        title = f"{len(couriers)} couriers every {site.sizes.every_s:g} s"
        return [
            await _stretch(site, len(couriers))
            for _ in site.progress.track(range(site.sizes.runs), description=title)
        ]


async def _stretch(site: Site, couriers: int) -> Stretch:
    first = await site.next_tick()
    began, before = perf_counter(), usage()
    await site.clock.sleep(1000 * site.sizes.run_s)
    last = await site.next_tick()
    took, used = perf_counter() - began, usage().since(before)
    ages = _between(first.positions_age_ms, last.positions_age_ms)
    return Stretch(
        couriers=couriers,
        positions_per_s=(last.positions_received - first.positions_received) / took,
        p50_ms=quantile(ages, 0.5),
        p99_ms=quantile(ages, 0.99),
        cores={part: used.get(part, 0.0) / took for part in SERVICE},
    )


def _between(first: AgesShown, last: AgesShown) -> AgesShown:
    before = first.counts or (0,) * len(last.counts)
    counts = tuple(new - old for new, old in zip(last.counts, before, strict=True))
    return AgesShown(at_most=last.at_most, counts=counts)


def quantile(ages: AgesShown, share: float) -> float:
    """The age that a share of them does not exceed; within a bucket they lie evenly.

    NaN of nothing; what is beyond the last bound counts as twice that.
    """
    total = sum(ages.counts)
    if total == 0:
        return float("nan")
    bounds = (0, *ages.at_most, 2 * ages.at_most[-1])
    wanted = share * total
    for at, reached in enumerate(accumulate(ages.counts)):
        if reached >= wanted and ages.counts[at]:
            inside = (wanted - (reached - ages.counts[at])) / ages.counts[at]
            return bounds[at] + inside * (bounds[at + 1] - bounds[at])
    return float(bounds[-1])


def steady_rows(few: Sequence[Stretch], all_: Sequence[Stretch]) -> list[Row]:
    """The rows of the table: latency and cost with everybody, and how the cost grows."""
    rate = f"{all_[0].positions_per_s:,.0f} positions/s, with dispatch"
    rows = [
        Row(
            what=f"{rate}: sent to readable in the cell, p50",
            unit="ms",
            ours=tuple(one.p50_ms for one in all_),
            at_most=P50_MS_MAX,
        ),
        Row(
            what=f"{rate}: p99",
            unit="ms",
            ours=tuple(one.p99_ms for one in all_),
            at_most=P99_MS_MAX,
        ),
        Row(
            what=f"{rate}: processor of edge and cell",
            unit="cores",
            ours=tuple(one.our_cores for one in all_),
            at_most=CORES_MAX,
        ),
    ]
    rows += [
        Row(
            what=f"{rate}: {part}",
            unit="cores",
            ours=tuple(one.cores[part] for one in all_),
        )
        for part in SERVICE
    ]
    growth = f"processor a courier, {few[0].couriers} live"
    less = sorted(one.cpu_us_per_courier for one in few)[len(few) // 2]
    return [
        *rows,
        Row(what=growth, unit="µs/s", ours=tuple(one.cpu_us_per_courier for one in few)),
        Row(
            what=f"{growth}, to {all_[0].couriers} live",
            unit="ratio",
            ours=tuple(one.cpu_us_per_courier / less for one in all_),
            at_most=GROWTH_MAX,
        ),
    ]
