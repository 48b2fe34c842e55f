"""What a cell needs to go on after a crash, read in one snapshot."""

from engine.couriers.courier import Courier
from engine.dispatch.offer import Offer
from engine.geo.zone import Zone
from engine.kernel.ids import CellId
from engine.orders.order import Order
from storage.database import Database
from storage.kinds import decode
from storage.queries import queries
from storage.store import CellContents


async def load(database: Database, cell: CellId) -> CellContents:
    async with database.snapshot() as session:
        zones = await session.rows(queries.load_zones, cell=cell)
        orders = await session.rows(queries.load_orders, cell=cell)
        couriers = await session.rows(queries.load_couriers, cell=cell)
        offers = await session.rows(queries.load_offers, cell=cell)
    return CellContents(
        zones=tuple(decode(Zone, row["state"]) for row in zones),
        orders=tuple(decode(Order, row["state"]) for row in orders),
        couriers=tuple(decode(Courier, row["state"]) for row in couriers),
        offers=tuple(decode(Offer, row["state"]) for row in offers),
    )
