"""The rules of changing where or when a gift is to come, while it is on its way."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.couriers.courier import Courier, Stop, StopKind, reroute, without_order
from engine.dispatch.cancellation import off_the_route
from engine.dispatch.offer import Offer, OfferWithdrawn
from engine.dispatch.offers import lapse
from engine.dispatch.proposals import door_of
from engine.geo.zone import OUTSIDE_ZONES, Zone
from engine.kernel.messages import Caller, Change, Decision, Event, Role
from engine.kernel.place import distance_m
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.orders import order as orders_
from engine.orders.as_quoted import SAME_PLACE_M
from engine.orders.changing import shop_is_ready_at, timed
from engine.orders.covering import covered, first_paid, kept_to_its_price, owed
from engine.orders.decide import Load, objection_to_times, pay_for
from engine.orders.fees import FeeKind, OrderFee, Supplement
from engine.orders.messages import (
    BAD_WINDOW,
    CHARGE_RISEN,
    MORE_THAN_PAID,
    QUOTE_EXPIRED,
    QUOTE_MISMATCH,
    TOO_LATE_TO_CHANGE,
    UNKNOWN_ORDER,
    ChangeOrder,
)
from engine.orders.order import (
    HELD,
    ON_BOARD,
    Lapse,
    Order,
    OrderChanged,
    OrderReleased,
    OrderScheduled,
    OrderStatus,
    OrderUnassigned,
    is_ahead,
)
from engine.orders.policy import ChangeTerms, change_terms
from engine.orders.quote import Quote
from engine.pricing.pay import Pay, total

S = OrderStatus


class Around(Struct, frozen=True, kw_only=True):
    """Whom a change of an order concerns: its open offer with the others in it, and couriers.

    `couriers` are who was asked, or who carries it.
    """

    offer: Offer | None = None
    others: Sequence[Order] = ()
    couriers: Sequence[Courier] = ()


_BECAUSE = "order_changed"


def change(
    order: Order | None,
    command: ChangeOrder,
    caller: Caller,
    *,
    zone: Zone | None,
    around: Around,
    load: Load,
    travel_s: int,
    now: Instant,
) -> Decision | Refusal:
    """Take over another door or window, as quoted, and plan anew what has to be.

    An offer is withdrawn. Who carries it keeps it when the door alone changes, and sees the new
    stop at once; for another window he is sent elsewhere, unless the gift is on board.
    """
    if order is None or (caller.role is Role.CUSTOMER and order.customer_id != caller.user_id):
        return UNKNOWN_ORDER(order_id=command.order_id)
    if order.quote_id == command.quote.id:
        return _made_before(order, command)
    terms = change_terms(order, caller.role, now=now)
    is_moved = command.window != order.window
    if terms is None or (is_moved and order.status in ON_BOARD):
        return TOO_LATE_TO_CHANGE(status=order.status.value)
    refusal = (
        _other_than_quoted(order, command, zone, now)
        or _dearer(terms, command)
        or _impossible(order, command, zone, load=load, travel_s=travel_s, now=now)
    )
    if refusal is not None:
        return refusal
    assert zone is not None
    taken, events, changes = _taken_back(order, around, is_moved=is_moved, now=now)
    after, more = _changed(taken, command, caller, terms, zone=zone, travel_s=travel_s, now=now)
    if owed(after) > owed(order):
        return MORE_THAN_PAID(paid_halalas=covered(after), total_halalas=after.total_halalas)
    if after.status in ON_BOARD:
        # What is too much goes back at once, so a later change cannot be paid with it.
        after = kept_to_its_price(after)
    after = replace(after, version=order.version + 1)
    moved = _with_the_new_door(after, around.couriers, changes, now=now)
    return Decision(
        changes=(Change(after, (*events, *more)), *changes, *moved),
        reply=_reply(after, terms.charge_halalas),
    )


def _changed(
    order: Order,
    command: ChangeOrder,
    caller: Caller,
    terms: ChangeTerms,
    *,
    zone: Zone,
    travel_s: int,
    now: Instant,
) -> tuple[Order, tuple[Event, ...]]:
    """The order with its new door, times and price, waiting again where its time has changed."""
    quote = command.quote
    fee = OrderFee(kind=FeeKind.CHANGE, halalas=terms.charge_halalas, at=now)
    fees = (*order.fees, fee) if fee.halalas else order.fees
    told = OrderChanged(
        at=now,
        by=caller.role,
        rule=terms.rule,
        is_new_door=command.door != order.door,
        is_new_window=command.window != order.window,
        charge_halalas=terms.charge_halalas,
        total_before_halalas=order.total_halalas,
        total_halalas=quote.total_halalas + sum(one.halalas for one in fees),
    )
    events: tuple[Event, ...] = (told,)
    times = timed(order, command, zone, travel_s=travel_s, now=now)
    if order.status is S.WAITING and times.release_at is not None:
        events = (told, OrderScheduled(at=now, release_at=times.release_at))
    elif order.status is S.SCHEDULED and times.release_at is None:
        events = (told, OrderReleased(at=now))
    after = orders_.evolve(
        order,
        *events,
        quote_id=quote.id,
        door=command.door,
        window=command.window,
        fees=fees,
        fee_halalas=quote.fee_halalas,
        total_halalas=told.total_halalas,
        paid_halalas=first_paid(order),
        supplements=_supplemented(order, command),
        ready_at=times.ready_at,
        due_at=times.due_at,
        release_at=times.release_at,
    )
    return replace(after, pay=_pay_after(order, after, zone)), events


def _supplemented(order: Order, command: ChangeOrder) -> tuple[Supplement, ...]:
    added = command.supplement
    return order.supplements if added is None else (*order.supplements, added)


def _made_before(order: Order, command: ChangeOrder) -> Decision | Refusal:
    """The same again; what was made without this payment is not paid with it."""
    mine, known = command.supplement, {one.payment_id for one in order.supplements}
    if mine is not None and mine.payment_id not in known:
        return QUOTE_MISMATCH(field="supplement")
    return Decision(reply=_reply(order, 0))


def to_pay(order: Order, command: ChangeOrder, caller: Caller, *, now: Instant) -> int | Refusal:
    """What a change is to be paid with in addition; refused when it is too late or too dear."""
    terms = change_terms(order, caller.role, now=now)
    if terms is None:
        return TOO_LATE_TO_CHANGE(status=order.status.value)
    return _dearer(terms, command) or difference(order, command.quote, terms)


def difference(order: Order, quote: Quote, terms: ChangeTerms) -> int:
    """What a change to this quote is to be paid with beyond what was paid; 0 when nothing is."""
    later = replace(
        order,
        total_halalas=quote.total_halalas + order.fees_halalas + terms.charge_halalas,
        paid_halalas=first_paid(order),
    )
    return max(0, owed(later) - owed(order))


def _pay_after(before: Order, after: Order, zone: Zone) -> Pay | None:
    """By the new way; who carries it already is not paid less than he agreed to."""
    if after.status is S.SCHEDULED:
        return None
    anew = pay_for(zone, after)
    if (
        after.status in HELD
        and before.pay is not None
        and total(before.pay.lines) > total(anew.lines)
    ):
        return before.pay
    return anew


def _taken_back(
    order: Order, around: Around, *, is_moved: bool, now: Instant
) -> tuple[Order, tuple[Event, ...], tuple[Change[Any], ...]]:
    """The order without the offer, or the courier, that its change undoes; and what they become."""
    if around.offer is not None:
        withdrawn = OfferWithdrawn(at=now, reason=_BECAUSE)
        changes = lapse(around.offer, (*around.others, order), around.couriers, withdrawn)
        (own,) = (one for one in changes if one.thing.id == order.id)
        # That it was withdrawn is no reason not to be asked about it again.
        lapsed = tuple(one for one in own.thing.lapsed if one.reason is not Lapse.WITHDRAWN)
        free = replace(own.thing, lapsed=lapsed)
        return free, own.events, tuple(one for one in changes if one is not own)
    if is_moved and order.courier_id is not None:
        gone = OrderUnassigned(at=now, courier_id=order.courier_id, reason=_BECAUSE)
        free = orders_.evolve(order, gone, courier_id=None, offer_id=None, assigned_at=None)
        return free, (gone,), tuple(off_the_route(one, order, now) for one in around.couriers)
    return order, (), ()


def _with_the_new_door(
    order: Order, couriers: Sequence[Courier], done: Sequence[Change[Any]], *, now: Instant
) -> tuple[Change[Courier], ...]:
    """Who carries it is shown where to."""
    if order.courier_id is None or done:
        return ()
    return tuple(reroute(one, _redirected(one.route, order), now=now) for one in couriers)


def _redirected(route: tuple[Stop, ...], order: Order) -> tuple[Stop, ...]:
    """The route with a stop of its own for this order where its old one was."""
    stops: list[Stop] = []
    for stop in route:
        if stop.kind is not StopKind.DROPOFF or order.id not in stop.orders:
            stops.append(stop)
            continue
        stops.extend(without_order((stop,), order.id))
        stops.append(door_of(order))
    return tuple(stops)


def _other_than_quoted(
    order: Order, command: ChangeOrder, zone: Zone | None, now: Instant
) -> Refusal | None:
    quote, former = command.quote, command.former
    if zone is None or quote.zone_id != order.zone_id:
        return OUTSIDE_ZONES()
    if now > quote.valid_until:
        return QUOTE_EXPIRED(quote_id=quote.id)
    checks = {
        "customer": quote.customer_id == order.customer_id,
        "shop": distance_m(quote.shop, order.shop.point) <= SAME_PLACE_M,
        "door": distance_m(quote.door, command.door.point) <= SAME_PLACE_M,
        "goods": quote.goods == former.goods and former.id == order.quote_id,
        "vehicles": quote.vehicles == former.vehicles,
        "window": quote.window == command.window,
    }
    field = next((name for name, is_same in checks.items() if not is_same), "")
    return QUOTE_MISMATCH(field=field) if field else None


def _dearer(terms: ChangeTerms, command: ChangeOrder) -> Refusal | None:
    agreed = command.charge_halalas_max
    if agreed is None or terms.charge_halalas <= agreed:
        return None
    return CHARGE_RISEN(charge_halalas=terms.charge_halalas)


def _impossible(
    order: Order,
    command: ChangeOrder,
    zone: Zone | None,
    *,
    load: Load,
    travel_s: int,
    now: Instant,
) -> Refusal | None:
    if zone is None or command.window in {None, order.window}:
        return None
    if not is_ahead(command.window, now):
        return BAD_WINDOW()
    ready_at = shop_is_ready_at(order, command.former, zone, now=now)
    return objection_to_times(zone, command.window, ready_at=ready_at, load=load, travel_s=travel_s)


def _reply(order: Order, charge_halalas: int) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "status": order.status.value,
        "charge_halalas": charge_halalas,
        "total_halalas": order.total_halalas,
        "due_at": order.due_at,
    }
