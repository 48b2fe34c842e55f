"""The rules of a payment: what it becomes by what is asked, heard and decided, and what is next."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.backoff import Backoff
from engine.kernel.ids import OrderId, PaymentId, UserId, derived_id
from engine.kernel.messages import Change, Decision, Effect, Event
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, SECOND_MS, Instant
from engine.orders.gift_link import GiftLink, paid_order_of
from engine.orders.grouping import group_name
from engine.orders.messages import PlaceOrder, PlaceOrders
from engine.orders.quote import QUOTE_VALID_MS
from engine.payments.gateways import (
    HOLD_LASTS_MS,
    MATRIX,
    METHOD_NOT_OFFERED,
    Card,
    Flow,
    GatewayName,
    Network,
    WalletPart,
    flow_of,
)
from engine.payments.messages import SPLIT_REFUSED
from engine.payments.owed import Supplementing
from engine.payments.payment import (
    TAKING,
    GatewayAsked,
    GatewayNoticed,
    Operation,
    OperationKind,
    PaidOrderPlaced,
    PaidOrderRefused,
    Payment,
    PaymentBegun,
    PaymentDeclined,
    PaymentStatus,
    Refund,
    RefundStatus,
    RefundTo,
    Share,
    TargetSet,
    evolve,
)
from engine.payments.splitting import REST_MIN, can_split

Payable = PlaceOrder | PlaceOrders | GiftLink | Supplementing
_BACKOFF = Backoff(first_ms=5 * SECOND_MS, most_ms=HOUR_MS)


class Terms(Struct, frozen=True, kw_only=True):
    """By what an operator has payments go.

    What a gateway shows no sign of `settle_s` after it was asked has not happened and will not.
    `commission_percent` is our part of the goods.
    """

    settle_s: int = 120
    commission_percent: int = 0


class Step(StrEnum):
    """What is to be done about a payment without anybody asking."""

    GIVE_UP = "give_up"
    LOOK = "look"
    PLACE = "place"
    ASK = "ask"
    CREDIT = "credit"


S = PaymentStatus


def begin(
    payment_id: PaymentId,
    what: Payable,
    *,
    customer_id: UserId,
    gateway: GatewayName,
    network: Network,
    card: Card | None = None,
    wallet_halalas: int = 0,
    now: Instant,
    expires_at: Instant,
) -> Decision:
    """A customer pays for a quote or several, the limit of a gift link, or more of an order.

    `wallet_halalas` of it come from his wallet, the rest by the gateway. The orders are placed, the
    link opened, or the change made, once the money is held or taken.
    """
    life_ms = what.expires_at - what.made_at if isinstance(what, GiftLink) else 0
    # What is owed already waits for nothing.
    is_owed = isinstance(what, Supplementing) and what.is_due
    is_at_once = is_owed or life_ms > HOLD_LASTS_MS.get(gateway, life_ms)
    payment = _for(
        what,
        Payment(
            version=1,
            id=payment_id,
            customer_id=customer_id,
            order_id=paid_as(what),
            gateway=gateway,
            network=network,
            flow=Flow.CHARGE if is_at_once else flow_of(gateway, network),
            card=card,
            amount_halalas=amount_of(what),
            wallet=WalletPart(halalas=wallet_halalas) if wallet_halalas else None,
            made_at=now,
            expires_at=expires_at,
        ),
    )
    begun = PaymentBegun(at=now, amount_halalas=payment.amount_halalas)
    return decided(payment, (begun,), now=now)


def objection(
    what: Payable, network: Network, gateway: GatewayName, wallet_halalas: int
) -> Refusal | None:
    """Why it cannot be paid for so; None when it can."""
    if gateway is GatewayName.CASH and not isinstance(what, PlaceOrder):
        # Each door would owe its own part, and a link has no door yet.
        return METHOD_NOT_OFFERED(network=network.value)
    total = amount_of(what)
    if wallet_halalas and not can_split(gateway, total - wallet_halalas):
        return SPLIT_REFUSED(total_halalas=total, rest_halalas_min=REST_MIN)
    return None


def amount_of(what: Payable) -> int:
    """What is to be paid for it, in halalas."""
    match what:
        case GiftLink():
            return what.limit_halalas
        case PlaceOrders():
            return sum(one.quote.total_halalas for one in what.orders)
        case PlaceOrder():
            return what.quote.total_halalas
        case Supplementing():
            return what.halalas


def paid_as(what: Payable) -> OrderId:
    """Under the name of which order, or group, it is paid for."""
    match what:
        case GiftLink():
            return paid_order_of(what.id)
        case PlaceOrders():
            return group_name([one.order_id for one in what.orders])
        case PlaceOrder():
            return what.order_id
        case Supplementing():
            # Not the order's own name, for that has its first payment.
            name = str(what.number) if what.change is None else what.change.quote.id
            return OrderId(derived_id("supplement", what.order_id, name))


def pay_by(what: Payable, *, now: Instant) -> Instant:
    """Until when it may be paid for."""
    match what:
        case PlaceOrder():
            return what.quote.valid_until
        case PlaceOrders():
            return min(one.quote.valid_until for one in what.orders)
        case GiftLink():
            return min(now + QUOTE_VALID_MS, what.expires_at)
        case Supplementing():
            return now + QUOTE_VALID_MS if what.change is None else what.change.quote.valid_until


def _for(what: Payable, payment: Payment) -> Payment:
    match what:
        case GiftLink():
            return replace(payment, gift_link_id=what.id)
        case PlaceOrders():
            orders = tuple(replace(one, payment_id=payment.id) for one in what.orders)
            return replace(payment, orders=orders, shares=tuple(map(_share_of, orders)))
        case PlaceOrder():
            is_cash = payment.gateway is GatewayName.CASH
            return replace(payment, order=replace(what, payment_id=payment.id, is_cash=is_cash))
        case Supplementing():
            return replace(payment, supplement=what)


def _share_of(order: PlaceOrder) -> Share:
    """Without where it goes, which its order alone remembers."""
    quoted = replace(order.quote, door=order.quote.shop)
    return Share(order_id=order.order_id, quote=quoted)


def next_step(payment: Payment, *, now: Instant) -> Step | None:
    """What is next; None when it is somebody else's turn."""
    if payment.operation is not None or payment.is_noticed:
        return Step.LOOK
    match payment.status:
        case S.NEW:
            return Step.GIVE_UP
        case S.CHALLENGED:
            return Step.LOOK
        case S.AUTHORISED | S.CAPTURED if payment.target_halalas is None and not payment.is_placed:
            return Step.PLACE
        case S.AUTHORISED | S.CAPTURED:
            if operation_due(payment, now=now) is not None:
                return Step.ASK
            return None if credit_due(payment) is None else Step.CREDIT
        case _:
            return None


def taking(payment: Payment) -> Operation:
    """What the gateway is asked for first; known to it by our own reference."""
    kind = OperationKind.AUTHORISE if payment.flow is Flow.HOLD else OperationKind.CHARGE
    return Operation(id=payment.id, kind=kind, amount_halalas=payment.amount_halalas)


def operation_due(payment: Payment, *, now: Instant) -> Operation | None:
    """What the gateway is to be asked for now that the money is held or taken.

    What is held and nobody has asked for yet is taken as a whole before the hold lapses.
    """
    target = payment.target_halalas
    if payment.status is S.AUTHORISED:
        held_until = _held_until(payment)
        if target is None and (held_until is None or now < held_until):
            return None
        target = payment.amount_halalas if target is None else target
        kind = OperationKind.CAPTURE if target else OperationKind.VOID
        is_partial = MATRIX[payment.gateway].partial_capture
        # Who cannot take a part takes all, and gives the rest back.
        amount = target if target and is_partial else payment.amount_halalas
        return Operation(id=_id(payment, kind.value), kind=kind, amount_halalas=amount)
    refund = _refund_due(payment, RefundTo.SOURCE)
    if refund is None:
        return None
    return Operation(
        id=refund.id,
        kind=OperationKind.REFUND,
        amount_halalas=refund.amount_halalas,
        before_halalas=payment.refunded_halalas,
    )


def credit_due(payment: Payment) -> Refund | None:
    """What is to go to the customer's wallet."""
    return _refund_due(payment, RefundTo.WALLET)


def ask(payment: Payment, operation: Operation, *, now: Instant) -> Decision:
    """To be stored before the gateway is asked: from now on nobody knows, until it is seen."""
    assert payment.operation is None, "one thing at a time is asked of a gateway"
    asked = replace(operation, asked_at=now)
    event = GatewayAsked(
        at=now,
        operation_id=asked.id,
        kind=asked.kind,
        amount_halalas=asked.amount_halalas,
    )
    return decided(evolve(payment, status=S.UNKNOWN, operation=asked), (event,), now=now)


def give_up(payment: Payment, *, now: Instant) -> Decision:
    """What was to be charged is gone with the process that knew it; the gateway never heard."""
    event = PaymentDeclined(at=now, reason="interrupted")
    return decided(evolve(payment, status=S.DECLINED, reason=event.reason), (event,), now=now)


def noticed(payment: Payment, notice_id: str, *, now: Instant) -> Decision:
    """The gateway has sent word; it is asked what happened, and the word itself is not believed."""
    event = GatewayNoticed(at=now, notice_id=notice_id)
    return decided(evolve(payment, is_noticed=True), (event,), now=now)


def tried(payment: Payment, *, now: Instant) -> Decision:
    """What was to be done came to nothing for now, and is tried again later."""
    return decided(evolve(payment, tries=payment.tries + 1), (), now=now)


def placed(payment: Payment, *, now: Instant) -> Decision:
    """Its order is stored."""
    later = evolve(payment, is_placed=True, orders=(), tries=0)
    return decided(later, (PaidOrderPlaced(at=now),), now=now)


def not_placed(payment: Payment, code: str, *, now: Instant) -> Decision:
    """Its order was refused for good, so nothing is kept."""
    events = (PaidOrderRefused(at=now, code=code), TargetSet(at=now, target_halalas=0))
    refused = evolve(payment, target_halalas=0, orders=(), reason=code, tries=0)
    later = with_excess_returned(refused, now=now)
    return decided(later, events, now=now)


def with_excess_returned(payment: Payment, *, now: Instant) -> Payment:
    """What was captured beyond the target is to go back; nothing while it is not known."""
    target = payment.target_halalas
    if payment.status is not PaymentStatus.CAPTURED or target is None:
        return payment
    of_sale = sum(
        one.from_sale_halalas for one in payment.refunds if one.status is not RefundStatus.REJECTED
    )
    excess = payment.refundable_halalas + of_sale - target
    if excess <= 0:
        return payment
    rest = Refund(
        # As much may be promised twice, when something that waited was rejected meanwhile.
        id=_id(payment, "rest", f"after {len(payment.refunds)}", str(target)),
        amount_halalas=excess,
        reason=payment.rest_reason,
        to=payment.goes_back_to,
        status=RefundStatus.DUE,
        asked_at=now,
        asked_by=payment.customer_id,
    )
    return replace(payment, refunds=(*payment.refunds, rest))


def decided(
    payment: Payment, events: tuple[Event, ...], effects: tuple[Effect, ...] = (), *, now: Instant
) -> Decision:
    """The payment with the time at which somebody must look after it, should nobody do so now."""
    later = replace(payment, due_at=_due_at(payment, now))
    return Decision(changes=(Change(later, events),), effects=effects)


def _due_at(payment: Payment, now: Instant) -> Instant | None:
    if payment.is_noticed:
        return now
    if next_step(payment, now=now) is None:
        return _held_until(payment) if payment.status is S.AUTHORISED else None
    pause_ms = _BACKOFF.wait_ms(payment.tries)
    if payment.operation is None or payment.operation.kind in TAKING:
        # Somebody waits for it, and a quote does not wait long.
        pause_ms = min(pause_ms, 30 * SECOND_MS)
    return now + pause_ms


def _held_until(payment: Payment) -> Instant | None:
    lasts_ms = HOLD_LASTS_MS.get(payment.gateway)
    return None if lasts_ms is None else payment.made_at + lasts_ms


def _refund_due(payment: Payment, to: RefundTo) -> Refund | None:
    if payment.status is not S.CAPTURED:
        return None
    due = (one for one in payment.refunds if one.status is RefundStatus.DUE and one.to is to)
    return next(due, None)


def _id(payment: Payment, *names: str) -> str:
    return derived_id("payment operation", payment.id, *names)
