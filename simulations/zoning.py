"""Zones for a day that brings none: its places on the H3 grid, cut into parts of like size."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from engine.geo.cells import cell_at, centre_of
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CellId
from engine.kernel.place import Point
from simulations.day import ZonePlan
from simulations.districts import ZONE_RESOLUTION, Weighted, groups_of

# A zone's tick stays short with so many couriers.
COURIERS_PER_ZONE: Final = 400


def zones_for(count: int) -> int:
    """How many zones so many couriers need."""
    return max(1, math.ceil(count / COURIERS_PER_ZONE))


def zones_around(
    places: Iterable[Point], starts: Sequence[Point], *, name: str, parameters: ZoneParameters
) -> tuple[ZonePlan, ...]:
    """Zones that together cover all places, each with about as many couriers at their `starts`."""
    here = Counter(cell_at(one, ZONE_RESOLUTION) for one in starts)
    cells = sorted({cell_at(one, ZONE_RESOLUTION) for one in (*places, *starts)})
    weighted = [Weighted(one, centre_of(one), here[one]) for one in cells]
    groups = groups_of(weighted, zones_for(len(starts)))
    whole = ZonePlan(name_en=name, name_ar=name, cells=(), parameters=parameters)
    return tuple(
        replace(
            whole,
            name_en=name if len(groups) == 1 else f"{name} {number}",
            name_ar=name if len(groups) == 1 else f"{name} {number}",
            cells=tuple(sorted(CellId(one.name) for one in found)),
        )
        for number, found in enumerate(groups, 1)
    )
