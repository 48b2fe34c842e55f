"""The offers that were made for an order."""

from engine.dispatch.offer import Offer
from engine.kernel.ids import OrderId
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries


async def list_offers_for(database: Database, order_id: OrderId) -> tuple[Offer, ...]:
    rows = await database.rows(queries.list_offers_for, order_id=known(order_id))
    return tuple(decode(Offer, row["state"]) for row in rows)
