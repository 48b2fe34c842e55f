"""What happened to a thing, and what a command was answered."""

import msgspec

from engine.couriers.courier import Courier
from engine.dispatch.offer import Offer
from engine.dispatch.record import TELLING, Happened, ZoneHistory
from engine.kernel.ids import CommandId, ZoneId
from engine.kernel.timing import Instant
from engine.orders.order import Order
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries
from storage.store import Answer, StoredEvent


async def list_events(database: Database, thing_id: str) -> tuple[StoredEvent, ...]:
    return tuple(
        StoredEvent(
            thing_kind=row["thing_kind"],
            thing_id=row["thing_id"],
            version=row["version"],
            position=row["position"],
            type=row["type"],
            at=row["at"],
            device_at=row["device_at"],
            data=msgspec.json.decode(row["data"]),
        )
        for row in await database.rows(queries.list_events, thing_id=known(thing_id))
    )


async def find_answer(database: Database, command_id: CommandId) -> Answer | None:
    state = await database.value(queries.find_answer, command_id=known(command_id))
    return None if state is None else decode(Answer, state)


async def of_zone(database: Database, zone_id: ZoneId, since: Instant) -> ZoneHistory:
    asked = {"zone_id": known(zone_id), "since": since}
    # All of it as of one moment: an offer that is told of has its order told, too.
    async with database.snapshot() as session:
        orders = await session.rows(queries.orders_of_zone_since, **asked)
        offers = await session.rows(queries.offers_of_zone_since, **asked)
        couriers = await session.rows(queries.couriers_of_zone_since, **asked)
        events = await session.rows(queries.events_of_zone_since, **asked, types=list(TELLING))
    return ZoneHistory(
        orders=tuple(decode(Order, row["state"]) for row in orders),
        offers=tuple(decode(Offer, row["state"]) for row in offers),
        couriers=tuple(decode(Courier, row["state"]) for row in couriers),
        events=tuple(Happened(**row) for row in events),
    )
