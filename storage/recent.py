"""The last hours of a zone: what was ordered, who was on duty, and where he was."""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.couriers.courier import (
    BreakEnded,
    BreakTaken,
    Courier,
    DutyEnding,
    WentOffDuty,
    WentOnDuty,
)
from engine.kernel.ids import CourierId, OrderId, ZoneId
from engine.kernel.timing import Instant
from engine.orders.order import Order
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries
from storage.store import DutyOf, TrailFix

DUTY_EVENTS: Final = (WentOnDuty, BreakEnded, BreakTaken, DutyEnding, WentOffDuty)


def entered_at(order: Order) -> Instant:
    """When a courier could first be sought for an order."""
    return order.placed_at if order.release_at is None else order.release_at


async def list_orders(
    database: Database,
    zone_id: ZoneId,
    *,
    since: Instant,
    until: Instant,
    limit: int,
    after: tuple[Instant, OrderId] | None,
) -> tuple[Order, ...]:
    if after is None:
        rows = await database.rows(
            queries.list_orders_in, zone_id=known(zone_id), since=since, until=until, limit=limit
        )
    else:
        rows = await database.rows(
            queries.list_orders_in_after,
            zone_id=known(zone_id),
            at=after[0],
            order_id=known(after[1]),
            until=until,
            limit=limit,
        )
    return tuple(decode(Order, row["state"]) for row in rows)


async def list_duties(
    database: Database, zone_id: ZoneId, *, since: Instant, until: Instant
) -> tuple[DutyOf, ...]:
    rows = await database.rows(
        queries.list_duties,
        zone_id=known(zone_id),
        since=since,
        until=until,
        types=[one.__name__ for one in DUTY_EVENTS],
    )
    return tuple(
        DutyOf(
            courier=decode(Courier, row["state"]),
            changes=msgspec.json.decode(row["changes"], type=tuple[tuple[int, str], ...]),
        )
        for row in rows
    )


async def first_fixes(
    database: Database, asked: Sequence[tuple[CourierId, Instant]]
) -> tuple[TrailFix | None, ...]:
    found: list[TrailFix | None] = [None] * len(asked)
    rows = await database.rows(
        queries.first_fixes,
        couriers=[known(courier_id) for courier_id, _ in asked],
        instants=[at for _, at in asked],
    )
    for row in rows:
        found[row["place"] - 1] = TrailFix(
            courier_id=CourierId(row["courier_id"]),
            at=row["at"],
            lat=row["lat"],
            lng=row["lng"],
            accuracy_m=row["accuracy_m"],
        )
    return tuple(found)
