"""The rules of carrying: what a courier reports about an order, in whatever order it arrives."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from engine.couriers import courier as couriers
from engine.couriers.courier import (
    Courier,
    EarlyReport,
    ProgressStep,
    ReportKept,
    Stop,
    StopKind,
    errands,
    without_order,
)
from engine.couriers.messages import NOT_YOUR_ORDER, TOO_MANY_EARLY, ReportProgress
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import OrderId
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS, Instant, seconds_between
from engine.orders import order as orders_
from engine.orders import proof
from engine.orders.cash import NOT_CASH, not_what_is_due
from engine.orders.covering import kept_to_its_price
from engine.orders.fees import FailureReason, FeeKind, OrderFee
from engine.orders.messages import ORDER_STATE, PIN_LOCKED, WRONG_PIN
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
from engine.orders.policy import attempt_fee, return_terms
from engine.pricing.pay import PayLine, total

EARLY_MAX: Final = 64

P, S = ProgressStep, OrderStatus
# From where each step can be done. A second try at the door may be overtaken by what followed it:
# the right PIN proves that he came back, a return that he found nobody again.
_FROM: Final[dict[ProgressStep, frozenset[OrderStatus]]] = {
    P.REACHED_SHOP: frozenset({S.ASSIGNED}),
    P.PICKED_UP: frozenset({S.COURIER_AT_SHOP}),
    P.REACHED_DOOR: frozenset({S.PICKED_UP, S.ATTEMPT_FAILED}),
    P.DELIVERED: frozenset({S.AT_DOOR, S.ATTEMPT_FAILED}),
    P.ATTEMPT_FAILED: frozenset({S.AT_DOOR}),
    P.RETURN_STARTED: frozenset({S.ATTEMPT_FAILED, S.AT_DOOR}),
    P.RETURNED: frozenset({S.RETURNING}),
}
REACHES: Final[dict[ProgressStep, OrderStatus]] = {
    P.REACHED_SHOP: S.COURIER_AT_SHOP,
    P.PICKED_UP: S.PICKED_UP,
    P.REACHED_DOOR: S.AT_DOOR,
    P.DELIVERED: S.DELIVERED,
    P.ATTEMPT_FAILED: S.ATTEMPT_FAILED,
    P.RETURN_STARTED: S.RETURNING,
    P.RETURNED: S.RETURNED,
}
# How far along the way: a step that leads no further than the order has come was done before.
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
# Where the way has forked: the step belongs to the other branch.
_NEVER: Final[dict[ProgressStep, frozenset[OrderStatus]]] = {
    P.DELIVERED: frozenset({S.RETURNING, S.RETURNED}),
    P.RETURN_STARTED: frozenset({S.DELIVERED}),
    P.RETURNED: frozenset({S.DELIVERED}),
}


class Carrying:
    """A courier and his orders while one report, and the kept ones it sets free, are worked in.

    `orders` holds every order on his route and the one he reports about, if there is such an order.
    """

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
            handover=command.handover,
        )
        refusal = _objection(order, report)
        if refusal is not None:
            return refusal
        if self._can_do(report):
            refusal = self._do(report)
            if refusal is not None and not self._events:
                return refusal
            self._do_kept()
            return replace(self._decision(report), refusal=refusal)
        if _RANK[REACHES[report.step]] <= _RANK[order.status]:
            return Decision(reply={**self._reply(report), "repeated": True})
        return self._keep(report)

    def _keep(self, report: EarlyReport) -> Decision | Refusal:
        early = self._courier.early
        if report in early:
            return Decision(reply={**self._reply(report), "kept": True})
        if len(early) >= EARLY_MAX:
            return TOO_MANY_EARLY(limit=EARLY_MAX)
        kept = ReportKept(
            at=self._now, device_at=report.device_at, order_id=report.order_id, step=report.step
        )
        self._courier_events = (kept,)
        self._courier = replace(self._courier, early=(*early, report))
        decision = self._decision(report)
        return replace(decision, reply={**decision.reply, "kept": True})

    def _do_kept(self) -> None:
        """Do every kept report whose turn has come, the nearest step first, until none is left."""
        while ready := [one for one in self._courier.early if self._can_do(one)]:
            first = min(ready, key=lambda one: _RANK[REACHES[one.step]])
            early = tuple(one for one in self._courier.early if one is not first)
            self._courier = replace(self._courier, early=early)
            self._do(first)

    def _can_do(self, report: EarlyReport) -> bool:
        order = self._orders[report.order_id]
        if report.step is P.RETURN_STARTED and not order.failed_attempts:
            return False
        if report.step is P.REACHED_DOOR and order.status is S.ATTEMPT_FAILED:
            return self._is_later_arrival(order, report)
        return order.status in _FROM[report.step]

    def _is_later_arrival(self, order: Order, report: EarlyReport) -> bool:
        """Whether he came to the door again, and did not only say again that he came."""
        arrived_at = self._courier.route[self._stop_of(order.id, StopKind.DROPOFF)].arrived_at
        if arrived_at is None:
            return True  # The door is another one since.
        return report.device_at is None or self._happened_at(report) > arrived_at

    def _do(self, report: EarlyReport) -> Refusal | None:
        """Do one report whose turn it is."""
        order = self._orders[report.order_id]
        match report.step:
            case P.REACHED_SHOP:
                self._reached_shop(order, report)
            case P.PICKED_UP:
                self._picked_up(order, report)
            case P.REACHED_DOOR:
                self._reached_door(order, report)
            case P.DELIVERED:
                return self._delivered(order, report)
            case P.ATTEMPT_FAILED:
                self._attempt_failed(order, report)
            case P.RETURN_STARTED:
                self._return_started(order, report)
            case P.RETURNED:
                self._returned(order, report)
        return None

    def _reached_shop(self, order: Order, report: EarlyReport) -> None:
        fetched = self._arrive(order, report, StopKind.PICKUP)
        for order_id in fetched:
            reached = CourierReachedShop(at=self._now, device_at=report.device_at)
            self._change(self._orders[order_id], reached, fetched_with=len(fetched))

    def _picked_up(self, order: Order, report: EarlyReport) -> None:
        event = OrderPickedUp(at=self._now, device_at=report.device_at)
        at, waited_s = self._happened_at(report), self._waited_s(order, report)
        kept = kept_to_its_price(order)
        paid = {"paid_halalas": kept.paid_halalas, "supplements": kept.supplements}
        self._change(order, event, picked_up_at=at, waited_s=waited_s, **paid)
        self._leave_stop(report, StopKind.PICKUP, self._parameters.shop_leave_s)

    def _reached_door(self, order: Order, report: EarlyReport) -> None:
        fee = None
        # What was taken at the door cannot become too little by a report that came late.
        is_paid_for = report.step is P.DELIVERED and order.is_cash
        if order.status is S.ATTEMPT_FAILED and not is_paid_for:
            fee = attempt_fee(order, FeeKind.SECOND_TRY, order.failed_because, now=self._now)
        reached = CourierReachedDoor(
            at=self._now, device_at=report.device_at, fee_halalas=fee.halalas if fee else 0
        )
        self._change(order, reached, **_with(order, fee))
        self._arrive(order, report, StopKind.DROPOFF)

    def _delivered(self, order: Order, report: EarlyReport) -> Refusal | None:
        """Somebody has it who may; a wrong PIN is remembered and refused."""
        needs_pin = proof.needs_pin(order, report.handover)
        tries = order.pin_tries + 1
        if needs_pin and tries > self._parameters.pin_tries_max:
            return PIN_LOCKED(order_id=order.id)
        if order.status is S.ATTEMPT_FAILED:
            self._reached_door(order, report)
        if needs_pin and report.pin != order.pin:
            mistaken = PinMistaken(at=self._now, device_at=report.device_at)
            self._change(order, mistaken, pin_tries=tries)
            return WRONG_PIN(tries_left=self._parameters.pin_tries_max - tries)
        kept = proof.hand_over(order, report.handover, device_at=report.device_at, now=self._now)
        taken = report.handover.cash_halalas
        event = OrderDelivered(
            at=self._now,
            device_at=report.device_at,
            proof="+".join(kept.proved_by),
            cash_halalas=taken,
        )
        ended_at = self._happened_at(report)
        self._change(order, event, ended_at=ended_at, handover=kept, cash_taken_halalas=taken)
        self._courier = replace(self._courier, cash_halalas=self._courier.cash_halalas + taken)
        self._leave_stop(report, StopKind.DROPOFF, self._parameters.door_leave_s)
        if order.pay is not None:
            self._earn(order.pay.delivered(order.waited_s))
        return None

    def _attempt_failed(self, order: Order, report: EarlyReport) -> None:
        fee = attempt_fee(order, FeeKind.FAILED_ATTEMPT, report.reason, now=self._now)
        event = DeliveryAttemptFailed(
            at=self._now,
            device_at=report.device_at,
            reason=report.reason,
            fee_halalas=fee.halalas if fee else 0,
        )
        self._change(
            order,
            event,
            failed_attempts=order.failed_attempts + 1,
            failed_because=report.reason or order.failed_because,
            **_with(order, fee),
        )

    def _return_started(self, order: Order, report: EarlyReport) -> None:
        if order.status is S.AT_DOOR:
            self._attempt_failed(order, report)
        self._change(order, OrderReturnStarted(at=self._now, device_at=report.device_at))
        self._leave_stop(report, StopKind.DROPOFF, 0)
        back = Stop(kind=StopKind.RETURN, point=order.shop.point, orders=(order.id,))
        self._courier = replace(self._courier, route=(*self._courier.route, back))

    def _returned(self, order: Order, report: EarlyReport) -> None:
        terms = return_terms(order)
        event = OrderReturned(
            at=self._now,
            device_at=report.device_at,
            charge_halalas=terms.charge_halalas,
            refund_halalas=terms.refund_halalas,
        )
        ended_at = self._happened_at(report)
        self._change(order, event, ended_at=ended_at, charge_halalas=terms.charge_halalas)
        self._leave_stop(report, StopKind.RETURN, self._parameters.shop_leave_s)
        if order.pay is not None:
            self._earn(order.pay.returned(order.waited_s))

    def _earn(self, lines: tuple[PayLine, ...]) -> None:
        self._courier = couriers.earning(self._courier, total(lines))

    def _waited_s(self, order: Order, report: EarlyReport) -> int:
        """Its share of the seconds in the shop, so that no visit is paid more than once."""
        arrived_at = self._courier.route[self._stop_of(order.id, StopKind.PICKUP)].arrived_at
        assert arrived_at is not None
        waited_s = max(0, seconds_between(arrived_at, self._happened_at(report)))
        return waited_s // order.fetched_with

    def _happened_at(self, report: EarlyReport) -> Instant:
        """By the phone's clock, as far as that can be true: since the order is his, until now."""
        if report.device_at is None:
            return self._now
        assigned_at = self._orders[report.order_id].assigned_at
        assert assigned_at is not None
        return max(assigned_at, min(report.device_at, self._now))

    def _arrive(self, order: Order, report: EarlyReport, kind: StopKind) -> tuple[OrderId, ...]:
        """Be at the order's stop; the orders to be handled there."""
        index = self._stop_of(order.id, kind)
        stop = replace(self._courier.route[index], arrived_at=self._happened_at(report))
        self._put_stops(index, stop)
        return stop.orders

    def _leave_stop(self, report: EarlyReport, kind: StopKind, leave_s: int) -> None:
        index = self._stop_of(report.order_id, kind)
        self._put_stops(index, *without_order((self._courier.route[index],), report.order_id))
        leaves_at = self._happened_at(report) + leave_s * SECOND_MS
        self._courier = replace(self._courier, leaves_at=leaves_at)

    def _stop_of(self, order_id: OrderId, kind: StopKind) -> int:
        return next(
            index
            for index, stop in enumerate(self._courier.route)
            if stop.kind is kind and order_id in stop.orders
        )

    def _put_stops(self, index: int, *stops: Stop) -> None:
        """The stops instead of the one at `index`, which is where he was last.

        Whoever has begun an errand waits nowhere else.
        """
        route, last_point = self._courier.route, self._courier.route[index].point
        route = (*route[:index], *stops, *route[index + 1 :])
        self._courier = replace(self._courier, route=errands(route), last_point=last_point)

    def _change(self, order: Order, event: Event, **fields: object) -> None:
        self._orders[order.id] = orders_.evolve(self._orders[order.id], event, **fields)
        self._events[order.id] = (*self._events.get(order.id, ()), event)

    def _decision(self, report: EarlyReport) -> Decision:
        changes: list[Change[Any]] = [
            # Several events of one order in one decision are one step of its version.
            Change(replace(self._orders[one], version=self._version_of(one)), events)
            for one, events in self._events.items()
        ]
        changes.append(self._courier_change())
        return Decision(changes=tuple(changes), reply=self._reply(report))

    def _courier_change(self) -> Change[Courier]:
        """Always a new version, for the state of his orders is part of what a courier is shown."""
        early = tuple(one for one in self._courier.early if self._orders[one.order_id].is_open)
        before = replace(self._courier, early=early, route=self._before.route)
        route = self._courier.route
        return couriers.reroute(before, route, *self._courier_events, now=self._now)

    def _reply(self, report: EarlyReport) -> dict[str, Any]:
        status = self._orders[report.order_id].status.value
        return {"order_id": report.order_id, "status": status}

    def _version_of(self, order_id: OrderId) -> int:
        return self._orders[order_id].version - len(self._events[order_id]) + 1


def _objection(order: Order, report: EarlyReport) -> Refusal | None:
    """Why this can never be worked in.

    What a handover lacks is said at once, also when its turn is later, for by then nobody may be at
    the door.
    """
    if order.status in _NEVER.get(report.step, ()):
        return ORDER_STATE(status=order.status.value)
    if report.reason == FailureReason.NOT_PAID and not order.is_cash:
        return NOT_CASH()
    if report.step is not P.DELIVERED or not order.is_open:
        return None
    told = report.handover
    return proof.objection(order, told) or not_what_is_due(
        order, told.cash_halalas, device_at=report.device_at
    )


def _with(order: Order, fee: OrderFee | None) -> dict[str, object]:
    """The fields of an order whose price a fee is added to."""
    if fee is None:
        return {}
    return {
        "fees": (*order.fees, fee),
        "total_halalas": order.total_halalas + fee.halalas,
        # From before a fee was kept apart from the total.
        "fee_halalas": order.fee_earned_halalas,
    }
