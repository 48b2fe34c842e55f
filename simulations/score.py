"""How a day went: the figures of the recorded problem, and what people had to put up with."""

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.order import HELD, OrderStatus
from simulations.checks import delivered_twice, lost, seen_from_outside
from simulations.day import Day
from simulations.diary import CourierPage, Diary, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Minutes (or milliseconds) of many: mean, middle, and what nine in ten stay below."""

    mean: float
    p50: float
    p90: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One day. Times in minutes unless the name says otherwise; None where there was nothing.

    `utilisation` is driving and service by length of shift, averaged over all couriers, as the
    recorded problem defines it. `violations` is what contradicts in what people were told.
    """

    name: str
    orders: int
    delivered: int
    undeliverable: int
    undelivered: int
    under_way: int
    returned: int
    click_to_door: Spread | None
    ready_to_pickup: Spread | None
    offers_made: int
    offers_accepted: int
    offers_declined: int
    offers_expired: int
    utilisation: float
    orders_per_trip: float
    answers_ms: Spread | None
    reconnects: int
    wall_s: float
    duplicates: int
    lost: int
    violations: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or contradicted, and nobody got an odd answer."""
        return not self.violations and not self.faults

    def table(self) -> Table:
        """For people."""
        table = Table(title=self.name, show_header=False, title_justify="left")
        for name, value in self._rows():
            table.add_row(name, value)
        return table

    def _rows(self) -> list[tuple[str, str]]:
        offers = (
            f"{self.offers_made} made, {self.offers_accepted} accepted, "
            f"{self.offers_declined} declined, {self.offers_expired} expired"
        )
        rows = [
            ("orders", f"{self.orders}"),
            ("delivered", f"{self.delivered}"),
            ("undelivered", f"{self.undelivered} ({self.undeliverable} could not be delivered)"),
            ("click to door, min", _spread(self.click_to_door)),
            ("ready to pick-up, min", _spread(self.ready_to_pickup)),
            ("offers", offers),
            ("orders per trip", f"{self.orders_per_trip:.2f}"),
            ("courier utilisation", f"{self.utilisation:.1%}"),
            ("duplicates / lost", f"{self.duplicates} / {self.lost}"),
        ]
        if self.answers_ms is not None:
            rows.append(("answers to couriers, real ms", _spread(self.answers_ms)))
            rows.append(("reconnects", f"{self.reconnects}"))
        rows.append(("wall time", f"{self.wall_s:.1f} s"))
        if self.returned:
            rows.append(("returned to the shop", f"{self.returned}"))
        if self.under_way:
            rows.append(("still on their way", f"{self.under_way}"))
        rows += [("violation", one) for one in self.violations[:20]]
        rows += [("odd answer", one) for one in self.faults[:20]]
        return rows


def score(
    diary: Diary, day: Day, *, ended_at: Instant, wall_s: float, undeliverable: Collection[str] = ()
) -> Score:
    """Judge a day by its diary; `undeliverable` are the orders that nobody could have delivered."""
    pages = diary.couriers.values()
    # The day is judged by its own orders, not by those that an earlier run left behind.
    orders = {key: page for key, page in diary.orders.items() if not page.is_adopted}
    handed_over = _times(pages, "dropoff", orders)
    picked_up = _times(pages, "pickup", orders)
    trips = sum(one.kind == "pickup" for page in pages for one in page.visits)
    violations = seen_from_outside(diary)
    returned = sum(one.status is OrderStatus.RETURNED for one in orders.values())
    under_way = sum(one.status in HELD and not one.withdrawn for one in orders.values())
    return Score(
        name=day.name,
        orders=len(orders),
        delivered=len(handed_over),
        undeliverable=sum(key in orders and key not in handed_over for key in undeliverable),
        undelivered=len(orders) - len(handed_over) - returned - under_way,
        under_way=under_way,
        returned=returned,
        click_to_door=_minutes(
            at - orders[key].wanted.placed_at for key, at in handed_over.items()
        ),
        ready_to_pickup=_minutes(at - orders[key].wanted.ready_at for key, at in picked_up.items()),
        offers_made=sum(one.offers for one in pages),
        offers_accepted=sum(one.accepted for one in pages),
        offers_declined=sum(one.declined for one in pages),
        offers_expired=sum(one.expired for one in pages),
        utilisation=_mean(_utilisation(one, day, ended_at) for one in pages),
        orders_per_trip=len(picked_up) / trips if trips else 0.0,
        answers_ms=_spread_of(diary.answers_ms),
        reconnects=diary.reconnects,
        wall_s=wall_s,
        duplicates=sum(1 for _ in delivered_twice(diary)),
        lost=0 if diary.is_cut_short else sum(1 for _ in lost(diary)),
        violations=tuple(violations),
        faults=tuple(diary.faults),
    )


def _times(pages: Iterable[CourierPage], kind: str, orders: Container[str]) -> dict[str, Instant]:
    return {
        key: visit.handed_over_at
        for page in pages
        for visit in page.visits
        if visit.kind == kind
        for key in visit.keys
        if key in orders
    }


def _utilisation(page: CourierPage, day: Day, ended_at: Instant) -> float:
    plan = page.plan
    ends_at = plan.off_at if plan.off_at is not None else ended_at
    shift_ms = ends_at - plan.on_at
    busy_ms = 0
    for visit in page.visits:
        busy_ms += visit.arrived_at - visit.left_at + _service_ms(visit, day)
    return busy_ms / shift_ms if shift_ms > 0 else 0.0


def _service_ms(visit: Visit, day: Day) -> int:
    match visit.kind:
        case "wait":
            return 0
        case "dropoff":
            return day.door_service_ms * len(visit.keys)
        case _:
            return day.shop_service_ms


def _minutes(durations_ms: Iterable[int]) -> Spread | None:
    return _spread_of([one / MINUTE_MS for one in durations_ms])


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _spread_of(values: Collection[float]) -> Spread | None:
    if not values:
        return None
    array = np.fromiter(values, float, len(values))
    p50, p90 = np.percentile(array, [50, 90])
    return Spread(mean=float(array.mean()), p50=float(p50), p90=float(p90), most=float(array.max()))


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return (
        f"mean {spread.mean:.2f}   p50 {spread.p50:.2f}   "
        f"p90 {spread.p90:.2f}   most {spread.most:.2f}"
    )
