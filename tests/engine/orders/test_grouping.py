"""What must hold of gifts that are ordered together."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.geo.parameters import ZoneParameters
from engine.geo.zone import Zone
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.orders.decide import Load, place
from engine.orders.grouping import group_name, group_of, place_all
from engine.orders.messages import PlaceOrder, PlaceOrders
from engine.orders.order import Order
from tests.builders import NOON, a_placing, a_quote, a_window, a_zone, customer, new_id

SENDER = new_id()


def placings(zone: Zone, count: int, *, windowed: int = 0) -> tuple[PlaceOrder, ...]:
    """So many of one sender, the first of them for a window."""
    made = [a_placing(zone, quoted=a_quote(zone, customer_id=SENDER)) for _ in range(count)]
    later = [replace(one, window=a_window()) for one in made[:windowed]]
    return group_of((*later, *made[windowed:]))


def together(zone: Zone, orders: tuple[PlaceOrder, ...], load: Load) -> Decision | Refusal:
    return place_all(
        zone,
        PlaceOrders(zone_id=zone.id, orders=orders),
        customer(SENDER),
        travel_s=[300] * len(orders),
        loads=[load] * len(orders),
        now=NOON,
    )


def test_each_is_the_order_that_it_would_be_alone() -> None:
    zone = a_zone()
    orders = placings(zone, 3, windowed=1)
    told = together(zone, orders, Load())
    assert isinstance(told, Decision)
    for command, change in zip(orders, told.changes, strict=True):
        alone = place(zone, command, customer(SENDER), travel_s=300, now=NOON)
        assert isinstance(alone, Decision)
        assert alone.changes == (change,)
        assert isinstance(change.thing, Order)
        assert change.thing.group == tuple(one.order_id for one in orders)
    assert told.reply["orders"] == [
        {"order_id": one.order_id, "code": change.thing.code, "status": change.thing.status.value}
        for one, change in zip(orders, told.changes, strict=True)
        if isinstance(change.thing, Order)
    ]


@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 8), st.integers(1, 8))
def test_together_they_slip_past_no_cap(count: int, windowed: int, before: int, most: int) -> None:
    zone = a_zone(
        parameters=ZoneParameters(
            waiting_orders_max=most, open_orders_max=2 * most, window_orders_max=most
        )
    )
    windowed = min(windowed, count)
    orders = placings(zone, count, windowed=windowed)
    told = together(zone, orders, Load(waiting=before, open=before, in_window=before))
    fits = (
        before + count <= 2 * most
        and (windowed == 0 or before + windowed <= most)
        and (windowed == count or before + count - windowed <= most)
    )
    assert isinstance(told, Decision) is fits
    if isinstance(told, Refusal):
        assert told.code in {"zone_full", "window_full"}
        assert 0 <= int(str(told.detail["delivery"])) < count


def test_what_one_is_refused_for_all_are_and_it_is_named() -> None:
    zone = a_zone()
    first, second, third = placings(zone, 3)
    strange = replace(third, quote=replace(third.quote, valid_until=NOON - 1))
    told = together(zone, (first, second, strange), Load())
    assert isinstance(told, Refusal)
    assert (told.code, told.detail["delivery"]) == ("quote_expired", 2)
    twice = together(zone, (first, first), Load())
    assert isinstance(twice, Refusal)
    assert (twice.code, twice.detail["delivery"]) == ("quote_used", 1)


def test_a_group_has_one_name_by_its_orders() -> None:
    names = [one.order_id for one in placings(a_zone(), 2)]
    assert group_name(names) == group_name(names)
    assert len({group_name(names), group_name(names[:1]), group_name(names[::-1])}) == 3
