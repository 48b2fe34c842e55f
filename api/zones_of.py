"""Which zone a place belongs to."""

from engine.geo.cells import RESOLUTION_MAX, cell_at
from engine.kernel.ids import ZoneId
from engine.kernel.place import Point
from storage.store import Store


async def zone_of(store: Store, point: Point) -> ZoneId | None:
    """The zone that covers the point, whatever the resolution of its cells."""
    return await store.zone_covering(
        [cell_at(point, resolution) for resolution in range(RESOLUTION_MAX + 1)]
    )
