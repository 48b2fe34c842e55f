"""The measurement of the simulator itself."""

import sys

from simulations.bench_simulator import measure, part_of


def test_a_small_city_is_measured() -> None:
    found = measure(6, 3.0, 0.2, 1)
    assert found.is_clean
    assert found.orders > 0
    assert found.zones == 1
    assert found.day_s > 0.2 * 3600
    assert found.cpu_s > 0
    assert sum(found.parts.values()) > 10


def test_a_frame_belongs_to_the_innermost_part_that_it_works_for() -> None:
    assert part_of(None) == "event loop and the rest"
    assert part_of(sys._getframe()) == "event loop and the rest"
