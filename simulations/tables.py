"""A day from a folder with `orders.csv` and `couriers.csv`; a fault is named by file and line.

docs/simulation.md describes the columns.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final, Never

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point, is_on_earth
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Gift, Recipient
from simulations.city import CityWays
from simulations.day import Day, DayCourier, DayOrder
from simulations.zoning import zones_around

ROWS_MAX: Final = 1_000_000
UNITS_MAX: Final = 100
ORDER_COLUMNS: Final = (
    "order", "placed_at", "ready_at", "shop_lat", "shop_lng", "door_lat", "door_lng",
)  # fmt: skip
ORDER_OPTIONS: Final = ("shop", "size_units")
COURIER_COLUMNS: Final = ("courier", "on_at", "off_at", "lat", "lng")
COURIER_OPTIONS: Final = ("vehicle", "capacity_units")
# A time without an offset is one on a wall in Saudi Arabia.
_LOCAL: Final = timezone(timedelta(hours=3))
_TICK_S = 30
_CAPACITY_UNITS = 8


class BadTable(Exception):
    """The folder does not hold a day; the message names file and line."""


class _Row:
    """One line of a table by its columns."""

    def __init__(self, path: Path, number: int, cells: Mapping[str, str]) -> None:
        self._path, self._number, self._cells = path, number, cells

    def text(self, column: str, otherwise: str = "") -> str:
        return self._cells.get(column, "").strip() or otherwise

    def name(self, column: str) -> str:
        return self.text(column) or self._raise(f"{column} is empty")

    def instant(self, column: str) -> Instant:
        text = self.name(column)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self._raise(f"{column} is {text!r}, not a time such as 2026-01-07T16:30+03:00")
        at = at if at.tzinfo else at.replace(tzinfo=_LOCAL)
        return round(at.timestamp() * SECOND_MS)

    def point(self, lat: str, lng: str) -> Point:
        point = Point(lat=self._number_in(lat), lng=self._number_in(lng))
        if not is_on_earth(point.lat, point.lng):
            self._raise(f"{lat}, {lng} are no place on earth")
        return point

    def units(self, column: str, otherwise: int) -> int:
        text = self.text(column, str(otherwise))
        if not text.isdecimal() or not 1 <= int(text) <= UNITS_MAX:
            self._raise(f"{column} is {text!r}, not a whole number of 1 to {UNITS_MAX}")
        return int(text)

    def vehicle(self) -> VehicleKind:
        text = self.text("vehicle", VehicleKind.CAR.value)
        if text not in set(VehicleKind):
            self._raise(f"vehicle is {text!r}, not one of {', '.join(VehicleKind)}")
        return VehicleKind(text)

    def require(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a claim and its fault
        if not holds:
            self._raise(otherwise)

    def _number_in(self, column: str) -> float:
        text = self.name(column)
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self._raise(f"{column} is {text!r}, not a number of degrees")
        return number

    def _raise(self, what: str) -> Never:
        raise BadTable(f"{self._path}:{self._number}: {what}")


def read(folder: Path) -> Day:
    """Read a day; raises BadTable."""
    orders = _orders(folder / "orders.csv")
    couriers = _couriers(folder / "couriers.csv")
    if not orders or not couriers:
        raise BadTable(f"{folder}: a day needs at least one order and one courier")
    parameters = ZoneParameters(
        tick_s=_TICK_S, approach_s_max=2400, commit_lead_s=300, promised_s=4500
    )
    places = [point for one in orders for point in (one.shop.point, one.door.point)]
    name = folder.resolve().name
    zones = zones_around(places, [one.start for one in couriers], name=name, parameters=parameters)
    return Day(
        name=name,
        starts_at=min(couriers[0].on_at, orders[0].placed_at),
        zone=zones[0],
        more_zones=zones[1:],
        ways=CityWays(parameters.travel),
        orders=orders,
        couriers=couriers,
        shop_service_ms=parameters.shop_service_s * SECOND_MS,
        door_service_ms=parameters.door_service_s * SECOND_MS,
    )


def _orders(path: Path) -> tuple[DayOrder, ...]:
    seen: set[str] = set()
    found = []
    for row in _rows(path, ORDER_COLUMNS, ORDER_OPTIONS):
        key = row.name("order")
        row.require(key not in seen, f"order {key} is listed twice")
        seen.add(key)
        placed_at, ready_at = row.instant("placed_at"), row.instant("ready_at")
        row.require(ready_at >= placed_at, f"order {key} is ready before it is placed")
        shop, door = row.point("shop_lat", "shop_lng"), row.point("door_lat", "door_lng")
        found.append(
            DayOrder(
                key=key,
                placed_at=placed_at,
                ready_at=ready_at,
                shop=Place(point=shop, name=row.text("shop", "Shop"), notes=key),
                door=Place(point=door, name=f"Door of {key}"),
                gift=Gift(description="Gift", size_units=row.units("size_units", 1)),
                recipient=Recipient(name=f"Recipient of {key}"),
            )
        )
    return tuple(sorted(found, key=lambda one: one.placed_at))


def _couriers(path: Path) -> tuple[DayCourier, ...]:
    seen: set[str] = set()
    found = []
    for row in _rows(path, COURIER_COLUMNS, COURIER_OPTIONS):
        key = row.name("courier")
        row.require(key not in seen, f"courier {key} is listed twice")
        seen.add(key)
        on_at, off_at = row.instant("on_at"), row.instant("off_at")
        row.require(off_at > on_at, f"the shift of {key} ends before it starts")
        found.append(
            DayCourier(
                key=key,
                name=f"Courier {key}",
                start=row.point("lat", "lng"),
                on_at=on_at,
                off_at=off_at,
                vehicle=row.vehicle(),
                capacity_units=row.units("capacity_units", _CAPACITY_UNITS),
            )
        )
    return tuple(sorted(found, key=lambda one: one.on_at))


def _rows(path: Path, needed: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            _check_head(path, reader.fieldnames or (), needed, optional)
            for count, cells in enumerate(reader, 1):
                row = _Row(path, reader.line_num, {k: v or "" for k, v in cells.items() if k})
                row.require("" not in cells, "more cells than columns")
                row.require(count <= ROWS_MAX, f"more than {ROWS_MAX} rows")
                yield row
    except OSError as error:
        raise BadTable(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise BadTable(f"{path}: is not text in UTF-8") from None
    except csv.Error as error:
        raise BadTable(f"{path}: {error}") from None


def _check_head(
    path: Path, head: Sequence[str], needed: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    missing = [one for one in needed if one not in head]
    unknown = [one for one in head if one not in (*needed, *optional)]
    if missing or unknown or len(set(head)) != len(head):
        raise BadTable(
            f"{path}:1: the columns must be {', '.join(needed)} and may be "
            f"{', '.join(optional)}; missing: {', '.join(missing) or '-'}, "
            f"unknown: {', '.join(unknown) or '-'}"
        )
