"""What must hold of a courier who is asked to wait elsewhere."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from engine.couriers import duty
from engine.couriers.courier import (
    Courier,
    CourierSentToWait,
    CourierStatus,
    Duty,
    Stop,
    StopKind,
    WaitingPointReached,
)
from engine.couriers.messages import AcceptOffer, ReachWaitingPoint
from engine.couriers.prepositioning import arrival_at_wait, end_way, reach, send_to_wait
from engine.dispatch import offers
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import MINUTE_MS
from engine.orders.order import OrderStatus
from tests.builders import (
    CORNER,
    DOOR,
    NOON,
    SHOP,
    a_courier,
    a_story,
    a_zone,
    an_offer,
    an_order,
    must,
    new_id,
    take_break,
)

ARRIVES = NOON + 5 * MINUTE_MS
WAIT = Stop(kind=StopKind.WAIT, point=SHOP, orders=(), ready_at=ARRIVES)


def sent(courier: Courier) -> Courier | None:
    decision = send_to_wait(courier, SHOP, origin=CORNER, arrives_at=ARRIVES, now=NOON)
    return None if decision is None else the_courier(decision)


def the_courier(decision: Decision) -> Courier:
    (changed,) = (one.thing for one in decision.changes if isinstance(one.thing, Courier))
    return changed


def on_his_way() -> Courier:
    courier = sent(a_courier())
    assert courier is not None
    return courier


def test_who_is_sent_is_still_available_and_has_one_stop_without_orders() -> None:
    courier = a_courier(last_point=DOOR, zone=a_zone())
    decision = send_to_wait(courier, SHOP, origin=CORNER, arrives_at=ARRIVES, now=NOON + 1)
    assert decision is not None
    ((after, events),) = ((one.thing, one.events) for one in decision.changes)
    assert (after.status, after.route, after.orders) == (CourierStatus.ON, (WAIT,), ())
    assert (after.last_point, after.leaves_at) == (CORNER, NOON + 1)
    assert after.free_since == courier.free_since
    assert events == (CourierSentToWait(at=NOON + 1, point=SHOP, arrives_at=ARRIVES),)


@pytest.mark.parametrize(
    "courier",
    [
        a_courier(Duty.OFF),
        a_courier(Duty.BREAK),
        a_courier(offer_id=new_id()),
        a_courier(route=(WAIT,)),
        a_courier(leaves_at=NOON + 1),
        a_courier(shift_ends_at=NOON),
        a_story(OrderStatus.ASSIGNED).courier,
        replace(a_story(OrderStatus.ASSIGNED).courier, duty=Duty.ENDING),
    ],
    ids=["off", "break", "asked", "sent", "at a door", "shift over", "busy", "ending"],
)
def test_nobody_is_sent_who_is_not_idle(courier: Courier) -> None:
    assert sent(courier) is None


@pytest.mark.parametrize(
    ("device_min", "leaves_min"), [(None, 3), (2, 2), (-7, 0), (9, 3)], ids=str
)
def test_who_says_that_he_is_there_waits_there_since_then(
    device_min: int | None, leaves_min: int
) -> None:
    now = NOON + 3 * MINUTE_MS
    device_at = None if device_min is None else NOON + device_min * MINUTE_MS
    command = ReachWaitingPoint(courier_id=on_his_way().id, device_at=device_at)
    decision = reach(on_his_way(), command, now=now)
    after = the_courier(decision)
    assert (after.route, after.last_point) == ((), SHOP)
    assert after.leaves_at == NOON + leaves_min * MINUTE_MS
    assert decision.changes[0].events == (WaitingPointReached(at=now, device_at=device_at),)
    assert reach(after, command, now=now) == Decision(reply={"status": "on"})


def test_the_clock_ends_the_way_when_he_should_be_there_and_not_before() -> None:
    courier = on_his_way()
    assert arrival_at_wait(courier) == ARRIVES
    assert end_way(courier, now=ARRIVES - 1) == Decision()
    after = the_courier(end_way(courier, now=ARRIVES + 9))
    assert (after.route, after.last_point, after.leaves_at) == ((), SHOP, ARRIVES)
    assert arrival_at_wait(after) is None
    assert end_way(after, now=ARRIVES + 9) == Decision()


@pytest.mark.parametrize("rule", [duty.go_off, take_break])
def test_who_stops_working_need_not_go_on(
    rule: Callable[..., Decision | Refusal],
) -> None:
    after = the_courier(must(rule(on_his_way(), now=NOON)))
    assert after.route == ()
    assert after.duty in {Duty.OFF, Duty.BREAK}


def test_a_trip_accepted_on_the_way_begins_at_the_waiting_point() -> None:
    zone = a_zone()
    order, courier = an_order(zone=zone), sent(a_courier(zone=zone))
    assert courier is not None
    made = offers.make(an_offer([order], courier), [order], courier, now=NOON)
    assert made is not None
    offer, asked, offered = (one.thing for one in made.changes)
    command = AcceptOffer(courier_id=courier.id, offer_id=offer.id)
    accepted = must(offers.accept(offer, [offered], asked, command, now=NOON + 1))
    after = the_courier(accepted)
    assert after.status is CourierStatus.BUSY
    assert [one.kind for one in after.route] == [
        StopKind.WAIT,
        StopKind.PICKUP,
        StopKind.DROPOFF,
    ]
    assert after.leaves_at == NOON
    there = the_courier(end_way(after, now=ARRIVES))
    assert [one.kind for one in there.route] == [StopKind.PICKUP, StopKind.DROPOFF]
    assert there.status is CourierStatus.BUSY
