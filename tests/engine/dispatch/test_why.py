"""What must hold of the reasons: who may not be asked is told why, and who may is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import CAPACITY_G, Duty
from engine.dispatch.offers import can_be_offered, can_carry
from engine.dispatch.why import TEXTS, Why, reach_s, why_not, why_unavailable
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import GreatCircle, VehicleKind
from engine.kernel.ids import OfferId
from engine.kernel.place import Point
from engine.kernel.skills import Skill
from engine.kernel.timing import SECOND_MS
from engine.orders.order import Gift, Lapse, Lapsed, Order
from optimizer.problem import Reason
from tests.builders import NOON, SHOP, a_courier, a_zone, an_order, new_id
from tests.engine.dispatch.ticks import problem_of

ZONE = a_zone()
ORDER, COURIER = an_order(zone=ZONE), a_courier(zone=ZONE)
PARAMETERS = ZoneParameters(offer_again_s=300)
skills = st.sets(st.sampled_from(Skill)).map(lambda chosen: tuple(sorted(chosen)))
gifts = st.builds(
    Gift,
    description=st.just("Cake"),
    size_units=st.integers(1, 6),
    weight_g=st.integers(0, 30_000),
    skills=skills,
    vehicles=st.sets(st.sampled_from(VehicleKind)).map(lambda chosen: tuple(sorted(chosen))),
)


def a_gift(**fields: Any) -> Order:
    return replace(ORDER, gift=Gift(description="Cake", **fields))


def test_every_reason_has_a_text_in_both_languages() -> None:
    assert set(TEXTS) == set(Why)
    for en, ar in TEXTS.values():
        assert en.endswith(".")
        assert ar.endswith(".")


def test_the_optimizers_reasons_are_among_them() -> None:
    assert {one.value for one in Reason} <= {one.value for one in Why}


@pytest.mark.parametrize(
    ("order", "fields", "why"),
    [
        (a_gift(), {}, None),
        (a_gift(size_units=5), {}, Why.FULL),
        (a_gift(weight_g=20_001), {"capacity_g": 20_000}, Why.TOO_HEAVY),
        (a_gift(weight_g=20_000), {"capacity_g": 20_000}, None),
        (a_gift(vehicles=(VehicleKind.BICYCLE,)), {}, Why.VEHICLE),
        (a_gift(vehicles=(VehicleKind.BICYCLE, VehicleKind.CAR)), {}, None),
        (a_gift(skills=(Skill.COLD,)), {}, Why.SKILL),
        (a_gift(skills=(Skill.COLD,)), {"skills": (Skill.COLD, Skill.HEAVY)}, None),
        (a_gift(skills=(Skill.COLD, Skill.FRAGILE)), {"skills": (Skill.COLD,)}, Why.SKILL),
    ],
)
def test_who_cannot_carry_a_gift_is_told_why(
    order: Order, fields: dict[str, Any], why: Why | None
) -> None:
    assert why_not(order, replace(COURIER, **fields), PARAMETERS, NOON) is why


@pytest.mark.parametrize(
    ("reason", "ago_s", "why"),
    [
        (Lapse.DECLINED, 10**6, Why.DECLINED),
        (Lapse.EXPIRED, 299, Why.NOT_ANSWERED),
        (Lapse.EXPIRED, 300, None),
        (Lapse.WITHDRAWN, 0, None),
    ],
)
def test_what_he_said_before_is_remembered(reason: Lapse, ago_s: int, why: Why | None) -> None:
    lapsed = Lapsed(courier_id=COURIER.id, reason=reason, at=NOON - ago_s * SECOND_MS)
    assert why_not(replace(ORDER, lapsed=(lapsed,)), COURIER, PARAMETERS, NOON) is why


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"duty": Duty.BREAK}, Why.ON_BREAK),
        ({"duty": Duty.ENDING}, Why.ENDING),
        ({"offer_id": OfferId(new_id())}, Why.ASKED),
        ({"shift_ends_at": NOON}, Why.SHIFT_ENDS),
        ({"shift_ends_at": NOON + 1}, None),
    ],
)
def test_who_can_be_asked_nothing_is_told_why(fields: dict[str, Any], why: Why | None) -> None:
    assert why_unavailable(replace(COURIER, **fields), NOON) is why


def test_the_search_widens_as_an_order_waits_up_to_the_longest_way() -> None:
    parameters = ZoneParameters(
        search_start_s=300, search_every_s=60, search_widen_s=200, approach_s_max=800
    )
    waits = {0: 300, 59: 300, 60: 500, 120: 700, 180: 800, 10_000: 800}
    for waited_s, reach in waits.items():
        assert reach_s(ORDER, parameters, NOON + waited_s * SECOND_MS) == reach
    scheduled = replace(ORDER, release_at=NOON + 60 * SECOND_MS)
    assert reach_s(scheduled, parameters, NOON + 60 * SECOND_MS) == 300
    assert reach_s(ORDER, ZoneParameters(), NOON) == ZoneParameters().approach_s_max


@given(st.integers(0, 1200), st.integers(60, 1200), st.integers(10, 300), st.integers(0, 600))
def test_who_is_beyond_the_search_is_no_candidate_and_who_is_within_is(
    waited_s: int, start_s: int, every_s: int, widen_s: int
) -> None:
    parameters = ZoneParameters(
        search_start_s=start_s, search_every_s=every_s, search_widen_s=widen_s
    )
    now = NOON + waited_s * SECOND_MS
    points = [Point(lat=SHOP.lat + north / 100, lng=SHOP.lng) for north in range(9)]
    around = [a_courier(zone=ZONE, last_point=one) for one in points]
    travel = GreatCircle(parameters.travel)
    within = {
        one.id
        for one in around
        if travel.one_s(one.last_point, SHOP, vehicle=one.vehicle, at=now)
        <= reach_s(ORDER, parameters, now)
    }
    found = problem_of(a_zone(parameters=parameters), [ORDER], around, now=now).candidates
    assert set(found[ORDER.id]) == within


@given(
    gifts,
    st.sampled_from(VehicleKind),
    st.integers(0, 5),
    skills,
    st.one_of(st.none(), st.sampled_from(Lapse)),
)
def test_a_candidate_can_be_offered_what_he_is_a_candidate_for(
    gift: Gift, vehicle: VehicleKind, capacity: int, has: tuple[Skill, ...], before: Lapse | None
) -> None:
    courier = replace(
        COURIER,
        vehicle=vehicle,
        capacity_units=capacity,
        capacity_g=CAPACITY_G[vehicle],
        skills=has,
    )
    lapsed = () if before is None else (Lapsed(courier_id=courier.id, reason=before, at=0),)
    order = replace(ORDER, gift=gift, lapsed=lapsed)
    zone = a_zone(parameters=PARAMETERS)
    (found,) = problem_of(zone, [order], [courier], now=NOON).candidates.values()
    can = can_be_offered(order, courier) and can_carry([order], courier)
    assert bool(found) is can
    assert bool(found) is (why_not(order, courier, PARAMETERS, NOON) is None)
    if before is Lapse.DECLINED:
        assert not found


def test_a_bundle_must_not_be_too_heavy() -> None:
    courier = replace(COURIER, capacity_g=5_000)
    orders = [a_gift(weight_g=2_000), a_gift(weight_g=3_000)]
    assert can_carry(orders, courier)
    assert not can_carry([*orders, a_gift(weight_g=1)], courier)
