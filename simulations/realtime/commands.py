"""A courier's word until it is stored and another phone shows it; and how many fit in a second."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import Final

from simulations.realtime.bare_commits import BareCommits
from simulations.realtime.courier import PATIENCE_S, CourierPhone, Refused
from simulations.realtime.orders import STEPS, Customers, Errand, Errands
from simulations.realtime.processes import PARTS, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from simulations.realtime.steady import streaming
from simulations.realtime.steady_rate import SteadyRate

P50_MS_MAX: Final = 15.0
P99_MS_MAX: Final = 60.0
_RATIO: Final = 0.5
_TAIL_MS: Final = 2_000


async def watched(site: Site, customers: Customers) -> list[Row]:
    """Reports at a steady rate while positions come, each until its customer's phone shows it."""
    sizes = site.sizes
    count = int(sizes.commands_per_s * sizes.run_s)
    errands, bare = Errands(site), await BareCommits.begin(site, 1)
    ours: list[list[float]] = []
    unseen: list[float] = []
    theirs: list[list[float]] = []
    async with streaming(site, site.couriers):
        for number in range(sizes.runs):
            await customers.place_many(-(-count // len(STEPS)))
            await errands.gather(count)
            bar = site.progress.add_task(f"reports, run {number + 1}", total=None)
            shown, never = await _reports(site, customers, errands, count)
            ours.append(shown)
            unseen.append(1000 * never / max(1, never + len(shown)))
            theirs.append(await bare.shown(count, per_s=sizes.commands_per_s))
            site.progress.remove_task(bar)
    await bare.end()
    title = f"{sizes.commands_per_s} reports/s under that load"
    return [
        Row(
            what=f"{title}: sent to shown on another phone, p50",
            unit="ms",
            ours=tuple(percentile(run, 50) for run in ours),
            bare=tuple(percentile(run, 50) for run in theirs),
            at_most=P50_MS_MAX,
        ),
        Row(
            what=f"{title}: p99",
            unit="ms",
            ours=tuple(percentile(run, 99) for run in ours),
            bare=tuple(percentile(run, 99) for run in theirs),
            at_most=P99_MS_MAX,
        ),
        Row(
            what=f"{title}: never shown, of 1,000",
            unit="",
            ours=tuple(unseen),
            at_most=0.0,
        ),
    ]


async def _reports(
    site: Site, customers: Customers, errands: Errands, count: int
) -> tuple[list[float], int]:
    """Milliseconds of each report that was shown, and how many were not.

    Where answers are slow fewer can be made: an order has one report at a time.
    """
    sent_at: dict[str, float] = {}
    found: list[float] = []

    def shown(order_id: str) -> None:
        at = sent_at.pop(order_id, None)
        if at is not None:
            found.append(1000 * (perf_counter() - at))

    customers.shown = shown
    rate, sent = SteadyRate(site.clock, site.sizes.commands_per_s), 0
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            await rate.turn_of(number)
            errand = errands.take()
            if errand is None:
                break
            sent_at[errand.order_id] = perf_counter()
            sent += 1
            fields = {"pin": customers.pins[errand.order_id]} if errand.is_last else {}
            tasks.create_task(_report(site, errand, **fields))
    await site.clock.sleep(_TAIL_MS)
    return found, sent - len(found)


async def _report(site: Site, errand: Errand, **fields: str) -> None:
    await errand.courier.ask(
        "progress",
        order_id=errand.order_id,
        step=errand.step,
        device_at=site.clock.now(),
        **fields,
    )


async def saturated(site: Site) -> list[Row]:
    """Breaks taken and ended by as many couriers as may wait, beside bare group commit."""
    sizes = site.sizes
    couriers = site.free(sizes.in_flight)
    ours: list[Saturation] = []
    theirs: list[Saturation] = []
    bare = await BareCommits.begin(site, len(couriers))
    await site.settled()
    for _ in site.progress.track(range(sizes.runs), description="commits, saturated"):
        theirs.append(await _measured(bare.per_s(sizes.run_s)))
        ours.append(await _measured(_commits_per_s(site, couriers)))
    await bare.end()
    return saturation_rows(ours, theirs, f"commands stored and answered, {len(couriers)} waiting")


@dataclass(frozen=True, slots=True)
class Saturation:
    """Commands in a second, and microseconds of the processor for each, by part of the system."""

    per_s: float
    cpu_us: Mapping[str, float]


async def _measured(commands: Awaitable[float]) -> Saturation:
    before, began = usage(), perf_counter()
    per_s = await commands
    used, count = usage().since(before), per_s * (perf_counter() - began)
    return Saturation(per_s, {part: 1e6 * used.get(part, 0.0) / count for part in PARTS})


def saturation_rows(
    ours: Sequence[Saturation], bare: Sequence[Saturation], title: str
) -> list[Row]:
    """What is carried out in a second, and which process spends how much on each."""
    return [
        Row(
            what=title,
            unit="per s",
            ours=tuple(one.per_s for one in ours),
            bare=tuple(one.per_s for one in bare),
            ratio_at_least=_RATIO,
        ),
        *(
            Row(
                what=f"processor a command: {part}",
                unit="µs",
                ours=tuple(one.cpu_us[part] for one in ours),
                bare=tuple(one.cpu_us[part] for one in bare),
            )
            for part in PARTS
        ),
        Row(
            what="processor a command: all of them",
            unit="µs",
            ours=tuple(sum(one.cpu_us.values()) for one in ours),
            bare=tuple(sum(one.cpu_us.values()) for one in bare),
        ),
    ]


async def _commits_per_s(site: Site, couriers: Sequence[CourierPhone]) -> float:
    answered = 0
    began = perf_counter()
    ends_at = began + site.sizes.run_s

    async def go_on(courier: CourierPhone) -> None:
        nonlocal answered
        while perf_counter() < ends_at:
            for duty in ("break", "resume"):
                try:
                    await courier.ask_untimed("duty", duty=duty)
                    answered += 1
                except Refused:
                    # He was just offered an order.
                    await site.clock.sleep(100)

    async with asyncio.timeout(site.sizes.run_s + PATIENCE_S):
        await asyncio.gather(*(go_on(one) for one in couriers))
    return answered / (perf_counter() - began)


def percentile(values: Sequence[float], percent: int) -> float:
    """That of some measured values; not a number of fewer than two."""
    if len(values) < 2:
        return float("nan")
    return quantiles(values, n=100, method="inclusive")[percent - 1]
