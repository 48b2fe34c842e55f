"""An offer: the question to one courier, or to several at once, who takes one trip."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.couriers.courier import Stop
from engine.geo.dispatch_parameters import OfferMode
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Event, Thing
from engine.kernel.timing import Instant
from engine.orders.order import Lapse, Lapsed


class OfferStatus(StrEnum):
    """What became of the question."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Ranked(Struct, frozen=True, kw_only=True):
    """A courier who could have been asked: how much more he would cost, or why he could not."""

    courier_id: CourierId
    cost_more: int | None
    reason: str


class PassedOver(Struct, frozen=True, array_like=True):
    """The same of one of the many who could have been asked, stored without names of fields."""

    courier_id: CourierId
    cost_more: int | None
    reason: str

    def ranked(self) -> Ranked:
        """The same with names."""
        return Ranked(courier_id=self.courier_id, cost_more=self.cost_more, reason=self.reason)


class Explanation(Struct, frozen=True, kw_only=True):
    """Why this courier, and why not another; `reach_s` is how far the search reached.

    `next_best` are those of whom people ask first, `passed_over` are all other candidates.
    """

    parameters_version: int
    candidates: int
    reach_s: int = 0
    pickup_at: Instant
    deliveries_at: tuple[Instant, ...]
    next_best: tuple[Ranked, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def against(self) -> tuple[Ranked, ...]:
        """What spoke against everybody."""
        return (*self.next_best, *(one.ranked() for one in self.passed_over))


class Offer(Thing, frozen=True, kw_only=True):
    """The stops of one trip, offered until `expires_at`; whoever says yes first has it.

    `courier_id` is who was asked, and `others` are those who are asked at the same moment (a
    broadcast): all of them may say yes. When one does, he is `courier_id`, and `others` came too
    late. Who left a broadcast before is among the `gone`. Those `in_line` are asked after him (a
    ranked round), and `place_in_line` counts from 1.
    """

    id: OfferId
    zone_id: ZoneId
    courier_id: CourierId
    others: tuple[CourierId, ...] = ()
    gone: tuple[Lapsed, ...] = ()
    in_line: tuple[CourierId, ...] = ()
    place_in_line: int = 1
    mode: OfferMode = OfferMode.DIRECT
    order_ids: tuple[OrderId, ...]
    stops: tuple[Stop, ...]
    status: OfferStatus = OfferStatus.OPEN
    made_at: Instant
    expires_at: Instant
    acknowledged_by: tuple[CourierId, ...] = ()
    acknowledged_at: Instant | None = None
    answered_at: Instant | None = None
    decline_reason: str = ""
    explanation: Explanation

    @property
    def is_open(self) -> bool:
        """Whether somebody may still say yes."""
        return self.status is OfferStatus.OPEN

    @property
    def asked(self) -> tuple[CourierId, ...]:
        """Who may say yes while it is open."""
        return (self.courier_id, *self.others)

    @property
    def unacknowledged(self) -> tuple[CourierId, ...]:
        """Those asked whose phones have not said that they show it."""
        return tuple(one for one in self.asked if one not in self.acknowledged_by)

    def was_put_to(self, courier_id: CourierId) -> bool:
        """Whether this courier was ever asked."""
        return courier_id in self.asked or any(one.courier_id == courier_id for one in self.gone)


class OfferMade(Event, frozen=True, kw_only=True, tag=True):
    """The question was put."""

    courier_id: CourierId
    others: tuple[CourierId, ...] = ()
    order_ids: tuple[OrderId, ...]
    expires_at: Instant


class OfferAcknowledged(Event, frozen=True, kw_only=True, tag=True):
    """A phone has it."""

    courier_id: CourierId


class OfferAccepted(Event, frozen=True, kw_only=True, tag=True):
    """Yes."""

    courier_id: CourierId


class OfferDeclined(Event, frozen=True, kw_only=True, tag=True):
    """No, from the last one who was asked."""

    courier_id: CourierId
    reason: str


class OfferLeft(Event, frozen=True, kw_only=True, tag=True):
    """One of several said no or stopped working; the others are still asked."""

    courier_id: CourierId
    because: Lapse
    reason: str = ""


class OfferExpired(Event, frozen=True, kw_only=True, tag=True):
    """No answer in time."""


class OfferWithdrawn(Event, frozen=True, kw_only=True, tag=True):
    """The question was taken back."""

    reason: str


CLOSING = {
    OfferAccepted: OfferStatus.ACCEPTED,
    OfferDeclined: OfferStatus.DECLINED,
    OfferExpired: OfferStatus.EXPIRED,
    OfferWithdrawn: OfferStatus.WITHDRAWN,
}


def evolve(offer: Offer, event: Event, **fields: object) -> Offer:
    """The offer after the event, one version later; only an open one can change."""
    assert offer.status is OfferStatus.OPEN, f"{type(event).__name__} cannot follow {offer.status}"
    status = CLOSING.get(type(event), offer.status)
    return replace(offer, version=offer.version + 1, status=status, **fields)
