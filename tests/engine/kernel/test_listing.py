"""A list's declaration: what it is sorted by, which rows are meant, and pages that miss none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from engine import listings
from engine.kernel.filters import Column, Condition, Kind, Operator
from engine.kernel.listing import Listing, one_of
from engine.kernel.pages import Wanted

SIZE = Column(name="size", kind=Kind.NUMBER, path="told.size")
COLOUR = Column(name="colour", kind=Kind.CHOICE, choices=("red", "green"))
AT = Column(name="at", kind=Kind.INSTANT)
BALLOONS = Listing(name="balloons", orders=(AT, SIZE), filters=(SIZE, COLOUR, AT))


class Told(Struct, frozen=True):
    size: int


class Balloon(Struct, frozen=True, kw_only=True):
    id: str
    told: Told
    colour: str
    at: int | None


balloons = st.lists(
    st.builds(
        Balloon,
        id=st.uuids().map(str),
        told=st.builds(Told, st.integers(0, 3)),
        colour=st.sampled_from(COLOUR.choices),
        at=st.integers(0, 5),
    ),
    unique_by=lambda one: one.id,
    max_size=12,
)


@given(balloons, st.sampled_from(["at", "size"]), st.booleans(), st.integers(1, 4))
def test_pages_have_every_row_once_however_many_are_alike(
    rows: list[Balloon], by: str, descending: bool, limit: int
) -> None:
    key, wanted = BALLOONS.key(by), Wanted(limit=limit, by=by, descending=descending)
    pages = [BALLOONS.page(rows, wanted)]
    while pages[-1].has_next:
        pages.append(BALLOONS.page(rows, replace(wanted, beyond=key(pages[-1].rows[-1]))))
    assert [row for one in pages for row in one.rows] == sorted(rows, key=key, reverse=descending)
    for before, after in pairwise(pages):
        back = replace(wanted, beyond=key(after.rows[0]), backwards=True)
        assert BALLOONS.page(rows, back).rows == before.rows


@pytest.mark.parametrize(
    ("condition", "meant"),
    [
        (Condition("size", Operator.GT, 2), [3]),
        (Condition("size", Operator.GTE, 2), [2, 3]),
        (Condition("size", Operator.LT, 2), [1]),
        (Condition("size", Operator.LTE, 2), [1, 2]),
        (one_of("colour", "red"), [1, 2]),
        (one_of("colour", "red", "green"), [1, 2, 3]),
        (Condition("at", Operator.GTE, 0), [1, 3]),
        (Condition("at", Operator.IS, 5), [3]),
    ],
)
def test_a_condition_means_these_rows(condition: Condition, meant: list[int]) -> None:
    rows = [
        Balloon(id="a", told=Told(1), colour="red", at=4),
        Balloon(id="b", told=Told(2), colour="red", at=None),
        Balloon(id="c", told=Told(3), colour="green", at=5),
    ]
    wanted = Wanted(limit=9, by="size", descending=False, only=(condition,))
    assert [one.told.size for one in BALLOONS.page(rows, wanted).rows] == meant


def test_no_two_columns_of_a_list_have_one_name() -> None:
    declared = [one for one in vars(listings).values() if isinstance(one, Listing)]
    assert len(declared) > 10
    for one in declared:
        named = {column.name: column for column in one.filters}
        assert len(named) == len(one.filters), one.name
        assert all(named.get(order.name, order) == order for order in one.orders), one.name
