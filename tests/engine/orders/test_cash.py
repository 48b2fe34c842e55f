"""What must hold of orders that are paid for in cash at the door."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep, StopKind
from engine.dispatch.why import Why, why_not
from engine.geo.parameters import ZoneParameters
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.notices import notices_for
from engine.orders import decide
from engine.orders.cash import cash_due
from engine.orders.fees import FailureReason, FeeKind
from engine.orders.messages import SendSms
from engine.orders.order import Gift, OrderCancelled, OrderReturned, OrderStatus
from tests.builders import (
    NOON,
    Story,
    a_courier,
    a_placing,
    a_quote,
    a_story,
    a_zone,
    customer,
    must,
)
from tests.engine.dispatch.ticks import problem_of

P, S = ProgressStep, OrderStatus
OPEN = Gift(description="Roses", hide_price=False)
TAKES_CASH = ZoneParameters(cash_order_halalas_max=50_000, cash_held_halalas_max=9_000)


def a_cash_story(*, orders: int = 1, **parameters: Any) -> Story:
    zone = a_zone(parameters=replace(TAKES_CASH, **parameters))
    story = Story(zone, a_courier(zone=zone))
    for _ in range(orders):
        story.place(gift=OPEN, is_cash=True)
    return story


def at_the_door(**parameters: Any) -> Story:
    story = a_cash_story(**parameters)
    story.make()
    story.accept()
    for step in (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR):
        must(story.report(step))
    return story


def code_of(decided: Decision | Refusal) -> str:
    refusal = decided if isinstance(decided, Refusal) else decided.refusal
    return "" if refusal is None else refusal.code


@pytest.mark.parametrize(
    ("parameters", "gift", "code"),
    [
        (TAKES_CASH, OPEN, ""),
        (ZoneParameters(), OPEN, "cash_not_taken"),
        (replace(TAKES_CASH, cash_order_halalas_max=100), OPEN, "cash_not_taken"),
        (TAKES_CASH, replace(OPEN, hide_price=True), "cash_shows_price"),
        (TAKES_CASH, replace(OPEN, surprise=True), "cash_shows_price"),
    ],
)
def test_cash_is_taken_where_the_zone_does_and_never_for_what_is_hidden(
    parameters: ZoneParameters, gift: Gift, code: str
) -> None:
    zone = a_zone(parameters=parameters)
    quoted = a_quote(zone)
    command = a_placing(zone, quoted=quoted, gift=gift, is_cash=True)
    decided = decide.place(zone, command, customer(quoted.customer_id), travel_s=300, now=NOON)
    assert code_of(decided) == code


def test_what_is_taken_at_the_door_is_what_is_due() -> None:
    story = at_the_door()
    due = cash_due(story.order)
    assert due == story.order.total_halalas > 0
    for wrong in (0, due - 1, due + 1):
        assert code_of(story.report(P.DELIVERED, cash_halalas=wrong)) == "cash_due"
    assert story.status() is S.AT_DOOR
    must(story.report(P.DELIVERED, cash_halalas=due))
    assert (story.order.cash_taken_halalas, story.courier.cash_halalas) == (due, due)
    assert cash_due(story.order) == 0
    assert must(story.report(P.DELIVERED, cash_halalas=due)).reply["repeated"]
    assert story.courier.cash_halalas == due


def test_who_does_not_pay_is_a_failed_attempt_and_pays_for_it_next_time() -> None:
    story = at_the_door()
    before = cash_due(story.order)
    must(story.report(P.ATTEMPT_FAILED, reason=FailureReason.NOT_PAID))
    assert story.order.failed_because == "not_paid"
    story.at += MINUTE_MS
    must(story.report(P.REACHED_DOOR))
    assert [fee.kind for fee in story.order.fees] == [FeeKind.FAILED_ATTEMPT, FeeKind.SECOND_TRY]
    due = cash_due(story.order)
    assert due == before + story.order.fees_halalas
    assert code_of(story.report(P.DELIVERED, cash_halalas=before)) == "cash_due"
    must(story.report(P.DELIVERED, cash_halalas=due))
    assert story.courier.cash_halalas == due


def test_a_phone_without_a_network_is_not_held_to_what_it_could_not_know() -> None:
    story = at_the_door()
    before = cash_due(story.order)
    story.at += MINUTE_MS
    must(story.report(P.ATTEMPT_FAILED, reason=FailureReason.NOBODY_HOME, device_at=NOON))
    taken = must(story.report(P.DELIVERED, cash_halalas=before, device_at=NOON + MINUTE_MS // 2))
    assert taken.reply["status"] == "delivered"
    assert story.courier.cash_halalas == before


def test_of_what_nobody_has_paid_nothing_is_kept_and_nothing_given_back() -> None:
    story = at_the_door()
    for step in (P.ATTEMPT_FAILED, P.RETURN_STARTED, P.RETURNED):
        must(story.report(step, reason=FailureReason.NOT_PAID))
    back = story.events_of(story.order.id)[-1]
    assert isinstance(back, OrderReturned)
    assert (back.charge_halalas, back.refund_halalas, story.order.charge_halalas) == (0, 0, 0)
    cancelled = a_cash_story()
    cancelled.cancel()
    gone = cancelled.events_of(cancelled.order.id)[-1]
    assert isinstance(gone, OrderCancelled)
    assert (gone.charge_halalas, gone.refund_halalas) == (0, 0)
    assert story.courier.cash_at_stake_halalas == 0


def test_nothing_is_taken_for_what_is_paid_otherwise() -> None:
    story = a_story(S.AT_DOOR)
    assert code_of(story.report(P.DELIVERED, cash_halalas=1)) == "not_cash"
    assert code_of(story.report(P.ATTEMPT_FAILED, reason="not_paid")) == "not_cash"
    must(story.report(P.DELIVERED))
    assert story.courier.cash_halalas == 0


def test_who_would_hold_too_much_is_no_candidate_and_the_reason_is_told() -> None:
    story = a_cash_story(orders=2)
    first, second = story.orders
    limit = first.total_halalas + second.total_halalas
    parameters = replace(story.zone.parameters, cash_held_halalas_max=limit)
    courier = a_courier(zone=story.zone, cash_halalas=second.total_halalas)
    assert why_not(first, courier, parameters, NOON) is None
    fuller = replace(courier, cash_halalas=second.total_halalas + 1)
    assert why_not(first, fuller, parameters, NOON) is Why.CASH_LIMIT
    assert why_not(replace(first, is_cash=False), fuller, parameters, NOON) is None


def test_what_his_route_will_bring_counts_until_it_was_taken() -> None:
    story = at_the_door()
    due = cash_due(story.order)
    assert story.courier.cash_at_stake_halalas == due
    (door,) = story.route()
    assert (door.kind, door.cash_halalas) == (StopKind.DROPOFF, due)
    must(story.report(P.DELIVERED, cash_halalas=due))
    assert story.courier.cash_at_stake_halalas == due == story.courier.cash_halalas


def test_orders_that_are_together_too_much_for_one_courier_are_not_bundled() -> None:
    story = a_cash_story(orders=2)
    total = sum(one.total_halalas for one in story.orders)

    def groups(limit: int, held: int = 0) -> int:
        parameters = replace(story.zone.parameters, cash_held_halalas_max=limit)
        zone = replace(story.zone, current=replace(story.zone.current, parameters=parameters))
        courier = replace(story.courier, cash_halalas=held)
        problem = problem_of(zone, story.orders, [courier], now=NOON)
        return len({job.group for job in problem.jobs})

    assert groups(total) == 1
    assert groups(total - 1) == groups(total, held=1) == 2


def test_the_recipient_is_told_what_to_have_ready() -> None:
    story = a_cash_story()
    story.make()
    story.accept()
    must(story.report(P.REACHED_SHOP))
    (notice,) = notices_for(must(story.report(P.PICKED_UP)))
    riyals = f"{cash_due(story.order) / 100:.2f}"
    assert isinstance(notice, SendSms)
    assert f"SAR {riyals}" in notice.text
