"""A problem on its way to another process arrives as it was."""

import pickle
from dataclasses import fields

from hypothesis import given

from optimizer.problem import Problem
from tests.optimizer.problems import towns


@given(towns())
def test_a_packed_problem_is_the_same_problem(problem: Problem) -> None:
    read = pickle.loads(pickle.dumps(problem))
    for field in fields(Problem):
        if field.name != "travel":
            assert getattr(read, field.name) == getattr(problem, field.name)
