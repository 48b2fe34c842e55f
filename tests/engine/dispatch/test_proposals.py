"""What must hold between a plan and the questions that are put."""

import pytest
from msgspec.structs import replace

from engine.couriers.courier import StopKind
from engine.dispatch.offer import OfferStatus, Ranked
from engine.dispatch.offers import make
from engine.dispatch.proposals import offer_of, proposals, stops_of
from engine.dispatch.waiting_list import group_of
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OfferId, UserId
from engine.kernel.place import Point
from engine.kernel.timing import SECOND_MS
from engine.orders.order import Order
from optimizer.problem import Alternative, Plan, Rankings, Reason, Route, Trip
from tests.builders import DOOR, NOON, SHOP, a_courier, a_story, a_zone, new_id

STORY = a_story(orders=3, zone=a_zone(parameters=ZoneParameters(commit_lead_s=120)))
A, B, C = STORY.orders
COURIER, OTHER = STORY.courier, a_courier(zone=STORY.zone)
BY_ID = {one.id: one for one in STORY.orders}
SOME = tuple(CourierId(UserId(new_id())) for _ in range(7))
CANDIDATES = {A.id: SOME[:5], B.id: SOME[:6], C.id: SOME}


def a_trip(*orders: Order, leave_s: int = 0) -> Trip:
    return Trip(
        group="shop",
        jobs=tuple(one.id for one in orders),
        leave_s=leave_s,
        pickup_s=600,
        deliveries_s=tuple(900 + 60 * index for index in range(len(orders))),
    )


def a_plan(*trips: Trip) -> Plan:
    rankings: dict[str, tuple[Alternative, ...]] = {
        B.id: (
            Alternative(vehicle=OTHER.id, extra_cost=12, reason=Reason.FARTHER),
            Alternative(vehicle=COURIER.id, extra_cost=None, reason=Reason.FULL),
        )
    }
    route = Route(vehicle=COURIER.id, trips=trips)
    return Plan(routes=(route,), unassigned={}, cost=0, rankings=Rankings.of(rankings))


def proposed(zone: Zone, plan: Plan) -> list[tuple[str, ...]]:
    return [one.order_ids for one in proposals(zone, plan, BY_ID, CANDIDATES, now=NOON)]


@pytest.mark.parametrize(("leave_s", "now"), [(-60, True), (0, True), (120, True), (121, False)])
def test_a_trip_is_offered_when_its_courier_must_soon_leave(leave_s: int, *, now: bool) -> None:
    expected = [(A.id,)] if now else []
    assert proposed(STORY.zone, a_plan(a_trip(A, leave_s=leave_s))) == expected


def test_only_the_first_trip_of_a_courier_is_offered() -> None:
    assert proposed(STORY.zone, a_plan(a_trip(C, A), a_trip(B))) == [(C.id, A.id)]
    empty = Plan(routes=(), unassigned={A.id: Reason.FULL}, cost=0)
    assert proposed(STORY.zone, empty) == []


def test_a_proposal_explains_itself() -> None:
    (proposal,) = proposals(STORY.zone, a_plan(a_trip(B, A)), BY_ID, CANDIDATES, now=NOON)
    why = proposal.explanation
    assert (why.parameters_version, why.candidates) == (1, 6)
    assert why.pickup_at == NOON + 600 * SECOND_MS
    assert why.deliveries_at == (NOON + 900 * SECOND_MS, NOON + 960 * SECOND_MS)
    assert why.next_best == (
        Ranked(courier_id=OTHER.id, cost_more=12, reason="farther"),
        Ranked(courier_id=COURIER.id, cost_more=None, reason="full"),
    )


def test_an_order_without_a_ranking_has_no_next_best() -> None:
    (proposal,) = proposals(STORY.zone, a_plan(a_trip(A)), BY_ID, CANDIDATES, now=NOON)
    assert proposal.explanation.next_best == ()


def test_a_trip_is_one_visit_to_the_shop_and_then_the_doors_in_turn() -> None:
    late = replace(A, ready_at=B.ready_at + 1)
    for orders in ([B, late], [late, B]):
        assert stops_of(orders)[0].ready_at == late.ready_at
    pickup, first, second = stops_of([B, A])
    assert (pickup.kind, pickup.point, pickup.orders) == (StopKind.PICKUP, SHOP, (B.id, A.id))
    assert (first.kind, first.point, first.orders) == (StopKind.DROPOFF, B.door.point, (B.id,))
    assert (second.point, second.orders) == (DOOR, (A.id,))


def test_a_trip_of_neighbouring_shops_visits_each_once_as_it_is_ready() -> None:
    beside = Point(lat=SHOP.lat + 0.001, lng=SHOP.lng)
    other = replace(B, shop=replace(B.shop, point=beside), ready_at=A.ready_at + 1)
    first, then, *doors = stops_of([other, A, C])
    assert (first.point, first.orders, first.ready_at) == (SHOP, (A.id, C.id), A.ready_at)
    assert (then.point, then.orders, then.ready_at) == (beside, (other.id,), other.ready_at)
    assert [one.orders for one in doors] == [(other.id,), (A.id,), (C.id,)]
    begun = stops_of([other, A, C], first_shop=group_of(beside))
    assert [one.point for one in begun[:2]] == [beside, SHOP]


def test_an_offer_can_be_made_of_a_proposal() -> None:
    (proposal,) = proposals(STORY.zone, a_plan(a_trip(B, A)), BY_ID, CANDIDATES, now=NOON)
    offer = offer_of(proposal, STORY.zone, OfferId(new_id()), now=NOON)
    assert (offer.status, offer.version) == (OfferStatus.OPEN, 0)
    assert offer.expires_at == NOON + STORY.zone.parameters.offer_timeout_s * SECOND_MS
    assert make(offer, [B, A], COURIER, now=NOON) is not None
