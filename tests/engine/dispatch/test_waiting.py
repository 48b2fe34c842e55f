"""What must hold of why orders wait: everybody who is named was a candidate or is told why not."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, Duty
from engine.dispatch.roster import Roster
from engine.dispatch.waiting import NAMED_MAX, Reason, Surroundings, why_they_wait
from engine.dispatch.why import Why
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CourierId, OfferId, OrderId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import Lapse, Lapsed
from optimizer import problem as optimizer
from optimizer.problem import Alternative, Plan, Route, Trip
from tests.builders import NOON, SHOP, a_courier, a_zone, an_order, new_id
from tests.engine.dispatch.ticks import problem_of

ZONE = a_zone(parameters=ZoneParameters(commit_lead_s=120, candidates_max=3))
ORDER = an_order(zone=ZONE)
COURIERS = [a_courier(zone=ZONE) for _ in range(10)]


def a_trip(*orders: str, leave_s: int = 0) -> Trip:
    return Trip(
        group="shop", jobs=orders, leave_s=leave_s, pickup_s=0, deliveries_s=(0,) * len(orders)
    )


def on_duty(couriers: Sequence[Courier]) -> Roster:
    roster = Roster()
    roster.read(couriers, {})
    return roster


def reasons(plan: Plan | None, *orders: str) -> dict[OrderId, Reason]:
    ids = [OrderId(one) for one in orders]
    return why_they_wait(ZONE, ids, plan, why_unplanned=Why.NO_COURIER, now=NOON)


def test_without_a_plan_all_wait_for_the_same_reason() -> None:
    assert reasons(None, "a", "b") == {
        OrderId("a"): Reason(why=Why.NO_COURIER),
        OrderId("b"): Reason(why=Why.NO_COURIER),
    }


def test_what_the_plan_leaves_out_has_its_reason_and_what_it_holds_back_has_one_too() -> None:
    routes = (
        Route(vehicle="x", trips=(a_trip("now", leave_s=120), a_trip("next", leave_s=900))),
        Route(vehicle="y", trips=(a_trip("later", leave_s=121),)),
    )
    plan = Plan(routes=routes, unassigned={"out": optimizer.Reason.TOO_LATE}, cost=0)
    found = reasons(plan, "now", "next", "later", "out", "new")
    assert {one: reason.why for one, reason in found.items()} == {
        "next": Why.WAITING_IS_BETTER,
        "later": Why.WAITING_IS_BETTER,
        "out": Why.TOO_LATE,
    }
    later = found[OrderId("later")]
    assert (later.courier_id, later.leaves_at) == ("y", NOON + 121 * SECOND_MS)


def test_what_is_not_asked_yet_because_its_courier_goes_ahead_says_so() -> None:
    routes = (Route(vehicle="x", trips=(a_trip("now"),)), Route(vehicle="y", trips=(a_trip("b"),)))
    plan = Plan(routes=routes, unassigned={}, cost=0)
    gone = {CourierId(UserId("x"))}
    ids = [OrderId("now"), OrderId("b")]
    found = why_they_wait(ZONE, ids, plan, why_unplanned=Why.NO_COURIER, gone=gone, now=NOON)
    assert found == {
        OrderId("now"): Reason(
            why=Why.WAITING_IS_BETTER, courier_id=CourierId(UserId("x")), leaves_at=NOON
        )
    }


fields = st.sampled_from(
    [
        {},
        {},
        {"duty": Duty.BREAK},
        {"duty": Duty.ENDING},
        {"offer_id": OfferId(new_id())},
        {"shift_ends_at": NOON},
        {"shift_ends_at": NOON + MINUTE_MS},
        {"capacity_units": 0},
    ]
)
people = st.lists(st.tuples(st.floats(-0.3, 0.3), fields, st.booleans()), max_size=10)


@given(people, st.integers(60, 2400))
def test_everybody_who_is_named_was_a_candidate_or_is_told_why_he_was_none(
    drawn: list[tuple[float, dict[str, Any], bool]], reach_s: int
) -> None:
    parameters = replace(ZONE.parameters, approach_s_max=reach_s)
    zone = replace(ZONE, current=replace(ZONE.current, parameters=parameters))
    around: list[Courier] = []
    lapsed = []
    for courier, (north, changed, has_declined) in zip(COURIERS, drawn, strict=False):
        place = Point(lat=SHOP.lat + north, lng=SHOP.lng)
        around.append(replace(courier, last_point=place, **changed))
        if has_declined:
            lapsed.append(Lapsed(courier_id=courier.id, reason=Lapse.DECLINED, at=NOON))
    order = replace(ORDER, lapsed=tuple(lapsed))
    (able,) = problem_of(zone, [order], around, now=NOON).candidates.values()
    surroundings = Surroundings(on_duty(around), parameters, NOON)
    told = surroundings.why_not(order, set(able), (), of_candidates=Why.BETTER_ELSEWHERE)
    assert len(told) == min(NAMED_MAX, len(around))
    assert len({one.courier_id for one in told}) == len(told)
    declined = {one.courier_id for one in lapsed}
    for one in told:
        is_candidate = one.courier_id in able
        assert (one.reason == Why.BETTER_ELSEWHERE.value) is is_candidate
        if one.reason == Why.DECLINED.value:
            assert one.courier_id in declined
        if one.reason == Why.NOT_AMONG_NEAREST.value:
            assert len(able) == parameters.candidates_max
        if one.courier_id in declined:
            assert not is_candidate


def test_the_plans_next_best_come_first_and_the_chosen_one_is_not_spoken_against() -> None:
    first, second, third = (
        replace(one, last_point=Point(lat=SHOP.lat + index / 1000, lng=SHOP.lng))
        for index, one in enumerate(COURIERS[:3])
    )
    ranking = [Alternative(vehicle=third.id, extra_cost=7, reason=optimizer.Reason.FARTHER)]
    surroundings = Surroundings(on_duty([first, second, third]), ZONE.parameters, NOON)
    told = surroundings.why_not(
        ORDER, {second.id, third.id}, ranking, of_candidates=Why.NOT_CHOSEN, but=first.id
    )
    assert [(one.courier_id, one.cost_more, one.reason) for one in told] == [
        (third.id, 7, "farther"),
        (second.id, None, "not_chosen"),
    ]


def test_a_candidate_who_is_planned_elsewhere_is_said_to_be_needed_there() -> None:
    one, other = COURIERS[:2]
    surroundings = Surroundings(on_duty([one, other]), ZONE.parameters, NOON)
    told = surroundings.why_not(
        ORDER, {one.id, other.id}, (), of_candidates=Why.NOT_CHOSEN, elsewhere={other.id}
    )
    reasons_of = {found.courier_id: found.reason for found in told}
    assert reasons_of == {one.id: "not_chosen", other.id: "better_elsewhere"}


def test_nobody_around_is_nobody_named() -> None:
    empty = Surroundings(on_duty([]), ZONE.parameters, NOON)
    assert empty.why_not(ORDER, set(), (), of_candidates=Why.FULL) == ()


@given(st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=10), st.integers(1, 10))
def test_the_nearest_are_spoken_of(norths: list[float], count: int) -> None:
    around = [
        replace(one, last_point=Point(lat=SHOP.lat + north, lng=SHOP.lng))
        for one, north in zip(COURIERS, norths, strict=False)
    ]
    surroundings = Surroundings(on_duty(around), ZONE.parameters, NOON)
    told = surroundings.why_not(ORDER, set(), (), of_candidates=Why.FULL, count=count)
    away: dict[CourierId, float] = {one.id: abs(one.last_point.lat - SHOP.lat) for one in around}
    named = [away[one.courier_id] for one in told]
    assert named == sorted(away.values())[: len(named)]
    assert len(named) == min(count, len(around))
