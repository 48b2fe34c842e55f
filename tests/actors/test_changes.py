"""A change races against who accepts, picks up or cancels: it is decided once."""

import asyncio
from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.place import Place, Point
from engine.kernel.timing import SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason, ChangeOrder
from engine.orders.order import Order, OrderStatus, Window
from storage.store import Answer
from tests.actors.worlds import Town, in_a_town
from tests.builders import DOOR, a_quote, a_window

S = OrderStatus
ELSEWHERE = Place(point=Point(lat=DOOR.lat + 0.01, lng=DOOR.lng), address="Building 9")


async def a_change(town: Town, order_id: OrderId, window: Window | None = None) -> ChangeOrder:
    """The command, quoted as the order stands now."""
    order, zone = await town.store.find_order(order_id), await town.store.find_zone(town.zone_id)
    assert order is not None
    assert zone is not None
    door = ELSEWHERE if window is None else order.door
    former = replace(
        a_quote(zone, customer_id=order.customer_id, preparation_s=0, at=order.placed_at),
        id=order.quote_id,
    )
    new = a_quote(
        zone,
        customer_id=order.customer_id,
        door=door.point,
        preparation_s=0,
        at=town.clock.now(),
    )
    return ChangeOrder(
        order_id=order_id,
        quote=replace(new, window=window),
        former=former,
        door=door,
        window=window,
    )


async def an_offered_order(town: Town) -> tuple[OrderId, CourierId]:
    courier_id, order_id = await town.courier(), await town.order()
    await town.clock.sleep(10 * SECOND_MS)
    return order_id, courier_id


async def both(first: Awaitable[Answer], second: Awaitable[Answer], *, swapped: bool) -> list[str]:
    """How two that are sent at once end: the first's and the second's refusal, or nothing."""
    told = await asyncio.gather(*((second, first) if swapped else (first, second)))
    codes = [one.refusal.code if one.refusal else "" for one in told]
    return codes[::-1] if swapped else codes


async def stored(town: Town, order_id: OrderId) -> Order:
    order = await town.store.find_order(order_id)
    assert order is not None
    return order


@pytest.mark.parametrize("swapped", [False, True])
def test_a_change_against_an_accept_leaves_one_truth(*, swapped: bool) -> None:
    async def story(town: Town) -> None:
        order_id, courier_id = await an_offered_order(town)
        command = await a_change(town, order_id)
        changed, accepted = await both(
            town.send(command, town.customer), town.accept(courier_id), swapped=swapped
        )
        assert changed == ""
        assert accepted in {"", "offer_closed"}
        order = await stored(town, order_id)
        assert order.door == ELSEWHERE
        work = town.noticed.body(f"courier:{courier_id}")
        if accepted:
            assert order.courier_id is None
            assert work["route"] == []
        else:
            assert order.courier_id == courier_id
            assert work["route"][-1]["lat"] == ELSEWHERE.point.lat

    in_a_town(story)


@pytest.mark.parametrize("swapped", [False, True])
def test_another_window_against_the_pick_up_is_decided_once(*, swapped: bool) -> None:
    async def story(town: Town) -> None:
        order_id, courier_id = await an_offered_order(town)
        await town.accept(courier_id)
        await town.report(courier_id, order_id, ProgressStep.REACHED_SHOP)
        command = await a_change(town, order_id, a_window(town.clock.now()))
        changed, picked_up = await both(
            town.send(command, town.customer),
            town.report(courier_id, order_id, ProgressStep.PICKED_UP),
            swapped=swapped,
        )
        order = await stored(town, order_id)
        if changed:
            assert (changed, picked_up) == ("too_late_to_change", "")
            assert (order.status, order.courier_id) == (S.PICKED_UP, courier_id)
        else:
            assert picked_up == "not_your_order"
            assert (order.status, order.courier_id) == (S.SCHEDULED, None)
            assert town.noticed.body(f"courier:{courier_id}")["route"] == []

    in_a_town(story)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_change_against_a_cancellation_ends_in_a_cancelled_order(*, swapped: bool) -> None:
    async def story(town: Town) -> None:
        order_id, _ = await an_offered_order(town)
        command = await a_change(town, order_id)
        cancel = CancelOrder(order_id=order_id, reason=CancelReason.OTHER)
        changed, cancelled = await both(
            town.send(command, town.customer), town.send(cancel, town.customer), swapped=swapped
        )
        assert cancelled == ""
        assert changed in {"", "too_late_to_change"}
        assert (await stored(town, order_id)).status is S.CANCELLED

    in_a_town(story)


def test_of_two_changes_at_once_the_second_is_told_that_its_quote_is_old() -> None:
    async def story(town: Town) -> None:
        order_id, _ = await an_offered_order(town)
        commands = [await a_change(town, order_id) for _ in range(2)]
        told = await both(*(town.send(one, town.customer) for one in commands), swapped=False)
        assert sorted(told) == ["", "quote_mismatch"]

    in_a_town(story)


def test_a_changed_order_is_planned_anew_also_after_a_crash() -> None:
    async def story(town: Town) -> None:
        order_id, courier_id = await an_offered_order(town)
        await town.must(await a_change(town, order_id), town.customer)
        await town.crash()
        await town.clock.sleep(10 * SECOND_MS)
        assert (await stored(town, order_id)).status is S.OFFERED
        assert not (await town.accept(courier_id)).refusal

    in_a_town(story)
