"""What a courier is: his duty, his route, and the table of how a duty may change."""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Change, Decision, Event, Thing
from engine.kernel.place import Point
from engine.kernel.skills import Skill
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.handover import HandoverTold


class Duty(StrEnum):
    """What a courier has said about working."""

    OFF = "off"
    ON = "on"
    BREAK = "break"
    ENDING = "ending"


class CourierStatus(StrEnum):
    """Duty, offer and route in one word."""

    OFF = "off"
    ON = "on"
    BREAK = "break"
    OFFERED = "offered"
    BUSY = "busy"
    ENDING = "ending"


_STATUS_OF: Final = {one: CourierStatus(one.value) for one in Duty}


class StopKind(StrEnum):
    """What is done at a stop."""

    PICKUP = "pickup"
    DROPOFF = "dropoff"
    RETURN = "return"
    WAIT = "wait"


class Stop(Struct, frozen=True, kw_only=True):
    """One place on a route; `orders` are those still to be handled there.

    `ready_at` is when the last of them is ready (pick-ups), or when he should be there (waiting
    points, which have no orders); `arrived_at` is when the courier said that he was there.
    `cash_halalas` is what he was to collect at a door when it came on his route.
    """

    kind: StopKind
    point: Point
    orders: tuple[OrderId, ...]
    ready_at: Instant = 0
    arrived_at: Instant | None = None
    cash_halalas: int = 0


class ProgressStep(StrEnum):
    """What a courier can report about an order he carries."""

    REACHED_SHOP = "reached_shop"
    PICKED_UP = "picked_up"
    REACHED_DOOR = "reached_door"
    DELIVERED = "delivered"
    ATTEMPT_FAILED = "attempt_failed"
    RETURN_STARTED = "return_started"
    RETURNED = "returned"


class EarlyReport(Struct, frozen=True, kw_only=True):
    """A report that arrived before the one it follows; it is kept until its turn."""

    order_id: OrderId
    step: ProgressStep
    device_at: Instant | None
    pin: str = ""
    reason: str = ""
    handover: HandoverTold = HandoverTold()


# What one person carries by each kind of vehicle, where he says nothing else.
CAPACITY_G: Final[dict[VehicleKind, int]] = {
    VehicleKind.CAR: 100_000,
    VehicleKind.MOTORCYCLE: 20_000,
    VehicleKind.BICYCLE: 10_000,
    VehicleKind.FOOT: 8_000,
}


class Shift(Struct, frozen=True, kw_only=True):
    """What counts for the guarantee, from going on duty to going off.

    `busy_ms` is the time with orders on his route, of routes that have ended; `busy_since` is when
    the present one began. `begins_at` is when a shift begins that is only announced.
    """

    guarantee_per_h_halalas: int = 0
    earned_halalas: int = 0
    busy_ms: int = 0
    busy_since: Instant = 0
    begins_at: Instant | None = None


class Break(Struct, frozen=True, kw_only=True):
    """A break that he has announced, or takes: from when on, and for how long if he has said it."""

    begins_at: Instant
    lasts_s: int | None = None

    @property
    def ends_at(self) -> Instant | None:
        """When he works again, as far as it is known."""
        return None if self.lasts_s is None else self.begins_at + SECOND_MS * self.lasts_s


class Loan(Struct, frozen=True, kw_only=True):
    """He works for another zone until `ends_at`, and then goes back to his own."""

    home_zone_id: ZoneId
    ends_at: Instant


class Courier(Thing, frozen=True, kw_only=True):
    """A courier from the moment he first goes on duty.

    `last_point` is the last place he is known to have stopped at; his live position is telemetry
    and is kept elsewhere. `leaves_at` is when he leaves, or left, that place; `free_since` is when
    he last became free. `cash_halalas` is what he holds of ours.
    """

    id: CourierId
    name: str
    vehicle: VehicleKind
    capacity_units: int
    capacity_g: int = CAPACITY_G[VehicleKind.MOTORCYCLE]
    skills: tuple[Skill, ...] = ()
    duty: Duty = Duty.OFF
    zone_id: ZoneId
    last_point: Point
    shift_ends_at: Instant | None = None
    leaves_at: Instant = 0
    free_since: Instant = 0
    offer_id: OfferId | None = None
    route: tuple[Stop, ...] = ()
    early: tuple[EarlyReport, ...] = ()
    shift: Shift = Shift()
    cash_halalas: int = 0
    loan: Loan | None = None
    rest: Break | None = None

    @property
    def cash_at_stake_halalas(self) -> int:
        """What he holds of ours, with what he will collect on his route."""
        return self.cash_halalas + sum(stop.cash_halalas for stop in self.route)

    @property
    def works_until(self) -> Instant | None:
        """When he is to begin nothing more: his shift ends, his loan, or a break begins."""
        ends = [] if self.shift_ends_at is None else [self.shift_ends_at]
        if self.loan is not None:
            ends.append(self.loan.ends_at)
        if self.rest is not None and self.duty is Duty.ON:
            ends.append(self.rest.begins_at)
        return min(ends, default=None)

    @property
    def status(self) -> CourierStatus:
        """Duty, offer and route in one word."""
        if self.duty is not Duty.ON:
            return _STATUS_OF[self.duty]
        if has_errands(self.route):
            return CourierStatus.BUSY
        return CourierStatus.OFFERED if self.offer_id else CourierStatus.ON

    @property
    def orders(self) -> tuple[OrderId, ...]:
        """The orders on his route, each once, in the order in which he meets them."""
        if not self.route:
            return ()
        return tuple(dict.fromkeys(one for stop in self.route for one in stop.orders))


class WentOnDuty(Event, frozen=True, kw_only=True, tag=True):
    """He began to work in a zone."""

    zone_id: ZoneId
    shift_ends_at: Instant | None


class ShiftAnnounced(Event, frozen=True, kw_only=True, tag=True):
    """He said when and where he will begin to work."""

    zone_id: ZoneId
    shift_begins_at: Instant
    shift_ends_at: Instant | None


class WentOffDuty(Event, frozen=True, kw_only=True, tag=True):
    """He stopped working."""


class DutyEnding(Event, frozen=True, kw_only=True, tag=True):
    """He finishes his route and then stops."""


class BreakAnnounced(Event, frozen=True, kw_only=True, tag=True):
    """He said when he will rest, or how long."""

    begins_at: Instant
    lasts_s: int | None


class BreakRevoked(Event, frozen=True, kw_only=True, tag=True):
    """He will not rest after all."""


class BreakTaken(Event, frozen=True, kw_only=True, tag=True):
    """He rests, until `ends_at` if he has said so; he is asked nothing."""

    ends_at: Instant | None = None


class BreakEnded(Event, frozen=True, kw_only=True, tag=True):
    """He works again."""


class CourierHandedOver(Event, frozen=True, kw_only=True, tag=True):
    """He works in another zone from now on, without having gone off duty."""

    zone_id: ZoneId
    before: ZoneId


class CourierLent(Event, frozen=True, kw_only=True, tag=True):
    """He works for a neighbour of his zone until `ends_at`."""

    zone_id: ZoneId
    before: ZoneId
    ends_at: Instant


class RouteChanged(Event, frozen=True, kw_only=True, tag=True):
    """His stops are others than before."""

    stops: int


class CourierSentToWait(Event, frozen=True, kw_only=True, tag=True):
    """He was asked to wait elsewhere, and should be there at `arrives_at`."""

    point: Point
    arrives_at: Instant


class WaitingPointReached(Event, frozen=True, kw_only=True, tag=True):
    """He is where he was asked to wait; without `device_at` by the timetable alone."""


class ReportKept(Event, frozen=True, kw_only=True, tag=True):
    """A report came before its turn."""

    order_id: OrderId
    step: ProgressStep


D = Duty
DUTY_TRANSITIONS: Final[dict[tuple[Duty, type[Event]], Duty]] = {
    (D.OFF, WentOnDuty): D.ON,
    # Nobody but the plan sees a difference between a shift that is announced and one that is not.
    (D.OFF, ShiftAnnounced): D.ON,
    # He announces another begin before the shift has begun.
    (D.ON, ShiftAnnounced): D.ON,
    # The same phone may say it again after a crash, perhaps with another shift end.
    (D.ON, WentOnDuty): D.ON,
    # He changes his mind while he still carries something.
    (D.ENDING, WentOnDuty): D.ON,
    (D.ON, BreakAnnounced): D.ON,
    # He says how long he goes on resting.
    (D.BREAK, BreakAnnounced): D.BREAK,
    (D.ON, BreakRevoked): D.ON,
    (D.ON, BreakTaken): D.BREAK,
    (D.BREAK, BreakEnded): D.ON,
    (D.BREAK, WentOffDuty): D.OFF,
    (D.ON, WentOffDuty): D.OFF,
    (D.ON, DutyEnding): D.ENDING,
    (D.ENDING, WentOffDuty): D.OFF,
}


def evolve(courier: Courier, *events: Event, **fields: object) -> Courier:
    """The courier after the events, one version later, with the other fields set as given."""
    duty = courier.duty
    for event in events:
        following = DUTY_TRANSITIONS.get((duty, type(event)))
        assert following is not None or not isinstance(event, _DUTY_EVENTS), (
            f"{type(event).__name__} cannot follow {duty}"
        )
        duty = following or duty
    if duty is Duty.OFF:
        fields = {"loan": None, "rest": None, **fields}
    return replace(courier, version=courier.version + 1, duty=duty, **fields)


_DUTY_EVENTS = (
    WentOnDuty,
    ShiftAnnounced,
    WentOffDuty,
    DutyEnding,
    BreakAnnounced,
    BreakRevoked,
    BreakTaken,
    BreakEnded,
)


def told(courier: Courier, event: Event) -> Decision:
    """He alone has changed, by this one event, and hears what his duty is now."""
    return Decision(changes=(Change(courier, (event,)),), reply={"duty": courier.duty.value})


def reroute(
    courier: Courier, route: tuple[Stop, ...], *events: Event, now: Instant
) -> Change[Courier]:
    """The courier with these stops: free without an errand, and off duty if that was ending."""
    free_since, shift = courier.free_since, courier.shift
    if route != courier.route:
        is_free = not has_errands(route)
        if is_free and courier.duty is Duty.ENDING:
            route = ()
        shift = _timed(shift, was_busy=has_errands(courier.route), is_busy=not is_free, now=now)
        events = (*events, RouteChanged(at=now, stops=len(route)))
        if is_free:
            free_since = now
            if courier.duty is Duty.ENDING:
                events = (*events, WentOffDuty(at=now))
    changed = evolve(courier, *events, route=route, free_since=free_since, shift=shift)
    return Change(changed, events)


def earning(courier: Courier, halalas: int) -> Courier:
    """The courier after an order of his shift has earned him so much."""
    shift = replace(courier.shift, earned_halalas=courier.shift.earned_halalas + halalas)
    return replace(courier, shift=shift)


def _timed(shift: Shift, *, was_busy: bool, is_busy: bool, now: Instant) -> Shift:
    if is_busy == was_busy:
        return shift
    if is_busy:
        return replace(shift, busy_since=now)
    return replace(shift, busy_ms=shift.busy_ms + now - shift.busy_since)


def errands(route: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """The stops at which there is something to do: all but the waiting point."""
    return tuple(stop for stop in route if stop.kind is not StopKind.WAIT)


def has_errands(route: tuple[Stop, ...]) -> bool:
    """Whether there is something to do on the route; most couriers have none."""
    return bool(route) and any(stop.kind is not StopKind.WAIT for stop in route)


def without_order(route: tuple[Stop, ...], order_id: OrderId) -> tuple[Stop, ...]:
    """The route with one order taken from every stop, and stops that are then empty dropped."""
    stops = (
        replace(stop, orders=tuple(one for one in stop.orders if one != order_id)) for stop in route
    )
    return tuple(stop for stop in stops if stop.orders or stop.kind is StopKind.WAIT)
