"""What must hold of the candidates as columns."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.candidates import CandidateTable, Sought
from optimizer.problem import Vehicle
from optimizer.tables import Tables
from tests.optimizer.problems import a_job, a_problem

names = st.text("abcdef", min_size=1, max_size=2)


@given(st.dictionaries(names, st.lists(names, max_size=5)))
def test_columns_say_what_the_names_said(named: dict[str, list[str]]) -> None:
    table = CandidateTable.from_names(named)
    assert table == {job: tuple(row) for job, row in named.items()}
    assert CandidateTable.from_names(table) is table


def test_what_is_sought_is_sought_once_and_where_somebody_looks() -> None:
    table = CandidateTable.from_names({"a": ("x",)})
    sought = Sought(Looks(table))
    sent = pickle.loads(pickle.dumps(sought))
    assert (len(sought), list(sought), dict(sought)) == (1, ["a"], {"a": ("x",)})
    assert CandidateTable.from_names(sought) is table
    assert Looks.times == 1
    assert sent == {"a": ("x",)}
    assert Looks.times == 2


class Looks:
    """Counts how often somebody looked."""

    times = 0

    def __init__(self, table: CandidateTable) -> None:
        self._table = table

    def __call__(self) -> CandidateTable:
        Looks.times += 1
        return self._table


def test_an_unknown_job_has_no_candidates() -> None:
    table = CandidateTable.from_names({"a": ("x",)})
    assert table.get("b", ()) == ()
    with pytest.raises(KeyError):
        table["b"]


def test_the_search_knows_each_known_candidate_once() -> None:
    vans = [Vehicle(id=one, node=0) for one in ("x", "y")]
    candidates = {"a": ("y", "gone", "x", "y"), "gone": ("x",)}
    tables = Tables(a_problem(vans, [a_job("a", 1, 2), a_job("b", 1, 3)], candidates=candidates))
    assert tables.town.candidate.tolist() == [0, 1]
    assert tables.town.candidates_at.tolist() == [0, 2, 2]
