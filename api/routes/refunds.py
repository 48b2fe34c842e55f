"""Giving money back: asked for by an operator, approved by another when it is much."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from actors.payments import Payments
from api.bodies import PRICE_HALALAS_MAX, Body, Reason
from api.deps import IdText, Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.payment_answers import PaymentShown, shown
from api.routes.payments import find_payment
from api.sending import id_of_command
from engine.identity.access import Permission
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.orders.messages import UNKNOWN_ORDER
from engine.payments.messages import (
    NOT_YOUR_APPROVAL,
    ONLY_TO_WALLET,
    REFUND_DECIDED,
    REFUND_EXCEEDS,
    UNKNOWN_PAYMENT,
    UNKNOWN_REFUND,
)
from engine.payments.payment import Payment, Refund, RefundReason, RefundStatus, RefundTo
from engine.payments.refunding import decide_refund

router = APIRouter(prefix="/v1/payments/{payment_id}/refunds", tags=["payments"])


class RefundBody(Body):
    """How much is given back, why, and whether to where it came from or into the wallet.

    Of a payment for several orders `order_id` says for which one.
    """

    amount_halalas: Annotated[int, Field(ge=1, le=PRICE_HALALAS_MAX)]
    reason: Literal["goods", "courier", "late", "goodwill"]
    to: Annotated[RefundTo, Field(strict=False)] = RefundTo.SOURCE
    note: Reason
    order_id: IdText | None = None


class RefundDecisionBody(Body):
    """Whether a refund may be given."""

    approved: bool


@router.post(
    "",
    status_code=201,
    responses=answers(
        201,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_PAYMENT,
        UNKNOWN_ORDER,
        REFUND_EXCEEDS,
        ONLY_TO_WALLET,
        KEY_REUSED,
    ),
)
async def ask_refund(
    payment_id: PathId,
    body: RefundBody,
    *,
    key: Key,
    operator: Annotated[Caller, granted(Permission.REFUND)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Give a part of a payment back, or all of it; never more than was taken."""
    payment = await find_payment(parts, operator, payment_id)
    share = payment.share(None if body.order_id is None else OrderId(body.order_id))
    order_id = None if share is None else share.order_id
    order = await parts.store.find_order(order_id or payment.order_id)
    refund = Refund(
        id=id_of_command(operator, f"POST /v1/payments/{payment_id}/refunds", key),
        amount_halalas=body.amount_halalas,
        reason=RefundReason(body.reason),
        to=body.to,
        status=RefundStatus.DUE,
        asked_at=parts.wall.now(),
        asked_by=operator.user_id,
        note=body.note,
        courier_id=None if order is None else order.courier_id,
        order_id=order_id,
    )
    payments: Payments = request.app.state.payments
    return _told(await payments.refund(payment, refund), 201)


@router.post(
    "/{refund_id}/decision",
    responses=answers(
        200,
        PaymentShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_PAYMENT,
        UNKNOWN_REFUND,
        NOT_YOUR_APPROVAL,
        REFUND_DECIDED,
    ),
)
async def judge_refund(
    payment_id: PathId,
    refund_id: PathId,
    body: RefundDecisionBody,
    *,
    operator: Annotated[Caller, granted(Permission.APPROVE_REFUNDS)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Approve or reject a refund above the limit of who asked for it."""
    payment = await find_payment(parts, operator, payment_id)
    payments: Payments = request.app.state.payments
    now = parts.wall.now()
    changed = await payments.settle(
        payment,
        lambda one: decide_refund(
            one, refund_id, is_approved=body.approved, by=operator.user_id, now=now
        ),
    )
    return _told(changed, 200)


def _told(changed: Payment | Refusal, status: int) -> Json:
    if isinstance(changed, Refusal):
        raise Refused(changed)
    return Json(shown(changed), status)
