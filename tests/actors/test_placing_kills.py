"""Wherever the process of a cell dies while it places orders, they are placed once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors.cell import World
from actors.local import local_bus
from engine.couriers.courier import ProgressStep
from engine.kernel.ids import CommandId, OrderId
from engine.kernel.messages import Command, Envelope
from engine.kernel.timing import HOUR_MS, SECOND_MS
from engine.orders.grouping import group_of
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrders
from engine.orders.order import OrderPlaced, OrderStatus
from tests.actors.kills import Killed, Life, Mortal
from tests.actors.worlds import Town, in_a_town
from tests.builders import PIN

STEPS = (ProgressStep.REACHED_SHOP, ProgressStep.PICKED_UP, ProgressStep.REACHED_DOOR)
Wish = Callable[[Town], Awaitable[tuple[Command, list[OrderId]]]]


async def one(town: Town) -> tuple[Command, list[OrderId]]:
    placing = await town.placing()
    return placing, [placing.order_id]


async def together(town: Town) -> tuple[Command, list[OrderId]]:
    orders = group_of([await town.placing(), await town.placing()])
    return PlaceOrders(zone_id=town.zone_id, orders=orders), [one.order_id for one in orders]


async def cancelled(town: Town) -> tuple[Command, list[OrderId]]:
    order_id = await town.order()
    return CancelOrder(order_id=order_id, reason=CancelReason.OTHER), [order_id]


async def die(town: Town, envelope: Envelope, life: Life) -> None:
    """A process with a cell of its own carries it out, ticks for a while, and dies at a point."""
    await town.cells.kill(await town.cell())
    mortal: list[Any] = [Mortal(one, life) for one in (town.line, town.noticed, town.thinker)]
    store, live, solver = mortal
    world = World(
        store=store,
        live=live,
        solver=solver,
        clock=town.clock,
        chance=town.chance,
        settings=town.settings,
    )
    bus, cells = local_bus(world)

    async def whole() -> None:
        answer = await bus.execute(envelope)
        assert answer.refusal is None, answer.refusal
        await town.clock.sleep(5 * SECOND_MS)

    try:
        await life.during(whole())
    except Killed:
        await life.bury()
    await cells.close()
    await town.cells.wake()


async def told(town: Town, wish: Wish, life: Life) -> list[OrderId]:
    """By a process that dies, then asked again with the same id by who has heard nothing."""
    command, order_ids = await wish(town)
    envelope = Envelope(
        id=CommandId(town.new_id()),
        command=command,
        caller=town.customer,
        deadline=town.clock.now() + HOUR_MS,
    )
    await die(town, envelope, life)
    first = await town.bus.execute(envelope)
    assert first.refusal is None, (life.points[-1], first.refusal)
    assert await town.bus.execute(envelope) == first
    for order_id in order_ids:
        events = await town.store.list_events(order_id)
        assert sum(one.type == OrderPlaced.__name__ for one in events) == 1, life.points[-1]
    return order_ids


async def deliver(town: Town, order_ids: list[OrderId]) -> None:
    """What was placed goes its way as if nobody had died."""
    (courier_id,) = {one.id for one in await _couriers(town)}
    for _ in order_ids:
        await town.clock.sleep(6 * SECOND_MS)
        assert (await town.accept(courier_id)).refusal is None
        carried = [await town.store.find_order(one) for one in order_ids]
        (order,) = [one for one in carried if one and one.status is OrderStatus.ASSIGNED]
        for step in STEPS:
            assert (await town.report(courier_id, order.id, step)).refusal is None
        done = await town.report(courier_id, order.id, ProgressStep.DELIVERED, pin=PIN)
        assert done.refusal is None, done.refusal


async def _couriers(town: Town) -> Any:
    return (await town.store.load_cell(await town.cell())).couriers


def lives(wish: Wish, ends: Callable[[Town, list[OrderId]], Awaitable[None]]) -> None:
    """The same story in a new town for every point at which its process may die."""

    def lived(dies_at: int | None) -> Life:
        life = Life(dies_at)

        async def story(town: Town) -> Life:
            await town.courier()
            await ends(town, await told(town, wish, life))
            return life

        return in_a_town(story)

    alive = lived(None)
    assert {"before commit", "after commit", "before publish"} <= set(alive.points)
    assert len(alive.points) > 15
    for dies_at in range(len(alive.points)):
        lived(dies_at)


@pytest.mark.parametrize("wish", [one, together])
def test_wherever_its_cell_dies_an_order_is_placed_once_and_delivered(wish: Wish) -> None:
    lives(wish, deliver)


def test_wherever_its_cell_dies_an_order_is_cancelled_once() -> None:
    async def ends(town: Town, order_ids: list[OrderId]) -> None:
        found = [await town.store.find_order(one) for one in order_ids]
        assert {one and one.status for one in found} == {OrderStatus.CANCELLED}

    lives(cancelled, ends)
