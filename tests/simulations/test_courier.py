"""A simulated courier: whatever the line does to him, his reports are complete and exact."""

import asyncio
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geo.travel import VehicleKind
from engine.kernel.place import Place, Point
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.order import Gift, Recipient
from simulations.courier import CourierProgram
from simulations.day import DayCourier, DayOrder
from simulations.diary import Diary
from simulations.people import Behaviour, Temper, World
from simulations.solution import solution
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from tests.simulations.scripted import Revision, ScriptedDoor, Trip, Wait

START: Instant = 1_767_571_200_000
M = MINUTE_MS
HOME, SHOP, A, B = (Point(lat=0.0, lng=lng) for lng in (0.0, 0.03, 0.05, 0.09))
STEPS = ("reached_shop", "picked_up", "reached_door", "delivered")


class Minutes:
    """A minute for every hundredth of a degree."""

    def travel_ms(self, origin: Point, to: Point, *, vehicle: VehicleKind, at: Instant) -> int:
        return round(abs(to.lng - origin.lng) * 100) * M


def trip(at: float, keys: str, ready: float, doors: tuple[Point, ...] = (A, B)) -> Trip:
    doors = doors[: len(keys)]
    return Trip(START + int(at * M), tuple(keys), SHOP, doors, START + int(ready * M))


def a_day(
    *trips: Trip,
    off: float = 240,
    slowness_ms: int = 0,
    seed: int = 1,
    behaviour: Behaviour | None = None,
    withdrawn: frozenset[str] = frozenset(),
    cancelled: float | None = None,
    revised: tuple[Trip, ...] = (),
    waits: tuple[Wait, ...] = (),
    refused_step: str = "",
) -> tuple[ScriptedDoor, Diary]:
    plan = DayCourier(
        key="c",
        name="Courier",
        start=HOME,
        on_at=START,
        off_at=START + int(off * M),
        vehicle=VehicleKind.CAR,
        capacity_units=9,
    )
    diary = Diary()
    for one in (*trips, *revised):
        for key in one.keys:
            place = Place(point=SHOP)
            page = diary.order(
                DayOrder(
                    key=key,
                    placed_at=START,
                    ready_at=one.ready_at,
                    shop=place,
                    door=place,
                    gift=Gift(description="x"),
                    recipient=Recipient(name="y"),
                )
            )
            page.pin = f"12{key}"

    async def main(loop: VirtualLoop) -> ScriptedDoor:
        clock = VirtualClock(loop, starts_at=START)
        chance = random.Random(seed)
        cancelled_at = None if cancelled is None else START + int(cancelled * M)
        world = World(
            clock=clock,
            diary=diary,
            ways=Minutes(),
            shop_service_ms=4 * M,
            door_service_ms=4 * M,
            zone_of=lambda _: "zone",
            pay_halalas=lambda _shop, _door: 2000,
            closing=asyncio.Event(),
        )
        revisions = tuple(Revision(one.at, one) for one in revised)
        door = ScriptedDoor(
            clock,
            chance,
            slowness_ms,
            trips,
            withdrawn,
            cancelled_at,
            revisions,
            waits,
            refused_step,
        )
        temper = Temper(behaviour=behaviour or Behaviour(), chance=chance)
        await CourierProgram(diary.courier(plan), door=door, world=world, temper=temper).run()
        return door

    return run_virtually(main), diary


def test_he_reports_every_step_at_its_exact_time() -> None:
    door, diary = a_day(trip(10, "a", ready=30))
    assert [(one.step, (one.device_at - START) / M) for one in door.reports] == [
        ("reached_shop", 13),
        ("picked_up", 30),
        ("reached_door", 34),
        ("delivered", 36),
    ]
    assert door.reports[-1].pin == "12a"
    assert [(one.free_at - START) / M for one in diary.couriers["c"].visits] == [32, 38]


def test_a_gift_that_is_ready_costs_half_the_service_before_and_half_after() -> None:
    door, _ = a_day(trip(10, "a", ready=0))
    assert [(one.device_at - START) / M for one in door.reports] == [13, 15, 19, 21]


def test_a_bundle_is_picked_up_in_one_visit_when_its_last_gift_is_ready() -> None:
    door, diary = a_day(trip(10, "ab", ready=20))
    picked_up = [one for one in door.reports if one.step == "picked_up"]
    assert [(one.key, (one.device_at - START) / M) for one in picked_up] == [("a", 20), ("b", 20)]
    assert [one.keys for one in diary.couriers["c"].visits] == [("a", "b"), ("a",), ("b",)]


def test_an_offer_that_comes_on_the_way_follows_when_he_is_free() -> None:
    _, diary = a_day(trip(10, "a", ready=0), trip(12, "b", ready=0))
    visits = diary.couriers["c"].visits
    assert [one.keys for one in visits] == [("a",), ("a",), ("b",), ("b",)]
    assert visits[2].left_at == visits[1].free_at
    assert diary.couriers["c"].accepted == 2


def test_a_trip_that_he_cannot_pick_up_in_his_shift_is_declined() -> None:
    door, diary = a_day(trip(10, "a", ready=70), off=60)
    assert ("decline", {"offer_id": "offer-a", "reason": "shift_ends"}) in door.told
    assert diary.couriers["c"].declined == 1
    assert door.reports == []


def test_the_trips_that_he_has_count_when_he_thinks_of_his_shift_s_end() -> None:
    _, diary = a_day(trip(10, "a", ready=55), trip(12, "b", ready=0), off=60)
    page = diary.couriers["c"]
    assert (page.accepted, page.declined) == (1, 1)


def test_what_he_accepted_too_slowly_to_be_in_time_is_given_back() -> None:
    door, _ = a_day(trip(50, "a", ready=0), off=56.2, slowness_ms=90_000, seed=1)
    kinds = {kind for kind, _ in door.told}
    assert "progress" not in kinds
    assert kinds & {"give_back", "decline"}


def test_he_finishes_his_route_after_the_shift() -> None:
    door, diary = a_day(trip(10, "ab", ready=58), off=61)
    assert [one.step for one in door.reports][-1] == "delivered"
    assert len(diary.couriers["c"].visits) == 3


def test_an_order_that_is_gone_when_he_arrives_is_left_out() -> None:
    door, diary = a_day(trip(10, "ab", ready=0), withdrawn=frozenset("a"))
    assert {one.key for one in door.reports} == {"b"}
    assert diary.faults == []


def test_an_order_that_is_cancelled_on_the_way_stops_him_where_he_is() -> None:
    every_half = Behaviour(position_every_ms=30_000)
    door, diary = a_day(
        trip(10, "a", ready=0), trip(20, "b", ready=0), cancelled=11.2, behaviour=every_half
    )
    assert {one.key for one in door.reports} == {"b"}
    # Half of the way was driven, and the other half is driven later.
    assert (diary.couriers["c"].visits[0].arrived_at - START) / M == 22


def test_who_always_declines_carries_nothing() -> None:
    door, diary = a_day(trip(10, "a", ready=0), behaviour=Behaviour(decline=1.0))
    assert door.reports == []
    assert diary.couriers["c"].declined == 1


def test_who_ignores_an_offer_only_acknowledges_it() -> None:
    door, diary = a_day(trip(10, "a", ready=0), behaviour=Behaviour(ignore=1.0))
    assert [kind for kind, _ in door.told] == ["duty", "acknowledge", "duty"]
    assert diary.couriers["c"].expired == 1


def test_his_positions_lie_on_his_way() -> None:
    door, _ = a_day(trip(10, "a", ready=0), behaviour=Behaviour(position_every_ms=30_000))
    moving = [(at - START, point.lng) for point, at in door.positions if at <= START + 13 * M]
    expected = [(10 * M + i * 30_000, 0.03 * i / 6) for i in range(1, 7)]
    assert [at for at, _ in moving][-6:] == [at for at, _ in expected]
    for (_, lng), (_, wanted) in zip(moving[-6:], expected, strict=True):
        assert abs(lng - wanted) < 1e-9


def visits_of(diary: Diary) -> list[tuple[str, tuple[str, ...], float, float, float]]:
    return [
        (
            one.kind,
            one.keys,
            (one.left_at - START) / M,
            (one.arrived_at - START) / M,
            (one.handed_over_at - START) / M,
        )
        for one in diary.couriers["c"].visits
    ]


def test_what_is_added_while_he_waits_in_the_shop_is_taken_along() -> None:
    _, diary = a_day(trip(10, "a", ready=30), revised=(trip(20, "ba", ready=30),))
    assert visits_of(diary)[0] == ("pickup", ("b", "a"), 10, 13, 30)
    assert [(at - START) / M for at in diary.couriers["c"].visits[0].told_at] == [20, 10]
    assert [one.keys for one in diary.couriers["c"].visits[1:]] == [("b",), ("a",)]
    assert diary.faults == []


def test_who_gets_another_order_on_the_way_goes_on_and_the_way_is_noted_by_itself() -> None:
    _, diary = a_day(trip(10, "a", ready=30), revised=(trip(11.5, "b", ready=0),))
    assert visits_of(diary)[:2] == [("move", (), 10, 13, 13), ("pickup", ("b",), 13, 13, 15)]
    way, pickup = diary.couriers["c"].visits[:2]
    assert [(one - START) / M for one in (*way.told_at, *pickup.told_at)] == [10, 11.5]
    assert diary.faults == []


def test_who_waits_for_what_is_taken_from_him_leaves_at_once_with_what_is_ready() -> None:
    _, diary = a_day(trip(10, "a", ready=50), revised=(trip(20, "b", ready=15),))
    assert visits_of(diary)[1] == ("pickup", ("b",), 13, 13, 20)
    assert diary.couriers["c"].visits[0].kind == "move"


def test_an_order_that_comes_back_was_told_anew() -> None:
    _, diary = a_day(
        trip(10, "a", ready=50), revised=(trip(20, "b", ready=40), trip(30, "a", ready=50))
    )
    assert visits_of(diary)[:2] == [("move", (), 10, 13, 13), ("pickup", ("a",), 13, 13, 50)]
    assert (diary.couriers["c"].visits[1].told_at[0] - START) / M == 30


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    slowness_ms=st.sampled_from([0, 50, 2_000, 60_000, 400_000]),
    times=st.lists(st.floats(0, 100), min_size=1, max_size=4),
)
def test_however_slow_and_shuffled_the_line_is_no_step_is_lost_and_all_times_are_exact(
    seed: int, slowness_ms: int, times: list[float]
) -> None:
    keys = ["a", "bc", "d", "ef"]
    trips = [trip(at, key, ready=at + 10) for at, key in zip(sorted(times), keys, strict=False)]
    door, diary = a_day(*trips, off=2000, slowness_ms=slowness_ms, seed=seed)
    page = diary.couriers["c"]
    offered = "".join("".join(one.keys) for one in trips)
    delivered = [one.key for one in door.reports if one.step == "delivered"]
    assert sorted(delivered) == sorted(offered)
    for key in offered:
        steps = [one.step for one in door.reports if one.key == key]
        # The whole bundle reaches the shop with one report.
        assert [one for one in STEPS[1:] if one in steps] == steps[-3:]
    free_at, here = page.plan.on_at, HOME
    for visit in page.visits:
        assert visit.left_at == max(free_at, *visit.told_at)
        way = Minutes().travel_ms(here, visit.point, vehicle=VehicleKind.CAR, at=0)
        assert visit.arrived_at == visit.left_at + way
        ready = [diary.orders[key].wanted.ready_at for key in visit.keys]
        earliest = [visit.arrived_at + 2 * M, *(ready if visit.kind == "pickup" else [])]
        assert visit.handed_over_at == max(earliest)
        assert visit.free_at == visit.handed_over_at + 2 * M
        free_at, here = visit.free_at, visit.point
    assert diary.faults == []


def test_who_cannot_finish_his_route_goes_home_in_the_end_and_that_is_a_fault() -> None:
    door, diary = a_day(trip(10, "a", ready=0), off=60, refused_step="delivered")
    assert [one.step for one in door.reports] == ["reached_shop", "picked_up", "reached_door"]
    assert (diary.couriers["c"].off_at or 0) - START == (60 + 6 * 60) * M
    assert diary.faults == [
        "Courier: delivered of a: stale_version",
        "Courier: the route was not finished in time after the shift",
    ]


def sent(at: float, arrives: float) -> Wait:
    return Wait(START + int(at * M), A, START + int(arrives * M))


@pytest.mark.parametrize("slowness_ms", [0, 20_000])
def test_he_drives_to_where_he_is_asked_to_wait_and_a_trip_begins_there(slowness_ms: int) -> None:
    door, diary = a_day(
        trip(7, "a", ready=0), waits=(sent(5, 10),), slowness_ms=slowness_ms, seed=3
    )
    wait, pickup, _ = diary.couriers["c"].visits
    assert (wait.kind, wait.keys, wait.point) == ("wait", (), A)
    assert wait.told_at == (wait.left_at,)
    assert wait.arrived_at - wait.left_at == 5 * M
    assert wait.free_at == wait.arrived_at
    assert (pickup.left_at, pickup.arrived_at) == (wait.free_at, wait.free_at + 2 * M)
    assert ("reached_waiting_point", {"device_at": wait.arrived_at}) in door.told
    assert diary.faults == []


@pytest.mark.parametrize("is_ordered_from", [True, False])
def test_a_recorded_day_names_the_shop_where_he_waited(is_ordered_from: bool) -> None:
    _, diary = a_day(trip(30, "a", ready=0, doors=(B,)), waits=(sent(5, 10),))
    there, other = Place(point=A, name="r7"), Place(point=B, name="r8")
    ordered, known = (there, other) if is_ordered_from else (other, there)
    diary.orders["a"].wanted = replace(diary.orders["a"].wanted, shop=ordered)
    (told,) = solution(diary, shops=(known,), starts_at=START)["couriers"]
    assert told["stops"][0] == {
        "kind": "move",
        "restaurant": "r7",
        "arrive": 10.0,
        "depart": 10.0,
        "decided_at": [5.0],
    }
