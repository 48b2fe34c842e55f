"""The whole measurement, from connecting the first phone to the table."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import Progress

from simulations.realtime import commands, saturation
from simulations.realtime.fan_out import fan_out
from simulations.realtime.idle import idle
from simulations.realtime.messages import messages
from simulations.realtime.orders import Customers
from simulations.realtime.overload import overload
from simulations.realtime.restart import restart
from simulations.realtime.rows import Row, table_of, write_json
from simulations.realtime.site import Place, Site, Sizes
from simulations.realtime.steady import steady_rows, stretches
from simulations.realtime.storm import storm

PARTS = (
    "idle",
    "saturated",
    "steady",
    "commands",
    "messages",
    "fan-out",
    "overload",
    "storm",
    "restart",
)
_A_TENTH = 10
_WIDTH = 150


def run(
    open_place: AbstractAsyncContextManager[Place],
    *,
    sizes: Sizes,
    parts: Sequence[str],
    seed: int,
    out: Path,
) -> list[Row]:
    """Measure these parts, print the table and write every run into a file."""
    rows = uvloop.run(_measure(open_place, sizes, parts, seed))
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table_of(rows, f"medians of {sizes.runs} runs of {sizes.run_s:g} s"))
    write_json(rows, {**asdict(sizes), "parts": list(parts), "seed": seed}, out)
    console.print(f"every run: {out}")
    return rows


async def _measure(
    open_place: AbstractAsyncContextManager[Place], sizes: Sizes, parts: Sequence[str], seed: int
) -> list[Row]:
    rows: list[Row] = []
    with Progress(transient=True) as progress:
        async with open_place as place, Site.open(place, sizes, progress, seed) as site:
            rows += await idle(site) if "idle" in parts else await _just_connect(site)
            customers = Customers(site)
            few = site.couriers[: max(2, len(site.couriers) // _A_TENTH)]
            await site.on_duty(few)
            seen = []
            if "steady" in parts:
                async with customers.ordering():
                    seen = await stretches(site, few)
            await site.on_duty(site.couriers[len(few) :])
            if "saturated" in parts:
                rows += await saturation.saturated(site)
            if "steady" in parts:
                async with customers.ordering():
                    rows += steady_rows(seen, await stretches(site, site.couriers))
            rows += await _shown_elsewhere(site, customers, parts)
            if "overload" in parts:
                rows += await overload(site)
            if "storm" in parts:
                rows += await storm(site)
            if "restart" in parts:
                rows += await restart(site)
    return rows


async def _shown_elsewhere(site: Site, customers: Customers, parts: Sequence[str]) -> list[Row]:
    """What one phone says until others show it."""
    rows: list[Row] = []
    if "commands" in parts:
        rows += await commands.watched(site, customers)
        rows += await commands.saturated(site)
    if "messages" in parts:
        rows += await messages(site, customers)
    if "fan-out" in parts:
        rows += await fan_out(site, await customers.place_and_cancel())
    return rows


async def _just_connect(site: Site) -> list[Row]:
    await site.connect(site.couriers)
    return []
