"""Which timers the stored state of a thing asks for."""

from collections.abc import Container, Mapping
from typing import Final

from actors.clock import Clock
from actors.guards import CHECK_MS
from actors.scheduler import GATHER_MS
from actors.timers import Timers
from engine.couriers.breaks import begins_when, ends_when
from engine.couriers.courier import Courier, Duty
from engine.couriers.handing_over import loan_over_at
from engine.couriers.messages import (
    BeginBreak,
    BeginShift,
    EndLoan,
    EndShift,
    EndWayToWait,
    FinishBreak,
)
from engine.couriers.prepositioning import arrival_at_wait
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.zone import Zone
from engine.kernel.ids import OfferId, ZoneId
from engine.kernel.messages import Thing
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order, OrderStatus

SaidOfCourier = BeginShift | EndShift | BeginBreak | FinishBreak | EndWayToWait | EndLoan
SAID_OF_COURIERS: Final[Mapping[str, type[SaidOfCourier]]] = {
    "begin": BeginShift,
    "shift": EndShift,
    "break": BeginBreak,
    "back": FinishBreak,
    "wait": EndWayToWait,
    "loan": EndLoan,
}


class Deadlines:
    """Sets timers as `kind:id`, the same ones after every reading of the same state.

    `ticking` are the zones that tick at this moment and set their next tick themselves.
    """

    def __init__(
        self, timers: Timers, clock: Clock, ticking: Container[ZoneId], *, repeat_ms: int
    ) -> None:
        self._timers = timers
        self._clock = clock
        self._ticking = ticking
        self._repeat_ms = repeat_ms

    def arm(self, thing: Thing) -> None:
        """Set what this state asks for, and take back what it asks for no more."""
        match thing:
            case Offer():
                self._arm_offer(thing)
            case Order():
                self._arm_order(thing)
            case Courier():
                works = thing.duty in {Duty.ON, Duty.BREAK}
                self._set(f"begin:{thing.id}", thing.shift.begins_at if works else None)
                self._set(f"shift:{thing.id}", thing.shift_ends_at if works else None)
                self._set(f"break:{thing.id}", begins_when(thing))
                self._set(f"back:{thing.id}", ends_when(thing))
                self._set(f"wait:{thing.id}", arrival_at_wait(thing))
                self._set(f"loan:{thing.id}", loan_over_at(thing))
            case Zone():
                self._arm_zone(thing)
            case _:
                raise TypeError(f"a cell has no timers for {type(thing).__name__}")

    def disarm(self, courier: Courier) -> None:
        """Another cell minds his time from now on."""
        for kind in SAID_OF_COURIERS:
            self._timers.cancel(f"{kind}:{courier.id}")

    def repeat_later(self, offer_id: OfferId) -> None:
        """Show the offer again unless its phone acknowledges it until then."""
        self._timers.set(f"repeat:{offer_id}", self._clock.now() + self._repeat_ms)

    def _arm_offer(self, offer: Offer) -> None:
        is_open = offer.status is OfferStatus.OPEN
        self._set(f"offer:{offer.id}", offer.expires_at if is_open else None)
        if is_open and offer.unacknowledged:
            self.repeat_later(offer.id)
        else:
            self._timers.cancel(f"repeat:{offer.id}")

    def _arm_order(self, order: Order) -> None:
        """The plan may move a release; orders that come or go together are planned together."""
        release, schedule = f"release:{order.id}", f"schedule:{order.zone_id}"
        is_scheduled = order.status is OrderStatus.SCHEDULED
        if (is_scheduled or self._timers.is_set(release)) and not self._timers.is_set(schedule):
            self._timers.set(schedule, self._clock.now() + GATHER_MS)
        self._set(release, order.release_at if is_scheduled else None)

    def _arm_zone(self, zone: Zone) -> None:
        self._set(f"guard:{zone.id}", self._next_check(zone))
        first = min((one.effective_at for one in zone.upcoming), default=None)
        self._set(f"zone:{zone.id}", first)
        if not self._timers.is_set(f"tick:{zone.id}") and zone.id not in self._ticking:
            self._timers.set(f"tick:{zone.id}", tick_at(zone, self._clock.now()))

    def _next_check(self, zone: Zone) -> Instant | None:
        """Counted from when the parameters came into force, so that no reading puts it off."""
        now, since = self._clock.now(), zone.current.effective_at
        if not zone.is_guarded(now):
            return None
        return since + ((now - since) // CHECK_MS + 1) * CHECK_MS

    def _set(self, key: str, at: Instant | None) -> None:
        if at is None:
            self._timers.cancel(key)
        else:
            self._timers.set(key, at)


def tick_at(zone: Zone, earliest: Instant) -> Instant:
    """The first tick of a zone from then on.

    Ticks fall on whole multiples of their length, whenever the cell began.
    """
    tick_ms = zone.parameters.tick_s * SECOND_MS
    return -(-earliest // tick_ms) * tick_ms
