"""What failed attempts and coming again add to an order's price."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep
from engine.couriers.messages import ReportProgress
from engine.couriers.progress import Carrying
from engine.kernel.timing import MINUTE_MS
from engine.orders.fees import FailureReason, FeeKind
from engine.orders.order import DeliveryAttemptFailed, OrderStatus
from engine.orders.policy import ATTEMPT_FEES_MAX, NOT_OURS, return_terms
from engine.pricing.lines import vat_on
from tests.builders import PIN, Story, a_story, must

P, S = ProgressStep, OrderStatus


def tell(story: Story, step: ProgressStep, reason: str = "", **fields: Any) -> None:
    """A report of the courier, a minute later than the one before."""
    story.at += MINUTE_MS
    command = ReportProgress(
        courier_id=story.courier.id,
        order_id=story.order.id,
        step=step,
        device_at=story.at,
        reason=reason,
        **fields,
    )
    carrying = Carrying(story.courier, story.held, parameters=story.zone.parameters, now=story.at)
    story.take(must(carrying.report(command)))


def kinds(story: Story) -> list[FeeKind]:
    return [one.kind for one in story.order.fees]


@pytest.mark.parametrize(
    "reason", [*sorted(set(FailureReason) - {FailureReason.NOT_PAID}), "the lift was broken", ""]
)
def test_an_attempt_costs_what_is_not_our_fault(reason: str) -> None:
    story = a_story(S.AT_DOOR)
    before = story.order.total_halalas
    tell(story, P.ATTEMPT_FAILED, reason)
    tell(story, P.REACHED_DOOR)
    expected = [FeeKind.FAILED_ATTEMPT, FeeKind.SECOND_TRY] if reason in NOT_OURS else []
    assert kinds(story) == expected
    assert story.order.total_halalas == before + story.order.fees_halalas


def test_fees_are_shares_of_the_delivery_and_stand_in_the_events() -> None:
    story = a_story(S.AT_DOOR)
    fee = story.order.fee_earned_halalas
    delivery = fee + vat_on(fee)
    tell(story, P.ATTEMPT_FAILED, "nobody_home")
    told = story.events_of(story.order.id)[-1]
    assert isinstance(told, DeliveryAttemptFailed)
    assert told.fee_halalas == story.order.fees[0].halalas == (delivery * 25 + 50) // 100
    tell(story, P.REACHED_DOOR)
    assert story.order.fees[1].halalas == (delivery * 50 + 50) // 100
    tell(story, P.DELIVERED, pin=PIN)
    assert story.order.goods_halalas == 0


def test_nobody_pays_for_attempts_without_end() -> None:
    story = a_story(S.AT_DOOR)
    for _ in range(5):
        tell(story, P.ATTEMPT_FAILED, "no_access")
        tell(story, P.REACHED_DOOR)
    assert kinds(story).count(FeeKind.FAILED_ATTEMPT) == ATTEMPT_FEES_MAX
    assert kinds(story).count(FeeKind.SECOND_TRY) == ATTEMPT_FEES_MAX


def test_what_goes_back_is_charged_beside_its_fees_and_never_more_than_all() -> None:
    story = a_story(S.AT_DOOR)
    order = replace(story.order, total_halalas=25300, fee_halalas=2000)
    story.things[order.id] = order
    tell(story, P.ATTEMPT_FAILED, "refused")
    tell(story, P.RETURN_STARTED)
    terms = return_terms(story.order)
    assert terms.charge_halalas == 2300 * 150 // 100 + 11500 + story.order.fees_halalas
    assert terms.charge_halalas + terms.refund_halalas == 25300 + story.order.fees_halalas
    tell(story, P.RETURNED)
    assert story.order.charge_halalas == terms.charge_halalas
