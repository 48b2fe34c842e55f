"""Three times as much as fits, of everything: what is still done, what suffers, how it recovers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Final

from simulations.realtime.courier import PATIENCE_S, CourierPhone
from simulations.realtime.crowd import IN_TIME_S, Crowd, Told
from simulations.realtime.processes import IDLE, INTERRUPTS, PRINTING, RAY, SERVICE, usage
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from simulations.realtime.steady import streaming
from simulations.rest import Account

TIMES: Final = 3
GOODPUT: Final = 0.8
RECOVERS_S_MAX: Final = 10.0
_PROBE_MS: Final = 100
_WELL_IN_A_ROW: Final = 10
_GIVE_UP_S: Final = 60.0
_LISTING: Final = 10
_LIST_EVERY_MS: Final = 1000
_STATUS: Final = ("break", "resume")
_PARTS: Final = ("edge", "cell")
# All that the machine's cores do is one of these, or somebody else's.
_CORES: Final = ("edge", "cell", "database", "stream", RAY, PRINTING, "load", INTERRUPTS, IDLE)


@dataclass(frozen=True, slots=True)
class Pace:
    """Commands done in a second, and in a processor second of the service; cores by part."""

    per_s: float
    per_cpu_s: float
    cores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Overloaded:
    """One run: what was offered and done in a second, what probes saw, memory in MB, recovery.

    The peak has the same mix beside it, once instead of `TIMES`; `alone` has nothing beside it.
    Either is the better of one before the load and one after it: a machine is not always alike.
    """

    peak: Pace
    alone: Pace
    offered_per_s: float
    done: Pace
    crowd_ms: float
    word_ms: float
    words_kept: float
    listed: float
    before_mb: float
    most_mb: float
    recovered_s: float


async def overload(site: Site) -> list[Row]:
    """Commands, positions and lists at three times what fits, and the time after it."""
    runs = [
        await _run(site)
        for _ in site.progress.track(range(site.sizes.runs), description="overload")
    ]
    return [*_done_rows(runs), *_spared_rows(runs)]


def _done_rows(runs: Sequence[Overloaded]) -> list[Row]:
    offered = median(one.offered_per_s for one in runs)
    load = f"at {offered:,.0f} commands/s"
    return [
        Row(
            what=f"commands done in time {load}, beside the peak",
            unit="per s",
            ours=tuple(one.done.per_s for one in runs),
            bare=tuple(one.peak.per_s for one in runs),
            ratio_at_least=GOODPUT,
        ),
        Row(
            what=f"the same {load}, beside the peak of commands with nothing beside them",
            unit="per s",
            ours=tuple(one.done.per_s for one in runs),
            bare=tuple(one.alone.per_s for one in runs),
        ),
        Row(
            what=f"{load}: done in time in a processor second of the service, beside the peak's",
            unit="per CPU-s",
            ours=tuple(one.done.per_cpu_s for one in runs),
            bare=tuple(one.peak.per_cpu_s for one in runs),
        ),
        *(
            Row(
                what=f"{load}: {part}, beside the peak",
                unit="cores",
                ours=tuple(one.done.cores[part] for one in runs),
                bare=tuple(one.peak.cores[part] for one in runs),
            )
            for part in _CORES
        ),
        Row(
            what=f"{load}: a command of the crowd until it is answered, p50",
            unit="ms",
            ours=tuple(one.crowd_ms for one in runs),
        ),
    ]


def _spared_rows(runs: Sequence[Overloaded]) -> list[Row]:
    load = "under that load"
    return [
        Row(
            what=f"{load}: a courier's own word, until it is answered, p99",
            unit="ms",
            ours=tuple(one.word_ms for one in runs),
        ),
        Row(
            what=f"{load}: couriers' words that were refused or late",
            unit="%",
            ours=tuple(100 * (1 - one.words_kept) for one in runs),
            at_most=0.0,
        ),
        Row(
            what=f"{load}: lists that were refused",
            unit="%",
            ours=tuple(100 * (1 - one.listed) for one in runs),
        ),
        Row(
            what=f"{load}: memory of edge and cell, more than before",
            unit="MB",
            ours=tuple(one.most_mb - one.before_mb for one in runs),
            at_most=500.0,
        ),
        Row(
            what=f"{load}: from its end until all is answered as before",
            unit="s",
            ours=tuple(one.recovered_s for one in runs),
            at_most=RECOVERS_S_MAX,
        ),
    ]


async def _run(site: Site) -> Overloaded:
    probing = await _somebody_free(site.couriers)
    others = [one for one in site.couriers if one is not probing]
    alone, peak = await _peaks(site, others)
    calm = await _probed(site, probing, seconds=2.0)
    before_mb = _memory_mb()
    crowd, lists = Crowd(site.new_id(), others, site.zone_id, site.clock), Counter[bool]()
    seconds, ended = 2 * site.sizes.run_s, asyncio.Event()
    with crowd.hearing():
        async with _beside(site, others, lists, times=TIMES):
            watching = asyncio.create_task(_most_memory(ended))
            word = asyncio.create_task(_probed(site, probing, seconds=seconds))
            before = usage()
            took_s = await _offer(site, crowd, TIMES * peak.per_s, seconds)
            done, offered = _pace(crowd.told.done, took_s, usage().since(before)), crowd.asked
            probed = await word
            ended.set()
            most_mb = await watching
        recovered_s = await _recovery(probing, calm_s=median(calm.waited_s or [IN_TIME_S]))
        await crowd.rest(PATIENCE_S)
    alone_again, peak_again = await _peaks(site, others)
    return Overloaded(
        peak=max(peak, peak_again, key=lambda one: one.per_s),
        alone=max(alone, alone_again, key=lambda one: one.per_s),
        offered_per_s=offered / took_s,
        done=done,
        crowd_ms=1000 * median(crowd.told.waited_s or [float("nan")]),
        word_ms=1000 * _p99(probed.waited_s),
        words_kept=probed.done / max(1, probed.all),
        listed=lists[True] / max(1, lists.total()),
        before_mb=before_mb,
        most_mb=most_mb,
        recovered_s=recovered_s,
    )


async def _somebody_free(couriers: Sequence[CourierPhone]) -> CourierPhone:
    """Who carries nothing of what was ordered before: only he may say that he takes a break."""
    for courier in reversed(couriers):
        told = Told()
        for duty in _STATUS:
            await told.ask(courier, duty)
        if told.done == len(_STATUS):
            return courier
    raise RuntimeError("every courier carries something: measure with more of them (--couriers)")


async def _peaks(site: Site, couriers: Sequence[CourierPhone]) -> tuple[Pace, Pace]:
    """What is done when everybody asks again as soon as he is answered: alone, and in the mix."""
    asking = couriers[: site.sizes.in_flight]
    alone = await _peak(site, asking)
    async with _beside(site, couriers, Counter[bool](), times=1):
        return alone, await _peak(site, asking)


async def _peak(site: Site, couriers: Sequence[CourierPhone]) -> Pace:
    crowd, before = Crowd(site.new_id(), couriers, site.zone_id, site.clock), usage()
    with crowd.hearing():
        took_s = await crowd.go_on(site.sizes.run_s)
    return _pace(crowd.told.done, took_s, usage().since(before))


@asynccontextmanager
async def _beside(
    site: Site, couriers: Sequence[CourierPhone], lists: Counter[bool], *, times: int
) -> AsyncIterator[None]:
    """All of the mix that is no command: positions and lists, so many times as usual."""
    positions = streaming(site, [*couriers] * times)
    async with positions, _listing(site, lists, customers=_LISTING * times):
        yield


def _pace(done: int, took_s: float, used: Mapping[str, float]) -> Pace:
    service_s = sum(used.get(part, 0.0) for part in SERVICE)
    cores = {part: used.get(part, 0.0) / took_s for part in _CORES}
    return Pace(done / took_s, done / max(service_s, 0.01), cores)


async def _offer(site: Site, crowd: Crowd, per_s: float, seconds: float) -> float:
    """Ask so often whatever is answered, if this process can; how long it took."""
    began = perf_counter()
    while (passed := perf_counter() - began) < seconds:
        crowd.say_next(int(passed * per_s) - crowd.asked)
        await site.clock.sleep(5)
    return passed


async def _probed(site: Site, courier: CourierPhone, *, seconds: float) -> Told:
    """What somebody sees who says now and then how it stands with him."""
    told, ends_at, duties = Told(), perf_counter() + seconds, cycle(_STATUS)
    while perf_counter() < ends_at:
        await told.ask(courier, next(duties))
        await site.clock.sleep(_PROBE_MS)
    return told


async def _recovery(courier: CourierPhone, *, calm_s: float) -> float:
    """Seconds until many answers in a row take no more than twice as long as before."""
    began = perf_counter()
    well, since_s, duties = 0, 0.0, cycle(_STATUS)
    while well < _WELL_IN_A_ROW and since_s < _GIVE_UP_S:
        told = Told()
        await told.ask(courier, next(duties))
        is_well = told.done == 1 and told.waited_s[-1] <= max(2 * calm_s, _PROBE_MS / 1000)
        if not is_well:
            since_s = perf_counter() - began
        well = well + 1 if is_well else 0
    return since_s


@asynccontextmanager
async def _listing(site: Site, lists: Counter[bool], *, customers: int) -> AsyncIterator[None]:
    """Customers who ask for their lists every second; `lists` counts who got his."""

    async def ask(customer: Account, number: int) -> None:
        headers = {"Authorization": f"Bearer {customer.token}"}
        await site.clock.sleep(_LIST_EVERY_MS * number / customers)
        while True:
            began = perf_counter()
            answer = await site.edge.client.get("/v1/orders", headers=headers)
            lists[answer.status_code == 200] += 1
            took_ms = 1000 * (perf_counter() - began)
            await site.clock.sleep(max(0.0, _LIST_EVERY_MS - took_ms))

    asking = [
        asyncio.create_task(ask(site.account("customer"), number)) for number in range(customers)
    ]
    try:
        yield
    finally:
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _most_memory(ended: asyncio.Event) -> float:
    """The most that edge and cell have until the end, in MB."""
    most = _memory_mb()
    while not ended.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await ended.wait()
        most = max(most, _memory_mb())
    return most


def _memory_mb() -> float:
    memory = usage().memory
    return sum(memory.get(part, 0) for part in _PARTS) / 1e6


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))] if values else float("nan")
