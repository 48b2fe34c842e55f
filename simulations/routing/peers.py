"""Other solvers of the same problem: VROOM and PyVRP, when they are installed."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from optimizer.routing.library import Lines, search_with_library
from optimizer.routing.problem import Request, RoutingProblem, Side, Stop, Vehicle, Visit
from simulations.routing.confined import StopWatch

INSTALL = "install the group of dependencies `bench`: uv sync --group bench"
_MODULES: Mapping[str, str] = {"VROOM": "vroom", "PyVRP": "pyvrp"}
_VROOM_LEVEL = 5


def missing_peers() -> list[str]:
    """The peers that are not installed."""
    return [name for name, module in _MODULES.items() if find_spec(module) is None]


def default_library(problem: RoutingProblem, budget_s: float, elapsed_s: StopWatch) -> Lines | None:
    """OR-Tools' routing search as it comes."""
    return search_with_library(problem, is_over=lambda: elapsed_s() >= budget_s, guided=False)


def guided_library(problem: RoutingProblem, budget_s: float, elapsed_s: StopWatch) -> Lines | None:
    """OR-Tools' guided local search after cheapest insertions."""
    return search_with_library(problem, is_over=lambda: elapsed_s() >= budget_s, guided=True)


def vroom(problem: RoutingProblem, budget_s: float, _elapsed_s: StopWatch) -> Lines | None:
    """VROOM at its highest level of exploration, in one thread; it knows only the clock."""
    library: Any = import_module("vroom")
    stated = library.Input()
    stated.set_durations_matrix("car", problem.seconds.astype(np.uint32))
    for number, one in enumerate(problem.vehicles):
        stated.add_vehicle(
            library.Vehicle(
                number,
                start=one.start,
                end=one.end,
                capacity=[_finite(one.volume), _finite(one.weight)],
                time_window=library.TimeWindow(one.shift_start_s, one.shift_end_s),
                costs=library.VehicleCosts(fixed=problem.weights.vehicle),
            )
        )
    for number, request in enumerate(problem.requests):
        stated.add_shipment(
            _shipment_step(library, number, request.pickup),
            _shipment_step(library, number, request.delivery),
            amount=library.Amount([request.volume, request.weight]),
        )
    found = stated.solve(_VROOM_LEVEL, nb_threads=1, timeout=timedelta(seconds=budget_s))
    lines: Lines = {}
    for row in found.routes.to_dict("records"):
        if row["type"] in ("pickup", "delivery"):
            visit = Visit(request=problem.requests[int(row["id"])].id, side=Side(row["type"]))
            lines.setdefault(problem.vehicles[int(row["vehicle_id"])].id, []).append(visit)
    return lines


def _shipment_step(library: Any, number: int, stop: Stop) -> Any:
    window = library.TimeWindow(stop.earliest_s, stop.latest_s)
    return library.ShipmentStep(
        number, stop.node, default_service=stop.service_s, time_windows=[window]
    )


def _finite(amount: int) -> int:
    return min(amount, 1_000_000)


def pyvrp(problem: RoutingProblem, budget_s: float, elapsed_s: StopWatch) -> Lines | None:
    """PyVRP's iterated local search: with shipments, or with clients if all comes from a hub."""
    library: Any = import_module("pyvrp")
    from_hub = _is_from_hub(problem)
    result = library.solve(
        library.ProblemData(**(_hub(library, problem) if from_hub else _city(library, problem))),
        lambda _best_cost: elapsed_s() >= budget_s,
        seed=problem.seed,
        display=False,
        collect_stats=False,
    )
    if not result.is_feasible():
        return None
    free = list(problem.vehicles)
    lines: Lines = {}
    for route in result.best.routes():
        vehicle = free.pop() if from_hub else problem.vehicles[route.vehicle_type()]
        if line := _visits(problem, route):
            lines[vehicle.id] = line
    return lines


def _visits(problem: RoutingProblem, route: Any) -> list[Visit]:
    """A route's visits; what is not fetched on the way is fetched where the trip begins."""
    found: list[Visit] = []
    trip = 0
    for one in route.schedule():
        kind = one.type.name.lower()
        if kind == "depot":
            trip = len(found)
        elif kind == "client":
            request = problem.requests[one.idx].id
            found.insert(trip, Visit(request=request, side=Side.PICKUP))
            found.append(Visit(request=request, side=Side.DELIVERY))
        else:
            side = next(side for side in Side if side.value in kind)
            found.append(Visit(request=problem.requests[one.idx].id, side=side))
    return found


def _is_from_hub(problem: RoutingProblem) -> bool:
    """Whether this is plain delivery with windows: one warehouse, equal vehicles that return."""
    places: set[int | None] = {one.pickup.node for one in problem.requests}
    for vehicle in problem.vehicles:
        places |= {vehicle.start, vehicle.end}
    return len(places) == 1 and all(one.pickup.service_s == 0 for one in problem.requests)


def _hub(library: Any, problem: RoutingProblem) -> dict[str, Any]:
    van = problem.vehicles[0]
    return {
        "locations": [library.Location(0, 0) for _ in range(len(problem.seconds))],
        "clients": [
            library.Client(
                one.delivery.node,
                delivery=[one.volume, one.weight],
                service_duration=one.delivery.service_s,
                tw_early=one.delivery.earliest_s,
                tw_late=one.delivery.latest_s,
                prize=problem.weights.unserved,
                required=False,
            )
            for one in problem.requests
        ],
        "depots": [library.Depot(van.start)],
        "vehicle_types": [
            library.VehicleType(
                num_available=len(problem.vehicles), reload_depots=[0], **_kind(problem, van, 0, 0)
            )
        ],
        "distance_matrices": [problem.seconds],
        "duration_matrices": [problem.seconds],
    }


def _kind(problem: RoutingProblem, vehicle: Vehicle, start: int, end: int) -> dict[str, Any]:
    return {
        "capacity": [_finite(vehicle.volume), _finite(vehicle.weight)],
        "start_depot": start,
        "end_depot": end,
        "fixed_cost": problem.weights.vehicle,
        "tw_early": vehicle.shift_start_s,
        "tw_late": vehicle.shift_end_s,
    }


def _city(library: Any, problem: RoutingProblem) -> dict[str, Any]:
    """One kind of vehicle per vehicle, each from a depot of its own to one that is nowhere."""
    nowhere = len(problem.seconds)
    seconds = np.zeros((nowhere + 1, nowhere + 1), dtype=np.int64)
    seconds[:-1, :-1] = problem.seconds
    depots = [one.start for one in problem.vehicles] + [nowhere]
    depots += [one.end for one in problem.vehicles if one.end is not None]
    return {
        "locations": [library.Location(0, 0) for _ in range(nowhere + 1)],
        "clients": [],
        "depots": [library.Depot(one) for one in depots],
        "vehicle_types": [
            library.VehicleType(
                **_kind(problem, one, number, depots.index(nowhere if one.end is None else one.end))
            )
            for number, one in enumerate(problem.vehicles)
        ],
        "distance_matrices": [seconds],
        "duration_matrices": [seconds],
        "shipments": [_shipment(library, problem, one) for one in problem.requests],
    }


def _shipment(library: Any, problem: RoutingProblem, request: Request) -> Any:
    first, last = request.pickup, request.delivery
    return library.Shipment(
        *(first.node, last.node),
        *(first.earliest_s, first.latest_s, first.service_s),
        *(last.earliest_s, last.latest_s, last.service_s),
        [request.volume, request.weight],
        prize=problem.weights.unserved,
        required=False,
    )
