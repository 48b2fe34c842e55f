"""Zones as routes look them up: by a place, and by an id."""

from api.errors import Refused
from api.parts import Parts
from engine.geo.cells import RESOLUTION_MAX, cell_at
from engine.geo.zone import UNKNOWN_ZONE, Zone
from engine.kernel.ids import ZoneId
from engine.kernel.place import Point
from storage.store import Store


async def zone_of(store: Store, point: Point) -> ZoneId | None:
    """The zone that covers the point, whatever the resolution of its cells."""
    return await store.zone_covering(
        [cell_at(point, resolution) for resolution in range(RESOLUTION_MAX + 1)]
    )


async def find_zone(parts: Parts, zone_id: str) -> Zone:
    """The zone, or `Refused`."""
    zone = await parts.store.find_zone(ZoneId(zone_id))
    if zone is None:
        raise Refused(UNKNOWN_ZONE())
    return zone
