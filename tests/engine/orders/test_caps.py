"""What must hold of a zone's caps: beyond them nothing is placed, and it is said why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.orders import decide
from engine.orders.decide import Load
from engine.orders.order import Window
from tests.builders import NOON, a_placing, a_window, a_zone, customer

TIGHT = ZoneParameters(waiting_orders_max=2, open_orders_max=5, window_orders_max=3)


def placing(load: Load, window: Window | None = None) -> Decision | Refusal:
    zone = a_zone(parameters=TIGHT)
    command = a_placing(zone, window=window)
    caller = customer(command.quote.customer_id)
    return decide.place(zone, command, caller, travel_s=300, load=load, now=NOON)


@pytest.mark.parametrize(
    ("load", "window", "code"),
    [
        (Load(waiting=1, open=4), None, ""),
        (Load(waiting=2, open=4), None, "zone_full"),
        (Load(waiting=0, open=5), None, "zone_full"),
        (Load(waiting=2, open=4, in_window=2), a_window(), ""),
        (Load(waiting=0, open=5, in_window=2), a_window(), "zone_full"),
        (Load(waiting=0, open=4, in_window=3), a_window(), "window_full"),
        (Load(waiting=0, open=5, in_window=3), a_window(), "window_full"),
    ],
)
def test_beyond_a_cap_nothing_is_placed(load: Load, window: Window | None, code: str) -> None:
    found = placing(load, window)
    assert (found.code if isinstance(found, Refusal) else "") == code


def test_a_full_zone_says_when_to_come_back_and_a_full_window_says_how_full() -> None:
    full = placing(Load(open=5))
    assert isinstance(full, Refusal)
    assert full.detail == {"limit": 5, "retry_after_s": decide.RETRY_FULL_S}
    booked = placing(Load(in_window=3), a_window())
    assert isinstance(booked, Refusal)
    assert booked.detail == {"limit": 3}


def test_a_zone_that_is_turned_to_nothing_takes_nothing() -> None:
    zone = a_zone(parameters=ZoneParameters(open_orders_max=0))
    command = a_placing(zone)
    caller = customer(command.quote.customer_id)
    found = decide.place(zone, command, caller, travel_s=300, now=NOON)
    assert isinstance(found, Refusal)
    assert found.code == "zone_full"


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_with_a_margin_left_so_many_more_are_placed(
    waiting: int, is_open: int, in_window: int, margin: int
) -> None:
    load = Load(waiting=waiting, open=is_open, in_window=in_window)
    if load.is_within(TIGHT, margin=margin):
        fuller = Load(waiting=waiting + margin, open=is_open + margin, in_window=in_window + margin)
        assert isinstance(placing(fuller), Decision)
        assert isinstance(placing(fuller, a_window()), Decision)
