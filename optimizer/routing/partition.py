"""The exact choice among the routes that a search came upon: a set partitioning problem."""

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from optimizer.routing.annealing import Search, recall
from optimizer.routing.arrays import KIND, Instance
from optimizer.routing.pool import clear
from optimizer.routing.state import COST, LENGTH, STOP

_COLUMNS_MAX = 4000
# Bounds the exact work by the solver's own measure, which is alike on every machine.
_WORK_MAX = 2.0


@dataclass(frozen=True, slots=True)
class _Column:
    line: tuple[int, ...]
    cost: int
    kind: int
    is_best: bool

    def requests(self, count: int) -> set[int]:
        return {stop % count for stop in self.line}


def choose_routes(instance: Instance, search: Search, *, limit_s: float) -> None:
    """Make the cheapest choice of routes the present solution and the best one.

    It is never dearer than the best so far. The pool begins anew.
    """
    recall(instance, search)
    columns = [*_present(instance, search), *_pooled(search)]
    clear(search.pool)
    chosen = _cheapest(instance, columns, limit_s) if limit_s > 0 else []
    if not chosen:
        return
    search.lengths[:] = 0
    for column in chosen:
        alike = np.flatnonzero(instance.vehicles[:, KIND] == column.kind)
        v = next(one for one in alike if search.lengths[one] == 0)
        search.lengths[v] = len(column.line)
        search.lines[v, : len(column.line)] = column.line
    recall(instance, search)


def _present(instance: Instance, search: Search) -> list[_Column]:
    state = search.state
    return [
        _Column(
            tuple(state.legs[v, : state.routes[v, LENGTH], STOP].tolist()),
            int(state.routes[v, COST]),
            int(instance.vehicles[v, KIND]),
            is_best=True,
        )
        for v in np.flatnonzero(state.routes[:, LENGTH])
    ]


def _pooled(search: Search) -> list[_Column]:
    """The routes of the pool that are cheapest by the stop."""
    pool, count = search.pool, int(search.pool.used[0])
    order = np.argsort(pool.costs[:count] / np.maximum(1, pool.lengths[:count]), kind="stable")
    return [
        _Column(
            tuple(pool.lines[at, : pool.lengths[at]].tolist()),
            int(pool.costs[at]),
            int(pool.kinds[at]),
            is_best=False,
        )
        for at in order[:_COLUMNS_MAX]
    ]


def _cheapest(instance: Instance, columns: list[_Column], limit_s: float) -> list[_Column]:
    count = len(instance.unserved)
    model = cp_model.CpModel()
    taken = [model.new_bool_var("") for _ in columns]
    left = [model.new_bool_var("") for _ in range(count)]
    serving: list[list[cp_model.IntVar]] = [[one] for one in left]
    driving: dict[int, list[cp_model.IntVar]] = {}
    for column, variable in zip(columns, taken, strict=True):
        driving.setdefault(column.kind, []).append(variable)
        model.add_hint(variable, column.is_best)
        for r in column.requests(count):
            serving[r].append(variable)
    for variables in serving:
        model.add_exactly_one(variables)
    for kind, variables in driving.items():
        model.add(sum(variables) <= int((instance.vehicles[:, KIND] == kind).sum()))
    costs = [column.cost for column in columns] + instance.unserved.tolist()
    model.minimize(cp_model.LinearExpr.weighted_sum([*taken, *left], costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = _WORK_MAX
    solver.parameters.max_time_in_seconds = limit_s
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return []
    return [one for one, variable in zip(columns, taken, strict=True) if solver.value(variable)]
