"""Several gifts that are ordered together: each an order of its own, all of them or none."""

from collections.abc import Sequence

from msgspec.structs import replace

from engine.geo.zone import Zone
from engine.kernel.ids import OrderId, derived_id
from engine.kernel.messages import Caller, Change, Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.orders.decide import Load, place
from engine.orders.messages import QUOTE_USED, PlaceOrder, PlaceOrders
from engine.orders.order import Order, OrderStatus, Window


def group_of(orders: Sequence[PlaceOrder]) -> tuple[PlaceOrder, ...]:
    """The orders, each with the names of all."""
    names = tuple(one.order_id for one in orders)
    return tuple(replace(one, group=names) for one in orders)


def group_name(order_ids: Sequence[OrderId]) -> OrderId:
    """Under what a group is paid for: the same orders in the same order are the same group."""
    return OrderId(derived_id("order group", *order_ids))


def place_all(
    zone: Zone,
    command: PlaceOrders,
    caller: Caller,
    *,
    travel_s: Sequence[int],
    loads: Sequence[Load],
    now: Instant,
) -> Decision | Refusal:
    """Each as if it came alone after those before it; what one is refused for, all are.

    `travel_s` and `loads` are those of each order, before any of them; the refusal names which one
    (`delivery`, from 0).
    """
    changes: list[Change[Order]] = []
    replies = []
    for number, one in enumerate(command.orders):
        placed = [change.thing for change in changes]
        if any(one.order_id == other.id for other in placed):
            return QUOTE_USED(quote_id=one.quote.id, delivery=number)
        load = _with(loads[number], placed, one.window)
        told = place(zone, one, caller, travel_s=travel_s[number], load=load, now=now)
        if isinstance(told, Refusal):
            return replace(told, detail={**told.detail, "delivery": number})
        (change,) = told.changes
        changes.append(change)
        replies.append(told.reply)
    return Decision(changes=tuple(changes), reply={"orders": replies})


def _with(load: Load, placed: Sequence[Order], window: Window | None) -> Load:
    """The load with those that were placed a moment ago."""
    beside = () if window is None else [one.window for one in placed if one.window is not None]
    return Load(
        waiting=load.waiting + sum(one.status is OrderStatus.WAITING for one in placed),
        open=load.open + len(placed),
        in_window=load.in_window
        + sum(window is not None and _overlaps(one, window) for one in beside),
    )


def _overlaps(a: Window, b: Window) -> bool:
    return a.start < b.end and b.start < a.end
