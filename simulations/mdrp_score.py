"""The judge of the recorded problem: a solution is driven again from the instance alone.

Nothing that the solution claims is believed but when its courier was where, and when he was told.
The rules are those of Reyes et al. (2018), "The Meal Delivery Routing Problem", with moves to shops
and additions until the pick-up allowed; what their own checker leaves out (the halves of a service,
that a courier left only when told, that a trip is finished before the next) is checked, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from simulations.mdrp import Instance, RecordedCourier, RecordedOrder, Spot

_EPS = 1e-6


class BadSolution(Exception):
    """The file is not a solution; the message names the file and the place in it."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop as solution files write it; minutes of the business day."""

    kind: str
    arrive: float
    depart: float
    order: str | None = None
    orders: tuple[str, ...] = ()
    restaurant: str | None = None
    decided_at: float | tuple[float | None, ...] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The orders of the stop."""
        return self.orders or ((self.order,) if self.order is not None else ())

    @property
    def decided(self) -> tuple[float | None, ...]:
        """When each order was decided, or the move."""
        if isinstance(self.decided_at, tuple):
            return self.decided_at or (None,)
        return (self.decided_at,) * max(1, len(self.keys))


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one courier did."""

    courier: str
    stops: tuple[Stop, ...]


class Solution(msgspec.Struct, frozen=True, kw_only=True):
    """What all couriers did."""

    couriers: tuple[Page, ...]


class Fault(NamedTuple):
    """A rule that was broken, by whom, and how."""

    rule: str
    courier: str
    detail: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One judged day: minutes, and the money of its terms; None where there was nothing.

    `excess` is click-to-door above the direct bound over all orders, an undelivered one counted as
    the instance's maximum; the other times are over delivered orders.
    """

    orders: int
    delivered: int
    undelivered_pct: float
    excess: float
    click_to_door: float | None
    click_to_door_p90: float | None
    overage: float | None
    ready_to_pickup: float | None
    cost_per_order: float | None
    orders_per_trip: float | None
    direct_bound: float
    over_maximum: int


class Judgement(NamedTuple):
    """The figures, and every rule that was broken."""

    figures: Figures
    faults: tuple[Fault, ...]


def read(file: Path) -> Solution:
    """Read a solution file; raises BadSolution."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Solution)
    except OSError as error:
        raise BadSolution(f"{file}: {error.strerror or error}") from None
    except msgspec.DecodeError as error:
        raise BadSolution(f"{file}: {error}") from None


def judge(instance: Instance, solution: Solution) -> Judgement:
    """Drive every courier's day again, and measure it."""
    ledger = _Ledger()
    couriers = {one.name: one for one in instance.couriers}
    orders = {one.name: one for one in instance.orders}
    seen: set[str] = set()
    for page in solution.couriers:
        courier = couriers.get(page.courier)
        if courier is None:
            ledger.faults.append(Fault("unknown_courier", page.courier, ""))
        elif page.courier in seen:
            ledger.faults.append(Fault("courier_listed_twice", page.courier, ""))
        else:
            _Drive(instance, orders, courier, ledger).drive(page.stops)
        seen.add(page.courier)
    return Judgement(_figures(instance, ledger), tuple(ledger.faults))


@dataclass(slots=True)
class _Ledger:
    faults: list[Fault] = field(default_factory=list)
    picked_up: dict[str, float] = field(default_factory=dict)
    dropped: dict[str, float] = field(default_factory=dict)
    carried: Counter[str] = field(default_factory=Counter)
    trips: list[int] = field(default_factory=list)


class _Drive:
    """One courier, stop by stop: where he is, from when on he is free, what he has on board."""

    def __init__(
        self,
        instance: Instance,
        orders: dict[str, RecordedOrder],
        courier: RecordedCourier,
        ledger: _Ledger,
    ) -> None:
        self._instance, self._terms = instance, instance.terms
        self._orders, self._courier, self._ledger = orders, courier, ledger
        self._at = ("courier", courier.name)
        self._here = courier.start
        self._free_at = float(courier.on)
        self._on_board: list[str] = []

    def drive(self, stops: Iterable[Stop]) -> None:
        """All his stops, and what he should not have kept."""
        for stop in self._visits(stops):
            match stop.kind:
                case "pickup":
                    self._pick_up(stop)
                case "dropoff":
                    self._drop_off(stop)
                case "move":
                    self._move(stop)
                case other:
                    self._fault("unknown_kind", other)
        if self._on_board:
            self._fault("order_never_dropped", self._on_board)

    def _visits(self, stops: Iterable[Stop]) -> Iterator[Stop]:
        """The stops, with pick-ups of one visit made one."""
        held: Stop | None = None
        for stop in stops:
            if held is not None and self._is_same_visit(held, stop):
                held = msgspec.structs.replace(
                    held,
                    order=None,
                    orders=held.keys + stop.keys,
                    decided_at=held.decided + stop.decided,
                )
                continue
            if held is not None:
                yield held
            held = stop
        if held is not None:
            yield held

    def _is_same_visit(self, a: Stop, b: Stop) -> bool:
        return (
            a.kind == b.kind == "pickup"
            and self._shops(a) == self._shops(b) != set()
            and abs(a.arrive - b.arrive) < _EPS
            and abs(a.depart - b.depart) < _EPS
        )

    def _shops(self, stop: Stop) -> set[str]:
        return {self._orders[key].restaurant for key in stop.keys if key in self._orders}

    def _pick_up(self, stop: Stop) -> None:
        if not stop.keys or any(key not in self._orders for key in stop.keys):
            self._fault("unknown_order", stop.keys)
            return
        if len(self._shops(stop)) > 1:
            self._fault("bundle_spans_restaurants", stop.keys)
        shop = self._orders[stop.keys[0]].restaurant
        left_at, moved = self._go(stop, "restaurant", shop, self._instance.restaurants[shop])
        half = self._terms.pickup_minutes / 2
        at = stop.depart - half
        self._refuse_if(bool(self._on_board), "trip_not_finished", self._on_board)
        self._refuse_if(at < stop.arrive + half - _EPS, "pickup_service", stop.keys)
        self._refuse_if(at > self._courier.off + _EPS, "pickup_after_off_time", at)
        decided = self._decisions(stop)
        for key, told_at in zip(stop.keys, decided, strict=True):
            self._take(self._orders[key], at, told_at)
        first = min((one for one in decided if one is not None), default=left_at)
        self._refuse_if(moved and first > left_at + _EPS, "left_before_told", stop.keys)
        self._on_board += stop.keys
        self._ledger.trips.append(len(stop.keys))
        self._leave(stop)

    def _decisions(self, stop: Stop) -> tuple[float | None, ...]:
        if len(stop.decided) == len(stop.keys):
            return stop.decided
        return (None,) * len(stop.keys)

    def _take(self, order: RecordedOrder, at: float, told_at: float | None) -> None:
        picked_up = self._ledger.picked_up
        self._refuse_if(at < order.ready - _EPS, "pickup_before_ready", order.name)
        self._refuse_if(order.name in picked_up, "order_picked_up_twice", order.name)
        picked_up[order.name] = at
        if self._knows_when(order, told_at) and told_at is not None:
            self._refuse_if(told_at > at + _EPS, "decided_after_pickup", order.name)

    def _drop_off(self, stop: Stop) -> None:
        if len(stop.keys) != 1 or stop.keys[0] not in self._orders:
            self._fault("bad_dropoff", stop.keys)
            return
        order = self._orders[stop.keys[0]]
        left_at, _ = self._go(stop, "order", order.name, order.door)
        if order.name in self._on_board:
            self._on_board.remove(order.name)
        else:
            self._fault("dropoff_without_pickup", order.name)
        service = self._terms.dropoff_minutes
        self._refuse_if(stop.depart < stop.arrive + service - _EPS, "dropoff_service", order.name)
        self._refuse_if(order.name in self._ledger.dropped, "order_dropped_twice", order.name)
        self._ledger.dropped[order.name] = stop.arrive + service / 2
        self._ledger.carried[self._courier.name] += 1
        told_at = stop.decided[0]
        if self._knows_when(order, told_at) and told_at is not None:
            self._refuse_if(told_at > left_at + _EPS, "left_before_told", order.name)
        self._leave(stop)

    def _move(self, stop: Stop) -> None:
        shop = self._instance.restaurants.get(stop.restaurant or "")
        if shop is None or stop.restaurant is None:
            self._fault("move_target_not_a_restaurant", stop.restaurant)
            return
        left_at, _ = self._go(stop, "restaurant", stop.restaurant, shop)
        told_at = stop.decided[0]
        self._refuse_if(bool(self._on_board), "move_with_orders_on_board", self._on_board)
        self._refuse_if(left_at > self._courier.off + _EPS, "move_after_off_time", left_at)
        self._refuse_if(stop.depart < stop.arrive - _EPS, "departs_before_arrival", stop.restaurant)
        told_late = told_at is not None and told_at > left_at + _EPS
        self._refuse_if(told_late, "left_before_told", stop.restaurant)
        self._leave(stop)

    def _go(self, stop: Stop, kind: str, name: str, to: Spot) -> tuple[float, bool]:
        """Drive there; when he must have left, and whether it is another place."""
        moved = self._at != (kind, name)
        minutes = self._instance.travel_minutes(self._here, to) if moved else 0
        left_at = stop.arrive - minutes
        detail = f"to {name}: free at {self._free_at:g}, needs {minutes}, arrives {stop.arrive:g}"
        self._refuse_if(left_at < self._free_at - _EPS, "travel_time", detail)
        self._at, self._here = (kind, name), to
        return left_at, moved

    def _leave(self, stop: Stop) -> None:
        self._free_at = max(stop.depart, stop.arrive)

    def _knows_when(self, order: RecordedOrder, told_at: float | None) -> bool:
        if told_at is None:
            self._fault("no_decision_time", order.name)
            return False
        self._refuse_if(told_at < order.placed - _EPS, "decided_before_placed", order.name)
        return True

    def _refuse_if(self, broken: bool, rule: str, detail: object) -> None:  # noqa: FBT001 - the rule
        if broken:
            self._fault(rule, detail)

    def _fault(self, rule: str, detail: object) -> None:
        self._ledger.faults.append(Fault(rule, self._courier.name, str(detail)))


def _figures(instance: Instance, ledger: _Ledger) -> Figures:
    terms, orders = instance.terms, instance.orders
    done = [one for one in orders if one.name in ledger.dropped and one.name in ledger.picked_up]
    waited = np.array([ledger.dropped[one.name] - one.placed for one in done])
    bound = _mean([direct_bound(instance, one) for one in orders]) or 0.0
    left = len(orders) - len(done)
    everybody = (float(waited.sum()) + terms.maximum_minutes * left) / max(1, len(orders))
    return Figures(
        orders=len(orders),
        delivered=len(done),
        undelivered_pct=100 * left / max(1, len(orders)),
        excess=everybody - bound,
        click_to_door=_mean(waited),
        click_to_door_p90=float(np.percentile(waited, 90)) if done else None,
        overage=_mean(np.maximum(0.0, waited - terms.target_minutes)),
        ready_to_pickup=_mean([ledger.picked_up[one.name] - one.ready for one in done]),
        cost_per_order=_pay(instance, ledger.carried) / len(done) if done else None,
        orders_per_trip=_mean(ledger.trips),
        direct_bound=bound,
        over_maximum=int((waited > terms.maximum_minutes + _EPS).sum()),
    )


def direct_bound(instance: Instance, order: RecordedOrder) -> float:
    """Minutes from click to door that nobody can beat: preparation, the bare way, half services."""
    terms = instance.terms
    way = instance.travel_minutes(instance.restaurants[order.restaurant], order.door)
    return order.ready - order.placed + way + (terms.pickup_minutes + terms.dropoff_minutes) / 2


def _pay(instance: Instance, carried: Counter[str]) -> float:
    terms = instance.terms
    return sum(
        max(terms.order_pay * carried[one.name], terms.hour_pay * (one.off - one.on) / 60)
        for one in instance.couriers
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None
