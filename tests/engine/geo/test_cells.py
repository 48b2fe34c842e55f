"""What must hold of the grid of cells."""

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.cells import (
    RESOLUTION_MAX,
    ancestor,
    boundary_of,
    cell_at,
    cells_in_polygon,
    centre_of,
    disk,
    edge_length_m,
    is_cell,
    middle_cell,
    numbers_near,
    resolution_of,
    steps_between,
)
from engine.kernel.ids import CellId
from engine.kernel.place import Point, distance_m
from tests.builders import DOOR, SHOP

points = st.builds(Point, lat=st.floats(16, 32), lng=st.floats(35, 55))
resolutions = st.integers(0, RESOLUTION_MAX)


@given(points, resolutions)
def test_a_point_lies_in_the_cell_that_is_named_after_it(point: Point, resolution: int) -> None:
    cell = cell_at(point, resolution)
    assert is_cell(cell)
    assert resolution_of(cell) == resolution
    assert cell_at(centre_of(cell), resolution) == cell
    assert distance_m(point, centre_of(cell)) <= 1.6 * edge_length_m(resolution)


@pytest.mark.parametrize("text", ["", "88", "nobody", "ffffffffffffffff", "88537369abffff0", "٨٨"])
def test_what_names_no_cell_is_not_taken_for_one(text: str) -> None:
    assert not is_cell(text)


@given(points, resolutions, resolutions)
def test_an_ancestor_is_the_cell_around_it(point: Point, fine: int, coarse: int) -> None:
    fine, coarse = max(fine, coarse), min(fine, coarse)
    cell = cell_at(point, fine)
    assert resolution_of(ancestor(cell, coarse)) == coarse
    assert ancestor(ancestor(cell, coarse), coarse) == ancestor(cell, coarse)
    assert ancestor(cell, RESOLUTION_MAX) == cell


@given(points, st.integers(0, 4))
def test_a_disk_holds_what_is_at_most_so_many_steps_away(point: Point, rings: int) -> None:
    cell = cell_at(point, 8)
    around = disk(cell, rings)
    assert len(around) == 1 + 3 * rings * (rings + 1)
    assert max(steps_between(cell, one) for one in around) == rings


def test_neighbours_are_one_step_apart_both_ways() -> None:
    here = cell_at(SHOP, 9)
    for there in disk(here, 1) - {here}:
        assert steps_between(here, there) == steps_between(there, here) == 1
    assert steps_between(here, here) == 0


def test_finer_cells_have_shorter_edges() -> None:
    lengths = [edge_length_m(one) for one in range(RESOLUTION_MAX + 1)]
    assert lengths == sorted(lengths, reverse=True)
    assert edge_length_m(8) == pytest.approx(531, abs=1)


def test_a_cell_has_six_corners_around_its_centre() -> None:
    cell = cell_at(SHOP, 8)
    corners = boundary_of(cell)
    assert len(corners) == 6
    for corner in corners:
        assert distance_m(corner, centre_of(cell)) == pytest.approx(edge_length_m(8), rel=0.25)


def test_a_polygon_is_filled_with_the_cells_whose_centres_lie_in_it() -> None:
    south, north, west, east = 24.65, 24.75, 46.60, 46.70
    corners = [
        Point(lat=south, lng=west),
        Point(lat=south, lng=east),
        Point(lat=north, lng=east),
        Point(lat=north, lng=west),
    ]
    cells = cells_in_polygon(corners, 8)
    assert list(cells) == sorted(set(cells))
    for cell in cells:
        centre = centre_of(cell)
        assert south <= centre.lat <= north
        assert west <= centre.lng <= east
    assert cell_at(SHOP, 8) in cells
    assert cell_at(DOOR, 8) in cells
    assert cells_in_polygon(corners[::-1], 8) == cells


def test_a_polygon_smaller_than_a_cell_may_hold_none() -> None:
    tiny = [Point(lat=24.7, lng=46.6), Point(lat=24.70001, lng=46.6), Point(lat=24.7, lng=46.60001)]
    assert cells_in_polygon(tiny, 5) == ()


@given(points, st.integers(0, 5))
def test_the_middle_of_a_disk_is_its_centre(point: Point, rings: int) -> None:
    cell = cell_at(point, 8)
    assert middle_cell(disk(cell, rings)) == cell


@given(st.sets(points.map(lambda one: cell_at(one, 6)), min_size=1, max_size=6))
def test_the_middle_is_one_of_the_cells_whatever_their_order(cells: set[CellId]) -> None:
    assert middle_cell(sorted(cells)) == middle_cell(sorted(cells, reverse=True))
    assert middle_cell(cells) in cells


@given(st.lists(st.tuples(st.floats(-60, 60), st.floats(-179, 179)), min_size=1, max_size=20))
def test_numbers_of_cells_are_those_of_the_rounded_points(
    points: list[tuple[float, float]],
) -> None:
    lat, lng = np.array(points).T
    expected = [h3.latlng_to_cell(*(round(one * 1000) / 1000 for one in at), 8) for at in points]
    assert [h3.int_to_str(one) for one in numbers_near(lat, lng, 8).tolist()] == expected
