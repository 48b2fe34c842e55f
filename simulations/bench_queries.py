"""How long the hot queries take in a database filled with a city's history, and by which index."""

import asyncio

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from simulations.filled_city import filled_city
from storage.hot_queries import hot_queries
from storage.plans import PlanFound, explain


def run(*, orders: int, runs: int) -> list[PlanFound]:
    """Fill a throw-away PostgreSQL, explain every hot query, and print the table."""
    found = asyncio.run(_measure(orders=orders, runs=runs))
    table = Table("query", "ms", "rows", "pages", "scans")
    for one in found:
        told = ", ".join(dict.fromkeys(one.scans))
        table.add_row(one.name, f"{one.ms:.2f}", f"{one.rows:.0f}", f"{one.pages:,}", told)
    Console().print(table)
    return found


async def _measure(*, orders: int, runs: int) -> list[PlanFound]:
    async with filled_city(orders=orders) as (database, city, progress):
        queries = hot_queries(city)
        bar = progress.add_task("explaining", total=len(queries))
        found = []
        for name, (query, values) in queries.items():
            plan = await explain(database, query, values, runs=runs)
            found.append(replace(plan, name=name))
            progress.advance(bar)
        return found
