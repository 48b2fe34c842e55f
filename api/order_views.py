"""How orders are shown: as their cell sees them, or as stored when it cannot be asked."""

import asyncio
from typing import Any

from actors.bus import CellUnavailable
from api.errors import Refused
from api.parts import Parts
from engine.dispatch.view import order_view
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import Instant
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order

_AT_ONCE = 8


async def find_visible(parts: Parts, caller: Caller, order_id: str) -> Order:
    """The order, if this caller may see it; else there is no such order."""
    order = await parts.store.find_order(OrderId(order_id))
    if order is None or not may_see(caller, order):
        raise Refused(UNKNOWN_ORDER(order_id=order_id))
    return order


def may_see(caller: Caller, order: Order) -> bool:
    """Its customer and its zone's operators see all of it; its courier has a view of his own."""
    if caller.role is Role.OPERATOR:
        return caller.may_act_in(order.zone_id)
    return caller.role is Role.CUSTOMER and order.customer_id == caller.user_id


async def view(parts: Parts, order: Order) -> dict[str, Any]:
    """One order; without its cell the arrival time is unknown, and all else is as stored."""
    if order.is_open:
        try:
            shown = await parts.bus.snapshot(f"order:{order.id}")
        except CellUnavailable:
            shown = None
        if shown is not None and shown.version >= order.version:
            return shown.body
    courier = await parts.store.find_courier(order.courier_id) if order.courier_id else None
    return order_view(order, courier, eta=None)


async def eta_of(parts: Parts, order: Order) -> Instant | None:
    """When its door is expected to be reached; None while nobody knows."""
    eta: Instant | None = (await view(parts, order))["eta"]
    return eta


async def views(parts: Parts, orders: tuple[Order, ...]) -> list[dict[str, Any]]:
    """Some orders."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(order: Order) -> dict[str, Any]:
        async with gate:
            return await view(parts, order)

    return await asyncio.gather(*(one(order) for order in orders))
