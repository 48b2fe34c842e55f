"""What must hold when the door or the window of an order changes on its way."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.dispatch.change import Around, change
from engine.dispatch.offer import OfferStatus
from engine.invoices.due import draft_of
from engine.kernel.ids import PaymentId, QuoteId
from engine.kernel.messages import Caller, Decision
from engine.kernel.place import Place, Point
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.orders.decide import NO_LOAD, Load
from engine.orders.fees import FeeKind, OrderFee
from engine.orders.messages import ChangeOrder
from engine.orders.order import OrderChanged, OrderStatus, Window
from engine.orders.policy import CHANGE, FEES_MAX, cancellation_terms
from engine.orders.quote import Quote
from engine.pricing.lines import amounts, vat_on
from tests.builders import DOOR, Story, a_quote, a_story, a_window, customer, must, new_id, operator
from tests.engine.invoices.drafts import SELLER

S = OrderStatus
ELSEWHERE = Place(point=Point(lat=DOOR.lat + 0.01, lng=DOOR.lng), address="Building 9")
BEFORE_THE_PICK_UP = (S.SCHEDULED, S.WAITING, S.OFFERED, S.ASSIGNED, S.COURIER_AT_SHOP)
CHANGEABLE = (*BEFORE_THE_PICK_UP, S.PICKED_UP, S.ATTEMPT_FAILED)


def quoted(story: Story, door: Place, window: Window | None) -> tuple[Quote, Quote]:
    """The quote that holds, and the one for the change."""
    order = story.order
    former = replace(
        a_quote(story.zone, customer_id=order.customer_id, at=order.placed_at), id=order.quote_id
    )
    new = a_quote(story.zone, customer_id=order.customer_id, door=door.point, at=story.at)
    return former, replace(new, window=window)


def ask(
    story: Story,
    door: Place | None = None,
    window: Window | None = None,
    caller: Caller | None = None,
    *,
    load: Load = NO_LOAD,
    paid_with: PaymentId | None = None,
    **fields: Any,
) -> Decision | Refusal:
    order = replace(story.order, payment_id=paid_with)
    door = door or order.door
    former, new = quoted(story, door, window)
    command = ChangeOrder(order_id=order.id, quote=new, former=former, door=door, window=window)
    is_offered = order.status is S.OFFERED
    around = Around(
        offer=story.offer if is_offered else None,
        others=[one for one in story.orders if one.id != order.id] if is_offered else (),
        couriers=[story.courier] if is_offered or order.courier_id else (),
    )
    return change(
        order,
        replace(command, **fields),
        caller or customer(order.customer_id),
        zone=story.zone,
        around=around,
        load=load,
        travel_s=600,
        now=story.at,
    )


def refusal(decision: Decision | Refusal) -> Refusal:
    assert isinstance(decision, Refusal)
    return decision


@pytest.mark.parametrize("status", CHANGEABLE)
def test_another_door_is_taken_over_and_priced_anew(status: OrderStatus) -> None:
    story = a_story(status, orders=2 if status is not S.SCHEDULED else 1)
    before = story.order
    story.take(ask(story, ELSEWHERE, before.window))
    after = story.order
    assert (after.door, after.quote_id != before.quote_id) == (ELSEWHERE, True)
    assert after.status is (S.WAITING if status is S.OFFERED else status)
    former, new = quoted(story, ELSEWHERE, before.window)
    assert after.total_halalas == new.total_halalas + after.fees_halalas
    assert after.goods_halalas == 0
    told = story.events_of(after.id)[-1]
    assert isinstance(told, OrderChanged)
    assert (told.is_new_door, told.is_new_window) == (True, False)
    assert told.total_before_halalas == before.total_halalas == former.total_halalas


@pytest.mark.parametrize("status", [S.ASSIGNED, S.COURIER_AT_SHOP, S.PICKED_UP, S.ATTEMPT_FAILED])
def test_who_carries_it_is_shown_the_new_door_and_keeps_the_rest(status: OrderStatus) -> None:
    story = a_story(status, orders=2)
    version, stops = story.courier.version, story.route()
    story.take(ask(story, ELSEWHERE))
    assert story.courier.version == version + 1
    (own,) = [one for one in story.route() if one.point == ELSEWHERE.point]
    assert own.orders == (story.order.id,)
    assert len(story.route()) == len(stops)
    assert story.courier.orders == tuple(one.id for one in story.orders)


def test_an_offer_is_withdrawn_and_its_other_orders_wait_again() -> None:
    story = a_story(S.OFFERED, orders=2)
    story.take(ask(story, ELSEWHERE))
    assert story.offer.status is OfferStatus.WITHDRAWN
    assert [one.status for one in story.orders] == [S.WAITING, S.WAITING]
    assert story.courier.offer_id is None


@pytest.mark.parametrize("status", BEFORE_THE_PICK_UP)
def test_for_a_later_window_it_waits_and_its_courier_is_free(status: OrderStatus) -> None:
    story = a_story(status)
    window = a_window(story.at + 60 * MINUTE_MS)
    story.take(ask(story, window=window))
    order = story.order
    assert (order.status, order.window, order.due_at) == (S.SCHEDULED, window, window.end)
    assert order.release_at is not None
    assert story.at <= order.release_at < window.start
    assert order.courier_id is None
    assert story.route() == []


def test_a_scheduled_gift_may_come_at_once_after_all() -> None:
    story = a_story(S.SCHEDULED)
    story.take(ask(story))
    assert (story.order.status, story.order.window, story.order.release_at) == (
        S.WAITING,
        None,
        None,
    )
    assert story.order.ready_at < a_window(story.at).start


@pytest.mark.parametrize("status", sorted(set(S) - set(CHANGEABLE) - {S.PLACED}))
def test_later_nothing_is_changed(status: OrderStatus) -> None:
    assert refusal(ask(a_story(status), ELSEWHERE)).code == "too_late_to_change"


def test_on_the_road_the_window_stays() -> None:
    story = a_story(S.PICKED_UP)
    assert refusal(ask(story, window=a_window(story.at))).code == "too_late_to_change"


@pytest.mark.parametrize(
    ("status", "minutes", "percent"),
    [
        (S.WAITING, 0, 0),
        (S.ASSIGNED, 0, 0),
        (S.ASSIGNED, 5, 25),
        (S.COURIER_AT_SHOP, 0, 50),
        (S.PICKED_UP, 0, 100),
    ],
)
def test_what_it_costs_follows_from_status_and_minutes(
    status: OrderStatus, minutes: int, percent: int
) -> None:
    story = a_story(status)
    order = story.order
    story.at = (order.assigned_at or story.at) + minutes * MINUTE_MS
    fee = order.fee_earned_halalas
    charge = ((fee + vat_on(fee)) * percent + 50) // 100
    assert must(ask(story, ELSEWHERE)).reply["charge_halalas"] == charge
    assert must(ask(story, ELSEWHERE, caller=operator())).reply["charge_halalas"] == 0
    if charge:
        risen = refusal(ask(story, ELSEWHERE, charge_halalas_max=charge - 1))
        assert risen.code == "charge_risen"
    must(ask(story, ELSEWHERE, charge_halalas_max=charge))
    story.at = order.due_at + 1
    assert must(ask(story, ELSEWHERE)).reply["charge_halalas"] == 0
    assert status in {one for row in CHANGE for one in row.statuses}


def test_a_charge_is_a_line_of_its_invoice_and_is_kept_when_it_is_cancelled() -> None:
    story = a_story(S.COURIER_AT_SHOP)
    story.take(ask(story, ELSEWHERE))
    order = story.order
    (fee,) = order.fees
    terms = cancellation_terms(order, customer(order.customer_id).role, now=story.at)
    assert terms is not None
    assert terms.charge_halalas == order.total_halalas
    _, new = quoted(story, ELSEWHERE, None)
    ended = replace(order, ended_at=story.at)
    draft = draft_of(ended, new, seller=SELLER, now=story.at)
    assert draft.lines[-1].unit_halalas == fee.halalas
    assert amounts(draft.lines).payable_halalas == order.total_halalas


def test_nobody_pays_for_changes_without_end() -> None:
    story = a_story(S.COURIER_AT_SHOP)
    fee = OrderFee(kind=FeeKind.CHANGE, halalas=1, at=story.at)
    story.things[story.order.id] = replace(story.order, fees=(fee,) * FEES_MAX)
    assert refusal(ask(story, ELSEWHERE)).code == "too_late_to_change"


def test_the_same_change_again_is_the_same() -> None:
    story = a_story(S.WAITING)
    former, new = quoted(story, ELSEWHERE, None)
    story.take(ask(story, ELSEWHERE, quote=new))
    again = must(ask(story, ELSEWHERE, quote=new, former=former))
    assert again.changes == ()


def test_what_is_paid_for_becomes_no_dearer() -> None:
    story = a_story(S.WAITING)
    _, new = quoted(story, ELSEWHERE, None)
    total = story.order.total_halalas
    for is_paid, difference, is_taken in (
        (True, 1, False),
        (True, 0, True),
        (True, -1, True),
        (False, 1, True),
    ):
        other = replace(new, total_halalas=total + difference)
        payment = PaymentId(new_id()) if is_paid else None
        told = ask(story, ELSEWHERE, paid_with=payment, quote=other)
        if is_taken:
            assert isinstance(told, Decision), difference
        else:
            assert refusal(told).code == "more_than_paid"


def test_what_differs_from_the_quote_is_refused() -> None:
    story = a_story(S.WAITING)
    former, new = quoted(story, ELSEWHERE, None)
    other = Place(point=Point(lat=DOOR.lat + 0.02, lng=DOOR.lng))
    window = a_window(story.at)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"quote": replace(new, valid_until=story.at - 1)}, "quote_expired"),
        ({"quote": replace(new, customer_id=new_id())}, "quote_mismatch"),
        ({"quote": replace(new, door=other.point)}, "quote_mismatch"),
        ({"quote": replace(new, window=window)}, "quote_mismatch"),
        ({"former": replace(former, id=QuoteId(new_id()))}, "quote_mismatch"),
        ({"quote": replace(new, zone_id=new_id())}, "outside_zones"),
    )
    for fields, code in cases:
        assert refusal(ask(story, ELSEWHERE, **fields)).code == code
    assert refusal(ask(story, ELSEWHERE, caller=customer())).code == "unknown_order"


def test_a_window_must_be_ahead_reachable_and_have_room() -> None:
    story = a_story(S.WAITING)
    past = Window(start=story.at - MINUTE_MS, end=story.at + MINUTE_MS)
    soon = Window(start=story.at + MINUTE_MS, end=story.at + 2 * MINUTE_MS)
    assert refusal(ask(story, window=past)).code == "bad_window"
    assert refusal(ask(story, window=soon)).code == "window_unreachable"
    full = Load(in_window=story.zone.parameters.window_orders_max)
    assert refusal(ask(story, window=a_window(story.at), load=full)).code == "window_full"
