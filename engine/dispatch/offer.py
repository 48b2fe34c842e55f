"""An offer: the question to one courier whether he takes one trip."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.couriers.courier import Stop
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Event, Thing
from engine.kernel.timing import Instant


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


class Explanation(Struct, frozen=True, kw_only=True):
    """Why this courier, and why not the next ones."""

    parameters_version: int
    candidates: int
    pickup_at: Instant
    deliveries_at: tuple[Instant, ...]
    next_best: tuple[Ranked, ...] = ()


class Offer(Thing, frozen=True, kw_only=True):
    """The stops of one trip, offered to one courier until `expires_at`."""

    id: OfferId
    zone_id: ZoneId
    courier_id: CourierId
    order_ids: tuple[OrderId, ...]
    stops: tuple[Stop, ...]
    status: OfferStatus = OfferStatus.OPEN
    made_at: Instant
    expires_at: Instant
    acknowledged_at: Instant | None = None
    answered_at: Instant | None = None
    decline_reason: str = ""
    explanation: Explanation


class OfferMade(Event, frozen=True, kw_only=True, tag=True):
    """The question was put."""

    courier_id: CourierId
    order_ids: tuple[OrderId, ...]
    expires_at: Instant


class OfferAcknowledged(Event, frozen=True, kw_only=True, tag=True):
    """The phone has it."""


class OfferAccepted(Event, frozen=True, kw_only=True, tag=True):
    """Yes."""


class OfferDeclined(Event, frozen=True, kw_only=True, tag=True):
    """No."""

    reason: str


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
