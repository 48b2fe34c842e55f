"""What the metrics read off a zone's history of couriers' ways and visits."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.couriers.courier import Courier, CourierSentToWait, WaitingPointReached
from engine.dispatch.record import Happened, ZoneHistory, metrics_of
from engine.kernel.messages import Event
from engine.kernel.timing import MINUTE_MS, Instant
from engine.metrics import Metrics
from engine.orders.order import CourierReachedShop, Order, OrderStatus
from tests.builders import NOON, a_story, new_id

UNTIL = NOON + 60 * MINUTE_MS


def minute(count: float) -> Instant:
    return NOON + round(count * MINUTE_MS)


def picked_up(order: Order, *, assigned: float, at: float) -> Order:
    """Another order of the same shop, picked up by the same courier."""
    return replace(order, id=new_id(), assigned_at=minute(assigned), picked_up_at=minute(at))


def happened(thing: Order | Courier, kind: type[Event], at: float, **fields: Any) -> Happened:
    return Happened(
        thing_id=thing.id, type=kind.__name__, at=minute(at), **{"device_at": None, **fields}
    )


class Zone:
    """A zone with one courier, who has picked one gift up."""

    def __init__(self) -> None:
        self.story = a_story(OrderStatus.PICKED_UP)
        self.courier, self.order = self.story.courier, self.story.order
        parameters = self.story.zone.parameters
        self.service_min = parameters.shop_service_s / 60

    def judged(self, *orders: Order, events: tuple[Happened, ...]) -> Metrics:
        history = ZoneHistory(orders=orders, couriers=(self.courier,), events=events)
        return metrics_of(history, self.story.zone.parameters, since=NOON, until=UNTIL)


def test_an_order_that_joins_a_courier_in_the_shop_is_of_the_same_visit() -> None:
    zone = Zone()
    first = picked_up(zone.order, assigned=0, at=20)
    joined = picked_up(zone.order, assigned=15, at=20)
    events = (
        happened(first, CourierReachedShop, 10),
        happened(joined, CourierReachedShop, 15),
    )
    found = zone.judged(first, joined, events=events)
    assert found.orders_per_trip == 2
    assert found.utilisation == pytest.approx((10 + zone.service_min) / 60)


def test_an_order_that_joins_a_courier_on_his_way_does_not_shorten_it() -> None:
    zone = Zone()
    orders = [picked_up(zone.order, assigned=since, at=12) for since in (0, 8)]
    events = tuple(happened(one, CourierReachedShop, 10) for one in orders)
    found = zone.judged(*orders, events=events)
    assert found.orders_per_trip == 2
    assert found.utilisation == pytest.approx((10 + zone.service_min) / 60)


def test_who_comes_back_to_a_shop_visits_it_again() -> None:
    zone = Zone()
    first = picked_up(zone.order, assigned=0, at=12)
    second = picked_up(zone.order, assigned=25, at=32)
    events = tuple(happened(one, CourierReachedShop, at) for one, at in ((first, 10), (second, 30)))
    found = zone.judged(first, second, events=events)
    assert found.orders_per_trip == 1
    assert found.utilisation == pytest.approx((10 + 5 + 2 * zone.service_min) / 60)


def test_the_way_to_a_waiting_point_is_work_and_standing_there_is_not() -> None:
    zone = Zone()
    events = (
        happened(zone.courier, CourierSentToWait, 5),
        happened(zone.courier, WaitingPointReached, 12, device_at=minute(11)),
    )
    found = zone.judged(events=events)
    assert found.utilisation == pytest.approx(6 / 60)
    assert found.idle_share == pytest.approx(54 / 60)
