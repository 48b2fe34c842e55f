"""What must hold of records as columns: they say what the records said, wherever they are sent."""

import pickle
from dataclasses import fields

from hypothesis import given

from optimizer.problem import JobTable, Problem, VehicleTable
from tests.optimizer.problems import towns


@given(towns())
def test_columns_say_what_the_records_said(problem: Problem) -> None:
    for table, records in (
        (VehicleTable.of(problem.vehicles), problem.vehicles),
        (JobTable.of(problem.jobs), problem.jobs),
    ):
        assert tuple(table) == records
        assert table[:] == records
        assert table == pickle.loads(pickle.dumps(table))
        backwards = type(table).of(records[::-1]).by_id()
        assert tuple(backwards) == tuple(sorted(records, key=lambda one: one.id))


@given(towns())
def test_a_packed_problem_is_the_same_problem(problem: Problem) -> None:
    read = pickle.loads(pickle.dumps(problem))
    for field in fields(Problem):
        if field.name != "travel":
            assert getattr(read, field.name) == getattr(problem, field.name)


@given(towns())
def test_places_are_those_of_the_ids_however_often_they_are_asked_for(problem: Problem) -> None:
    table = VehicleTable.of(problem.vehicles)
    asked = (*table.ids[::-1], "nobody", *table.ids[:1])
    others = ("nobody", *table.ids)
    for ids in (asked, others, asked, table.ids):
        places = table.places(ids).tolist()
        assert places == [table.ids.index(one) if one in table.ids else -1 for one in ids]
