"""Holding a courier's money while it is disputed whose it is."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from actors.disputes import Disputes
from api.answer import PageAnswer
from api.bodies import Body, Reason
from api.deps import IdText, Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import DISPUTES
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from engine.couriers.messages import UNKNOWN_COURIER
from engine.identity.access import Permission
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.orders.messages import UNKNOWN_ORDER
from engine.payouts.dispute import (
    DISPUTE_CLOSED,
    UNKNOWN_DISPUTE,
    Dispute,
    DisputeId,
    DisputeStatus,
)

router = APIRouter(prefix="/v1/disputes", tags=["money"])
HALALAS_MAX = 1_000_000
Judge = Annotated[Caller, granted(Permission.JUDGE_DISPUTES)]


class DisputeBody(Body):
    """How much of whose is held, and because of which order."""

    courier_id: IdText
    order_id: IdText
    halalas: Annotated[int, Field(ge=1, le=HALALAS_MAX)]
    reason: Reason


class OutcomeBody(Body):
    """`released`: it is the courier's; `upheld`: it is ours, for what it has cost us."""

    outcome: Literal["released", "upheld"]
    reason: Reason


class DisputeShown(BaseModel):
    """A dispute, and what is or was held because of it."""

    dispute_id: str
    courier_id: str
    order_id: str
    halalas: int
    reason: str
    status: str
    opened_at: int
    closed_at: int | None


class DisputesShown(PageAnswer):
    """A page of disputes."""

    disputes: list[DisputeShown]


@router.post(
    "",
    status_code=201,
    responses=answers(
        201,
        DisputeShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_COURIER,
        UNKNOWN_ORDER,
        KEY_REUSED,
    ),
)
async def open_dispute(
    body: DisputeBody, key: Key, judge: Judge, *, parts: PartsDep, request: Request
) -> Json:
    """Hold some of a courier's money because of an order; what his wallet lacks he owes.

    Of an order that he gave away it may be, too.
    """
    courier = await parts.store.find_courier(CourierId(UserId(body.courier_id)))
    if courier is None:
        raise Refused(UNKNOWN_COURIER())
    order = await parts.store.find_order(OrderId(body.order_id))
    if order is None:
        raise Refused(UNKNOWN_ORDER())
    disputes: Disputes = request.app.state.disputes
    opened = await disputes.open(
        courier.id,
        order.id,
        body.halalas,
        reason=body.reason,
        cause=id_of_command(judge, "POST /v1/disputes", key),
        by=judge,
    )
    return Json(_shown(opened), 201)


@router.get("", responses=answers(200, DisputesShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST))
async def list_disputes(
    _: Judge, parts: PartsDep, paging: Annotated[Paging, listed(DISPUTES)]
) -> Json:
    """Disputes that are open, or were decided one way or the other; newest first."""
    page = await parts.payouts.list_disputes(paging.wanted)
    return paging.answer(page, "disputes", [_shown(one) for one in page.rows])


@router.post(
    "/{dispute_id}/close",
    responses=answers(
        200, DisputeShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, UNKNOWN_DISPUTE, DISPUTE_CLOSED
    ),
)
async def close_dispute(
    dispute_id: PathId, body: OutcomeBody, judge: Judge, request: Request
) -> Json:
    """Decide a dispute, once."""
    disputes: Disputes = request.app.state.disputes
    outcome = DisputeStatus(body.outcome)
    closed = await disputes.close(DisputeId(dispute_id), outcome, reason=body.reason, by=judge)
    return Json(_shown(closed))


def _shown(told: Dispute | Refusal) -> dict[str, Any]:
    if isinstance(told, Refusal):
        raise Refused(told)
    return {
        "dispute_id": told.id,
        "courier_id": told.courier_id,
        "order_id": told.order_id,
        "halalas": told.halalas,
        "reason": told.reason,
        "status": told.status.value,
        "opened_at": told.opened_at,
        "closed_at": told.closed_at,
    }
