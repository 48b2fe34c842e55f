"""Zones, the cells that they cover, and the parameters that they had."""

from collections.abc import Sequence

from engine.geo.zone import ParameterSet, Zone
from engine.kernel.ids import CellId, ZoneId
from storage.database import Database
from storage.kinds import decode, known
from storage.queries import queries


async def list_cells(database: Database) -> tuple[CellId, ...]:
    return tuple(row["cell"] for row in await database.rows(queries.list_cells))


async def cell_of(database: Database, zone_id: ZoneId) -> CellId | None:
    cell: CellId | None = await database.value(queries.cell_of_zone, zone_id=known(zone_id))
    return cell


async def covering(database: Database, cells: Sequence[CellId]) -> ZoneId | None:
    zone_id: ZoneId | None = await database.value(queries.zone_covering, cells=list(cells))
    return zone_id


async def find(database: Database, zone_id: ZoneId) -> Zone | None:
    state = await database.value(queries.find_zone, zone_id=known(zone_id))
    return None if state is None else decode(Zone, state)


async def list_all(database: Database) -> tuple[Zone, ...]:
    return tuple(decode(Zone, row["state"]) for row in await database.rows(queries.list_zones))


async def list_parameter_sets(database: Database, zone_id: ZoneId) -> tuple[ParameterSet, ...]:
    rows = await database.rows(queries.list_parameter_sets, zone_id=known(zone_id))
    return tuple(decode(ParameterSet, row["state"]) for row in rows)
