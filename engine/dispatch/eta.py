"""When a courier will be where: his route walked with the zone's travel and service times."""

from collections.abc import Mapping

from msgspec import Struct

from engine.couriers.courier import Courier, Stop, StopKind
from engine.couriers.fixes import Fix
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import TravelTimes, travel_times
from engine.kernel.ids import OrderId
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant


class Walk(Struct, frozen=True, kw_only=True):
    """`doors` is when each order is handed over at its door.

    Then the courier is free at `free_at`, at `free_point`.
    """

    doors: Mapping[OrderId, Instant]
    free_at: Instant
    free_point: Point


def walk(courier: Courier, seen: Fix | None, parameters: ZoneParameters, *, now: Instant) -> Walk:
    """Walk a courier's route from where he is to where he will be free.

    Where he has arrived is done first, whatever the route says.
    """
    point = courier.last_point
    if not courier.route:
        if seen is not None and seen.at >= courier.leaves_at:
            point = seen.point
        return Walk(doors={}, free_at=max(now, courier.leaves_at), free_point=point)
    travel = travel_times(parameters.travel)
    doors: dict[OrderId, Instant] = {}
    at = courier.leaves_at
    stops = sorted(courier.route, key=lambda one: one.arrived_at is None)
    for index, stop in enumerate(stops):
        if stop.arrived_at is not None:
            arrived = stop.arrived_at
        elif index == 0:
            arrived = _first_arrival(courier, stop, seen, travel, now)
        else:
            leg_s = travel.one_s(point, stop.point, vehicle=courier.vehicle, at=at)
            arrived = at + leg_s * SECOND_MS
        handed_over, at = _handover(stop, arrived, parameters, now)
        if stop.kind is StopKind.DROPOFF:
            doors.update(dict.fromkeys(stop.orders, handed_over))
        point = stop.point
    return Walk(doors=doors, free_at=max(now, at), free_point=point)


def arrival(
    courier: Courier, seen: Fix | None, parameters: ZoneParameters, *, now: Instant
) -> Instant:
    """When he is, or was, at the first stop of his route."""
    first = courier.route[0]
    if first.arrived_at is not None:
        return first.arrived_at
    return _first_arrival(courier, first, seen, travel_times(parameters.travel), now)


def _handover(
    stop: Stop, arrived: Instant, parameters: ZoneParameters, now: Instant
) -> tuple[Instant, Instant]:
    """When things change hands at a stop, and when the courier leaves it.

    Neither lies in the past, for it has not happened. At a waiting point there is nothing to do.
    """
    if stop.kind is StopKind.WAIT:
        return max(arrived, now), max(arrived, now)
    if stop.kind is StopKind.DROPOFF:
        service_s, leave_s = parameters.door_service_s, parameters.door_leave_s
    else:
        service_s, leave_s = parameters.shop_service_s, parameters.shop_leave_s
    handed_over = max(arrived + (service_s - leave_s) * SECOND_MS, stop.ready_at, now)
    return handed_over, handed_over + leave_s * SECOND_MS


def _first_arrival(
    courier: Courier, stop: Stop, seen: Fix | None, travel: TravelTimes, now: Instant
) -> Instant:
    """By the timetable while what was seen agrees with it to a minute, else by what was seen."""
    leg_s = travel.one_s(
        courier.last_point, stop.point, vehicle=courier.vehicle, at=courier.leaves_at
    )
    by_timetable = max(now, courier.leaves_at + leg_s * SECOND_MS)
    if seen is None or seen.at < courier.leaves_at:
        return by_timetable
    rest_s = travel.one_s(seen.point, stop.point, vehicle=courier.vehicle, at=now)
    by_sight = max(now, seen.at + rest_s * SECOND_MS)
    return by_timetable if abs(by_sight - by_timetable) <= MINUTE_MS else by_sight
