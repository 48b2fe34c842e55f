"""What a cell holds: after any history those wait who wait, and what ended goes in time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.holdings import ENDED_KEPT, Holdings
from actors.telemetry import Telemetry
from engine.couriers.courier import Courier, CourierStatus, Duty
from engine.dispatch.offer import OfferStatus
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.messages import Thing
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import Order, OrderStatus
from storage.live import Fix
from tests.builders import NOON, a_courier, a_made_offer, a_story, a_zone, an_order

S = OrderStatus
ZONES = (a_zone(), a_zone())
STATUSES = (S.SCHEDULED, S.WAITING, S.OFFERED, S.ASSIGNED, S.DELIVERED, S.CANCELLED)
ORDERS = {(zone.id, status): an_order(status, zone=zone) for zone in ZONES for status in STATUSES}


class Parcel(Thing, frozen=True, kw_only=True):
    """A thing that no cell knows."""


def _holdings() -> Holdings:
    return Holdings(Telemetry(1))


def _order(number: int, zone: int, status: OrderStatus) -> Order:
    return replace(ORDERS[ZONES[zone].id, status], id=OrderId(f"order {number}"))


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(STATUSES), st.booleans()),
        max_size=60,
    )
)
def test_after_any_history_those_wait_who_wait(
    history: list[tuple[int, OrderStatus, bool]],
) -> None:
    holdings = _holdings()
    now: dict[int, OrderStatus] = {}
    for number, status, loads in history:
        if now.get(number) in {S.DELIVERED, S.CANCELLED}:
            continue
        now[number] = status
        if loads:
            still = {one: at for one, at in now.items() if at not in {S.DELIVERED, S.CANCELLED}}
            holdings.load([*ZONES, *(_order(one, one % 2, at) for one, at in still.items())])
        else:
            holdings.put(_order(number, number % 2, status))
        for index, zone in enumerate(ZONES):
            waiting = {f"order {one}" for one, at in now.items() if at is S.WAITING}
            mine = {f"order {one}" for one in now if one % 2 == index}
            assert {one.id for one in holdings.waiting(zone.id)} == waiting & mine


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 1),
            st.sampled_from([Duty.ON, Duty.BREAK, Duty.OFF]),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_after_any_history_those_are_on_duty_in_a_zone_who_work_there(
    history: list[tuple[int, int, Duty, bool]],
) -> None:
    holdings = _holdings()
    now: dict[int, Courier] = {}
    for number, zone, duty, loads in history:
        now[number] = replace(
            a_courier(zone=ZONES[zone]), id=CourierId(UserId(f"courier {number}")), duty=duty
        )
        if loads:
            holdings.load([*ZONES, *(one for one in now.values() if one.duty is not Duty.OFF)])
        else:
            holdings.put(now[number])
        for one in ZONES:
            on_duty = {
                courier.id
                for courier in now.values()
                if courier.zone_id == one.id and courier.duty is not Duty.OFF
            }
            assert {courier.id for courier in holdings.on_duty(one.id)} == on_duty


def test_who_waits_longest_is_named_first() -> None:
    holdings = _holdings()
    for number in (3, 1, 2):
        holdings.put(_order(number, 0, S.WAITING))
    holdings.put(_order(3, 0, S.OFFERED))
    holdings.put(_order(3, 0, S.WAITING))
    assert [one.id for one in holdings.waiting(ZONES[0].id)] == ["order 1", "order 2", "order 3"]


def test_what_ended_is_kept_a_while_and_then_goes_oldest_first() -> None:
    holdings = _holdings()
    open_offer, open_order = a_made_offer(), _order(-1, 0, S.ASSIGNED)
    expired = a_made_offer(OfferStatus.EXPIRED)
    holdings.put(open_offer)
    holdings.put(open_order)
    holdings.put(expired)
    for number in range(ENDED_KEPT - 1):
        holdings.put(_order(number, 0, S.DELIVERED))
    assert expired.id in holdings.offers
    holdings.put(_order(ENDED_KEPT, 0, S.CANCELLED))
    assert expired.id not in holdings.offers
    holdings.put(_order(ENDED_KEPT + 1, 0, S.CANCELLED))
    assert "order 0" not in holdings.orders
    assert "order 1" in holdings.orders
    assert {open_order.id, f"order {ENDED_KEPT + 1}"} <= holdings.orders.keys()
    assert open_offer.id in holdings.offers


def test_reading_anew_replaces_what_may_have_changed_and_keeps_what_ended() -> None:
    holdings = _holdings()
    ended, gone, stays = _order(1, 0, S.CANCELLED), _order(2, 0, S.WAITING), _order(3, 0, S.WAITING)
    off, on = a_courier(Duty.OFF, zone=ZONES[0]), a_courier(zone=ZONES[0])
    closed, open_ = a_made_offer(OfferStatus.WITHDRAWN), a_made_offer()
    for thing in (*ZONES, ended, gone, stays, off, on, closed, open_):
        holdings.put(thing)
    holdings.load([ZONES[0], stays])
    assert holdings.zones == {ZONES[0].id: ZONES[0]}
    assert holdings.orders == {ended.id: ended, stays.id: stays}
    assert holdings.couriers == {off.id: off}
    assert holdings.offers == {closed.id: closed}
    assert [one.id for one in holdings.waiting(ZONES[0].id)] == [stays.id]


def test_a_courier_who_goes_off_duty_is_followed_no_more() -> None:
    telemetry = Telemetry(1)
    holdings = Holdings(telemetry)
    courier = a_courier(zone=ZONES[0])
    holdings.put(courier)
    fix = Fix(lat=24.7, lng=46.7, at=NOON, accuracy_m=1.0)
    telemetry.report([(courier.id, fix)], expected=holdings.is_on_duty, now=NOON)
    assert telemetry.fix(courier.id) == fix
    holdings.put(replace(courier, duty=Duty.OFF))
    assert telemetry.fix(courier.id) is None
    assert not holdings.is_on_duty(courier.id)
    assert not holdings.is_on_duty(CourierId(UserId("nobody")))


def test_a_thing_is_found_at_the_version_that_is_held() -> None:
    holdings = _holdings()
    order, courier, offer = _order(1, 0, S.WAITING), a_courier(), a_made_offer()
    newer: list[Any] = [replace(one, version=9) for one in (ZONES[0], order, courier, offer)]
    for thing in (ZONES[0], order, courier, offer):
        assert holdings.find(thing) is None
        holdings.put(thing)
    for thing in newer:
        found = holdings.find(thing)
        assert found is not None
        assert found.version != 9


def test_a_zone_in_numbers_counts_everybody_once() -> None:
    holdings = _holdings()
    zone = ZONES[0]
    offered, carried = a_story(S.OFFERED, zone=zone, orders=2), a_story(S.PICKED_UP, zone=zone)
    waiting = replace(_order(7, 0, S.WAITING), placed_at=NOON - MINUTE_MS)
    for thing in (
        zone,
        *offered.things.values(),
        *carried.things.values(),
        waiting,
        _order(8, 1, S.WAITING),
        a_courier(zone=zone),
        a_courier(Duty.BREAK, zone=zone),
        a_courier(Duty.OFF, zone=zone),
        a_courier(zone=ZONES[1]),
    ):
        holdings.put(thing)
    body = holdings.zone_body(zone)
    assert body["waiting"] == 1
    assert body["oldest_placed_at"] == NOON - MINUTE_MS
    assert (body["offered"], body["assigned"]) == (2, 1)
    counts = {one: body["couriers"][one.value] for one in CourierStatus}
    assert {one: count for one, count in counts.items() if count} == {
        CourierStatus.ON: 1,
        CourierStatus.OFFERED: 1,
        CourierStatus.BUSY: 1,
        CourierStatus.BREAK: 1,
    }


def test_the_view_of_an_order_says_when_it_comes_only_while_somebody_brings_it() -> None:
    holdings = _holdings()
    story = a_story(S.ASSIGNED)
    for thing in story.things.values():
        holdings.put(thing)
    shown = holdings.show(story.order, now=story.at)
    assert shown is not None
    assert shown.body["eta"] > story.at
    assert shown.body["courier"]["courier_id"] == story.courier.id
    assert holdings.show(story.offer, now=story.at) is None
    waiting = holdings.show(_order(1, 0, S.WAITING), now=story.at)
    assert waiting is not None
    assert waiting.body["eta"] is None


def test_a_thing_of_no_known_kind_is_a_bug() -> None:
    holdings = _holdings()
    with pytest.raises(TypeError, match="Parcel"):
        holdings.put(Parcel())
    assert holdings.find(Parcel()) is None
