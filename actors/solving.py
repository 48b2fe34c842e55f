"""What solves; the verifier of every plan shares nothing with the search."""

from collections.abc import Callable

from actors.solver import StopWatch, real_stopwatch
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from optimizer.routing.solve import solve as solve_routing
from optimizer.routing.verify import verify as verify_routing
from optimizer.solve import solve
from optimizer.verify import verify


class LocalSolver:
    """Solves in this process."""

    def __init__(self, stopwatch: StopWatch = real_stopwatch) -> None:
        self._stopwatch = stopwatch

    async def plan(self, problem: Problem) -> Plan:
        """A verified plan."""
        return checked_plan(problem, self._stopwatch())

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        """A verified plan of pick-ups and deliveries with windows."""
        return checked_routes(problem, self._stopwatch())


def checked_plan(problem: Problem, elapsed_s: Callable[[], float]) -> Plan:
    """Solve and verify; a plan that breaks a rule is a bug and raises."""
    plan = solve(problem, elapsed_s=elapsed_s)
    violations = verify(problem, plan)
    assert not violations, f"the plan breaks its rules: {violations[:3]}"
    return plan


def checked_routes(problem: RoutingProblem, elapsed_s: Callable[[], float]) -> RoutingPlan:
    """Solve and verify pick-ups and deliveries; a plan that breaks a rule is a bug and raises."""
    plan = solve_routing(problem, elapsed_s=elapsed_s)
    violations = verify_routing(problem, plan)
    assert not violations, f"the routes break their rules: {violations[:3]}"
    return plan
