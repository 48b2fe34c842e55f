"""Tips, from the customer to who brought the gift."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from actors.ledger import LedgerKeeper
from api.bodies import Body
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.order_views import find_visible
from api.sending import id_of_command
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.money.ledger import NOT_ENOUGH, TRANSFER_CHANGED
from engine.money.tips import NOT_DELIVERED, TIP_HALALAS_MAX, TIP_TOO_LATE, tip
from engine.orders.messages import UNKNOWN_ORDER

router = APIRouter(prefix="/v1/orders/{order_id}", tags=["money"])


class TipBody(Body):
    """How much, out of the customer's wallet."""

    halalas: Annotated[int, Field(ge=1, le=TIP_HALALAS_MAX)]


class TipGiven(BaseModel):
    """The courier has it in his wallet."""

    order_id: str
    halalas: int
    transfer_id: str


@router.post(
    "/tip",
    status_code=201,
    responses=answers(
        201,
        TipGiven,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_ORDER,
        NOT_DELIVERED,
        TIP_TOO_LATE,
        NOT_ENOUGH,
        KEY_REUSED,
    ),
)
async def tip_courier(
    order_id: PathId,
    body: TipBody,
    *,
    key: Key,
    customer: Annotated[Caller, granted(Permission.TIP_COURIER)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Give the courier something on top, out of your wallet, until two weeks after the delivery."""
    order = await find_visible(parts, customer, order_id)
    cause = id_of_command(customer, f"POST /v1/orders/{order_id}/tip", key)
    given = tip(order, body.halalas, cause=cause, now=parts.clock.now())
    if isinstance(given, Refusal):
        raise Refused(given)
    ledger: LedgerKeeper = request.app.state.ledger
    entered = await ledger.enter(given)
    if isinstance(entered, Refusal):
        is_reused = entered.code == TRANSFER_CHANGED.code
        raise Refused(KEY_REUSED() if is_reused else entered)
    told = {"order_id": order_id, "halalas": body.halalas, "transfer_id": given.id}
    return Json(told, 201)
