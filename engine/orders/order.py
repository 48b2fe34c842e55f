"""What an order is: its state, its events, and the one table of what may follow what."""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, OfferId, OrderId, PaymentId, QuoteId, UserId, ZoneId
from engine.kernel.messages import Event, Role, Thing
from engine.kernel.place import Place
from engine.kernel.skills import Skill
from engine.kernel.timing import Instant
from engine.orders.fees import OrderFee, Supplement
from engine.orders.handover import Handover
from engine.pricing.lines import net_in, vat_on
from engine.pricing.pay import Pay


class OrderStatus(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    COURIER_AT_SHOP = "courier_at_shop"
    PICKED_UP = "picked_up"
    AT_DOOR = "at_door"
    DELIVERED = "delivered"
    ATTEMPT_FAILED = "attempt_failed"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class PublicStatus(StrEnum):
    """The four words a customer reads, and the two ends that are not a delivery."""

    PENDING = "pending"
    PREPARING = "preparing"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


S = OrderStatus
CLOSED: Final = frozenset({S.DELIVERED, S.RETURNED, S.CANCELLED})
ON_BOARD: Final = frozenset({S.PICKED_UP, S.AT_DOOR, S.ATTEMPT_FAILED, S.RETURNING})
HELD: Final = ON_BOARD | {S.ASSIGNED, S.COURIER_AT_SHOP}

PUBLIC: Final[dict[OrderStatus, PublicStatus]] = {
    **dict.fromkeys((S.PLACED, S.SCHEDULED, S.WAITING, S.OFFERED), PublicStatus.PENDING),
    **dict.fromkeys((S.ASSIGNED, S.COURIER_AT_SHOP), PublicStatus.PREPARING),
    **dict.fromkeys(ON_BOARD, PublicStatus.DELIVERING),
    S.DELIVERED: PublicStatus.DELIVERED,
    S.RETURNED: PublicStatus.RETURNED,
    S.CANCELLED: PublicStatus.CANCELLED,
}


class Lapse(StrEnum):
    """Why an offer for an order came to nothing."""

    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Recipient(Struct, frozen=True, kw_only=True):
    """Who receives the gift: somebody other than the customer."""

    name: str
    phone: str = ""


class Gift(Struct, frozen=True, kw_only=True):
    """What is given and how it is to be treated; the message is at most 500 characters.

    `card` is a template, `sender_name` what the card is signed with, `neighbour` who next door may
    take it. A surprise is neither announced nor called about before it is at the door.
    `skills` are what its courier must have, `vehicles` what may carry it (none named: any).
    """

    description: str
    message: str = ""
    occasion: str = ""
    card: str = ""
    sender_name: str = ""
    hide_price: bool = True
    hide_sender: bool = False
    surprise: bool = False
    photo_consent: bool = False
    neighbour: str = ""
    size_units: int = 1
    weight_g: int = 0
    skills: tuple[Skill, ...] = ()
    vehicles: tuple[VehicleKind, ...] = ()


class Window(Struct, frozen=True, kw_only=True):
    """When a scheduled gift should be at the door."""

    start: Instant
    end: Instant


def is_ahead(window: Window, now: Instant) -> bool:
    """Whether it begins after now, and ends after it begins."""
    return now < window.start < window.end


class Lapsed(Struct, frozen=True, kw_only=True):
    """An offer that came to nothing, kept so that it is not repeated."""

    courier_id: CourierId
    reason: Lapse
    at: Instant


class Order(Thing, frozen=True, kw_only=True):
    """One gift from placement to its end.

    `ready_at` is when the shop hands it over, `due_at` what the customer was promised, `release_at`
    when a scheduled order joins the waiting ones. `charge_halalas` is what is kept of the total
    when it ended without a delivery. Whoever says the `pin` at the door may receive. `pay` is what
    its courier is paid, agreed when it began to wait; he `waited_s` in the shop and fetched it with
    others, `fetched_with` counts it and them. With `is_cash` it is paid for at the door;
    `cash_taken_halalas` is what he took there. `group` were placed together, itself among them.
    Of what is paid for otherwise, the first payment covers `paid_halalas` (None: of an order from
    before this was kept, its price without fees) and each of the `supplements` its own part.
    """

    id: OrderId
    code: str
    customer_id: UserId
    zone_id: ZoneId
    quote_id: QuoteId
    payment_id: PaymentId | None = None
    status: OrderStatus = OrderStatus.PLACED
    gift: Gift
    recipient: Recipient
    shop: Place
    door: Place
    pin: str
    pin_tries: int = 0
    total_halalas: int
    fee_halalas: int | None = None
    charge_halalas: int | None = None
    placed_at: Instant
    ready_at: Instant
    due_at: Instant
    window: Window | None = None
    release_at: Instant | None = None
    offer_id: OfferId | None = None
    courier_id: CourierId | None = None
    lapsed: tuple[Lapsed, ...] = ()
    assigned_at: Instant | None = None
    picked_up_at: Instant | None = None
    fetched_with: int = 1
    waited_s: int = 0
    pay: Pay | None = None
    ended_at: Instant | None = None
    failed_attempts: int = 0
    failed_because: str = ""
    cancelled_because: str = ""
    handover: Handover | None = None
    is_cash: bool = False
    cash_taken_halalas: int = 0
    fees: tuple[OrderFee, ...] = ()
    redelivers: OrderId | None = None
    group: tuple[OrderId, ...] = ()
    paid_halalas: int | None = None
    supplements: tuple[Supplement, ...] = ()

    @property
    def price_halalas(self) -> int:
        """What it costs by now: its total, or what is kept of that."""
        return self.total_halalas if self.charge_halalas is None else self.charge_halalas

    @property
    def public_status(self) -> PublicStatus:
        """What the customer is shown."""
        return PUBLIC[self.status]

    @property
    def fee_earned_halalas(self) -> int:
        """The delivery fee without VAT; before goods were sold with it, it was the whole price."""
        return net_in(self.total_halalas) if self.fee_halalas is None else self.fee_halalas

    @property
    def goods_halalas(self) -> int:
        """What was sold with the delivery, VAT included."""
        fee = self.fee_earned_halalas
        return max(0, self.total_halalas - fee - vat_on(fee) - self.fees_halalas)

    @property
    def fees_halalas(self) -> int:
        """What was added to its price since it was placed, VAT included."""
        return sum(one.halalas for one in self.fees)

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to it."""
        return self.status not in CLOSED

    def was_declined_by(self, courier_id: CourierId) -> bool:
        """Whether this courier said no to it; he is never asked again."""
        declined = (one.courier_id for one in self.lapsed if one.reason is Lapse.DECLINED)
        return courier_id in declined

    def lapsed_with(self, *last: Lapsed) -> tuple[Lapsed, ...]:
        """For each courier how his last offer ended; after a no there is no later one."""
        those = {one.courier_id for one in last}
        return (*(one for one in self.lapsed if one.courier_id not in those), *last)


class OrderPlaced(Event, frozen=True, kw_only=True, tag=True):
    """The customer placed it."""


class OrderScheduled(Event, frozen=True, kw_only=True, tag=True):
    """It waits for its window."""

    release_at: Instant


class OrderReleased(Event, frozen=True, kw_only=True, tag=True):
    """It joined the waiting orders of its zone."""


class OrderOffered(Event, frozen=True, kw_only=True, tag=True):
    """A courier was asked to carry it."""

    offer_id: OfferId
    courier_id: CourierId


class OrderOfferLapsed(Event, frozen=True, kw_only=True, tag=True):
    """The courier declined, or the offer expired or was withdrawn."""

    offer_id: OfferId
    courier_id: CourierId
    reason: Lapse


class OrderAssigned(Event, frozen=True, kw_only=True, tag=True):
    """A courier accepted it."""

    offer_id: OfferId
    courier_id: CourierId


class OrderJoined(Event, frozen=True, kw_only=True, tag=True):
    """It was added to a trip to its shop that a courier had accepted before."""

    offer_id: OfferId
    courier_id: CourierId


class OrderReassigned(Event, frozen=True, kw_only=True, tag=True):
    """It went from one trip to its shop to another's, before it was picked up."""

    offer_id: OfferId
    from_courier_id: CourierId
    courier_id: CourierId


class OrderUnassigned(Event, frozen=True, kw_only=True, tag=True):
    """The courier gave it back, an operator took it, or his trip was revised."""

    courier_id: CourierId
    reason: str


class CourierReachedShop(Event, frozen=True, kw_only=True, tag=True):
    """The courier is at the shop."""


class OrderPickedUp(Event, frozen=True, kw_only=True, tag=True):
    """The courier has the gift."""


class CourierReachedDoor(Event, frozen=True, kw_only=True, tag=True):
    """The courier is at the door; coming again may cost a fee."""

    fee_halalas: int = 0


class PinMistaken(Event, frozen=True, kw_only=True, tag=True):
    """A wrong PIN was said at the door."""


class OrderDelivered(Event, frozen=True, kw_only=True, tag=True):
    """The recipient has the gift; `proof` says what was checked, and what was paid for it."""

    proof: str
    cash_halalas: int = 0


class DeliveryAttemptFailed(Event, frozen=True, kw_only=True, tag=True):
    """Nobody could receive it; for some reasons that costs a fee."""

    reason: str
    fee_halalas: int = 0


class OrderReturnStarted(Event, frozen=True, kw_only=True, tag=True):
    """It goes back to the shop."""


class OrderReturned(Event, frozen=True, kw_only=True, tag=True):
    """The shop has it again; of the total so much is kept, and so much given back."""

    charge_halalas: int = 0
    refund_halalas: int = 0


class OrderChanged(Event, frozen=True, kw_only=True, tag=True):
    """It has another door, window and price; the charge for that is part of the new total."""

    by: Role
    rule: str
    is_new_door: bool
    is_new_window: bool
    charge_halalas: int
    total_before_halalas: int
    total_halalas: int


class OrderCancelled(Event, frozen=True, kw_only=True, tag=True):
    """It ends without a delivery; of the total so much is kept, and so much given back.

    `courier_id` is who had taken it.
    """

    by: Role
    reason: str
    courier_id: CourierId | None = None
    charge_halalas: int = 0
    refund_halalas: int = 0


TRANSITIONS: Final[dict[tuple[OrderStatus, type[Event]], OrderStatus]] = {
    (S.PLACED, OrderPlaced): S.PLACED,
    (S.PLACED, OrderScheduled): S.SCHEDULED,
    (S.PLACED, OrderReleased): S.WAITING,
    (S.SCHEDULED, OrderReleased): S.WAITING,
    (S.WAITING, OrderOffered): S.OFFERED,
    (S.OFFERED, OrderOfferLapsed): S.WAITING,
    (S.OFFERED, OrderAssigned): S.ASSIGNED,
    # A trip may be revised until the pick-up; the new courier may be in the shop already.
    (S.WAITING, OrderJoined): S.ASSIGNED,
    (S.ASSIGNED, OrderReassigned): S.ASSIGNED,
    (S.COURIER_AT_SHOP, OrderReassigned): S.ASSIGNED,
    # A courier may give an order back until he has the gift, even when he stands in the shop.
    (S.ASSIGNED, OrderUnassigned): S.WAITING,
    (S.COURIER_AT_SHOP, OrderUnassigned): S.WAITING,
    (S.ASSIGNED, CourierReachedShop): S.COURIER_AT_SHOP,
    (S.COURIER_AT_SHOP, OrderPickedUp): S.PICKED_UP,
    (S.PICKED_UP, CourierReachedDoor): S.AT_DOOR,
    (S.AT_DOOR, PinMistaken): S.AT_DOOR,
    (S.AT_DOOR, OrderDelivered): S.DELIVERED,
    (S.AT_DOOR, DeliveryAttemptFailed): S.ATTEMPT_FAILED,
    # A second try at the same door before the gift goes back.
    (S.ATTEMPT_FAILED, CourierReachedDoor): S.AT_DOOR,
    (S.ATTEMPT_FAILED, OrderReturnStarted): S.RETURNING,
    (S.RETURNING, OrderReturned): S.RETURNED,
    (S.SCHEDULED, OrderChanged): S.SCHEDULED,
    (S.WAITING, OrderChanged): S.WAITING,
    (S.ASSIGNED, OrderChanged): S.ASSIGNED,
    (S.COURIER_AT_SHOP, OrderChanged): S.COURIER_AT_SHOP,
    (S.PICKED_UP, OrderChanged): S.PICKED_UP,
    (S.ATTEMPT_FAILED, OrderChanged): S.ATTEMPT_FAILED,
    (S.WAITING, OrderScheduled): S.SCHEDULED,
    (S.SCHEDULED, OrderCancelled): S.CANCELLED,
    (S.WAITING, OrderCancelled): S.CANCELLED,
    (S.OFFERED, OrderCancelled): S.CANCELLED,
    (S.ASSIGNED, OrderCancelled): S.CANCELLED,
    (S.COURIER_AT_SHOP, OrderCancelled): S.CANCELLED,
}


def may(order: Order, event: type[Event]) -> bool:
    """Whether the table allows this event now."""
    return (order.status, event) in TRANSITIONS


def evolve(order: Order, *events: Event, **fields: object) -> Order:
    """The order after the events, one version later, with the other fields set as given."""
    status = order.status
    for event in events:
        key = (status, type(event))
        assert key in TRANSITIONS, f"{type(event).__name__} cannot follow {status}"
        status = TRANSITIONS[key]
    return replace(order, version=order.version + 1, status=status, **fields)
