"""The measurement of a tick: every size is told, with times that are times."""

from simulations.bench import SIZES, run


def test_every_size_is_measured_beside_the_bare_matching() -> None:
    found = run(runs=1, seed=3)
    assert [(one.orders, one.couriers) for one in found] == list(SIZES)
    assert all(one.matching_ms > 0 and one.plan_ms > 0 and one.problem_ms > 0 for one in found)
    assert all(one.ratio > 0 for one in found)
