"""The planning of pick-ups and deliveries."""

import random
from dataclasses import replace
from itertools import compress, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.routing.problem import (
    Effort,
    Reason,
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
from optimizer.routing.solve import solve
from optimizer.routing.verify import verify
from tests.optimizer.routing.problems import (
    WEIGHTS,
    a_problem,
    a_request,
    routing_problems,
)

# Whoever comes first has the search compiled; the others find it on the disk.
pytestmark = pytest.mark.xdist_group("routing")
VAN = Vehicle(id="van", start=0, volume=4, weight=4)


def planned(problem: RoutingProblem) -> RoutingPlan:
    plan = solve(problem, elapsed_s=lambda: 0.0)
    assert verify(problem, plan) == ()
    return plan


def visits(plan: RoutingPlan, vehicle: str) -> list[str]:
    route = next(one for one in plan.routes if one.vehicle == vehicle)
    return [f"{'+' if one.side is Side.PICKUP else '-'}{one.request}" for one in route.visits]


@settings(deadline=None, max_examples=150)
@given(routing_problems())
def test_the_verifier_accepts_every_plan(problem: RoutingProblem) -> None:
    planned(problem)


def test_nobody_goes_on_with_more_at_once_than_he_can_carry() -> None:
    """Each of two gifts fits into the smaller van, and both together only into the larger one."""
    ways = (1, 0, 2), (0, 2, 0), (2, 0, 1), (0, 0, 0), (0, 0, 0)
    requests = tuple(
        Request(id=f"r{n}", pickup=Stop(node=pickup), delivery=Stop(node=delivery), weight=weight)
        for n, (pickup, delivery, weight) in enumerate(ways)
    )
    vans = (
        Vehicle(id="v0", start=0, volume=2, weight=2),
        Vehicle(id="v1", start=0, volume=2, weight=3),
    )
    nobodys = Request(
        id="r5", pickup=Stop(node=0), delivery=Stop(node=0), skills=frozenset({"cold"})
    )
    planned(a_problem(*requests, nobodys, vehicles=vans, seed=1))


@settings(deadline=None, max_examples=50)
@given(routing_problems(), st.randoms(use_true_random=False))
def test_the_order_of_requests_and_vehicles_changes_nothing(
    problem: RoutingProblem, chance: random.Random
) -> None:
    shuffled = replace(
        problem,
        requests=tuple(chance.sample(problem.requests, len(problem.requests))),
        vehicles=tuple(chance.sample(problem.vehicles, len(problem.vehicles))),
    )
    assert planned(shuffled) == planned(problem)


@settings(deadline=None, max_examples=50)
@given(routing_problems())
def test_a_plan_is_never_worse_than_its_incumbent(problem: RoutingProblem) -> None:
    first = planned(problem)
    incumbent = {route.vehicle: route.visits for route in first.routes}
    none = Effort(time_budget_s=600, rounds_max=0)
    again = planned(replace(problem, incumbent=incumbent, effort=none, seed=7))
    assert again.cost <= first.cost
    more = planned(replace(problem, incumbent=incumbent, seed=7))
    assert more.cost <= again.cost


@settings(deadline=None, max_examples=50)
@given(routing_problems())
def test_more_rounds_are_never_worse_than_none(problem: RoutingProblem) -> None:
    constructed = planned(replace(problem, effort=Effort(time_budget_s=600, rounds_max=0)))
    assert planned(problem).cost <= constructed.cost


def test_an_incumbent_that_is_partly_gone_keeps_the_rest() -> None:
    one, two = a_request("one", 1, 3), a_request("two", 2, 4)
    line = (
        Visit(request="gone", side=Side.PICKUP),
        Visit(request="one", side=Side.PICKUP),
        Visit(request="two", side=Side.DELIVERY),
        Visit(request="one", side=Side.DELIVERY),
        Visit(request="one", side=Side.PICKUP),
    )
    problem = a_problem(one, two, vehicles=(VAN,), incumbent={"van": line, "sold": line})
    assert planned(problem).unserved == {}


def test_on_the_way_is_better_than_there_and_back() -> None:
    problem = a_problem(a_request("far", 1, 9), a_request("near", 2, 5), vehicles=(VAN,))
    assert visits(planned(problem), "van") == ["+far", "+near", "-near", "-far"]


def test_a_small_problem_is_solved_to_the_end() -> None:
    requests = [
        a_request("a", 1, 7, latest_s=2000),
        a_request("b", 3, 2, latest_s=1500),
        a_request("c", 9, 5, earliest_s=1200),
    ]
    problem = a_problem(*requests, vehicles=(VAN, replace(VAN, id="bus", start=8)))
    found = planned(replace(problem, effort=Effort(time_budget_s=600, rounds_max=500)))
    assert found.cost == _least(problem)


def _least(problem: RoutingProblem) -> int:
    """The cost of the best of all plans that serve everything."""
    return min(
        sum(
            _least_of(problem, vehicle, list(compress(problem.requests, map(vehicle.__eq__, by))))
            for vehicle in problem.vehicles
        )
        for by in product(problem.vehicles, repeat=len(problem.requests))
    )


def _least_of(problem: RoutingProblem, vehicle: Vehicle, mine: list[Request]) -> int:
    stops = [(n, side) for n in range(len(mine)) for side in (0, 1)]
    return min(
        _price(problem, vehicle, [(mine[n].pickup, mine[n].delivery)[side] for n, side in line])
        for line in permutations(stops)
        if all(line.index((n, 0)) < line.index((n, 1)) for n in range(len(mine)))
    )


def _price(problem: RoutingProblem, vehicle: Vehicle, line: list[Stop]) -> int:
    if not line:
        return 0
    at, t, driven = vehicle.start, vehicle.shift_start_s, 0
    for stop in line:
        drive = int(problem.seconds[at, stop.node])
        driven, at = driven + drive, stop.node
        begin = max(t + drive, stop.earliest_s)
        if begin > stop.latest_s:
            return 1 << 50
        t = begin + stop.service_s
    return WEIGHTS.vehicle + driven


def test_what_cannot_be_done_is_left_out_with_its_reason() -> None:
    problem = a_problem(
        a_request("fine", 1, 2),
        a_request("cold", 1, 2, skills=frozenset({"cold"})),
        a_request("bulky", 1, 2, volume=5),
        a_request("heavy", 1, 2, weight=5),
        a_request("soon", 9, 11, latest_s=500),
        a_request("cheap", 10, 11, unserved=100),
        vehicles=(VAN,),
    )
    assert planned(problem).unserved == {
        "cold": Reason.NO_SKILL,
        "bulky": Reason.TOO_BIG,
        "heavy": Reason.TOO_BIG,
        "soon": Reason.WINDOW,
        "cheap": Reason.TOO_DEAR,
    }


def test_what_one_vehicle_has_no_time_for_has_no_room() -> None:
    both = [a_request(name, 1, 9, earliest_s=1000, latest_s=1010) for name in ("a", "b")]
    far = replace(both[1], delivery=replace(both[1].delivery, node=4))
    plan = planned(a_problem(both[0], far, vehicles=(VAN,)))
    assert set(plan.unserved.values()) == {Reason.NO_ROOM}
    assert len(plan.unserved) == 1


def test_a_soft_window_costs_and_a_hard_one_forbids() -> None:
    late = a_request("late", 1, 9, due_s=300)
    plan = planned(a_problem(late, vehicles=(VAN,)))
    begin = plan.routes[0].visits[1].begin_s
    assert plan.cost == WEIGHTS.vehicle + 900 + WEIGHTS.lateness * (begin - 300)


def test_a_rest_is_taken_in_its_window_or_not_needed_any_more() -> None:
    rest = Rest(earliest_s=300, latest_s=700, duration_s=1000)
    driver = replace(VAN, rests=(rest,))
    work = planned(a_problem(a_request("long", 1, 11), vehicles=(driver,)))
    assert len(work.routes[0].rests_s) == 1
    short = planned(a_problem(a_request("short", 0, 2), vehicles=(driver,)))
    assert short.routes[0].rests_s == ()


def test_a_shift_ends_at_home() -> None:
    home = replace(VAN, end=0, shift_end_s=1000)
    plan = planned(a_problem(a_request("far", 1, 6), vehicles=(home,)))
    assert plan.unserved == {"far": Reason.WINDOW}
    assert planned(a_problem(a_request("near", 1, 4), vehicles=(home,))).routes[0].over_s <= 1000


def test_nobody_and_nothing_make_an_empty_plan() -> None:
    assert planned(a_problem(vehicles=(VAN,))).routes == ()
    alone = planned(a_problem(a_request("one", 1, 2), vehicles=()))
    assert alone.unserved == {"one": Reason.NO_SKILL}


def test_a_second_vehicle_of_another_pace_drives_slower() -> None:
    slow = replace(VAN, pace_permille=2000)
    plan = planned(a_problem(a_request("one", 1, 5), vehicles=(slow,)))
    assert plan.cost == WEIGHTS.vehicle + 2 * 500


def test_the_clock_bounds_the_work() -> None:
    ticks = iter(range(1000))
    problem = a_problem(
        a_request("one", 1, 5),
        a_request("two", 6, 2),
        vehicles=(VAN,),
        effort=Effort(time_budget_s=20.0),
    )
    plan = solve(problem, elapsed_s=lambda: float(next(ticks)))
    assert verify(problem, plan) == ()
    assert next(ticks) < 100


def test_a_latest_time_is_the_last_that_leaves_the_rest_possible() -> None:
    problem = a_problem(a_request("one", 1, 5, latest_s=2000), vehicles=(VAN,))
    route: Route = planned(problem).routes[0]
    assert [one.latest_s for one in route.visits] == [2000 - 400 - 10, 2000]
