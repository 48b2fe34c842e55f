"""Which timers a state asks for: the same ones whether it is new or read again."""

import asyncio
import contextlib

import pytest
from msgspec.structs import replace

from actors.deadlines import Deadlines
from actors.scheduler import GATHER_MS
from actors.timers import Timers
from engine.couriers.courier import Break, Duty
from engine.dispatch.offer import OfferStatus
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import ParameterSet
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Thing
from engine.orders.order import OrderStatus
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from tests.builders import NOON, a_courier, a_made_offer, a_story, a_zone, an_order

REPEAT_MS = 5_000


def _set_by(*states: Thing, ticking: frozenset[ZoneId] = frozenset()) -> dict[str, int]:
    """When each key would ring, counted from noon, after these states were armed in turn."""

    async def main(loop: VirtualLoop) -> dict[str, int]:
        clock = VirtualClock(loop, starts_at=NOON)
        rung: dict[str, int] = {}

        async def ring(key: str) -> None:
            rung[key.partition(":")[0]] = clock.now() - NOON

        timers = Timers(clock, ring)
        deadlines = Deadlines(timers, clock, ticking=ticking, repeat_ms=REPEAT_MS)
        for state in states:
            deadlines.arm(state)
        running = asyncio.ensure_future(timers.run())
        await clock.sleep(24 * 3600 * 1000)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return rung

    return run_virtually(main)


def test_an_open_offer_expires_and_is_shown_again_until_it_is_acknowledged() -> None:
    offer = a_made_offer()
    expires = {"offer": offer.expires_at - NOON}
    assert _set_by(offer) == {**expires, "repeat": REPEAT_MS}
    assert _set_by(offer, replace(offer, acknowledged_by=offer.asked)) == expires
    assert _set_by(offer, offer) == _set_by(offer)


@pytest.mark.parametrize("status", [one for one in OfferStatus if one is not OfferStatus.OPEN])
def test_a_closed_offer_asks_for_nothing(status: OfferStatus) -> None:
    offer = a_made_offer()
    assert _set_by(offer, replace(offer, status=status)) == {}


def test_an_offer_that_should_have_expired_long_ago_expires_at_once() -> None:
    offer = a_made_offer()
    offer = replace(offer, expires_at=NOON - 3_600_000, acknowledged_by=offer.asked)
    assert _set_by(offer) == {"offer": 0}


def test_a_scheduled_order_is_released_and_no_other_one() -> None:
    scheduled = an_order(OrderStatus.SCHEDULED)
    assert scheduled.release_at is not None
    planned = {"schedule": GATHER_MS}
    assert _set_by(scheduled) == {"release": scheduled.release_at - NOON, **planned}
    for status in (OrderStatus.WAITING, OrderStatus.CANCELLED):
        ended = replace(scheduled, status=status)
        assert _set_by(scheduled, ended) == planned
        assert _set_by(ended) == {}


def test_scheduled_orders_that_come_one_after_the_other_are_planned_together() -> None:
    first, second = (an_order(OrderStatus.SCHEDULED) for _ in range(2))
    second = replace(second, zone_id=first.zone_id, release_at=NOON + 1)
    assert _set_by(first, second)["schedule"] == GATHER_MS


@pytest.mark.parametrize(
    ("duty", "ends"),
    [(Duty.ON, True), (Duty.BREAK, True), (Duty.ENDING, False), (Duty.OFF, False)],
)
def test_a_shift_ends_on_time_unless_it_is_ending_already(duty: Duty, ends: bool) -> None:
    courier = a_courier(shift_ends_at=NOON + 60_000)
    changed = replace(courier, duty=duty)
    assert _set_by(courier, changed) == ({"shift": 60_000} if ends else {})
    assert _set_by(courier, replace(courier, shift_ends_at=None)) == {}


@pytest.mark.parametrize(
    ("duty", "begins"), [(Duty.ON, True), (Duty.ENDING, False), (Duty.OFF, False)]
)
def test_an_announced_shift_begins_on_time(duty: Duty, begins: bool) -> None:
    before = a_courier()
    courier = replace(before, duty=duty, shift=replace(before.shift, begins_at=NOON + 60_000))
    assert _set_by(before, courier) == ({"begin": 60_000} if begins else {})


def test_an_announced_break_begins_on_time_unless_he_is_busy_and_ends_when_it_is_over() -> None:
    before = a_courier()
    courier = replace(before, rest=Break(begins_at=NOON + 60_000, lasts_s=300))
    assert _set_by(before, courier) == {"break": 60_000}
    busy = replace(a_story(OrderStatus.PICKED_UP).courier, rest=courier.rest)
    assert _set_by(before, busy) == {}
    assert _set_by(courier, replace(courier, duty=Duty.BREAK)) == {"back": 360_000}
    assert _set_by(courier, replace(courier, rest=None)) == {}


def test_a_zone_ticks_at_once_and_changes_with_its_first_upcoming_parameters() -> None:
    zone = a_zone()
    sets = tuple(
        ParameterSet(
            version=2 + number,
            author=UserId("somebody"),
            reason="",
            effective_at=NOON + at,
            parameters=ZoneParameters(),
        )
        for number, at in enumerate((9_000, 4_000))
    )
    upcoming = replace(zone, upcoming=sets)
    assert _set_by(zone) == {"tick": 0}
    assert _set_by(upcoming) == {"tick": 0, "zone": 4_000}
    assert _set_by(upcoming, zone) == {"tick": 0}
    assert _set_by(zone, ticking=frozenset({zone.id})) == {}


def test_a_thing_of_no_known_kind_is_a_bug() -> None:
    with pytest.raises(TypeError):
        _set_by(Thing())
