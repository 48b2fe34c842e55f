"""What a route takes and costs."""

import pytest

from optimizer.problem import Policy, Service, Vehicle, Weights
from optimizer.timing import Timetable, paced_s
from tests.optimizer.problems import a_job, a_problem, a_route

MINUTES = Service(
    pickup_before_s=120, pickup_after_s=120, delivery_before_s=120, delivery_after_s=120
)


@pytest.mark.parametrize(
    ("plain_s", "permille", "seconds"),
    [(0, 700, 0), (100, 1000, 100), (100, 1333, 134), (1, 1, 1), (1000, 1001, 1001)],
)
def test_a_pace_scales_the_road_and_rounds_up(plain_s: int, permille: int, seconds: int) -> None:
    assert paced_s(plain_s, permille) == seconds


def test_a_handover_waits_for_the_arrival_and_for_the_gift() -> None:
    van = Vehicle(id="van", node=0, free_at_s=60)
    jobs = [a_job("now", 3, 5), a_job("later", 3, 7, ready_s=3000)]
    timetable = Timetable(a_problem([van], jobs, service=MINUTES))
    first, second = timetable.chain(van, [("now",), ("later",)])
    assert first.arrival_s == 60 + 180
    assert first.trip.pickup_s == 60 + 180 + 120
    assert first.trip.leave_s == 60
    assert first.trip.deliveries_s == (60 + 180 + 120 + 120 + 120 + 120,)
    assert first.free_s == 720 + 120
    assert second.arrival_s == 840 + 120
    assert second.trip.pickup_s == 3000
    assert second.trip.leave_s == 3000 - 120 - 120
    assert second.driving_s == 120 + 240


def test_a_vehicle_free_long_ago_leaves_now() -> None:
    van = Vehicle(id="van", node=0, free_at_s=-600)
    timetable = Timetable(a_problem([van], [a_job("gift", 1, 2)]))
    assert timetable.chain(van, [("gift",)])[0].arrival_s == 60


def test_a_bundle_is_late_by_the_detour_and_by_the_wait_for_the_others() -> None:
    van = Vehicle(id="van", node=3)
    jobs = [a_job("first", 3, 4), a_job("second", 3, 9, ready_s=600)]
    timetable = Timetable(a_problem([van], jobs, service=MINUTES))
    (timed,) = timetable.chain(van, [("first", "second")])
    assert timetable.extras_s(van, timed) == (600 - 120, 240)


def test_a_plan_costs_what_its_weights_say() -> None:
    vans = [
        Vehicle(id="a", node=0, idle_since_s=0),
        Vehicle(id="b", node=0, idle_since_s=-600),
    ]
    jobs = [
        a_job("gift", 1, 2, due_s=400, weight=2),
        a_job("other", 1, 2, weight=3, placed_s=-50),
    ]
    only = {"waiting": 1, "lateness": 0, "travel": 0, "idle": 0, "stability": 0}
    prices = {
        "waiting": 2 * 180,  # 60 s on the road and 120 s in the shop before it leaves
        "lateness": 2 * 80,
        "travel": 120,
        "idle": 10,
        "stability": 1,
        "unassigned": 3,
        "unassigned_age": 3 * 50,
    }
    for weight, price in prices.items():
        told = dict.fromkeys([*only, "unassigned", "unassigned_age"], 0) | {weight: 1}
        problem = a_problem(
            vans,
            jobs,
            service=MINUTES,
            policy=Policy(weights=Weights(**told)),
            incumbent=(a_route("b", ("gift",)),),
        )
        assert Timetable(problem).cost([a_route("a", ("gift",))]) == price, weight
