"""Checks a routing plan against its problem by recomputing everything, apart from the search."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from optimizer.routing.problem import (
    Request,
    Rest,
    Route,
    RoutingPlan,
    RoutingProblem,
    Side,
    Stop,
    Vehicle,
    Visit,
)
from optimizer.verify import Violation


def verify(problem: RoutingProblem, plan: RoutingPlan) -> tuple[Violation, ...]:
    """Every violation found; none = the plan may be acted upon."""
    broken = [*_vehicles(problem, plan), *_requests(problem, plan)]
    if broken:
        return tuple(broken)
    judge = _Judge(problem)
    for route in plan.routes:
        broken += judge.route(route)
    cost = judge.cost(plan)
    if not broken and cost != plan.cost:
        broken.append(Violation(code="wrong_cost", subject="", detail=f"{plan.cost}, not {cost}"))
    return tuple(broken)


def _vehicles(problem: RoutingProblem, plan: RoutingPlan) -> Iterator[Violation]:
    known = {one.id for one in problem.vehicles}
    for vehicle, times in sorted(Counter(route.vehicle for route in plan.routes).items()):
        if vehicle not in known:
            yield Violation(code="unknown_vehicle", subject=vehicle)
        if times > 1:
            yield Violation(code="vehicle_twice", subject=vehicle)


def _requests(problem: RoutingProblem, plan: RoutingPlan) -> Iterator[Violation]:
    known = {one.id for one in problem.requests}
    seen = Counter((one.request, one.side) for route in plan.routes for one in route.visits)
    for request in sorted(known | {one for one, _ in seen} | plan.unserved.keys()):
        if request not in known:
            yield Violation(code="unknown_request", subject=request)
            continue
        times = [seen[request, side] for side in Side]
        wanted = [0, 0] if request in plan.unserved else [1, 1]
        if times != wanted:
            yield Violation(code="visits", subject=request, detail=f"{times}, not {wanted}")


class _Judge:
    def __init__(self, problem: RoutingProblem) -> None:
        self._problem = problem
        self._requests = {one.id: one for one in problem.requests}
        self._vehicles = {one.id: one for one in problem.vehicles}

    def route(self, route: Route) -> Iterator[Violation]:
        """What one route breaks."""
        vehicle = self._vehicles[route.vehicle]
        if not route.visits:
            yield Violation(code="empty_route", subject=vehicle.id)
            return
        yield from self._fits(vehicle, route)
        yield from self._order(vehicle, route)
        yield from self._windows(route)
        if route.leave_s < vehicle.shift_start_s or route.over_s > vehicle.shift_end_s:
            yield Violation(code="shift", subject=vehicle.id)
        yield from self._clockwork(vehicle, route)

    def cost(self, plan: RoutingPlan) -> int:
        """What the plan costs by the problem's weights."""
        weights = self._problem.weights
        total = sum(self._unserved(self._requests[one]) for one in plan.unserved)
        for route in plan.routes:
            total += weights.vehicle + self._driving(self._vehicles[route.vehicle], route)
            for visit in route.visits:
                late_s = max(0, visit.begin_s - self._stop(visit).due_s)
                total += weights.lateness * late_s
        return total

    def _unserved(self, request: Request) -> int:
        own = request.unserved
        return self._problem.weights.unserved if own is None else own

    def _stop(self, visit: Visit) -> Stop:
        request = self._requests[visit.request]
        return request.pickup if visit.side is Side.PICKUP else request.delivery

    def _nodes(self, vehicle: Vehicle, route: Route) -> list[int]:
        nodes = [vehicle.start, *(self._stop(one).node for one in route.visits)]
        return nodes if vehicle.end is None else [*nodes, vehicle.end]

    def _drive_s(self, vehicle: Vehicle, origin: int, destination: int) -> int:
        plain = int(self._problem.seconds[origin, destination])
        return -(-plain * vehicle.pace_permille // 1000)

    def _driving(self, vehicle: Vehicle, route: Route) -> int:
        weights, problem = self._problem.weights, self._problem
        far = problem.seconds if problem.distances is None else problem.distances
        nodes = self._nodes(vehicle, route)
        return sum(
            weights.time * self._drive_s(vehicle, a, b) + weights.distance * int(far[a, b])
            for a, b in pairwise(nodes)
        )

    def _fits(self, vehicle: Vehicle, route: Route) -> Iterator[Violation]:
        volume = weight = 0
        for visit in route.visits:
            request = self._requests[visit.request]
            sign = 1 if visit.side is Side.PICKUP else -1
            volume += sign * request.volume
            weight += sign * request.weight
            if volume > vehicle.volume or weight > vehicle.weight:
                yield Violation(code="over_capacity", subject=vehicle.id, detail=request.id)
            if not request.skills <= vehicle.skills:
                yield Violation(code="no_skill", subject=request.id, detail=vehicle.id)

    def _order(self, vehicle: Vehicle, route: Route) -> Iterator[Violation]:
        fetched: set[str] = set()
        brought: set[str] = set()
        for visit in route.visits:
            if visit.side is Side.PICKUP:
                fetched.add(visit.request)
            elif visit.request not in fetched:
                yield Violation(code="not_fetched", subject=visit.request, detail=vehicle.id)
            else:
                brought.add(visit.request)
        for request in sorted(fetched - brought):
            yield Violation(code="not_brought", subject=request, detail=vehicle.id)

    def _windows(self, route: Route) -> Iterator[Violation]:
        for visit in route.visits:
            stop = self._stop(visit)
            if not stop.earliest_s <= visit.begin_s <= stop.latest_s:
                yield Violation(code="window", subject=visit.request, detail=str(visit))
            if visit.end_s != visit.begin_s + stop.service_s:
                yield Violation(code="service", subject=visit.request, detail=str(visit))

    def _clockwork(self, vehicle: Vehicle, route: Route) -> Iterator[Violation]:
        """Between two services there must be room for one unbroken drive beside the rests."""
        rests = list(zip(route.rests_s, vehicle.rests, strict=False))
        yield from self._rests(vehicle, route, rests)
        taken = [(begin, begin + rest.duration_s) for begin, rest in rests]
        busy = [(one.begin_s, one.end_s) for one in route.visits]
        if vehicle.end is not None:
            busy.append((route.over_s, route.over_s))
        elif route.over_s < busy[-1][1]:
            yield Violation(code="over", subject=vehicle.id)
        nodes = self._nodes(vehicle, route)
        if route.leave_s + self._drive_s(vehicle, nodes[0], nodes[1]) > busy[0][0]:
            yield Violation(code="leave", subject=vehicle.id, detail=str(route.leave_s))
        free_s = vehicle.shift_start_s
        for (begin, end), a, b in zip(busy, nodes[:-1], nodes[1:], strict=True):
            if _room(free_s, begin, taken) < self._drive_s(vehicle, a, b):
                yield Violation(code="too_fast", subject=vehicle.id, detail=f"before {begin}")
            if any(s < end and e > begin for s, e in taken if e > s):
                yield Violation(code="rest_in_service", subject=vehicle.id, detail=str(begin))
            free_s = end

    def _rests(
        self, vehicle: Vehicle, route: Route, rests: list[tuple[int, Rest]]
    ) -> Iterator[Violation]:
        if len(route.rests_s) > len(vehicle.rests):
            yield Violation(code="rest_unknown", subject=vehicle.id)
        last_s = vehicle.shift_start_s
        for begin, rest in rests:
            if not max(last_s, rest.earliest_s) <= begin <= rest.latest_s:
                yield Violation(code="rest_window", subject=vehicle.id, detail=str(begin))
            last_s = begin + rest.duration_s
        for rest in vehicle.rests[len(rests) :]:
            if route.over_s > rest.latest_s:
                yield Violation(code="rest_missing", subject=vehicle.id, detail=str(rest))


def _room(free_s: int, begin_s: int, taken: list[tuple[int, int]]) -> int:
    """The longest stretch between two instants that no rest interrupts."""
    longest, at = -1, free_s
    for start, end in taken:
        if end <= free_s or start >= begin_s:
            continue
        longest, at = max(longest, start - at), max(at, end)
    return max(longest, begin_s - at)
