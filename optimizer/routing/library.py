"""The same problem for OR-Tools' own routing search: what ours is measured against."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from optimizer.routing.arrays import (
    CLOSE,
    EARLY,
    END,
    LATE,
    MASS,
    NODE,
    OPEN,
    PACE,
    PER_VEHICLE,
    POWER,
    ROOM,
    SERVICE,
    SIZE,
    START,
    Ints,
    Named,
    arrays_of,
)
from optimizer.routing.problem import RoutingProblem, Side, Visit

Lines = dict[str, list[Visit]]


def search_with_library(
    problem: RoutingProblem, *, is_over: Callable[[], bool], guided: bool
) -> Lines | None:
    """The visits of each vehicle, None if nothing was found before it is over.

    guided: cheapest insertions and guided local search instead of the library's defaults. Rests,
    lateness, skills and vehicles of different paces are not for this comparison.
    """
    named = arrays_of(problem)
    model = _Model(named)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    if guided:
        parameters.first_solution_strategy = (
            routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        )
        parameters.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
    model.routing.AddSearchMonitor(model.routing.solver().CustomLimit(is_over))
    solution = model.routing.SolveWithParameters(parameters)
    return model.lines(solution) if solution else None


class _Model:
    """Places: every stop, then the start of every vehicle, then one end that is nowhere."""

    def __init__(self, named: Named) -> None:
        self._named = named
        instance = named.instance
        stops, vehicles = len(instance.stops), len(instance.vehicles)
        starts = [stops + v for v in range(vehicles)]
        self._nowhere = stops + vehicles
        ends = [self._nowhere] * vehicles
        self._index = pywrapcp.RoutingIndexManager(self._nowhere + 1, vehicles, starts, ends)
        self.routing: Any = pywrapcp.RoutingModel(self._index)
        self._cost(self._table(instance.cost[0]))
        self._time(self._table(instance.seconds[0]))
        self._load("size", SIZE, ROOM)
        self._load("mass", MASS, POWER)
        self._pairs()

    def _table(self, between: Ints) -> Ints:
        instance = self._named.instance
        assert (instance.vehicles[:, PACE] == 0).all()
        nodes = np.concatenate([instance.stops[:, NODE], instance.vehicles[:, START]])
        table = np.zeros((self._nowhere + 1, self._nowhere + 1), dtype=np.int64)
        table[:-1, :-1] = between[np.ix_(nodes, nodes)]
        ends = np.unique(instance.vehicles[:, END])
        assert len(ends) == 1, "all vehicles end at one place, or anywhere"
        if ends[0] >= 0:
            table[:-1, -1] = between[nodes, ends[0]]
        return table

    def _cost(self, table: Ints) -> None:
        arc = self.routing.RegisterTransitMatrix(table.tolist())
        self.routing.SetArcCostEvaluatorOfAllVehicles(arc)
        self.routing.SetFixedCostOfAllVehicles(int(self._named.instance.prices[PER_VEHICLE]))

    def _time(self, table: Ints) -> None:
        instance, routing = self._named.instance, self.routing
        services = np.zeros(len(table), dtype=np.int64)
        services[: len(instance.stops)] = instance.stops[:, SERVICE]
        arc = routing.RegisterTransitMatrix((table + services[:, None]).tolist())
        horizon = int(max(instance.vehicles[:, CLOSE].max(), instance.stops[:, LATE].max()))
        routing.AddDimension(arc, horizon, horizon, False, "time")  # noqa: FBT003 - theirs
        self._when = routing.GetDimensionOrDie("time")
        for stop, row in enumerate(instance.stops.tolist()):
            at = self._index.NodeToIndex(stop)
            self._when.CumulVar(at).SetRange(row[EARLY], min(horizon, row[LATE]))
        for v, vehicle in enumerate(instance.vehicles.tolist()):
            for at in (routing.Start(v), routing.End(v)):
                self._when.CumulVar(at).SetRange(vehicle[OPEN], vehicle[CLOSE])

    def _load(self, name: str, column: int, room: int) -> None:
        instance, routing = self._named.instance, self.routing
        changes = [*instance.stops[:, column].tolist(), *[0] * (len(instance.vehicles) + 1)]
        change = routing.RegisterUnaryTransitVector(changes)
        rooms = np.minimum(instance.vehicles[:, room], 1 << 40).tolist()
        routing.AddDimensionWithVehicleCapacity(change, 0, rooms, True, name)  # noqa: FBT003

    def _pairs(self) -> None:
        routing, unserved = self.routing, self._named.instance.unserved
        for r, price in enumerate(unserved.tolist()):
            pickup = self._index.NodeToIndex(r)
            delivery = self._index.NodeToIndex(r + len(unserved))
            routing.AddPickupAndDelivery(pickup, delivery)
            same = routing.VehicleVar(pickup) == routing.VehicleVar(delivery)
            routing.solver().Add(same)
            before = self._when.CumulVar(pickup) <= self._when.CumulVar(delivery)
            routing.solver().Add(before)
            routing.AddDisjunction([pickup], price // 2)
            routing.AddDisjunction([delivery], price - price // 2)

    def lines(self, solution: Any) -> Lines:
        """What the library found, as visits."""
        count = len(self._named.requests)
        found: Lines = {}
        for v, vehicle in enumerate(self._named.vehicles):
            at = solution.Value(self.routing.NextVar(self.routing.Start(v)))
            while not self.routing.IsEnd(at):
                stop = self._index.IndexToNode(at)
                visit = Visit(
                    request=self._named.requests[stop % count].id,
                    side=Side.PICKUP if stop < count else Side.DELIVERY,
                )
                found.setdefault(vehicle.id, []).append(visit)
                at = solution.Value(self.routing.NextVar(at))
        return found
