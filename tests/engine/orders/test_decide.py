"""What must hold when an order is placed and released."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.kernel.ids import UserId, ZoneId, uuid7
from engine.kernel.messages import Decision
from engine.kernel.place import Place, Point
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS
from engine.orders import decide
from engine.orders.messages import WINDOW_UNREACHABLE, PlaceOrder
from engine.orders.order import (
    Gift,
    Order,
    OrderPlaced,
    OrderReleased,
    OrderScheduled,
    OrderStatus,
    Window,
)
from engine.orders.quote import QUOTE_VALID_MS
from tests.builders import (
    NOON,
    PIN,
    a_placing,
    a_quote,
    a_story,
    a_window,
    a_zone,
    an_order,
    customer,
    must,
    new_id,
    operator,
    placed,
)

S = OrderStatus
# A metre of latitude in degrees.
METRE = 1 / 111_195


def order_in(decision: Decision) -> Order:
    (change,) = decision.changes
    assert isinstance(change.thing, Order)
    return change.thing


def test_an_order_waits_as_soon_as_it_is_placed() -> None:
    zone = a_zone()
    quoted = a_quote(zone, preparation_s=900)
    command = a_placing(zone, quoted=quoted)
    decision = placed(zone, command, at=NOON + MINUTE_MS)
    order = order_in(decision)
    now = NOON + MINUTE_MS
    assert (order.status, order.version) == (S.WAITING, 1)
    assert decision.changes[0].events == (OrderPlaced(at=now), OrderReleased(at=now))
    assert order.ready_at == NOON + 900 * SECOND_MS
    assert order.due_at - order.placed_at == quoted.promised_at - quoted.quoted_at
    assert order.total_halalas == quoted.total_halalas
    assert (order.customer_id, order.zone_id, order.pin) == (quoted.customer_id, zone.id, PIN)
    assert decision.reply == {"order_id": order.id, "code": order.code, "status": "waiting"}


def test_a_shop_that_is_ready_already_is_not_ready_in_the_past() -> None:
    zone = a_zone()
    order = order_in(placed(zone, a_placing(zone, ready_at=NOON - HOUR_MS)))
    assert order.ready_at == NOON


def test_the_zones_buffer_is_added_to_the_shops_own_estimate() -> None:
    zone = a_zone(parameters=ZoneParameters(prep_buffer_s=240))
    command = a_placing(zone)
    assert order_in(placed(zone, command)).ready_at == command.ready_at + 240 * SECOND_MS


def test_a_gift_for_later_is_scheduled_and_released_in_time_for_its_window() -> None:
    parameters = ZoneParameters(shop_service_s=120, door_service_s=60, schedule_lead_s=1200)
    zone, window = a_zone(parameters=parameters), a_window()
    decision = placed(zone, a_placing(zone, window=window), travel_s=600)
    order = order_in(decision)
    pick_up_by = window.start - (120 + 600 + 60) * SECOND_MS
    release_at = pick_up_by - 1200 * SECOND_MS
    assert (order.status, order.version) == (S.SCHEDULED, 1)
    assert order.window == window
    assert order.release_at == release_at
    assert order.due_at == window.end
    assert decision.changes[0].events == (
        OrderPlaced(at=NOON),
        OrderScheduled(at=NOON, release_at=release_at),
    )
    assert decision.reply["status"] == "scheduled"


def test_a_gift_for_later_is_not_fetched_long_before_its_window() -> None:
    zone, window = a_zone(), a_window()
    order = order_in(placed(zone, a_placing(zone, window=window), travel_s=600))
    parameters = zone.parameters
    on_the_road_s = parameters.shop_service_s + 600 + parameters.door_service_s
    assert order.ready_at == window.start - on_the_road_s * SECOND_MS


def test_a_window_that_is_near_is_released_at_once_and_ready_when_the_shop_is() -> None:
    zone = a_zone()
    window = Window(start=NOON + 1, end=NOON + HOUR_MS)
    command = a_placing(zone, window=window)
    order = order_in(placed(zone, command))
    assert order.status is S.SCHEDULED
    assert order.release_at == NOON
    assert order.ready_at == command.ready_at


def test_a_window_that_nobody_can_meet_is_refused_and_one_a_second_longer_is_not() -> None:
    parameters = ZoneParameters(shop_service_s=120, door_service_s=60, prep_buffer_s=300)
    zone = a_zone(parameters=parameters)
    ready_s, way_s = 1200 + 300, 60 + 600 + 30
    earliest = NOON + (ready_s + way_s) * SECOND_MS
    window = Window(start=NOON + 2 * MINUTE_MS, end=earliest)
    command = a_placing(zone, window=window, ready_at=NOON + 1200 * SECOND_MS)
    order_in(placed(zone, command, travel_s=600))
    short = replace(command, window=replace(window, end=earliest - 1))
    caller = customer(command.quote.customer_id)
    refusal = decide.place(zone, short, caller, travel_s=600, now=NOON)
    assert refusal == WINDOW_UNREACHABLE(earliest=earliest, window_end=earliest - 1)


@given(st.integers(181, 30 * 24 * 60), st.integers(1, 600), st.integers(0, 7200))
def test_a_scheduled_order_is_released_between_now_and_its_pick_up(
    start_min: int, length_min: int, travel_s: int
) -> None:
    zone = a_zone()
    start = NOON + start_min * MINUTE_MS
    window = Window(start=start, end=start + length_min * MINUTE_MS)
    order = order_in(placed(zone, a_placing(zone, window=window), travel_s=travel_s))
    assert order.release_at is not None
    assert NOON <= order.release_at <= order.ready_at
    assert order.release_at < window.start
    assert order.due_at == window.end


@pytest.mark.parametrize(
    ("window", "is_good"),
    [
        (Window(start=NOON + 1, end=NOON + HOUR_MS), True),
        (Window(start=NOON, end=NOON + HOUR_MS), False),
        (Window(start=NOON - HOUR_MS, end=NOON + HOUR_MS), False),
        (Window(start=NOON + HOUR_MS, end=NOON + HOUR_MS), False),
        (Window(start=NOON + HOUR_MS, end=NOON + HOUR_MS - 1), False),
    ],
)
def test_a_window_lies_in_the_future_and_ends_after_it_starts(
    window: Window, is_good: bool
) -> None:
    zone = a_zone()
    command = a_placing(zone, window=window)
    caller = customer(command.quote.customer_id)
    answer = decide.place(zone, command, caller, travel_s=0, now=NOON)
    assert isinstance(answer, Decision) if is_good else answer == Refusal(code="bad_window")


def moved(point: Point, metres: float) -> Place:
    return Place(point=Point(lat=point.lat + metres * METRE, lng=point.lng))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda c: replace(c, shop=moved(c.quote.shop, 24)), None),
        (lambda c: replace(c, door=moved(c.quote.door, -24)), None),
        (
            lambda c: replace(c, shop=moved(c.quote.shop, 26)),
            Refusal(code="quote_mismatch", detail={"field": "shop"}),
        ),
        (
            lambda c: replace(c, door=moved(c.quote.door, 26)),
            Refusal(code="quote_mismatch", detail={"field": "door"}),
        ),
        (
            lambda c: replace(c, quote=replace(c.quote, customer_id=UserId(new_id()))),
            Refusal(code="quote_mismatch", detail={"field": "customer"}),
        ),
        (
            lambda c: replace(c, quote=replace(c.quote, zone_id=ZoneId(new_id()))),
            Refusal(code="outside_zones"),
        ),
    ],
)
def test_only_what_was_quoted_can_be_placed(
    change: Callable[[PlaceOrder], PlaceOrder], refusal: Refusal | None
) -> None:
    zone = a_zone()
    command = a_placing(zone)
    caller = customer(command.quote.customer_id)
    answer = decide.place(zone, change(command), caller, travel_s=0, now=NOON)
    assert (answer if isinstance(answer, Refusal) else None) == refusal


def test_an_operator_may_place_a_customers_quote() -> None:
    zone = a_zone()
    command = a_placing(zone)
    order = order_in(must(decide.place(zone, command, operator(), travel_s=0, now=NOON)))
    assert order.customer_id == command.quote.customer_id


def test_a_quote_can_be_used_to_its_last_millisecond() -> None:
    zone = a_zone()
    command = a_placing(zone)
    placed(zone, command, at=NOON + QUOTE_VALID_MS)
    caller = customer(command.quote.customer_id)
    late = decide.place(zone, command, caller, travel_s=0, now=NOON + QUOTE_VALID_MS + 1)
    assert late == Refusal(code="quote_expired", detail={"quote_id": command.quote.id})


def test_a_scheduled_order_joins_the_waiting_ones_once() -> None:
    order = an_order(S.SCHEDULED)
    decision = decide.release(order, a_zone(), now=NOON + HOUR_MS)
    waiting = order_in(decision)
    assert (waiting.status, waiting.version) == (S.WAITING, order.version + 1)
    assert decision.changes[0].events == (OrderReleased(at=NOON + HOUR_MS),)
    assert decide.release(waiting, a_zone(), now=NOON + HOUR_MS) == Decision()


def test_releasing_a_cancelled_order_changes_nothing() -> None:
    story = a_story(S.SCHEDULED)
    story.cancel()
    assert decide.release(story.order, a_zone(), now=NOON) == Decision()


@given(st.integers(0, 2**74 - 1))
def test_a_short_code_is_six_characters_that_are_not_mistaken_for_others(bits: int) -> None:
    code = decide.short_code(uuid7(NOON, bits))
    assert len(code) == 6
    assert not set(code) - set("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")
    assert code == decide.short_code(uuid7(NOON + 1, bits))


def test_short_codes_of_neighbouring_ids_differ() -> None:
    codes = {decide.short_code(uuid7(NOON, bits)) for bits in range(1000)}
    assert len(codes) == 1000


def test_what_was_quoted_for_a_window_or_without_a_car_is_not_placed_otherwise() -> None:
    zone, window = a_zone(parameters=ZoneParameters(fee_car_percent=150)), a_window()
    by_car = Gift(description="Cake", vehicles=(VehicleKind.CAR,))
    for_later = replace(a_quote(zone), window=window)
    for_car = replace(a_quote(zone), vehicles=(VehicleKind.CAR,))
    for quoted, fields, other in (
        (for_later, {}, "window"),
        (for_later, {"window": replace(window, end=window.end + 1)}, "window"),
        (a_quote(zone), {"gift": by_car}, "vehicles"),
    ):
        command = a_placing(zone, quoted=quoted, **fields)
        buyer = customer(quoted.customer_id)
        refused = decide.place(zone, command, buyer, travel_s=60, now=NOON)
        assert isinstance(refused, Refusal)
        assert (refused.code, refused.detail) == ("quote_mismatch", {"field": other})
    placed(zone, a_placing(zone, quoted=for_later, window=window))
    placed(zone, a_placing(zone, quoted=for_car, gift=by_car))
