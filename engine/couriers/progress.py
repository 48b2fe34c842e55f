"""The rules of carrying: what a courier reports about an order, in whatever order it arrives."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from engine.couriers import courier as couriers
from engine.couriers.courier import (
    Courier,
    Duty,
    EarlyReport,
    ProgressStep,
    ReportKept,
    RouteChanged,
    Stop,
    StopKind,
    WentOffDuty,
    without_order,
)
from engine.couriers.messages import NOT_YOUR_ORDER, TOO_MANY_EARLY, ReportProgress
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import OrderId
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders import order as orders_
from engine.orders.messages import PIN_LOCKED, WRONG_PIN
from engine.orders.order import (
    CourierReachedDoor,
    CourierReachedShop,
    DeliveryAttemptFailed,
    Order,
    OrderDelivered,
    OrderPickedUp,
    OrderReturned,
    OrderReturnStarted,
    OrderStatus,
    PinMistaken,
)

EARLY_MAX: Final = 64

P, S = ProgressStep, OrderStatus
# How far each step lies along the way, and how far an order has come: a step can be done from the place before it.
_FROM: Final[dict[ProgressStep, frozenset[OrderStatus]]] = {
    P.REACHED_SHOP: frozenset({S.ASSIGNED}),
    P.PICKED_UP: frozenset({S.COURIER_AT_SHOP}),
    P.REACHED_DOOR: frozenset({S.PICKED_UP, S.ATTEMPT_FAILED}),
    P.DELIVERED: frozenset({S.AT_DOOR}),
    P.ATTEMPT_FAILED: frozenset({S.AT_DOOR}),
    P.RETURN_STARTED: frozenset({S.ATTEMPT_FAILED}),
    P.RETURNED: frozenset({S.RETURNING}),
}
_RANK: Final[dict[OrderStatus, int]] = {
    S.ASSIGNED: 0,
    S.COURIER_AT_SHOP: 1,
    S.PICKED_UP: 2,
    S.AT_DOOR: 3,
    S.ATTEMPT_FAILED: 4,
    S.RETURNING: 5,
    S.RETURNED: 6,
    S.DELIVERED: 6,
}
_REACHES: Final[dict[ProgressStep, OrderStatus]] = {
    P.REACHED_SHOP: S.COURIER_AT_SHOP,
    P.PICKED_UP: S.PICKED_UP,
    P.REACHED_DOOR: S.AT_DOOR,
    P.DELIVERED: S.DELIVERED,
    P.ATTEMPT_FAILED: S.ATTEMPT_FAILED,
    P.RETURN_STARTED: S.RETURNING,
    P.RETURNED: S.RETURNED,
}


class Carrying:
    """A courier and his orders while one report, and the kept ones it sets free, are worked in."""

    def __init__(
        self,
        courier: Courier,
        orders: Mapping[OrderId, Order],
        *,
        parameters: ZoneParameters,
        now: Instant,
    ) -> None:
        self._before, self._courier = courier, courier
        self._orders = dict(orders)
        self._parameters = parameters
        self._now = now
        self._events: dict[OrderId, tuple[Event, ...]] = {}
        self._courier_events: tuple[Event, ...] = ()

    def report(self, command: ReportProgress) -> Decision | Refusal:
        """Work a report in: do it, keep it for later, or say that it was done before."""
        order = self._orders.get(command.order_id)
        if order is None or order.courier_id != command.courier_id:
            return NOT_YOUR_ORDER(order_id=command.order_id)
        report = EarlyReport(
            order_id=command.order_id,
            step=command.step,
            device_at=command.device_at,
            pin=command.pin,
            reason=command.reason,
        )
        if order.status in _FROM[report.step]:
            refusal = self._do(report)
            if refusal is not None and not self._events:
                return refusal
            self._do_kept()
            return replace(self._decision(report), refusal=refusal)
        if _RANK[_REACHES[report.step]] <= _RANK.get(order.status, len(_RANK)):
            return Decision(
                reply={"order_id": order.id, "status": order.status.value, "repeated": True}
            )
        return self._keep(report)

    def _keep(self, report: EarlyReport) -> Decision | Refusal:
        if len(self._courier.early) >= EARLY_MAX:
            return TOO_MANY_EARLY(limit=EARLY_MAX)
        kept = ReportKept(
            at=self._now, device_at=report.device_at, order_id=report.order_id, step=report.step
        )
        self._courier_events = (kept,)
        self._courier = replace(self._courier, early=(*self._courier.early, report))
        return self._decision(report, kept=True)

    def _do_kept(self) -> None:
        """Do every kept report whose turn has come, until none is left that can be done."""
        while True:
            ready = next(
                (
                    one
                    for one in self._courier.early
                    if self._orders[one.order_id].status in _FROM[one.step]
                ),
                None,
            )
            if ready is None:
                return
            early = tuple(one for one in self._courier.early if one is not ready)
            self._courier = replace(self._courier, early=early)
            self._do(ready)

    def _do(self, report: EarlyReport) -> Refusal | None:
        """Do one report whose turn it is; a wrong PIN is remembered and refused."""
        order = self._orders[report.order_id]
        if report.step is P.DELIVERED:
            tries_max = self._parameters.pin_tries_max
            if order.pin_tries >= tries_max:
                return PIN_LOCKED(order_id=order.id)
            if report.pin != order.pin:
                left = tries_max - order.pin_tries - 1
                mistaken = PinMistaken(at=self._now, device_at=report.device_at)
                self._change(order, mistaken, pin_tries=order.pin_tries + 1)
                return WRONG_PIN(tries_left=left)
        getattr(self, f"_{report.step.value}")(order, report)
        return None

    def _reached_shop(self, order: Order, report: EarlyReport) -> None:
        index = self._stop_of(order.id, StopKind.PICKUP)
        stop = self._courier.route[index]
        at = report.device_at or self._now
        for order_id in stop.orders:
            one = self._orders[order_id]
            if one.status is S.ASSIGNED:
                self._change(one, CourierReachedShop(at=self._now, device_at=report.device_at))
        self._put_stop(index, replace(stop, arrived_at=at), stop.point)

    def _picked_up(self, order: Order, report: EarlyReport) -> None:
        event = OrderPickedUp(at=self._now, device_at=report.device_at)
        self._change(order, event, picked_up_at=report.device_at or self._now)
        self._leave_stop(report, StopKind.PICKUP, self._parameters.shop_leave_s)

    def _reached_door(self, order: Order, report: EarlyReport) -> None:
        index = self._stop_of(order.id, StopKind.DROPOFF)
        stop = self._courier.route[index]
        self._change(order, CourierReachedDoor(at=self._now, device_at=report.device_at))
        at = report.device_at or self._now
        self._put_stop(index, replace(stop, arrived_at=at), stop.point)

    def _delivered(self, order: Order, report: EarlyReport) -> None:
        event = OrderDelivered(at=self._now, device_at=report.device_at, proof="pin")
        self._change(order, event, ended_at=report.device_at or self._now)
        self._leave_stop(report, StopKind.DROPOFF, self._parameters.door_leave_s)

    def _attempt_failed(self, order: Order, report: EarlyReport) -> None:
        event = DeliveryAttemptFailed(
            at=self._now, device_at=report.device_at, reason=report.reason
        )
        self._change(order, event, failed_attempts=order.failed_attempts + 1)

    def _return_started(self, order: Order, report: EarlyReport) -> None:
        self._change(order, OrderReturnStarted(at=self._now, device_at=report.device_at))
        self._leave_stop(report, StopKind.DROPOFF, 0)
        back = Stop(kind=StopKind.RETURN, point=order.shop.point, orders=(order.id,))
        self._courier = replace(self._courier, route=(*self._courier.route, back))

    def _returned(self, order: Order, report: EarlyReport) -> None:
        event = OrderReturned(at=self._now, device_at=report.device_at)
        self._change(order, event, ended_at=report.device_at or self._now)
        self._leave_stop(report, StopKind.RETURN, self._parameters.shop_leave_s)

    def _stop_of(self, order_id: OrderId, kind: StopKind) -> int:
        return next(
            index
            for index, stop in enumerate(self._courier.route)
            if stop.kind is kind and order_id in stop.orders
        )

    def _put_stop(self, index: int, stop: Stop, last_point: Any) -> None:
        route = (*self._courier.route[:index], stop, *self._courier.route[index + 1 :])
        self._courier = replace(self._courier, route=route, last_point=last_point)

    def _leave_stop(self, report: EarlyReport, kind: StopKind, leave_s: int) -> None:
        index = self._stop_of(report.order_id, kind)
        stop = self._courier.route[index]
        rest = without_order((stop,), report.order_id)
        route = (*self._courier.route[:index], *rest, *self._courier.route[index + 1 :])
        leaves_at = (report.device_at or self._now) + leave_s * SECOND_MS
        self._courier = replace(
            self._courier, route=route, last_point=stop.point, leaves_at=leaves_at
        )

    def _change(self, order: Order, event: Event, **fields: object) -> None:
        self._orders[order.id] = orders_.evolve(self._orders[order.id], event, **fields)
        self._events[order.id] = (*self._events.get(order.id, ()), event)

    def _decision(self, report: EarlyReport, *, kept: bool = False) -> Decision:
        changes: list[Change[Any]] = [
            # Several events of one order in one decision are one step of its version.
            Change(replace(self._orders[one], version=self._version_of(one)), events)
            for one, events in self._events.items()
        ]
        courier_events = self._courier_events
        if self._before.route != self._courier.route:
            changed = RouteChanged(at=self._now, stops=len(self._courier.route))
            courier_events = (*courier_events, changed)
            if not self._courier.route and self._courier.duty is Duty.ENDING:
                courier_events = (*courier_events, WentOffDuty(at=self._now))
        free = {"free_since": self._now} if self._before.route and not self._courier.route else {}
        courier = couriers.evolve(self._courier, *courier_events, **free)
        changes.append(Change(courier, courier_events))
        status = self._orders[report.order_id].status.value
        reply: dict[str, Any] = {"order_id": report.order_id, "status": status}
        return Decision(changes=tuple(changes), reply={**reply, "kept": True} if kept else reply)

    def _version_of(self, order_id: OrderId) -> int:
        return self._orders[order_id].version - len(self._events[order_id]) + 1
