"""What must hold of what couriers earn: as agreed, for what was done, once."""

import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep, Shift
from engine.geo.parameters import ZoneParameters
from engine.kernel.messages import Decision
from engine.kernel.timing import HOUR_MS, MINUTE_MS, SECOND_MS
from engine.money.accounts import AccountKind, account
from engine.money.earnings import earnings_for, lines_of
from engine.money.transfers import Transfer, TransferReason
from engine.orders.order import OrderStatus
from engine.pricing.pay import PayLineKind, total
from tests.builders import Story, a_courier, a_story, a_zone

S, P, K = OrderStatus, ProgressStep, PayLineKind


def earned(*decisions: Decision) -> list[Transfer]:
    return [effect.transfer for one in decisions for effect in earnings_for(one)]


def in_wallet(story: Story) -> int:
    wallet = account(AccountKind.COURIER_WALLET, story.courier.id)
    legs = (leg for one in earned(*story.decisions) for leg in one.legs)
    return sum(leg.amount for leg in legs if leg.account == wallet)


@pytest.mark.parametrize("status", sorted(set(S) - {S.PLACED, S.CANCELLED}))
def test_something_is_earned_by_a_delivery_and_by_a_return(status: OrderStatus) -> None:
    story = a_story(status)
    transfers = earned(*story.decisions)
    assert len(transfers) == (status in {S.DELIVERED, S.RETURNED})
    assert {one.about for one in transfers} <= {f"order:{story.order.id}"}
    assert earned(*story.decisions) == transfers


def test_what_was_offered_is_what_is_earned_line_by_line() -> None:
    story = a_story(S.DELIVERED)
    assert story.order.pay is not None
    (transfer,) = earned(*story.decisions)
    assert transfer.reason is TransferReason.EARNING
    assert set(lines_of(transfer)) == set(story.order.pay.lines)
    assert in_wallet(story) == total(story.order.pay.lines) == story.courier.shift.earned_halalas


def test_rules_that_change_under_way_change_nothing_for_an_order_that_waits_already() -> None:
    story = a_story(S.ASSIGNED)
    before = story.order.pay
    dearer = replace(
        story.zone.current, version=2, parameters=ZoneParameters(pay_base_halalas=5000)
    )
    story.things[story.zone.id] = replace(story.zone, current=dearer)
    for step in (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED):
        assert isinstance(story.report(step), Decision)
    assert story.order.pay == before
    story.place()
    later = story.orders[-1].pay
    assert later is not None
    assert later.parameters_version == 2
    assert later.lines[0].halalas == 5000


def test_orders_that_are_fetched_together_share_the_waiting() -> None:
    story = a_story(S.ASSIGNED, orders=2)
    story.report(P.REACHED_SHOP)
    story.at += 20 * MINUTE_MS
    story.report(P.PICKED_UP, 0)
    story.at += 5 * MINUTE_MS
    story.report(P.PICKED_UP, 1)
    assert [one.waited_s for one in story.orders] == [20 * 60 // 2, 25 * 60 // 2]


def test_who_set_out_in_vain_is_paid_a_part() -> None:
    story = a_story(S.COURIER_AT_SHOP)
    pay = story.order.pay
    assert pay is not None
    story.cancel()
    (transfer,) = earned(story.decisions[-1])
    (line,) = lines_of(transfer)
    assert (line.kind, line.halalas) == (K.CANCELLATION, total(pay.cancelled()))
    assert in_wallet(story) == line.halalas == story.courier.shift.earned_halalas


def test_nobody_is_paid_for_an_order_that_nobody_had_taken() -> None:
    for status in (S.WAITING, S.OFFERED, S.SCHEDULED):
        story = a_story(status)
        story.cancel()
        assert earned(*story.decisions) == []


def test_a_shift_ends_with_what_is_missing_of_its_guarantee() -> None:
    shift = Shift(guarantee_per_h_halalas=6000)
    story = a_story(
        S.ASSIGNED, courier=replace(a_courier(zone=(zone := a_zone())), shift=shift), zone=zone
    )
    story.at += HOUR_MS
    for step in (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED):
        story.report(step)
    story.at += HOUR_MS
    decision = story.go_off()
    (transfer,) = earned(decision)
    (line,) = lines_of(transfer)
    assert line.kind is K.GUARANTEE
    assert in_wallet(story) == 6000
    assert story.courier.shift.busy_ms == HOUR_MS
    assert earned(decision) == [transfer]


def test_a_shift_that_earned_enough_ends_without_more() -> None:
    story = a_story(S.DELIVERED)
    story.at += 30 * SECOND_MS
    assert earned(story.go_off()) == []
