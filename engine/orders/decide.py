"""The rules of an order that concern nobody but itself: placing and releasing it."""

from msgspec import Struct

from engine.geo.parameters import ZoneParameters
from engine.geo.zone import OUTSIDE_ZONES, Zone
from engine.kernel.messages import Caller, Change, Decision, Event, Role
from engine.kernel.place import distance_m
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders import order as orders
from engine.orders.as_quoted import objection_to_wishes
from engine.orders.cash import cash_objection
from engine.orders.messages import (
    QUOTE_EXPIRED,
    QUOTE_MISMATCH,
    WINDOW_FULL,
    WINDOW_UNREACHABLE,
    ZONE_FULL,
    PlaceOrder,
)
from engine.orders.order import (
    Order,
    OrderPlaced,
    OrderReleased,
    OrderScheduled,
    OrderStatus,
    Window,
)
from engine.orders.quote import needs_car
from engine.pricing.pay import Pay, agreed_pay

RETRY_FULL_S = 60
_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def short_code(order_id: str) -> str:
    """Six letters and digits that people can read to each other, from the id's random end."""
    number = int(order_id.replace("-", "")[-12:], 16)
    letters = []
    for _ in range(6):
        number, index = divmod(number, len(_CODE_ALPHABET))
        letters.append(_CODE_ALPHABET[index])
    return "".join(letters)


class Load(Struct, frozen=True, kw_only=True):
    """How many orders a zone has: those that wait, that are open, and that want the same window."""

    waiting: int = 0
    open: int = 0
    in_window: int = 0

    def is_within(self, parameters: ZoneParameters, *, margin: int) -> bool:
        """Whether so many more may come before a cap is met."""
        return (
            self.waiting + margin < parameters.waiting_orders_max
            and self.open + margin < parameters.open_orders_max
            and self.in_window + margin < parameters.window_orders_max
        )


NO_LOAD = Load()


def place(
    zone: Zone,
    command: PlaceOrder,
    caller: Caller,
    *,
    travel_s: int,
    load: Load = NO_LOAD,
    now: Instant,
) -> Decision | Refusal:
    """Place what was quoted; it waits at once, or until its window comes near.

    `travel_s` is the time from shop to door: by it a scheduled order is released early enough,
    and not fetched so early that it would stand at the door before its window. `load` is what the
    zone's caps are held against.
    """
    ready_at = max(now, command.ready_at) + zone.parameters.prep_buffer_s * SECOND_MS
    refusal = (
        _unplaceable(zone, command, caller, now)
        or objection_to_times(zone, command.window, ready_at=ready_at, load=load, travel_s=travel_s)
        or _no_room(zone, command.window, load)
        or cash_objection(zone.parameters, command)
    )
    if refusal is not None:
        return refusal
    quote = command.quote
    found = times(
        zone,
        command.window,
        ready_at=ready_at,
        promise_ms=quote.promised_at - quote.quoted_at,
        travel_s=travel_s,
        now=now,
    )
    order = _ordered(command, found, now=now)
    begun = (
        OrderReleased(at=now)
        if found.release_at is None
        else OrderScheduled(at=now, release_at=found.release_at)
    )
    events: tuple[Event, ...] = (OrderPlaced(at=now), begun)
    pay = None if found.release_at is not None else pay_for(zone, order)
    order = orders.evolve(order, *events, pay=pay)
    return Decision(
        changes=(Change(order, events),),
        reply={"order_id": order.id, "code": order.code, "status": order.status.value},
    )


def _ordered(command: PlaceOrder, found: "Times", *, now: Instant) -> Order:
    quote = command.quote
    return Order(
        id=command.order_id,
        code=short_code(command.order_id),
        customer_id=quote.customer_id,
        zone_id=command.zone_id,
        quote_id=quote.id,
        payment_id=command.payment_id,
        is_cash=command.is_cash,
        gift=command.gift,
        recipient=command.recipient,
        shop=command.shop,
        door=command.door,
        pin=command.pin,
        total_halalas=quote.total_halalas,
        paid_halalas=quote.total_halalas,
        fee_halalas=quote.fee_halalas,
        placed_at=now,
        ready_at=found.ready_at,
        due_at=found.due_at,
        window=command.window,
        release_at=found.release_at,
        redelivers=quote.redelivers,
        group=command.group,
    )


def release(order: Order, zone: Zone, *, now: Instant) -> Decision:
    """A scheduled order joins the waiting ones; nothing when it is not scheduled any more."""
    if order.status is not OrderStatus.SCHEDULED:
        return Decision()
    event = OrderReleased(at=now)
    released = orders.evolve(order, event, pay=pay_for(zone, order))
    return Decision(changes=(Change(released, (event,)),))


def pay_for(zone: Zone, order: Order) -> Pay:
    """What its courier is paid, by the rules in force when it begins to wait for him."""
    p = zone.parameters
    way_m = distance_m(order.shop.point, order.door.point) * p.travel.detour
    return agreed_pay(
        p,
        zone.parameters_version,
        distance_m=-int(-way_m // 1),
        needs_car=needs_car(order.gift.vehicles),
    )


def _latest_pick_up(zone: Zone, window: Window, *, travel_s: int) -> Instant:
    """When the gift must leave the shop to be at the door as the window begins, and no sooner."""
    return window.start - on_the_road_s(zone.parameters, travel_s) * SECOND_MS


def on_the_road_s(parameters: ZoneParameters, travel_s: int) -> int:
    """Seconds from the arrival at the shop to the moment when the courier leaves the door."""
    return parameters.shop_service_s + travel_s + parameters.door_service_s


class Times(Struct, frozen=True, kw_only=True):
    """When an order is ready at its shop, due at its door, and joins the waiting ones if later."""

    ready_at: Instant
    due_at: Instant
    release_at: Instant | None


def times(
    zone: Zone,
    window: Window | None,
    *,
    ready_at: Instant,
    promise_ms: int,
    travel_s: int,
    now: Instant,
) -> Times:
    """Now, or so that it is at the door as its window begins; `ready_at` is when it can be."""
    if window is None:
        return Times(ready_at=ready_at, due_at=now + promise_ms, release_at=None)
    pick_up_by = _latest_pick_up(zone, window, travel_s=travel_s)
    return Times(
        ready_at=max(ready_at, pick_up_by),
        due_at=window.end,
        release_at=max(now, pick_up_by - zone.parameters.schedule_lead_s * SECOND_MS),
    )


def objection_to_times(
    zone: Zone, window: Window | None, *, ready_at: Instant, load: Load, travel_s: int
) -> Refusal | None:
    """A window that ends before the gift can be there, even by a courier who waits in the shop.

    Or one that is fully booked.
    """
    if window is None:
        return None
    p = zone.parameters
    earliest = (
        ready_at + (p.shop_leave_s + travel_s + p.door_service_s - p.door_leave_s) * SECOND_MS
    )
    if earliest > window.end:
        return WINDOW_UNREACHABLE(earliest=earliest, window_end=window.end)
    if load.in_window >= p.window_orders_max:
        return WINDOW_FULL(limit=p.window_orders_max)
    return None


def _no_room(zone: Zone, window: Window | None, load: Load) -> Refusal | None:
    p = zone.parameters
    if load.open >= p.open_orders_max:
        return ZONE_FULL(limit=p.open_orders_max, retry_after_s=RETRY_FULL_S)
    if window is None and load.waiting >= p.waiting_orders_max:
        return ZONE_FULL(limit=p.waiting_orders_max, retry_after_s=RETRY_FULL_S)
    return None


def _unplaceable(zone: Zone, command: PlaceOrder, caller: Caller, now: Instant) -> Refusal | None:
    quote = command.quote
    if quote.zone_id != zone.id:
        return OUTSIDE_ZONES()
    if quote.customer_id != caller.user_id and caller.role is not Role.OPERATOR:
        return QUOTE_MISMATCH(field="customer")
    if now > quote.valid_until:
        return QUOTE_EXPIRED(quote_id=quote.id)
    return objection_to_wishes(zone.parameters, command, now=now)
