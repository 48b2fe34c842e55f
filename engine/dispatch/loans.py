"""Which couriers a zone wants from its neighbours, and which of its own it can spare."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from engine.couriers.courier import Courier
from engine.couriers.fixes import Fix
from engine.couriers.handing_over import is_lendable
from engine.couriers.messages import LendCouriers
from engine.dispatch.eta import walk
from engine.geo.cells import centre_of
from engine.geo.travel import Points, by_car_s, travel_times
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order

# More shops are not asked for at once: every tick may ask again.
SHOPS_MAX: Final = 20


class Need(Struct, frozen=True, kw_only=True):
    """The shops for whose orders a tick found nobody, longest waiting first."""

    at: Instant
    shops: tuple[Point, ...]


def need_of(zone: Zone, waiting: Iterable[Order], borrowed: int, *, now: Instant) -> Need | None:
    """What the zone wants after a tick; None for nothing. `borrowed` are who it has already.

    An order is in want once it has waited, and whoever comes for it would not wait in the shop.
    """
    parameters = zone.parameters
    left = min(parameters.loan_couriers_max - borrowed, SHOPS_MAX)
    if left <= 0:
        return None
    wait_ms = parameters.loan_wait_s * SECOND_MS
    way_ms = parameters.loan_travel_s_max * SECOND_MS
    wanting = [one for one in waiting if max(one.placed_at, one.ready_at - way_ms) + wait_ms <= now]
    oldest = sorted(wanting, key=lambda one: (one.placed_at, one.id))[:left]
    return Need(at=now, shops=tuple(one.shop.point for one in oldest)) if oldest else None


def spared(
    zone: Zone,
    couriers: Iterable[Courier],
    waiting: int,
    command: LendCouriers,
    *,
    seen: Mapping[CourierId, Fix],
    now: Instant,
) -> dict[CourierId, Point]:
    """Whom the zone lends, and where each is: the nearest to each shop in turn.

    One idle courier stays for each order that waits here, and `loan_keep_min` more.
    """
    idle = [one for one in couriers if is_lendable(one, command, now=now)]
    left = len(idle) - waiting - zone.parameters.loan_keep_min
    if left <= 0:
        return {}
    here = {
        one.id: walk(one, seen.get(one.id), zone.parameters, now=now).free_point for one in idle
    }
    ways, chosen = travel_times(zone.parameters.travel), dict[CourierId, Point]()
    for shop in command.shops[:left]:
        nearest = min(
            (
                (ways.one_s(here[one.id], shop, vehicle=one.vehicle, at=now), one.id)
                for one in idle
                if one.id not in chosen
            ),
            default=None,
        )
        if nearest is not None and nearest[0] <= command.travel_s_max:
            chosen[nearest[1]] = here[nearest[1]]
    return chosen


def neighbours(zone: Zone, zones: Iterable[Zone], need: Need) -> list[Zone]:
    """The other zones from which a car could come to a shop in time, the nearest first."""
    ways_s = [(_way_s(zone, one, need), one.id, one) for one in zones if one.id != zone.id]
    near = (one for one in ways_s if one[0] <= zone.parameters.loan_travel_s_max)
    return [one for _, _, one in sorted(near, key=lambda one: one[:2])]


def _way_s(zone: Zone, neighbour: Zone, need: Need) -> int:
    """Seconds by car from the middle of the neighbour's nearest cell to the nearest shop."""
    cells = [centre_of(one) for one in neighbour.cells]
    profile = zone.parameters.travel
    ways_s = by_car_s(profile, Points.of(cells), Points.of(need.shops), at=need.at)
    return int(ways_s.min())
