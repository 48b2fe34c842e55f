"""The comparison with other solvers, on something small."""

import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from optimizer.routing.problem import Effort, RoutingProblem, Side, Visit
from optimizer.routing.solve import solve
from optimizer.routing.verify import verify
from simulations.routing import bench, peers
from simulations.routing.confined import StopWatch, ask
from simulations.routing.instances import city, hub
from simulations.routing.timetable import plan_from

pytestmark = pytest.mark.xdist_group("routing")


def test_every_solver_that_is_there_has_every_case_and_its_plan_is_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcomes = bench.run(bench.generated([4], [0]), [0.2])
    names = {"ours", "OR-Tools", "OR-Tools guided"}
    assert {one.case.name for one in outcomes} == {"city 4-0", "hub 4-0"}
    assert names <= {one.solver for one in outcomes}
    told = capsys.readouterr().out
    for name in peers.missing_peers():
        assert f"{name} is not installed and NOT compared" in told
    assert not [one for one in outcomes if one.fault and one.solver in names]
    best = bench.best_costs(outcomes)
    assert all(one.cost == best[one.case.name] for one in outcomes if one.solver == "ours")


def test_a_peer_that_wants_more_memory_than_it_may_have_is_ended_and_the_table_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcomes = bench.run(bench.generated([50], [0])[:1], [0.2], memory_bytes=1024**2)
    library = [one for one in outcomes if one.solver in ("OR-Tools", "OR-Tools guided")]
    assert [one.ended for one in library] == [True, True]
    assert [one.cost for one in library] == [None, None]
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if line.startswith("│") and "ended" in line]
    assert "allowed are 1 MiB" in told


def ended_from_outside(_problem: RoutingProblem, _budget_s: float, _watch: StopWatch) -> None:
    """A peer whose process the system ends."""
    signal.raise_signal(signal.SIGKILL)


def broken(_problem: RoutingProblem, _budget_s: float, _watch: StopWatch) -> None:
    """A peer with a bug."""
    raise LookupError("a bug")


def test_a_peer_that_the_system_ends_has_no_plan_and_a_bug_is_no_such_end(
    capfd: pytest.CaptureFixture[str],
) -> None:
    answer = ask(ended_from_outside, city(4, 0), 0.2)
    assert (answer.lines, answer.ended) == (None, "ended by SIGKILL; allowed are 4096 MiB")
    with pytest.raises(RuntimeError, match="broken failed"):
        ask(broken, city(4, 0), 0.2)
    assert "LookupError: a bug" in capfd.readouterr().err


@pytest.mark.parametrize("make", [city, hub])
def test_an_instance_comes_from_its_seed_and_can_be_served(
    make: Callable[[int, int], RoutingProblem],
) -> None:
    problem = make(12, 3)
    again = make(12, 3)
    assert (problem.requests, problem.vehicles) == (again.requests, again.vehicles)
    assert (problem.seconds == again.seconds).all()
    assert make(12, 4).requests != problem.requests
    plan = solve(
        replace(problem, effort=Effort(time_budget_s=600, rounds_max=100)), elapsed_s=lambda: 0.0
    )
    assert plan.unserved == {}


def test_a_line_of_another_solver_gets_our_times_and_cost() -> None:
    problem = replace(city(6, 0), effort=Effort(time_budget_s=600, rounds_max=50))
    plan = solve(problem, elapsed_s=lambda: 0.0)
    lines = {route.vehicle: list(route.visits) for route in plan.routes}
    again = plan_from(problem, lines)
    assert verify(problem, again) == ()
    assert again.cost == plan.cost


def test_a_line_that_is_not_possible_is_not_made_possible() -> None:
    problem = city(6, 0)
    request = problem.requests[0].id
    line = [Visit(request=request, side=side) for side in (Side.DELIVERY, Side.PICKUP)]
    plan = plan_from(problem, {problem.vehicles[0].id: line})
    assert "not_fetched" in {one.code for one in verify(problem, plan)}
