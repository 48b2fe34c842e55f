"""The verifier of routing plans finds every planted fault."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from optimizer.routing.problem import Reason, Rest, Route, RoutingPlan, Side, Vehicle, Visit
from optimizer.routing.verify import verify
from tests.optimizer.routing.problems import WEIGHTS, a_problem, a_request

REST = Rest(earliest_s=0, latest_s=400, duration_s=60)
VAN = Vehicle(id="van", start=0, end=0, shift_end_s=5000, volume=2, weight=2, rests=(REST,))
PROBLEM = a_problem(
    a_request("one", 1, 5, earliest_s=600, latest_s=900, volume=1),
    a_request("two", 2, 4, volume=2, weight=2, skills=frozenset({"cold"})),
    vehicles=(VAN,),
)
LINE = (
    Visit(request="one", side=Side.PICKUP, begin_s=100, end_s=110, latest_s=100),
    Visit(request="one", side=Side.DELIVERY, begin_s=600, end_s=620, latest_s=600),
)
ROUTE = Route(vehicle="van", visits=LINE, rests_s=(110,), leave_s=0, over_s=1120)
PLAN = RoutingPlan(
    routes=(ROUTE,),
    unserved={"two": Reason.NO_SKILL},
    cost=WEIGHTS.vehicle + 1000 + WEIGHTS.unserved,
)
Change = Callable[[Route], Route]


def visit(number: int, **fields: Any) -> Change:
    def change(route: Route) -> Route:
        line = list(route.visits)
        line[number] = replace(line[number], **fields)
        return replace(route, visits=tuple(line))

    return change


def test_a_true_plan_is_accepted() -> None:
    assert verify(PROBLEM, PLAN) == ()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("window", visit(1, begin_s=590, end_s=610)),
        ("service", visit(0, end_s=120)),
        ("too_fast", visit(0, begin_s=90, end_s=100)),
        ("shift", lambda route: replace(route, over_s=5001)),
        ("shift", lambda route: replace(route, leave_s=-1)),
        ("leave", lambda route: replace(route, leave_s=1)),
        ("too_fast", lambda route: replace(route, over_s=1119)),
        ("rest_window", lambda route: replace(route, rests_s=(401,))),
        ("rest_missing", lambda route: replace(route, rests_s=())),
        ("rest_in_service", lambda route: replace(route, rests_s=(105,))),
        ("too_fast", lambda route: replace(route, rests_s=(300,))),
        ("rest_unknown", lambda route: replace(route, rests_s=(110, 800))),
        ("not_fetched", lambda route: replace(route, visits=route.visits[::-1])),
        ("empty_route", lambda route: replace(route, visits=())),
        ("unknown_vehicle", lambda route: replace(route, vehicle="bus")),
    ],
)
def test_a_fault_of_a_route_is_found(code: str, change: Change) -> None:
    route = change(ROUTE)
    left = {} if route.visits else {"one": Reason.NO_ROOM}
    plan = replace(PLAN, routes=(route,), unserved={**PLAN.unserved, **left})
    assert code in {one.code for one in verify(PROBLEM, plan)}


@pytest.mark.parametrize(
    ("code", "plan"),
    [
        ("wrong_cost", replace(PLAN, cost=PLAN.cost - 1)),
        ("visits", replace(PLAN, unserved={})),
        ("visits", replace(PLAN, unserved={"one": Reason.WINDOW, "two": Reason.WINDOW})),
        ("visits", replace(PLAN, routes=(replace(ROUTE, visits=LINE[:1]),))),
        ("unknown_request", replace(PLAN, unserved={**PLAN.unserved, "three": Reason.WINDOW})),
        ("vehicle_twice", replace(PLAN, routes=(ROUTE, ROUTE))),
    ],
)
def test_a_fault_of_a_plan_is_found(code: str, plan: RoutingPlan) -> None:
    assert code in {one.code for one in verify(PROBLEM, plan)}


def test_load_and_skills_are_checked_at_every_stop() -> None:
    line = (
        LINE[0],
        Visit(request="two", side=Side.PICKUP, begin_s=270, end_s=280),
        Visit(request="two", side=Side.DELIVERY, begin_s=480, end_s=500),
        replace(LINE[1]),
    )
    plan = replace(PLAN, routes=(replace(ROUTE, visits=line),), unserved={})
    assert {"over_capacity", "no_skill"} <= {one.code for one in verify(PROBLEM, plan)}
