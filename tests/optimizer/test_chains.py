"""Prices of changes, computed in bulk, against the definition of what a plan costs."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.chains import Chains
from optimizer.construction import construct
from optimizer.incumbent import restore
from optimizer.insertion import Insertion
from optimizer.places import anywhere, between_trips
from optimizer.problem import Problem, Route, Trip, Vehicle
from optimizer.tables import Tables
from optimizer.timing import Timetable
from optimizer.trips import TripBook
from tests.optimizer.problems import a_job, a_problem, towns


def begun(problem: Problem) -> Chains:
    """Chains with what the incumbent says."""
    tables = Tables(problem)
    chains = Chains(tables, TripBook(tables))
    restore(chains, problem.incumbent)
    return chains


def routes(chains: Chains) -> list[Route]:
    """The chains in words, without times."""
    names = [job.id for job in chains.tables.jobs]
    return [
        Route(
            vehicle=vehicle.id,
            trips=tuple(
                Trip(
                    group="",
                    jobs=tuple(names[j] for j in chains.book.jobs[row]),
                    leave_s=0,
                    pickup_s=0,
                    deliveries_s=(),
                )
                for row in chains.chain(v)
            ),
        )
        for v, vehicle in enumerate(chains.tables.vehicles)
    ]


def free_jobs(chains: Chains) -> Ints:
    return np.nonzero(chains.carriers() < 0)[0]


def by_regret(chains: Chains, jobs: Ints) -> None:
    Insertion(chains, jobs).run()


def by_matching(chains: Chains, jobs: Ints) -> None:
    construct(chains, jobs, lambda: False)


@given(towns())
def test_the_cost_is_the_one_defined(problem: Problem) -> None:
    chains = begun(problem)
    assert chains.cost() == Timetable(problem).cost(routes(chains))
    construct(chains, free_jobs(chains), lambda: False)
    assert chains.cost() == Timetable(problem).cost(routes(chains))


@given(towns(), st.data())
def test_every_change_costs_what_was_said_before(problem: Problem, data: st.DataObject) -> None:
    chains = begun(problem)
    jobs, vehicles = free_jobs(chains), np.arange(len(problem.vehicles))
    places = anywhere(chains, jobs, vehicles)
    cost = places.price(chains)
    possible = np.nonzero(cost < INFEASIBLE // 2)[0]
    assume(possible.size)
    at = np.array([data.draw(st.sampled_from(possible.tolist()))])
    before = chains.cost()
    places.take(at).put(chains)
    saved = chains.tables.left_out_cost[jobs[places.i[at]]].sum()
    assert chains.cost() - before == cost[at][0] - saved


@given(towns())
def test_what_is_called_impossible_is_impossible(problem: Problem) -> None:
    chains = begun(problem)
    places = between_trips(chains, free_jobs(chains), np.arange(len(problem.vehicles)))
    cost = places.price(chains)
    for at in np.nonzero(cost >= INFEASIBLE // 2)[0].tolist():
        v, slot = int(places.v[at]), int(places.slot[at])
        before = chains.chain(v)
        after = [*before[:slot], int(places.row[at]), *before[slot:]]
        if len(after) <= problem.policy.trips_max:
            assert chains.put({v: after})[v] < len(after)
            chains.put({v: before})


@given(towns(), st.data())
def test_what_is_taken_out_can_be_put_back(problem: Problem, data: st.DataObject) -> None:
    chains = begun(problem)
    v, slot = np.nonzero(chains.now.rows >= 0)
    assume(v.size)
    some = sorted(data.draw(st.sets(st.integers(0, v.size - 1), min_size=1)))
    before, cost, carriers = chains.now.copy(), chains.cost(), chains.carriers()
    taken = chains.take_out(v[some], slot[some])
    assert (chains.carriers()[taken] < 0).all()
    locked = {id_ for vehicle in problem.vehicles for id_ in vehicle.locked}
    assert locked.isdisjoint(chains.tables.jobs[j].id for j in taken)
    rest = np.setdiff1d(np.arange(len(carriers)), taken)
    assert (chains.carriers()[rest] == carriers[rest]).all()
    chains.back_to(before)
    assert chains.cost() == cost


@pytest.mark.parametrize("fill", [by_regret, by_matching])
@given(problem=towns())
def test_all_is_put_in_that_is_worth_it_and_nothing_else(
    problem: Problem, fill: Callable[[Chains, Ints], None]
) -> None:
    chains = begun(problem)
    before = chains.cost()
    fill(chains, free_jobs(chains))
    assert chains.cost() <= before
    left = free_jobs(chains)
    places = anywhere(chains, left, np.arange(len(problem.vehicles)))
    worth = places.price(chains) < chains.tables.left_out_cost[left[places.i]]
    assert not worth.any()


def test_time_that_is_up_ends_the_matching() -> None:
    van = Vehicle(id="van", node=0)
    chains = begun(a_problem([van], [a_job("gift", 1, 2)]))
    construct(chains, free_jobs(chains), lambda: True)
    assert free_jobs(chains).tolist() == [0]
