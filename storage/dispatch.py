"""The offers made for an order, why it waited, and what became of offers and orders."""

from collections.abc import Sequence

from engine.dispatch.offer import Offer
from engine.dispatch.outcomes import OUTCOMES_MAX, OfferOutcome, OrderOutcome
from engine.dispatch.waiting import WAITS_MAX, Wait
from engine.kernel.ids import OfferId, OrderId, ZoneId
from engine.kernel.timing import Instant
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


async def find_offer(database: Database, offer_id: OfferId) -> Offer | None:
    state = await database.value(queries.find_offer, offer_id=known(offer_id))
    return None if state is None else decode(Offer, state)


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


async def save_waits(database: Database, waits: Sequence[Wait]) -> None:
    if not waits:
        return
    async with database.transaction() as session:
        await session.run(queries.save_waits, states=[encode(one) for one in waits])
        orders = [one.order_id for one in waits]
        await session.run(queries.forget_waits, orders=orders, kept=WAITS_MAX)


async def list_waits(database: Database, order_id: OrderId) -> tuple[Wait, ...]:
    rows = await database.rows(queries.list_waits, order_id=known(order_id))
    return tuple(decode(Wait, row["state"]) for row in rows)
