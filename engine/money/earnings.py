"""What couriers earn, as transfers: decided with what they are earned by, entered once."""

from engine.couriers.courier import Courier, WentOffDuty
from engine.kernel.ids import CourierId, EffectId, derived_id
from engine.kernel.messages import Decision, Event
from engine.kernel.timing import Instant
from engine.money.accounts import AccountKind, account
from engine.money.transfers import EnterTransfer, Transfer, TransferId, TransferReason, move
from engine.orders.order import Order, OrderCancelled, OrderDelivered, OrderReturned
from engine.pricing.pay import PayLine, PayLineKind, guarantee, total


def about_order(order_id: str) -> str:
    """What a transfer that belongs to an order is about."""
    return f"order:{order_id}"


def earnings_for(decision: Decision) -> tuple[EnterTransfer, ...]:
    """What is earned because of a decision; the same decision gives the same transfers."""
    found = []
    for change in decision.changes:
        for event in change.events:
            if isinstance(change.thing, Order):
                found.append(_of_order(change.thing, event))
            elif isinstance(change.thing, Courier):
                found.append(_of_shift(change.thing, event))
    return tuple(
        EnterTransfer(id=EffectId(derived_id("enter", one.id)), transfer=one)
        for one in found
        if one is not None
    )


def lines_of(transfer: Transfer) -> tuple[PayLine, ...]:
    """For what a transfer pays a courier, line by line; none when it is no earning."""
    if transfer.reason is not TransferReason.EARNING:
        return ()
    sides = (leg.account.partition(":") for leg in transfer.legs)
    return tuple(
        PayLine(kind=PayLineKind(owner), halalas=-leg.amount)
        for (kind, _, owner), leg in zip(sides, transfer.legs, strict=True)
        if kind == AccountKind.COURIER_PAY
    )


def _of_order(order: Order, event: Event) -> Transfer | None:
    if order.pay is None:
        return None
    match event:
        case OrderDelivered():
            lines, courier_id = order.pay.delivered(order.waited_s), order.courier_id
        case OrderReturned():
            lines, courier_id = order.pay.returned(order.waited_s), order.courier_id
        case OrderCancelled():
            lines, courier_id = order.pay.cancelled(), event.courier_id
        case _:
            return None
    if courier_id is None:
        return None
    return _earning(
        courier_id, lines, cause=("earning", order.id), at=event.at, about=about_order(order.id)
    )


def _of_shift(courier: Courier, event: Event) -> Transfer | None:
    """What is missing of the guarantee when a shift ends."""
    if not isinstance(event, WentOffDuty):
        return None
    shift = courier.shift
    lines = guarantee(
        shift.guarantee_per_h_halalas, busy_ms=shift.busy_ms, earned_halalas=shift.earned_halalas
    )
    return _earning(
        courier.id,
        lines,
        cause=("guarantee", courier.id, str(courier.version)),
        at=event.at,
        about=f"shift:{courier.id}",
    )


def _earning(
    courier_id: CourierId,
    lines: tuple[PayLine, ...],
    *,
    cause: tuple[str, ...],
    at: Instant,
    about: str,
) -> Transfer | None:
    if not total(lines):
        return None
    amounts = {
        account(AccountKind.COURIER_WALLET, courier_id): total(lines),
        **{account(AccountKind.COURIER_PAY, one.kind): -one.halalas for one in lines},
    }
    return Transfer(
        id=TransferId(derived_id(*cause)),
        reason=TransferReason.EARNING,
        legs=move(amounts),
        effective_at=at,
        about=about,
    )
