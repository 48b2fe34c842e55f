"""How long a zone's whole tick takes beside scipy's bare assignment on the same costs."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median, quantiles
from typing import Final, NamedTuple, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from actors.garbage import seldom_collecting
from engine.couriers.fixes import Fix
from engine.dispatch.muster import Muster
from engine.dispatch.pool import stated
from engine.dispatch.roster import Roster
from engine.dispatch.waiting_list import WaitingList
from engine.kernel.ids import CourierId
from engine.kernel.timing import SECOND_MS, Instant
from optimizer.candidates import CandidateTable
from optimizer.lone import lone_prices
from optimizer.problem import Plan, Problem, Route
from optimizer.solve import solve
from optimizer.verify import verify
from simulations.crowd import NOW, Crowd, an_order, crowd, near

SIZES: Final = ((100, 300), (300, 1_000), (1_000, 3_000), (3_000, 10_000))
T = TypeVar("T")

_TICK_MS: Final = 2 * SECOND_MS
# Between two ticks so many of a hundred orders are gone and others there, and everybody moved.
_CHANGED_PERCENT: Final = 5
_MOVED_DEG: Final = 0.0003


class NoSuchSize(Exception):
    """What was written is no size."""


class Lap(NamedTuple):
    """Milliseconds by the clock, and of the processor."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingTimes:
    """What was measured at one size; the parts and the whole of the tick, and the matchings."""

    orders: int
    couriers: int
    laps: dict[str, list[Lap]]

    def median(self, part: str) -> Lap:
        """The middle one."""
        return Lap(*(median(column) for column in zip(*self.laps[part], strict=True)))

    def p99(self, part: str) -> Lap:
        """What one of a hundred exceeds."""
        columns = zip(*self.laps[part], strict=True)
        return Lap(*(quantiles(column, n=100, method="inclusive")[-1] for column in columns))


def run(*, sizes: Sequence[tuple[int, int]], ticks: int, seed: int) -> list[MatchingTimes]:
    """Live `ticks` ticks of each size, each beside both matchings, and print the table."""
    with Progress(transient=True) as progress, seldom_collecting():
        found = [_measured(size, ticks, seed, progress) for size in sizes]
    for kind, title in enumerate(("ms by the clock", "ms of the processor")):
        Console().print(_table(found, kind, f"Medians of {ticks} ticks, {title}"))
    return found


def read_size(text: str) -> tuple[int, int]:
    """Orders and couriers of a word like 300x1000; raises NoSuchSize."""
    orders, _, couriers = text.partition("x")
    if not (orders.isdecimal() and couriers.isdecimal() and int(orders) * int(couriers) > 0):
        raise NoSuchSize(f"{text} is no size: write orders and couriers as 300x1000")
    return int(orders), int(couriers)


def _measured(size: tuple[int, int], ticks: int, seed: int, progress: Progress) -> MatchingTimes:
    laps: dict[str, list[Lap]] = {}
    bar = progress.add_task(f"{size[0]} × {size[1]}", total=ticks + 1)
    incumbent: Sequence[Route] = ()
    held = _Held(Roster(), WaitingList())
    # The first tick warms up what is loaded at its first use.
    for number, state in enumerate(_life(crowd(*size, random.Random(seed)), ticks + 1, seed)):
        tick = _tick(state, held, incumbent)
        bare = _bare(tick.problem)
        incumbent = tick.plan.routes
        for name, lap in {**tick.laps, **bare}.items() if number else ():
            laps.setdefault(name, []).append(lap)
        progress.advance(bar)
    return MatchingTimes(orders=size[0], couriers=size[1], laps=laps)


class _State(NamedTuple):
    crowd: Crowd
    seen: dict[CourierId, Fix]
    now: Instant


def _life(first: Crowd, ticks: int, seed: int) -> Iterator[_State]:
    """The zone at each tick: some orders are others, and the couriers have moved a little."""
    chance = random.Random(seed)
    orders = list(first.orders)
    points = {one.id: one.last_point for one in first.couriers}
    for number in range(ticks):
        now = NOW + number * _TICK_MS
        seen = {
            one: Fix(lat=point.lat, lng=point.lng, at=now, accuracy_m=10.0)
            for one, point in points.items()
        }
        yield _State(first._replace(orders=orders), seen, now)
        points = {one: near(point, chance, _MOVED_DEG) for one, point in points.items()}
        for at in chance.sample(range(len(orders)), max(1, len(orders) * _CHANGED_PERCENT // 100)):
            name, shop = f"{number} {at}", chance.choice(first.shops)
            orders[at] = an_order(first.zone, name, shop, chance, now=now)


class _Held(NamedTuple):
    """What is kept from tick to tick."""

    roster: Roster
    orders: WaitingList


class _Ticked(NamedTuple):
    problem: Problem
    plan: Plan
    laps: dict[str, Lap]


def _tick(state: _State, held: _Held, incumbent: Sequence[Route]) -> _Ticked:
    problem, stating = _timed(lambda: _stated(state, held, incumbent))
    plan, planning = _timed(lambda: solve(problem))
    violations, checking = _timed(lambda: verify(problem, plan))
    assert not violations, violations[:3]
    parts = {"problem": stating, "plan": planning, "verify": checking}
    whole = Lap(*(sum(column) for column in zip(*parts.values(), strict=True)))
    return _Ticked(problem, plan, {**parts, "tick": whole})


def _stated(state: _State, held: _Held, incumbent: Sequence[Route]) -> Problem:
    """As the cell states it, and with the candidates sought, which is the solver's to do."""
    zone, _, orders, couriers = state.crowd
    held.roster.read(couriers, state.seen)
    held.orders.read(orders)
    muster = Muster(held.roster, zone.parameters, state.now)
    muster.walk(muster.busy, {})
    problem = stated(zone, held.orders, muster, incumbent)
    return replace(problem, candidates=CandidateTable.from_names(problem.candidates))


def _bare(problem: Problem) -> dict[str, Lap]:
    """Both assignments of scipy: each order to one courier at most, or to nobody at its price."""
    prices = lone_prices(problem)
    orders, couriers = len(problem.jobs), len(problem.vehicles)
    # A price of nothing would be no pair at all.
    least = min(prices.price.min(initial=0), prices.left_out.min(initial=0)) - 1
    price, left_out = prices.price - least, prices.left_out - least
    everyone = np.arange(orders)
    row = np.concatenate([prices.job, everyone])
    column = np.concatenate([prices.vehicle, couriers + everyone])
    sparse = csr_array(
        (np.concatenate([price, left_out]).astype(float), (row, column)),
        shape=(orders, couriers + orders),
    )
    dense = np.repeat(left_out.astype(float)[:, None], couriers, axis=1)
    dense[prices.job, prices.vehicle] = np.minimum(price, left_out[prices.job])
    (_, chosen), by_sparse = _timed(lambda: min_weight_full_bipartite_matching(sparse))
    (rows, columns), by_dense = _timed(lambda: linear_sum_assignment(dense))
    assert len(chosen) == orders
    if orders <= couriers:
        _same(float(sparse[everyone, chosen].sum()), float(dense[rows, columns].sum()))
    return {"sparse": by_sparse, "dense": by_dense}


def _same(one: float, other: float) -> None:
    assert abs(one - other) <= 1, f"two exact matchings differ: {one} and {other}"


def _timed(work: Callable[[], T]) -> tuple[T, Lap]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, Lap(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))


def _table(found: Sequence[MatchingTimes], kind: int, title: str) -> Table:
    parts = ("problem", "plan", "verify", "tick")
    columns = ("size", *parts, "p99", "sparse", "dense", "by sparse", "by dense")
    table = Table(*columns, title=title, box=None)
    for one in found:
        ms = {part: one.median(part)[kind] for part in one.laps}
        ratios = [ms["tick"] / ms[bare] for bare in ("sparse", "dense")]
        table.add_row(
            f"{one.orders}x{one.couriers}",
            *(f"{ms[part]:.1f}" for part in parts),
            f"{one.p99('tick')[kind]:.1f}",
            *(f"{ms[bare]:.1f}" for bare in ("sparse", "dense")),
            *(f"{ratio:.1f}" for ratio in ratios),
        )
    return table
