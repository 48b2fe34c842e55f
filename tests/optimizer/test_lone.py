"""The costs of a matching are those of plans of one job."""

from hypothesis import given

from optimizer.lone import lone_prices
from optimizer.problem import Problem
from optimizer.timing import Timetable
from tests.optimizer.problems import a_route, towns


@given(towns())
def test_a_pair_costs_what_a_plan_of_it_alone_costs(problem: Problem) -> None:
    prices, timetable = lone_prices(problem), Timetable(problem)
    jobs = sorted(one.id for one in problem.jobs)
    vehicles = sorted(one.id for one in problem.vehicles)
    nothing = timetable.cost(())
    pairs = zip(prices.job.tolist(), prices.vehicle.tolist(), prices.price.tolist(), strict=True)
    for j, v, price in pairs:
        with_pair = timetable.cost([a_route(vehicles[v], (jobs[j],))])
        assert price == with_pair - nothing + prices.left_out[j]
    assert prices.left_out.sum() == nothing
