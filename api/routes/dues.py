"""What an order costs beyond what was paid for it: paid with the change, later, or given up."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from msgspec.structs import replace

from actors.payments import Payments
from api.bodies import Body, ChangeBody, Reason
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_KEY, WITH_STORE, WITH_TOKEN, answers
from api.due_answers import OrderDueShown, due_shown
from api.errors import Refused
from api.json_answer import Json
from api.order_views import find_visible
from api.parts import Parts
from api.paying import PAYING, PaidWith, charged
from api.payment_answers import PaymentShown, shown
from api.refusals import INVALID_REQUEST
from api.routes.changes import change_wanted
from api.sending import id_of_command
from engine.audit.record import Action, acted
from engine.dispatch.change import to_pay
from engine.identity.access import Permission
from engine.kernel.ids import PaymentId, derived_id
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, UNAVAILABLE, Refusal
from engine.orders.messages import (
    CHARGE_RISEN,
    QUOTE_EXPIRED,
    TOO_LATE_TO_CHANGE,
    UNKNOWN_ORDER,
    ChangeOrder,
)
from engine.orders.order import Order
from engine.payments.decide import paid_as
from engine.payments.dues import due_of, give_up
from engine.payments.messages import NOTHING_OWED
from engine.payments.owed import Settlement, SettlementKind, Supplementing
from engine.payments.payment import Payment

router = APIRouter(prefix="/v1/orders/{order_id}", tags=["payments"])


class ChangePaymentBody(ChangeBody, PaidWith):
    """A change as it was quoted, and what its difference is paid with."""


class GiveUpBody(Body):
    """Why it is owed no more: not rightly charged (`waived`), or not to be had.

    What is waived gets a credit note; of what is not to be had the VAT stays due.
    """

    kind: Literal["waived", "uncollectable"]
    reason: Reason


@router.post(
    "/change-payments",
    status_code=201,
    responses=answers(
        201,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        *PAYING,
        UNKNOWN_ORDER,
        TOO_LATE_TO_CHANGE,
        CHARGE_RISEN,
        QUOTE_EXPIRED,
        NOTHING_OWED,
        UNAVAILABLE,
    ),
)
async def pay_change(
    order_id: PathId,
    body: ChangePaymentBody,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Pay what a change costs in addition; it is made as soon as the money is held or taken.

    What could not be made (`reason` says why) is paid for by nobody.
    """
    order = await find_visible(parts, caller, order_id)
    command_id = id_of_command(caller, f"POST /v1/orders/{order_id}/change-payments", key)
    payment_id = PaymentId(derived_id("payment", command_id))
    command = await change_wanted(parts, order, body)
    known = await parts.payments.find(payment_id)
    what = _supplement(order, command, 0)
    if known is None:
        what = replace(what, halalas=_difference(order, command, caller, parts.clock.now()))
    made = await charged(
        request,
        caller,
        body,
        payment_id=payment_id,
        what=what,
        is_for_it=lambda payment: payment.order_id == paid_as(what),
    )
    return Json(shown(made), 201)


@router.get(
    "/due",
    responses=answers(200, OrderDueShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER, INVALID_REQUEST),
)
async def get_due(
    order_id: PathId,
    caller: Annotated[Caller, granted(Permission.SEE_PAYMENT)],
    parts: PartsDep,
) -> Json:
    """What is still to be paid for an order, and what became of what was."""
    order = await find_visible(parts, caller, order_id)
    return Json(due_shown(order, await _first_of(parts, order)))


@router.post(
    "/due/payments",
    status_code=201,
    responses=answers(
        201,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        *WITH_KEY,
        *PAYING,
        UNKNOWN_ORDER,
        NOTHING_OWED,
        UNAVAILABLE,
    ),
)
async def pay_due(
    order_id: PathId,
    body: PaidWith,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.PAY)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Pay all that is owed for an order that is over: fees of attempts, and a dearer way back."""
    order = await find_visible(parts, caller, order_id)
    command_id = id_of_command(caller, f"POST /v1/orders/{order_id}/due/payments", key)
    payment_id = PaymentId(derived_id("payment", command_id))
    known = await parts.payments.find(payment_id)
    what = None if known is None else known.supplement
    made = await charged(
        request,
        caller,
        body,
        payment_id=payment_id,
        what=what or _due(order, await _first_of(parts, order)),
    )
    return Json(shown(made), 201)


@router.post(
    "/due/write-off",
    responses=answers(
        200,
        OrderDueShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_ORDER,
        NOTHING_OWED,
        KEY_REUSED,
    ),
)
async def write_off_due(
    order_id: PathId,
    body: GiveUpBody,
    *,
    key: Key,
    operator: Annotated[Caller, granted(Permission.WRITE_OFF)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Ask for what is owed no more; who, why and how much is on record."""
    order = await find_visible(parts, operator, order_id)
    first = await _first_of(parts, order)
    if first is None:
        raise Refused(NOTHING_OWED())
    wish = Settlement(
        id=id_of_command(operator, f"POST /v1/orders/{order_id}/due/write-off", key),
        order_id=order.id,
        kind=SettlementKind(body.kind),
        halalas=0,
        at=parts.wall.now(),
        by=operator.user_id,
        note=body.reason,
    )
    told = {"kind": body.kind, "halalas": first.owed_for(order.id), "settlement_id": wish.id}
    record = acted(
        operator,
        Action.WRITE_OFF,
        f"order:{order.id}",
        at=wish.at,
        after=told,
        reason=body.reason,
    )
    # Recorded first: what is given up is never without its record.
    await parts.audit.record([record])
    payments: Payments = request.app.state.payments
    settled = await payments.settle(first, lambda one: give_up(one, wish))
    if isinstance(settled, Refusal):
        raise Refused(settled)
    return Json(due_shown(order, settled))


def _supplement(order: Order, command: ChangeOrder, halalas: int) -> Supplementing:
    if order.payment_id is None:
        raise Refused(NOTHING_OWED())
    return Supplementing(
        order_id=order.id,
        zone_id=order.zone_id,
        first_payment_id=order.payment_id,
        halalas=halalas,
        change=command,
    )


def _difference(order: Order, command: ChangeOrder, caller: Caller, now: int) -> int:
    """What is to be paid in addition; raises `Refused` when that is nothing or more than agreed."""
    told = to_pay(order, command, caller, now=now) or NOTHING_OWED()
    if isinstance(told, Refusal):
        raise Refused(told)
    return told


def _due(order: Order, first: Payment | None) -> Supplementing:
    due = NOTHING_OWED() if first is None else due_of(first, order.id)
    if isinstance(due, Refusal):
        raise Refused(due)
    return due


async def _first_of(parts: Parts, order: Order) -> Payment | None:
    """What the order was paid with when it was placed."""
    return None if order.payment_id is None else await parts.payments.find(order.payment_id)
