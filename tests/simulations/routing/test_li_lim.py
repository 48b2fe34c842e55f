"""Files in the format of Li & Lim."""

from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.routing.problem import FOREVER_S, Effort, Stop
from optimizer.routing.solve import solve
from optimizer.routing.verify import verify
from simulations.routing.li_lim import BadFile, read

pytestmark = pytest.mark.xdist_group("routing")
TEXT = """3\t200\t1
0\t40\t50\t0\t0\t1236\t0\t0\t0
1\t45\t68\t10\t0\t1127\t90\t0\t2
2\t45\t70\t-10\t0\t1125\t90\t1\t0

3\t42\t66\t20\t65\t146\t90\t0\t4
4\t42\t68\t-20\t0\t1000\t90\t3\t0
"""
# Directions in which whole steps of five are whole numbers.
ARMS = ((5, 0), (-5, 0), (0, 5), (0, -5), (3, 4), (-4, -3))
PAIRS, SERVICE, STEP = 4, 10, 10


def a_star() -> tuple[str, int]:
    """A file whose best plan is known, and what that costs.

    Along each of some arms gifts are fetched and then brought on the way out, in windows so short
    that nobody can be on two arms: one vehicle for each, which drives to the end and back.
    """
    far = 2 * PAIRS * STEP
    rows = [f"0 0 0 0 0 {3 * far + 2 * PAIRS * SERVICE} 0 0 0"]
    for arm, (x, y) in enumerate(ARMS):
        for k in range(2 * PAIRS):
            number, steps = 1 + arm * 2 * PAIRS + k, (k + 1) * STEP // 5
            opens = (k + 1) * STEP + k * SERVICE
            pair = f"0 {number + PAIRS}" if k < PAIRS else f"{number - PAIRS} 0"
            sign = 1 if k < PAIRS else -1
            rows.append(
                f"{number} {x * steps} {y * steps} {sign * 10} {opens} {opens + 2} {SERVICE} {pair}"
            )
    routes = len(ARMS)
    return "\n".join(["25 200 1", *rows[:1], *rows[:0:-1]]), routes * (10_000_000 + 200 * far)


def test_a_file_whose_best_plan_is_known_is_planned_at_that_cost(tmp_path: Path) -> None:
    path = tmp_path / "star.txt"
    text, best = a_star()
    path.write_text(text, "utf-8")
    problem = replace(read(path), effort=Effort(rounds_max=300))
    plan = solve(problem, elapsed_s=lambda: 0.0)
    assert verify(problem, plan) == ()
    assert plan.cost == best


def test_a_file_is_a_problem_of_hundredths(tmp_path: Path) -> None:
    path = tmp_path / "lc.txt"
    path.write_text(TEXT, "utf-8")
    problem = read(path)
    assert [one.id for one in problem.requests] == ["00001", "00003"]
    assert problem.requests[1].pickup == Stop(
        node=3, earliest_s=6500, latest_s=14_600, due_s=FOREVER_S, service_s=9000
    )
    assert (problem.requests[1].volume, problem.requests[1].delivery.node) == (20, 4)
    assert int(problem.seconds[1, 2]) == 200
    assert int(problem.seconds[0, 1]) == 1869
    assert len(problem.vehicles) == 3
    assert {(one.start, one.end, one.volume) for one in problem.vehicles} == {(0, 0, 200)}


def test_fewer_vehicles_come_before_less_distance(tmp_path: Path) -> None:
    path = tmp_path / "lc.txt"
    path.write_text(TEXT, "utf-8")
    problem = read(path)
    plan = solve(problem, elapsed_s=iter([0.0] * 9 + [99.0] * 99).__next__)
    assert verify(problem, plan) == ()
    assert len(plan.routes) == 1


@pytest.mark.parametrize(
    "text",
    ["", "3", "3 200 1\n1 2 3", "3 200 1\n0 40 fifty 0 0 1 0 0 0", TEXT + "5 1 1 1 0 9 0 0 6"],
)
def test_a_file_that_is_not_of_the_format_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(BadFile, match=r"bad\.txt"):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="nowhere"):
        read(tmp_path / "nowhere")
