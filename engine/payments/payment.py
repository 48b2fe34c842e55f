"""What a payment is: its state, its events, and the one table of what may follow what.

It is a fold over what the gateway says. Whoever asks a gateway for something stores that first; the
payment is `unknown` until a statement shows what came of it, and nothing is asked twice blindly.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import CourierId, OrderId, PaymentId, UserId, ZoneId
from engine.kernel.messages import Event, Thing
from engine.kernel.timing import Instant
from engine.orders.gift_link import GiftLinkId
from engine.orders.messages import PlaceOrder
from engine.orders.quote import Quote
from engine.payments.gateways import MATRIX, Card, Flow, GatewayName, Network, WalletPart
from engine.payments.owed import Lapse, Price, Settlement, Supplementing


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    NEW = "new"
    UNKNOWN = "unknown"
    CHALLENGED = "challenged"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    DECLINED = "declined"
    VOIDED = "voided"
    MISMATCHED = "mismatched"


class OperationKind(StrEnum):
    """What a gateway is asked to do."""

    AUTHORISE = "authorise"
    CHARGE = "charge"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


TAKING: Final = frozenset({OperationKind.AUTHORISE, OperationKind.CHARGE})


class Operation(Struct, frozen=True, kw_only=True):
    """What the gateway was asked for and has not been seen to have done.

    `before_halalas` is what was captured, or refunded, when it was asked: by it the outcome shows.
    """

    id: str
    kind: OperationKind
    amount_halalas: int
    before_halalas: int = 0
    asked_at: Instant = 0


class RefundReason(StrEnum):
    """Why money goes back."""

    NOT_PLACED = "not_placed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    GOODS = "goods"
    COURIER = "courier"
    LATE = "late"
    GOODWILL = "goodwill"
    UNEXPLAINED = "unexplained"
    UNUSED = "unused"


class RefundStatus(StrEnum):
    """How far a refund has come."""

    WAITS_FOR_APPROVAL = "waits_for_approval"
    DUE = "due"
    DONE = "done"
    REJECTED = "rejected"


class RefundTo(StrEnum):
    """Where it goes."""

    SOURCE = "source"
    WALLET = "wallet"


class Refund(Struct, frozen=True, kw_only=True):
    """Money that goes back; however often it is asked for under its id, it goes once.

    `is_after_sale` when what the order has earned had been divided, and is taken back from there.
    Of one that was asked for before, so much is: `of_sale_halalas`, known when it is divided.
    `courier_id` is who pays for it when it is his fault, `order_id` for which order of a group.
    """

    id: str
    amount_halalas: int
    reason: RefundReason
    to: RefundTo = RefundTo.SOURCE
    status: RefundStatus
    asked_at: Instant
    asked_by: UserId
    note: str = ""
    decided_by: UserId | None = None
    done_at: Instant | None = None
    is_after_sale: bool = False
    of_sale_halalas: int = 0
    courier_id: CourierId | None = None
    order_id: OrderId | None = None

    @property
    def from_sale_halalas(self) -> int:
        """How much of it those give back among whom the sale was divided."""
        return self.amount_halalas if self.is_after_sale else self.of_sale_halalas


class Sale(Struct, frozen=True, kw_only=True):
    """How what an order has earned was divided; the parts sum to what was kept."""

    shop_halalas: int
    platform_halalas: int
    vat_halalas: int

    @property
    def total_halalas(self) -> int:
        """All of it."""
        return self.shop_halalas + self.platform_halalas + self.vat_halalas


class Share(Struct, frozen=True, kw_only=True):
    """What one order of a group has of their payment; `quote` is what it was sold for.

    `target_halalas` is what is to be kept of it in the end, None while that is open.
    """

    order_id: OrderId
    quote: Quote
    target_halalas: int | None = None
    price: Price | None = None
    is_over: bool = False
    is_returned: bool = False
    sale: Sale | None = None


class Payment(Thing, frozen=True, kw_only=True):
    """What a customer pays for one order.

    `order` is placed once the money is held or taken, and `is_over` when it has ended. Of a gift
    link (`gift_link_id`) there is none before its recipient has answered. Of a group there are
    several `orders`, and `shares` of them; `order_id` is the group's name. Once orders are placed,
    nothing personal of them is known. `target_halalas` is what is to be kept, None while that is
    open; the rest goes back for `rest_reason`. `captured_halalas` and `refunded_halalas` are what
    the gateway says, `conversion_halalas` what another currency adds; `wallet` is the wallet's part
    of these. What went to it instead is `credited_halalas`; cash is with `courier_id`. `price` is
    what the order was charged. A `supplement` pays for more of an order that has a first payment;
    of that, `settlements` are what was done about what it did not cover, `lapses` what supplements
    (`is_lapsed`) do not bring. With `is_noticed` the gateway has sent word. `due_at` is when
    something is to be done, `tries` how often in vain.
    """

    id: PaymentId
    customer_id: UserId
    order_id: OrderId
    order: PlaceOrder | None = None
    gift_link_id: GiftLinkId | None = None
    orders: tuple[PlaceOrder, ...] = ()
    shares: tuple[Share, ...] = ()
    supplement: Supplementing | None = None
    gateway: GatewayName
    network: Network
    flow: Flow
    amount_halalas: int
    wallet: WalletPart | None = None
    made_at: Instant
    expires_at: Instant
    status: PaymentStatus = PaymentStatus.NEW
    reference: str = ""
    operation: Operation | None = None
    is_placed: bool = False
    is_over: bool = False
    is_noticed: bool = False
    target_halalas: int | None = None
    rest_reason: RefundReason = RefundReason.NOT_PLACED
    captured_halalas: int = 0
    refunded_halalas: int = 0
    conversion_halalas: int = 0
    credited_halalas: int = 0
    refunds: tuple[Refund, ...] = ()
    sale: Sale | None = None
    card: Card | None = None
    courier_id: CourierId | None = None
    price: Price | None = None
    settlements: tuple[Settlement, ...] = ()
    lapses: tuple[Lapse, ...] = ()
    is_lapsed: bool = False
    challenge_url: str = ""
    reason: str = ""
    tries: int = 0
    due_at: Instant | None = None

    @property
    def goes_back_to(self) -> RefundTo:
        """Where what is given back goes by itself: where it came from, if that can take it."""
        can_take = MATRIX[self.gateway].refund
        return RefundTo.SOURCE if can_take else RefundTo.WALLET

    @property
    def quote(self) -> Quote:
        """What its order was sold for."""
        assert self.order is not None, "what has earned something is an order"
        return self.order.quote

    @property
    def zone_id(self) -> ZoneId | None:
        """Where its order is, once there is one."""
        if self.supplement is not None:
            return self.supplement.zone_id
        if self.shares:
            return self.shares[0].quote.zone_id
        return None if self.order is None else self.order.zone_id

    @property
    def for_order_id(self) -> OrderId:
        """Whose money it is: its order's, of a supplement that which has another payment."""
        return self.order_id if self.supplement is None else self.supplement.order_id

    def owed_for(self, order_id: OrderId) -> int:
        """What is still owed for an order that is over, beyond this payment and supplements."""
        price = (self.share(order_id) or self).price
        settled = sum(one.halalas for one in self.settlements if one.order_id == order_id)
        settled -= sum(one.halalas for one in self.lapses if one.order_id == order_id)
        return 0 if price is None else price.owed_halalas - price.supplemented_halalas - settled

    def share(self, order_id: OrderId | None) -> Share | None:
        """What an order has of it; None when it is not one of a group."""
        return next((one for one in self.shares if one.order_id == order_id), None)

    @property
    def promised_halalas(self) -> int:
        """What refunds have given back or still may."""
        open_or_done = (one for one in self.refunds if one.status is not RefundStatus.REJECTED)
        return sum(one.amount_halalas for one in open_or_done)

    @property
    def refundable_halalas(self) -> int:
        """What can still be asked back of what was captured."""
        return self.captured_halalas - self.promised_halalas

    def refund(self, refund_id: str) -> Refund | None:
        """One of its refunds."""
        return next((one for one in self.refunds if one.id == refund_id), None)


class PaymentBegun(Event, frozen=True, kw_only=True, tag=True):
    """A customer wants to pay."""

    amount_halalas: int


class GatewayAsked(Event, frozen=True, kw_only=True, tag=True):
    """The gateway is being asked for something."""

    operation_id: str
    kind: OperationKind
    amount_halalas: int


class OperationAbandoned(Event, frozen=True, kw_only=True, tag=True):
    """The gateway certainly has not done what it was asked for."""

    operation_id: str
    why: str


class PaymentChallenged(Event, frozen=True, kw_only=True, tag=True):
    """The bank wants to hear it from the customer (3-D Secure)."""


class PaymentAuthorised(Event, frozen=True, kw_only=True, tag=True):
    """The money is held."""


class PaymentCaptured(Event, frozen=True, kw_only=True, tag=True):
    """The money was taken; `captured_halalas` in all."""

    captured_halalas: int


class PaymentRefunded(Event, frozen=True, kw_only=True, tag=True):
    """Money went back to where it came from; `refunded_halalas` in all."""

    refunded_halalas: int


class PaymentCredited(Event, frozen=True, kw_only=True, tag=True):
    """Money went into the customer's wallet instead."""

    refund_id: str
    amount_halalas: int


class PaymentDeclined(Event, frozen=True, kw_only=True, tag=True):
    """Nothing was taken, and nothing will be."""

    reason: str


class PaymentVoided(Event, frozen=True, kw_only=True, tag=True):
    """The hold is gone."""


class PaymentMismatched(Event, frozen=True, kw_only=True, tag=True):
    """The gateway speaks of another amount or currency: nothing is believed, somebody must look."""

    amount_halalas: int
    currency: str


class PaidOrderPlaced(Event, frozen=True, kw_only=True, tag=True):
    """Its order is stored."""


class PaidOrderRefused(Event, frozen=True, kw_only=True, tag=True):
    """Its order could not be placed, so nothing is kept."""

    code: str


class TargetSet(Event, frozen=True, kw_only=True, tag=True):
    """It is known what is to be kept in the end."""

    target_halalas: int


class OwedSettled(Event, frozen=True, kw_only=True, tag=True):
    """Something owed was paid with another payment, or given up."""

    settlement: Settlement


class SaleEntered(Event, frozen=True, kw_only=True, tag=True):
    """What the order has earned was divided."""

    sale: Sale


class RefundAsked(Event, frozen=True, kw_only=True, tag=True):
    """Somebody, or the rules, want money to go back."""

    refund: Refund


class RefundDecided(Event, frozen=True, kw_only=True, tag=True):
    """A refund above somebody's limit was approved or rejected by somebody else."""

    refund_id: str
    status: RefundStatus
    by: UserId


class GatewayNoticed(Event, frozen=True, kw_only=True, tag=True):
    """The gateway sent word that something happened; what, it is asked."""

    notice_id: str


P = PaymentStatus
_ANY: Final = frozenset(PaymentStatus)
# A late statement may show that what was given up happened after all: then it is given back. So
# nothing is final but what was returned in full, and what somebody has to look at.
TRANSITIONS: Final[dict[PaymentStatus, frozenset[PaymentStatus]]] = {
    P.NEW: frozenset({P.UNKNOWN, P.DECLINED}),
    P.UNKNOWN: _ANY - {P.NEW},
    P.CHALLENGED: _ANY - {P.NEW},
    P.AUTHORISED: _ANY - {P.NEW, P.CHALLENGED},
    P.CAPTURED: frozenset({P.CAPTURED, P.UNKNOWN, P.REFUNDED, P.MISMATCHED}),
    P.REFUNDED: frozenset({P.REFUNDED, P.MISMATCHED}),
    P.DECLINED: _ANY - {P.NEW, P.UNKNOWN, P.VOIDED},
    P.VOIDED: frozenset({P.VOIDED, P.CAPTURED, P.REFUNDED, P.MISMATCHED}),
    P.MISMATCHED: frozenset({P.MISMATCHED}),
}

_MADE_NO_MORE: Final = frozenset({P.DECLINED, P.VOIDED, P.REFUNDED})


def evolve(payment: Payment, **fields: object) -> Payment:
    """The payment with these fields, one version later."""
    later = replace(payment, version=payment.version + 1, **fields)
    supplement = later.supplement
    if supplement is not None and (later.is_placed or later.status in _MADE_NO_MORE):
        # Where the gift was to go is nothing that a payment need remember.
        later = replace(later, supplement=replace(supplement, change=None))
    may_follow = later.status in TRANSITIONS[payment.status] or later.status is payment.status
    assert may_follow, f"{later.status} cannot follow {payment.status}"
    return later
