"""Everybody's connection is gone at once, and everybody comes back within half a minute."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Final

from simulations.realtime.courier import CourierPhone, Refused
from simulations.realtime.phone import PhoneClosed
from simulations.realtime.rows import Row
from simulations.realtime.site import Site
from simulations.realtime.steady_rate import SteadyRate
from storage.statistics import transactions

DELAY_MS_MAX: Final = 1_000.0
_QUERIES_MAX: Final = 0.1
_ASKING: Final = 20
_PAUSE_MS: Final = 250


async def storm(site: Site) -> list[Row]:
    """How many are back, what it cost the database, and how late work is shown meanwhile."""
    asking = site.free(_ASKING)
    dropped = [one for one in site.couriers if one not in asking]
    calm = await _transactions_in(site, site.sizes.storm_s)
    before = await transactions(site.place.database)
    for courier in dropped:
        assert courier.phone is not None
        courier.phone.drop()
    delays: list[float] = []
    working = asyncio.create_task(take_breaks(site, asking, delays))
    back_ms = await _come_back(site, dropped)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    await site.wait(site.sizes.counted_s, "the database counts")
    asked = await transactions(site.place.database) - before
    # What the work of the others costs is not the storm's: each command is a handful at most.
    queries = max(0.0, asked - calm - 4 * len(delays)) / len(dropped)
    title = f"{len(dropped)} sockets back within {site.sizes.storm_s:g} s"
    return [
        Row(
            what=f"{title}: not recovered",
            unit="sockets",
            ours=(float(len(dropped) - len(back_ms)),),
            at_most=0.0,
        ),
        Row(
            what=f"{title}: the slowest",
            unit="ms",
            ours=(max(back_ms, default=float("nan")),),
        ),
        Row(
            what=f"{title}: transactions for each",
            unit="",
            ours=(queries,),
            at_most=_QUERIES_MAX,
        ),
        Row(
            what=f"{title}: the slowest command of others",
            unit="ms",
            ours=(max(delays, default=float("nan")),),
            at_most=DELAY_MS_MAX,
        ),
    ]


async def _transactions_in(site: Site, seconds: float) -> int:
    before = await transactions(site.place.database)
    await site.wait(seconds + site.sizes.counted_s, "before the storm")
    return await transactions(site.place.database) - before


async def _come_back(site: Site, couriers: Sequence[CourierPhone]) -> list[float]:
    """Milliseconds until each was shown his work, of those who were."""
    found: list[float] = []
    bar = site.progress.add_task("the storm", total=len(couriers))

    async def come(courier: CourierPhone) -> None:
        began = perf_counter()
        with suppress(OSError, TimeoutError, PhoneClosed):
            await courier.open(site.host, site.port)
            found.append(1000 * (perf_counter() - began))
        site.progress.advance(bar)

    rate = SteadyRate(site.clock, len(couriers) / site.sizes.storm_s)
    async with asyncio.TaskGroup() as tasks:
        for number, courier in enumerate(couriers):
            await rate.turn_of(number)
            tasks.create_task(come(courier))
    site.progress.remove_task(bar)
    return found


async def take_breaks(site: Site, couriers: Sequence[CourierPhone], delays: list[float]) -> None:
    """Take breaks and end them; `delays` are milliseconds until each new state was shown."""
    while couriers:
        for courier in couriers:
            for duty in ("break", "resume"):
                shown = asyncio.Event()
                courier.on_shown = shown.set
                began = perf_counter()
                with suppress(Refused):
                    await courier.ask("duty", duty=duty)
                    async with asyncio.timeout(60):
                        await shown.wait()
                    delays.append(1000 * (perf_counter() - began))
                courier.on_shown = None
                await site.clock.sleep(_PAUSE_MS / 2)
