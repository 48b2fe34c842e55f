"""The rules of taking an order back: by its customer, by its courier, by an operator."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from engine.couriers.courier import Courier, earning, reroute, without_order
from engine.couriers.messages import NOT_YOUR_ORDER
from engine.dispatch.offer import Offer, OfferWithdrawn
from engine.dispatch.offers import lapse
from engine.kernel.messages import Caller, Change, Decision, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.orders import order as orders_
from engine.orders.messages import (
    CHARGE_RISEN,
    ORDER_STATE,
    TOO_LATE_TO_CANCEL,
    UNKNOWN_ORDER,
    CancelOrder,
    UnassignOrder,
)
from engine.orders.order import (
    HELD,
    ON_BOARD,
    Lapse,
    Lapsed,
    Order,
    OrderCancelled,
    OrderStatus,
    OrderUnassigned,
    may,
)
from engine.orders.policy import Terms, cancellation_terms
from engine.pricing.pay import total


def cancel(
    order: Order | None,
    command: CancelOrder,
    caller: Caller,
    *,
    offer: Offer | None,
    others: Sequence[Order],
    couriers: Sequence[Courier],
    now: Instant,
) -> Decision | Refusal:
    """End an order before the pick-up.

    `offer` is its open offer with the `others` in it, `couriers` who were asked or who carries it:
    all of them learn of it in the same decision.
    """
    if order is None or not _may_see(order, caller):
        return UNKNOWN_ORDER(order_id=command.order_id)
    if order.status is OrderStatus.CANCELLED:
        return Decision(reply={"order_id": order.id, "status": order.status.value})
    if order.status in ON_BOARD:
        return TOO_LATE_TO_CANCEL(status=order.status.value)
    if not may(order, OrderCancelled):
        return ORDER_STATE(status=order.status.value)
    terms = cancellation_terms(order, caller.role, now=now)
    assert terms is not None, f"no terms for a cancellation of {order.status}"
    agreed = command.charge_halalas_max
    if agreed is not None and terms.charge_halalas > agreed:
        return CHARGE_RISEN(
            charge_halalas=terms.charge_halalas, refund_halalas=terms.refund_halalas
        )
    return _cancelled(
        order, command, caller, terms, offer=offer, others=others, couriers=couriers, now=now
    )


def _cancelled(
    order: Order,
    command: CancelOrder,
    caller: Caller,
    terms: Terms,
    *,
    offer: Offer | None,
    others: Sequence[Order],
    couriers: Sequence[Courier],
    now: Instant,
) -> Decision:
    assert (offer is not None) == (order.status is OrderStatus.OFFERED)
    assert bool(couriers) == (order.status is OrderStatus.OFFERED or order.status in HELD)
    event = OrderCancelled(
        at=now,
        by=caller.role,
        reason=command.reason.value,
        courier_id=order.courier_id,
        charge_halalas=terms.charge_halalas,
        refund_halalas=terms.refund_halalas,
    )
    changed = orders_.evolve(
        order,
        event,
        offer_id=None,
        courier_id=None,
        assigned_at=None,
        ended_at=now,
        cancelled_because=command.reason.value,
        charge_halalas=terms.charge_halalas,
    )
    changes: list[Change[Any]] = [Change(changed, (event,))]
    if offer is not None:
        withdrawn = OfferWithdrawn(at=now, reason="order_cancelled")
        changes.extend(lapse(offer, others, couriers, withdrawn))
    else:
        changes.extend(off_the_route(_consoled(one, order), order, now) for one in couriers)
    reply = {
        "order_id": order.id,
        "status": changed.status.value,
        "charge_halalas": terms.charge_halalas,
        "refund_halalas": terms.refund_halalas,
    }
    return Decision(changes=tuple(changes), reply=reply)


def _consoled(courier: Courier, order: Order) -> Courier:
    """What he took and lost counts for his shift, too."""
    return courier if order.pay is None else earning(courier, total(order.pay.cancelled()))


def unassign(
    order: Order | None,
    command: UnassignOrder,
    caller: Caller,
    courier: Courier | None,
    *,
    now: Instant,
) -> Decision | Refusal:
    """The order waits again; the courier who gave it back is not asked about it any more."""
    if order is None:
        return UNKNOWN_ORDER(order_id=command.order_id)
    if caller.role is Role.COURIER and order.courier_id != caller.user_id:
        return NOT_YOUR_ORDER(order_id=order.id)
    if not may(order, OrderUnassigned):
        return ORDER_STATE(status=order.status.value)
    assert courier is not None
    event = OrderUnassigned(at=now, courier_id=courier.id, reason=command.reason)
    lapsed = Lapsed(courier_id=courier.id, reason=Lapse.DECLINED, at=now)
    changed = orders_.evolve(
        order,
        event,
        offer_id=None,
        courier_id=None,
        assigned_at=None,
        lapsed=order.lapsed_with(lapsed),
    )
    return Decision(
        changes=(Change(changed, (event,)), off_the_route(courier, order, now)),
        reply={"order_id": order.id, "status": changed.status.value},
    )


def off_the_route(courier: Courier, order: Order, now: Instant) -> Change[Courier]:
    """The courier without this order on his route or among his kept reports."""
    early = tuple(one for one in courier.early if one.order_id != order.id)
    route = without_order(courier.route, order.id)
    return reroute(replace(courier, early=early), route, now=now)


def _may_see(order: Order, caller: Caller) -> bool:
    return caller.role is not Role.CUSTOMER or order.customer_id == caller.user_id
