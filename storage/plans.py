"""How PostgreSQL carries out a query: which scans, over how many rows, in which time."""

from collections.abc import Iterator
from statistics import median
from typing import Any, Final

import msgspec
from msgspec import Struct

from storage.database import Database
from storage.queries import Query

# Of tables below this size nobody minds that they are read whole.
SMALL_ROWS: Final = 10_000


class PlanFound(Struct, frozen=True, kw_only=True):
    """A query's plan: its scans by relation, the milliseconds that it took (median), its pages.

    `read_whole` are the large tables of which every row was looked at.
    """

    name: str
    ms: float
    scans: tuple[str, ...]
    rows: int
    pages: int
    read_whole: tuple[str, ...]


async def explain(
    database: Database, query: Query, values: dict[str, Any], *, runs: int = 5
) -> PlanFound:
    """Carry a query out so often, with the settings of the service, and take it back each time."""
    sizes = await _sizes(database)
    told: list[dict[str, Any]] = []
    for _ in range(runs):
        async with database.session() as session:
            turn = session.connection.transaction()
            await turn.start()
            try:
                text = await session.connection.fetchval(
                    f"explain (analyze, buffers, format json) {query.sql}",
                    *query.arguments(values),
                )
            finally:
                await turn.rollback()
        told.append(msgspec.json.decode(text)[0])
    nodes = list(nodes_of(told[-1]["Plan"]))
    scans = [
        (one["Node Type"], one.get("Relation Name") or one.get("Index Name", ""))
        for one in nodes
        if "Scan" in one["Node Type"]
    ]
    whole = [name for kind, name in scans if kind == "Seq Scan" and sizes.get(name, 0) > SMALL_ROWS]
    plan = told[-1]["Plan"]
    return PlanFound(
        name=query.name,
        ms=median(one["Execution Time"] for one in told),
        scans=tuple(f"{kind} {name}".strip() for kind, name in scans),
        rows=plan["Actual Rows"],
        pages=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        read_whole=tuple(whole),
    )


async def _sizes(database: Database) -> dict[str, int]:
    async with database.session() as session:
        rows = await session.connection.fetch(
            "select relname, reltuples::bigint as rows from pg_class where relkind = 'r'"
        )
    return {row["relname"]: row["rows"] for row in rows}


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step of a plan as PostgreSQL tells it."""
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes_of(one)
