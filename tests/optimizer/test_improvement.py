"""The search only ever keeps what is better."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optimizer.improvement import Improvement
from optimizer.neighbourhoods import draw, movable
from optimizer.problem import Policy, Problem, Vehicle
from optimizer.relocation import movable as relocatable
from optimizer.relocation import moves, relocate
from optimizer.timing import Timetable
from tests.optimizer.problems import a_job, a_problem, a_route, towns
from tests.optimizer.test_chains import begun, routes


@given(towns(), st.integers(0, 15), st.integers(0, 9))
def test_nothing_gets_worse(problem: Problem, rounds: int, seed: int) -> None:
    told = replace(problem, policy=replace(problem.policy, rounds_max=rounds))
    chains = begun(told)
    before = chains.cost()
    Improvement(chains, np.random.default_rng(seed)).run(lambda: False)
    assert chains.cost() <= before
    assert chains.cost() == Timetable(told).cost(routes(chains))


@given(towns(), st.integers(0, 9))
def test_what_a_round_gains_is_what_the_plan_costs_less(problem: Problem, seed: int) -> None:
    chains = begun(problem)
    search = Improvement(chains, np.random.default_rng(seed))
    for warmth in (0.0, 1e4):
        before = chains.cost()
        gain = search._try_another(warmth)
        assert chains.cost() == before - (gain or 0)
        assert gain is None or warmth or gain >= 0


def test_a_bad_beginning_is_mended() -> None:
    vans = [Vehicle(id="left", node=0), Vehicle(id="right", node=19)]
    jobs = [a_job("a", 1, 2), a_job("b", 18, 17), a_job("c", 3, 4), a_job("d", 16, 15)]
    incumbent = (a_route("left", ("b",), ("d",)), a_route("right", ("a",), ("c",)))
    problem = a_problem(vans, jobs, incumbent=incumbent, policy=Policy(rounds_max=24))
    chains = begun(problem)
    Improvement(chains, np.random.default_rng(0)).run(lambda: False)
    trips = [[chains.book.jobs[row] for row in chains.chain(v)] for v in range(2)]
    assert trips == [[(0,), (2,)], [(1,), (3,)]]


def test_time_that_is_up_ends_the_search() -> None:
    van = Vehicle(id="van", node=0)
    chains = begun(a_problem([van], [a_job("gift", 1, 2)]))
    Improvement(chains, np.random.default_rng(0)).run(lambda: True)
    assert chains.chain(0) == []


@given(towns(), st.integers(0, 99))
def test_a_neighbourhood_is_made_of_trips_that_may_move(problem: Problem, seed: int) -> None:
    chains = begun(problem)
    v, slot = movable(chains)
    if v.size:
        drawn = draw(chains, v, slot, np.random.default_rng(seed)).tolist()
        assert drawn
        assert len(set(drawn)) == len(drawn)
        assert set(drawn) <= set(range(v.size))


@given(towns())
def test_a_trip_moves_to_another_vehicle_only_when_that_pays(problem: Problem) -> None:
    chains = begun(problem)
    cost = chains.cost()
    trips = relocatable(chains)
    found = moves(chains, trips)
    while relocate(chains, trips, found):
        assert chains.cost() < cost
        cost = chains.cost()
        trips = relocatable(chains)
        found = moves(chains, trips)
    assert chains.cost() == cost
    assert (found.extra >= 0).all()
