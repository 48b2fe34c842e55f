"""Whoever walks through the pages of a list sees every row once, in either direction."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.pages import Key, Page, Wanted, page_of, slice_of

Row = tuple[int, str]
rows = st.lists(
    st.tuples(st.integers(0, 5), st.text("abc", min_size=1, max_size=3)), unique=True, max_size=30
)


def key(row: Row) -> Key:
    return row


def walk(listed: list[Row], wanted: Wanted) -> list[Page[Row]]:
    pages = [slice_of(listed, key, wanted)]
    while pages[-1].has_previous if wanted.backwards else pages[-1].has_next:
        edge = pages[-1].rows[0 if wanted.backwards else -1]
        pages.append(slice_of(listed, key, replace(wanted, beyond=edge)))
    return pages


@given(rows, st.integers(1, 7), st.booleans())
def test_all_pages_together_are_the_list(listed: list[Row], limit: int, descending: bool) -> None:
    whole = sorted(listed, reverse=descending)
    wanted = Wanted(limit=limit, descending=descending)
    forth = walk(listed, wanted)
    assert [row for page in forth for row in page.rows] == whole
    assert not forth[0].has_previous
    assert not forth[-1].has_next
    back = walk(listed, replace(wanted, backwards=True))
    assert [row for page in back[::-1] for row in page.rows] == whole
    assert all(page.has_previous for page in forth[1:])
    assert all(page.has_next for page in back[1:])
    assert all(len(page.rows) <= limit for page in (*forth, *back))


@given(rows, rows, st.integers(1, 7), st.booleans(), st.data())
def test_what_is_added_meanwhile_moves_no_row_to_another_side(
    listed: list[Row], added: list[Row], limit: int, descending: bool, data: st.DataObject
) -> None:
    """Rows that were there are seen once, whatever is added between two pages."""
    wanted = Wanted(limit=limit, descending=descending)
    seen: list[Row] = []
    now, later = list(listed), [one for one in added if one not in listed]
    page = slice_of(now, key, wanted)
    seen += page.rows
    while page.has_next:
        count = data.draw(st.integers(0, len(later)))
        now, later = now + later[:count], later[count:]
        page = slice_of(now, key, replace(wanted, beyond=page.rows[-1]))
        seen += page.rows
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one in listed] == sorted(listed, reverse=descending)


def test_a_page_is_told_in_the_order_of_the_list_also_when_it_is_reached_backwards() -> None:
    wanted = Wanted(limit=2, descending=True, beyond=(1,), backwards=True)
    assert page_of([2, 3, 4], wanted) == Page(rows=(3, 2), has_previous=True, has_next=True)
    assert page_of([], wanted) == Page()
