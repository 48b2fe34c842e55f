"""What a report shows of a lived day, as numbers that are ready to be drawn."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.geo.cells import boundary_of, cell_at, resolution_of
from engine.kernel.ids import CellId
from engine.kernel.place import EARTH_RADIUS_M, Point
from engine.kernel.timing import HOUR_MS, MINUTE_MS, Instant
from engine.metrics import CourierRecord
from engine.orders.order import OrderStatus
from simulations.day import Day
from simulations.diary import Diary, OrderPage
from simulations.replay import Lived
from simulations.score import courier_records, order_records

_SLICES: Final = 6
_STEP_MS: Final = 2 * MINUTE_MS
_BARS: Final = 40
_KM_PER_DEGREE: Final = EARTH_RADIUS_M * math.pi / 180 / 1000
_LABELS: Final = {
    "driving": "driving",
    "serving": "at a shop or a door",
    "waiting": "waiting for a gift",
    "idle": "without an order",
}
Kilometres = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class HexMap:
    """One slice of time: hexagons in kilometres, the mean wait in each (None: no orders)."""

    title: str
    orders: int
    hexagons: list[list[Kilometres]]
    minutes: list[float | None]
    borders: list[tuple[Kilometres, Kilometres]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is drawn; `doing` holds couriers at `hours`, `outcomes` offers from each hour on."""

    click_to_door_min: list[float]
    maps: list[HexMap]
    hours: list[float]
    doing: dict[str, list[float]]
    idle_shares: list[float]
    earnings_per_h: list[float]
    outcome_hours: list[float]
    outcomes: dict[str, list[int]]

    def label_of(self, doing: str) -> str:
        """What people read for it."""
        return _LABELS[doing]


def story_of(lived: Lived) -> Story:
    """The numbers of a lived day."""
    day, diary = lived.day, lived.diary
    orders = order_records(diary, day).values()
    worked = [
        one
        for one in courier_records(diary, day, ended_at=lived.ended_at).values()
        if one.duty_ms > 0
    ]
    hours, doing = _doing(diary, day, worked)
    outcome_hours, outcomes = _outcomes(diary, day, lived.ended_at)
    return Story(
        click_to_door_min=[
            (one.delivered_at - one.placed_at) / MINUTE_MS
            for one in orders
            if one.delivered_at is not None
        ],
        maps=_maps(diary, day, lived.ended_at),
        hours=hours,
        doing=doing,
        idle_shares=[one.idle_ms / one.duty_ms for one in worked],
        earnings_per_h=[one.earned_halalas / one.duty_ms * HOUR_MS for one in worked],
        outcome_hours=outcome_hours,
        outcomes=outcomes,
    )


def waited_ms(page: OrderPage, ended_at: Instant) -> int:
    """How long an order waited from its click until a courier had accepted it, or it ended."""
    ends = (one.at for one in page.heard if one.status not in _UNTAKEN)
    return next(ends, ended_at) - page.wanted.placed_at


_UNTAKEN: Final = frozenset(
    {OrderStatus.PLACED, OrderStatus.SCHEDULED, OrderStatus.WAITING, OrderStatus.OFFERED}
)


def _doing(
    diary: Diary, day: Day, worked: Sequence[CourierRecord]
) -> tuple[list[float], dict[str, list[float]]]:
    """How many couriers did what, every two minutes."""
    pages = [one for one in diary.couriers.values() if one.on_at is not None]
    ends_at = max((one.off_at or 0 for one in pages), default=day.starts_at)
    count = max(1, -(-(ends_at - day.starts_at) // _STEP_MS))
    on_duty, driving, at_stop, serving = (np.zeros(count + 1) for _ in range(4))
    for page in pages:
        assert page.on_at is not None
        _add(on_duty, page.on_at - day.starts_at, (page.off_at or ends_at) - day.starts_at)
    for record in worked:
        for one in record.visits:
            _add(driving, one.left_at - day.starts_at, one.arrived_at - day.starts_at)
            _add(at_stop, one.arrived_at - day.starts_at, one.free_at - day.starts_at)
            began = one.free_at - min(one.service_ms, one.free_at - one.arrived_at)
            _add(serving, began - day.starts_at, one.free_at - day.starts_at)
    waiting = np.maximum(0, at_stop - serving)
    idle = np.maximum(0, on_duty - driving - at_stop)
    hours = [(step + 0.5) * _STEP_MS / HOUR_MS for step in range(count)]
    found = {"driving": driving, "serving": serving, "waiting": waiting, "idle": idle}
    return hours, {name: values[:count].tolist() for name, values in found.items()}


def _add(steps: NDArray[np.float64], since_ms: int, until_ms: int) -> None:
    """Count one for each step between two times, in parts where it is only a part of a step."""
    since, until = max(0.0, since_ms / _STEP_MS), min(len(steps) - 1.0, until_ms / _STEP_MS)
    if until <= since:
        return
    first, last = int(since), int(until)
    if first == last:
        steps[first] += until - since
        return
    steps[first] += first + 1 - since
    steps[first + 1 : last] += 1
    steps[last] += until - last


def _outcomes(
    diary: Diary, day: Day, ended_at: Instant
) -> tuple[list[float], dict[str, list[int]]]:
    minutes = max(1, (ended_at - day.starts_at) // MINUTE_MS)
    width_ms = max(5, -(-minutes // _BARS // 5) * 5) * MINUTE_MS
    bars = (ended_at - day.starts_at) // width_ms + 1
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for page in diary.couriers.values():
        for one in page.outcomes:
            counts[one.what][(one.at - day.starts_at) // width_ms] += 1
    hours = [bar * width_ms / HOUR_MS for bar in range(bars)]
    names = ("accepted", "declined", "expired", "withdrawn")
    return hours, {name: [counts[name][bar] for bar in range(bars)] for name in names}


def _maps(diary: Diary, day: Day, ended_at: Instant) -> list[HexMap]:
    pages = [one for one in diary.orders.values() if not one.is_adopted]
    last = max((one.wanted.placed_at for one in pages), default=day.starts_at)
    width_ms = max(MINUTE_MS, -(-(last - day.starts_at + 1) // _SLICES))
    cells = [cell for zone in day.zones for cell in zone.cells]
    resolution = resolution_of(cells[0])
    to_km = _plane(cells)
    hexagons = [[to_km(corner) for corner in boundary_of(cell)] for cell in cells]
    borders = list(_borders(day, to_km))
    waits: dict[int, dict[CellId, list[float]]] = defaultdict(lambda: defaultdict(list))
    for page in pages:
        number = (page.wanted.placed_at - day.starts_at) // width_ms
        cell = cell_at(page.wanted.shop.point, resolution)
        waits[number][cell].append(waited_ms(page, ended_at) / MINUTE_MS)
    return [
        HexMap(
            title=_clock(day, day.starts_at + number * width_ms, width_ms),
            orders=sum(len(one) for one in waits[number].values()),
            hexagons=hexagons,
            minutes=[
                float(np.mean(waits[number][cell])) if waits[number].get(cell) else None
                for cell in cells
            ],
            borders=borders,
        )
        for number in range(_SLICES)
    ]


def _clock(day: Day, since: Instant, width_ms: int) -> str:
    offset = timedelta(hours=day.zone.parameters.travel.utc_offset_h)
    began, ended = (
        datetime.fromtimestamp(at / 1000, UTC) + offset for at in (since, since + width_ms)
    )
    return f"{began:%H:%M} to {ended:%H:%M}"


def _plane(cells: Sequence[CellId]) -> Callable[[Point], Kilometres]:
    corners = [corner for cell in cells for corner in boundary_of(cell)]
    south = min(one.lat for one in corners)
    west = min(one.lng for one in corners)
    wide = math.cos(math.radians(south)) * _KM_PER_DEGREE

    def to_km(point: Point) -> Kilometres:
        return (point.lng - west) * wide, (point.lat - south) * _KM_PER_DEGREE

    return to_km


def _borders(
    day: Day, to_km: Callable[[Point], Kilometres]
) -> Iterator[tuple[Kilometres, Kilometres]]:
    """The edges that belong to one hexagon of a zone only: its outline."""
    for zone in day.zones:
        edges: Counter[tuple[Kilometres, Kilometres]] = Counter()
        for cell in zone.cells:
            corners = [_rounded(to_km(one)) for one in boundary_of(cell)]
            for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
                edges[min(a, b), max(a, b)] += 1
        yield from (edge for edge, count in edges.items() if count == 1)


def _rounded(point: Kilometres) -> Kilometres:
    return round(point[0], 4), round(point[1], 4)
