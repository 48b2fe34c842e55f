"""How long a zone's tick takes on this machine, beside the bare matching of the same pairs."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from actors.solver import checked_plan, real_stopwatch
from engine.couriers.courier import Courier, Duty
from engine.dispatch.pool import problem_of
from engine.geo.cells import cell_at, disk
from engine.geo.travel import VehicleKind
from engine.geo.zone import CreateZone, Zone, create
from engine.kernel.ids import CourierId, OrderId, QuoteId, UserId, ZoneId, derived_id
from engine.kernel.messages import Decision
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from optimizer.matching import match
from optimizer.problem import Problem
from simulations.city import City

SIZES = ((30, 100), (100, 300), (300, 1000))
_NOW: Instant = 1_767_571_200_000
_SPREAD_DEG = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class TickTimes:
    """Medians in real ms: stating the problem, planning and verifying, the bare matching."""

    orders: int
    couriers: int
    problem_ms: float
    plan_ms: float
    matching_ms: float

    @property
    def ratio(self) -> float:
        """The whole tick by the bare matching."""
        return (self.problem_ms + self.plan_ms) / self.matching_ms


def run(*, runs: int, seed: int) -> list[TickTimes]:
    """Measure every size `runs` times, in turn with the bare matching, and print the table."""
    found = [_measure(*size, runs=runs, seed=seed) for size in SIZES]
    table = Table("orders", "couriers", "problem ms", "plan ms", "bare matching ms", "ratio")
    for one in found:
        table.add_row(
            str(one.orders),
            str(one.couriers),
            f"{one.problem_ms:.1f}",
            f"{one.plan_ms:.1f}",
            f"{one.matching_ms:.1f}",
            f"{one.ratio:.1f}",
        )
    Console().print(table)
    return found


def _measure(orders: int, couriers: int, *, runs: int, seed: int) -> TickTimes:
    zone, waiting, free = _crowd(orders, couriers, random.Random(seed))
    times: dict[str, list[float]] = {"problem": [], "plan": [], "matching": []}
    problem = problem_of(zone, waiting, free, now=_NOW)
    for _ in track(range(runs), description=f"{orders} × {couriers}", transient=True):
        times["problem"].append(_ms(lambda: problem_of(zone, waiting, free, now=_NOW)))
        times["plan"].append(_ms(lambda: checked_plan(problem, real_stopwatch())))
        times["matching"].append(_ms(lambda: _bare_matching(problem)))
    return TickTimes(
        orders=orders,
        couriers=couriers,
        problem_ms=median(times["problem"]),
        plan_ms=median(times["plan"]),
        matching_ms=median(times["matching"]),
    )


def _ms(work: Callable[[], Any]) -> float:
    elapsed_s = real_stopwatch()
    work()
    return elapsed_s() * 1000


def _bare_matching(problem: Problem) -> None:
    """Every order to one courier by travel time alone: what a tick cannot be cheaper than."""
    index = {vehicle.id: at for at, vehicle in enumerate(problem.vehicles)}
    pairs = [
        (at, index[one])
        for at, job in enumerate(problem.jobs)
        for one in problem.candidates[job.id]
    ]
    left, right = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    nodes = np.array([one.node for one in problem.vehicles], dtype=np.int64)
    shops = np.array([one.pickup for one in problem.jobs], dtype=np.int64)
    cost = problem.travel.between(nodes[right], shops[left])
    match(left, right, cost, alone=np.full(len(problem.jobs), 100_000, dtype=np.int64))


def _crowd(
    orders: int, couriers: int, chance: random.Random
) -> tuple[Zone, Sequence[Order], Sequence[Courier]]:
    """A zone with so many waiting orders and idle couriers, scattered over a city."""
    zone = _zone()
    centre = Point(lat=24.7136, lng=46.6753)
    shops = [_near(centre, chance) for _ in range(max(1, orders // 5))]
    return (
        zone,
        [_order(zone, number, chance.choice(shops), chance) for number in range(orders)],
        [_courier(zone, number, _near(centre, chance)) for number in range(couriers)],
    )


def _zone() -> Zone:
    anchor = cell_at(Point(lat=24.7136, lng=46.6753), 7)
    created = create(
        CreateZone(
            zone_id=ZoneId(derived_id("bench")),
            name_en="Bench",
            name_ar="قياس",
            anchor=anchor,
            cells=tuple(sorted(disk(anchor, 2))),
            parameters=City(0).zone(pace=1.0).parameters,
            author=UserId(derived_id("bench author")),
        ),
        now=_NOW,
    )
    assert isinstance(created, Decision)
    zone: Zone = created.changes[0].thing
    return zone


def _near(centre: Point, chance: random.Random) -> Point:
    return Point(
        lat=centre.lat + chance.uniform(-_SPREAD_DEG, _SPREAD_DEG),
        lng=centre.lng + chance.uniform(-_SPREAD_DEG, _SPREAD_DEG),
    )


def _order(zone: Zone, number: int, shop: Point, chance: random.Random) -> Order:
    placed_at = _NOW - chance.randrange(10 * MINUTE_MS)
    return Order(
        version=1,
        id=OrderId(derived_id("bench order", str(number))),
        code="BENCH1",
        customer_id=UserId(derived_id("bench customer")),
        zone_id=zone.id,
        quote_id=QuoteId(derived_id("bench quote")),
        status=OrderStatus.WAITING,
        gift=Gift(description="Roses"),
        recipient=Recipient(name="Noura"),
        shop=Place(point=shop),
        door=Place(point=_near(shop, chance)),
        pin="0000",
        total_halalas=0,
        placed_at=placed_at,
        ready_at=placed_at + chance.randrange(20 * MINUTE_MS),
        due_at=placed_at + 60 * MINUTE_MS,
    )


def _courier(zone: Zone, number: int, point: Point) -> Courier:
    return Courier(
        version=1,
        id=CourierId(UserId(derived_id("bench courier", str(number)))),
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        duty=Duty.ON,
        zone_id=zone.id,
        last_point=point,
    )
