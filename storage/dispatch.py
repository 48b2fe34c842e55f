"""The offers that were made for an order, and what became of offers and orders."""

from engine.dispatch.offer import Offer
from engine.dispatch.outcomes import OUTCOMES_MAX, OfferOutcome, OrderOutcome
from engine.kernel.ids import OrderId, ZoneId
from engine.kernel.timing import Instant
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries


async def list_offers_for(database: Database, order_id: OrderId) -> tuple[Offer, ...]:
    rows = await database.rows(queries.list_offers_for, order_id=known(order_id))
    return tuple(decode(Offer, row["state"]) for row in rows)


async def order_outcomes(
    database: Database, zone_id: ZoneId, *, since: Instant, until: Instant
) -> tuple[OrderOutcome, ...]:
    rows = await database.rows(
        queries.order_outcomes,
        zone_id=known(zone_id),
        since=since,
        until=until,
        limit=OUTCOMES_MAX,
    )
    return tuple(decode(OrderOutcome, row["outcome"]) for row in rows)


async def offer_outcomes(
    database: Database, zone_id: ZoneId, *, since: Instant, until: Instant
) -> tuple[OfferOutcome, ...]:
    rows = await database.rows(
        queries.offer_outcomes,
        zone_id=known(zone_id),
        since=since,
        until=until,
        limit=OUTCOMES_MAX,
    )
    return tuple(decode(OfferOutcome, row["outcome"]) for row in rows)
