"""Plans pick-ups and deliveries: adaptive large neighbourhood search, and an exact last word.

Ruin and recreate (Christiaens & Vanden Berghe 2020, Ropke & Pisinger 2006) under simulated
annealing; now and then the best choice among all routes seen is computed exactly.
"""

from collections.abc import Callable

from optimizer.routing.annealing import (
    Search,
    anneal,
    construct,
    search_of,
)
from optimizer.routing.arrays import HOPELESS, NEVER, PER_VEHICLE, Instance, Named, arrays_of
from optimizer.routing.chance import stream_of
from optimizer.routing.incumbent import adopt
from optimizer.routing.insertion import place_in
from optimizer.routing.partition import choose_routes
from optimizer.routing.pool import empty_pool
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from optimizer.routing.state import COST, LENGTH
from optimizer.routing.writing import plan_of

_ROUNDS = 100
_CHUNK_S = 0.02
_HOT, _COLD = 1.0, 0.01
_PARTITIONS = (0.35, 0.7, 0.93)


def solve(problem: RoutingProblem, *, elapsed_s: Callable[[], float]) -> RoutingPlan:
    """The best plan found within the effort; at least as good as the incumbent.

    elapsed_s: seconds since the work began, by the caller's stop-watch.
    """
    named = arrays_of(problem)
    if not named.requests or not named.vehicles:
        return plan_of(named, [], 0)
    instance = named.instance
    search = search_of(instance, stream_of(problem.seed), empty_pool(len(named.requests)))
    _set_hopeless_aside(instance, search)
    adopt(problem, named, search)
    construct(instance, search)
    rounds = _Annealing(problem, named, search, elapsed_s).run()
    return plan_of(named, lines_of(search), rounds)


def lines_of(search: Search) -> list[list[int]]:
    """The stops of each vehicle in the best solution."""
    lines = zip(search.lines, search.lengths, strict=True)
    return [line[:length].tolist() for line, length in lines]


def _set_hopeless_aside(instance: Instance, search: Search) -> None:
    """What no vehicle can do even alone is not tried again and again."""
    requests, vehicles = instance.allowed.shape
    for r in range(requests):
        alone = (
            place_in(instance, search.state, search.trial, r, v, NEVER)
            for v in range(vehicles)
            if instance.allowed[r, v]
        )
        if min(alone, default=NEVER) >= NEVER:
            search.state.where[r] = HOPELESS


class _Annealing:
    """From hot to cold, by the share of the effort that is spent."""

    def __init__(
        self,
        problem: RoutingProblem,
        named: Named,
        search: Search,
        elapsed_s: Callable[[], float],
    ) -> None:
        self._effort = problem.effort
        self._named = named
        self._search = search
        self._elapsed_s = elapsed_s
        self._rounds = 0
        self._chunk = _ROUNDS
        self._partitions = list(_PARTITIONS)

    def run(self) -> int:
        """Search until the effort is spent; how many rounds that were."""
        instance, search = self._named.instance, self._search
        unit = self._mean_cost()
        while unit > 0 and (spent := self._spent()) < 1.0:
            if self._partitions and spent >= self._partitions[0]:
                del self._partitions[0]
                self._partition()
            rounds = min(self._chunk, self._effort.rounds_max - self._rounds)
            began = self._elapsed_s()
            anneal(instance, search, rounds, unit * _HOT * (_COLD / _HOT) ** spent)
            self._rounds += rounds
            self._pace(self._elapsed_s() - began)
        return self._rounds

    def _spent(self) -> float:
        effort = self._effort
        if self._rounds >= effort.rounds_max:
            return 1.0
        return max(self._elapsed_s() / effort.time_budget_s, self._rounds / effort.rounds_max)

    def _mean_cost(self) -> float:
        """What a served request costs on the road, by which the temperature is measured."""
        state, instance = self._search.state, self._named.instance
        served = int((state.where >= 0).sum())
        used = int((state.routes[:, LENGTH] > 0).sum())
        roads = int(state.routes[:, COST].sum()) - used * int(instance.prices[PER_VEHICLE])
        return max(1, roads) / served if served else 0.0

    def _pace(self, took_s: float) -> None:
        """So many rounds at once that the clock is looked at often enough; alike without one."""
        if took_s > 0:
            self._chunk = max(1, min(4 * self._chunk, round(self._chunk * _CHUNK_S / took_s)))

    def _partition(self) -> None:
        left_s = self._effort.time_budget_s - self._elapsed_s()
        choose_routes(self._named.instance, self._search, limit_s=left_s / 4)
