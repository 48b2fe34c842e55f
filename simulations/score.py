"""How a day went: the figures of the recorded problem, and what people had to put up with."""

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from engine.geo.travel import VehicleKind
from engine.kernel.timing import MINUTE_MS, Instant
from engine.metrics import (
    CourierRecord,
    Metrics,
    OfferCounts,
    OrderRecord,
    Spread,
    Visit,
    metrics,
    spread,
)
from engine.orders.order import HELD, OrderStatus
from simulations.checks import delivered_twice, lost, seen_from_outside
from simulations.day import Day, tariff
from simulations.diary import CourierPage, Diary, OrderPage
from simulations.diary import Visit as DiaryVisit

# The most that the recorded problem lets an order take from click to door.
UNDELIVERED_MIN: Final = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One day. Times in minutes unless the name says otherwise; None where there was nothing.

    The figures are those of `metrics`, as engine/metrics.py defines them. `violations` is what
    contradicts in what people were told, `cancelled` what customers did not want any more.
    `turned_away` are the orders that a cap refused, which their customers still wanted.
    `lateness_min` is the mean of the minutes after the day's target over all orders that somebody
    still wanted at their doors; one that nobody delivered counts as `UNDELIVERED_MIN` late, so that
    leaving orders behind never looks punctual. `road_min_per_order` is couriers' time on the road
    by delivered order, None when none was.
    """

    name: str
    orders: int
    delivered: int
    undeliverable: int
    undelivered: int
    under_way: int
    returned: int
    cancelled: int
    turned_away: int
    click_to_door: Spread | None
    ready_to_pickup: Spread | None
    offers_made: int
    offers_accepted: int
    offers_declined: int
    offers_expired: int
    utilisation: float
    orders_per_trip: float
    lateness_min: float
    road_min_per_order: float | None
    answers_ms: Spread | None
    reconnects: int
    wall_s: float
    duplicates: int
    lost: int
    violations: tuple[str, ...]
    faults: tuple[str, ...]
    metrics: Metrics

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
            ("above the direct bound, min", _spread(self.metrics.excess_min)),
            ("late", f"{self.metrics.late_share or 0:.1%}, overage {_mean(self.metrics)} min"),
            ("late after the target, min", f"mean {self.lateness_min:.2f}"),
            ("offers", offers),
            ("orders per trip", f"{self.orders_per_trip:.2f}"),
            ("courier utilisation", f"{self.utilisation:.1%}"),
            ("Gini of idle time / earnings", _fairness(self.metrics)),
            ("duplicates / lost", f"{self.duplicates} / {self.lost}"),
        ]
        if self.answers_ms is not None:
            rows.append(("answers to couriers, real ms", _spread(self.answers_ms)))
            rows.append(("reconnects", f"{self.reconnects}"))
        rows.append(("wall time", f"{self.wall_s:.1f} s"))
        if self.cancelled:
            rows.append(("cancelled by customers", f"{self.cancelled}"))
        if self.turned_away:
            rows.append(("turned away by a cap", f"{self.turned_away}"))
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
    violations = seen_from_outside(diary)
    returned = sum(one.status is OrderStatus.RETURNED for one in orders.values())
    under_way = sum(one.status in HELD and not one.withdrawn for one in orders.values())
    cancelled = sum(one.changed_mind for one in orders.values())
    turned_away = sum(one.turned_away for one in orders.values())
    ended = len(handed_over) + returned + under_way + cancelled + turned_away
    figures = metrics(
        list(order_records(diary, day).values()),
        list(courier_records(diary, day, ended_at=ended_at).values()),
        offer_counts(pages),
    )
    return Score(
        name=day.name,
        orders=len(orders),
        delivered=len(handed_over),
        undeliverable=sum(key in orders and key not in handed_over for key in undeliverable),
        undelivered=len(orders) - ended,
        under_way=under_way,
        returned=returned,
        cancelled=cancelled,
        turned_away=turned_away,
        click_to_door=figures.click_to_door_min,
        ready_to_pickup=figures.ready_to_pickup_min,
        offers_made=figures.offers.made,
        offers_accepted=figures.offers.accepted,
        offers_declined=figures.offers.declined,
        offers_expired=figures.offers.expired,
        utilisation=figures.utilisation or 0.0,
        orders_per_trip=figures.orders_per_trip or 0.0,
        answers_ms=spread(diary.answers_ms),
        lateness_min=_lateness_min(orders, handed_over, day),
        road_min_per_order=_road_min(pages) / len(handed_over) if handed_over else None,
        reconnects=diary.reconnects,
        wall_s=wall_s,
        duplicates=sum(1 for _ in delivered_twice(diary)),
        lost=0 if diary.is_cut_short else sum(1 for _ in lost(diary)),
        violations=tuple(violations),
        faults=tuple(diary.faults),
        metrics=figures,
    )


def order_records(diary: Diary, day: Day) -> Mapping[str, OrderRecord]:
    """The day's own orders for the metrics, by the shops' numbers."""
    pages = diary.couriers.values()
    orders = {key: page for key, page in diary.orders.items() if not page.is_adopted}
    picked_up, handed_over = _times(pages, "pickup", orders), _times(pages, "dropoff", orders)
    return {
        key: OrderRecord(
            placed_at=page.wanted.placed_at,
            ready_at=page.wanted.ready_at,
            due_at=page.due_at,
            picked_up_at=picked_up.get(key),
            delivered_at=handed_over.get(key),
            bound_ms=_bound_ms(page, day),
        )
        for key, page in orders.items()
    }


def courier_records(diary: Diary, day: Day, *, ended_at: Instant) -> Mapping[str, CourierRecord]:
    """The couriers for the metrics, each with the shift that he planned."""
    pay_halalas = tariff(day.zone.parameters)
    records = {}
    for key, page in diary.couriers.items():
        ends_at = page.plan.off_at if page.plan.off_at is not None else ended_at
        carried = [
            diary.orders[order].wanted
            for visit in page.visits
            if visit.kind == "dropoff"
            for order in visit.keys
        ]
        records[key] = CourierRecord(
            duty_ms=max(0, ends_at - page.plan.on_at),
            visits=_visits(page, day, diary.orders),
            earned_halalas=sum(pay_halalas(one.shop.point, one.door.point) for one in carried),
        )
    return records


def _visits(page: CourierPage, day: Day, orders: Mapping[str, OrderPage]) -> tuple[Visit, ...]:
    return tuple(
        Visit(
            left_at=one.left_at,
            arrived_at=one.arrived_at,
            free_at=one.free_at,
            service_ms=_service_ms(one, day),
            picked_up=sum(not orders[key].is_adopted for key in one.keys)
            if one.kind == "pickup"
            else 0,
        )
        for one in page.visits
    )


def _service_ms(visit: DiaryVisit, day: Day) -> int:
    match visit.kind:
        case "dropoff" | "attempt":
            return day.door_service_ms * len(visit.keys)
        case "move" | "wait":
            return 0
        case _:
            return day.shop_service_ms


def _bound_ms(page: OrderPage, day: Day) -> int:
    """Preparation, and then the bare way by the fastest vehicle: nobody can be faster."""
    wanted = page.wanted
    way_ms = min(
        day.ways.travel_ms(wanted.shop.point, wanted.door.point, vehicle=one, at=wanted.ready_at)
        for one in VehicleKind
    )
    services_ms = day.shop_service_ms // 2 + day.door_service_ms // 2
    return max(0, wanted.ready_at - wanted.placed_at) + services_ms + way_ms


def offer_counts(pages: Collection[CourierPage]) -> OfferCounts:
    """What became of the offers to these couriers."""
    made, accepted = sum(one.offers for one in pages), sum(one.accepted for one in pages)
    declined, expired = sum(one.declined for one in pages), sum(one.expired for one in pages)
    return OfferCounts(
        made=made,
        accepted=accepted,
        declined=declined,
        expired=expired,
        withdrawn=made - accepted - declined - expired,
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


def _mean(figures: Metrics) -> str:
    return "-" if figures.overage_min is None else f"{figures.overage_min:.2f}"


def _lateness_min(
    orders: Mapping[str, OrderPage], handed_over: Mapping[str, Instant], day: Day
) -> float:
    late = [
        _late_min(page, handed_over.get(key), day)
        for key, page in orders.items()
        if page.status is not OrderStatus.RETURNED and not page.changed_mind
    ]
    return sum(late) / len(late) if late else 0.0


def _late_min(page: OrderPage, at: Instant | None, day: Day) -> float:
    if at is None:
        return UNDELIVERED_MIN
    return max(0, at - page.wanted.placed_at - day.target_ms) / MINUTE_MS


def _road_min(pages: Iterable[CourierPage]) -> float:
    return sum(one.arrived_at - one.left_at for page in pages for one in page.visits) / MINUTE_MS


def _fairness(figures: Metrics) -> str:
    if figures.idle_gini is None or figures.earnings_gini is None:
        return "-"
    return f"{figures.idle_gini:.3f} / {figures.earnings_gini:.3f}"


def _spread(found: Spread | None) -> str:
    if found is None:
        return "-"
    return (
        f"mean {found.mean:.2f}   p50 {found.p50:.2f}   p90 {found.p90:.2f}   most {found.most:.2f}"
    )
