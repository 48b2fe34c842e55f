"""Points: what a customer has of them, and turning them into credit for gifts; credit from us."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from actors.gift_credit import GiftCredit
from actors.ledger import LedgerKeeper
from actors.loyalty import Loyalty
from api.bodies import Body, Reason
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.sending import id_of_command
from engine.identity.access import Permission
from engine.identity.profiles import UNKNOWN_PROFILE
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.loyalty.points import HALALAS_PER_SPENT, REDEEMED_MAX, TOO_FEW_POINTS, Lot
from engine.money.transfers import Transfer

router = APIRouter(prefix="/v1", tags=["money"])
CREDIT_HALALAS_MAX = 100_000
Customer = Annotated[Caller, granted(Permission.USE_POINTS)]


class RedeemBody(Body):
    """How many points."""

    points: Annotated[int, Field(ge=1, le=REDEEMED_MAX)]


class CreditBody(Body):
    """What is given to a customer to spend on gifts, and why."""

    halalas: Annotated[int, Field(ge=1, le=CREDIT_HALALAS_MAX)]
    reason: Reason


class LotShown(BaseModel):
    """Points of one order, from when and until when they may be spent."""

    about: str
    points: int
    from_at: int
    until_at: int


class PointsShown(BaseModel):
    """`points` may be spent now, the oldest first; `pending` may be later."""

    points: int
    pending: int
    halalas_per_point: int
    lots: list[LotShown]
    pending_lots: list[LotShown]


class CreditGiven(BaseModel):
    """It is in the customer's gift credit."""

    transfer_id: str
    halalas: int


@router.get("/wallet/points", responses=answers(200, PointsShown, *WITH_TOKEN, *WITH_STORE))
async def get_points(customer: Customer, parts: PartsDep, request: Request) -> Json:
    """Your points, order by order."""
    loyalty: Loyalty = request.app.state.loyalty
    now = parts.clock.now()
    history = await loyalty.history(customer.user_id)
    active = history.active(now)
    pending = [lot for lot in history.pending() if lot.from_at > now]
    return Json(
        {
            "points": sum(lot.points for lot in active),
            "pending": sum(lot.points for lot in pending),
            "halalas_per_point": HALALAS_PER_SPENT,
            "lots": [_lot(one) for one in active],
            "pending_lots": [_lot(one) for one in pending],
        }
    )


@router.post(
    "/wallet/points/redeem",
    status_code=201,
    responses=answers(
        201, CreditGiven, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, TOO_FEW_POINTS, KEY_REUSED
    ),
)
async def redeem_points(body: RedeemBody, key: Key, customer: Customer, request: Request) -> Json:
    """Turn points into credit for gifts."""
    loyalty: Loyalty = request.app.state.loyalty
    cause = id_of_command(customer, "POST /v1/wallet/points/redeem", key)
    made = await loyalty.redeem(customer.user_id, body.points, cause=cause)
    if isinstance(made, Refusal):
        raise Refused(made)
    return _given(made, body.points * HALALAS_PER_SPENT)


@router.post(
    "/customers/{customer_id}/gift-credit",
    status_code=201,
    responses=answers(
        201, CreditGiven, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, UNKNOWN_PROFILE, KEY_REUSED
    ),
)
async def give_credit(
    customer_id: PathId,
    body: CreditBody,
    *,
    key: Key,
    giver: Annotated[Caller, granted(Permission.GIVE_CREDIT)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Give a customer something to spend on gifts, to make up for what went wrong."""
    user_id = UserId(customer_id)
    if await parts.identity.find_profile(user_id, Role.CUSTOMER) is None:
        raise Refused(UNKNOWN_PROFILE())
    cause = id_of_command(giver, f"POST /v1/customers/{customer_id}/gift-credit", key)
    ledger: LedgerKeeper = request.app.state.ledger
    credit = GiftCredit(ledger, parts.ledger, parts.audit, clock=parts.clock)
    given = await credit.give(user_id, body.halalas, cause=cause, by=giver, reason=body.reason)
    if isinstance(given, Refusal):
        raise Refused(given)
    return _given(given, body.halalas)


def _given(transfer: Transfer, halalas: int) -> Json:
    return Json({"transfer_id": transfer.id, "halalas": halalas}, 201)


def _lot(lot: Lot) -> dict[str, object]:
    return {
        "about": lot.about,
        "points": lot.points,
        "from_at": lot.from_at,
        "until_at": lot.until_at,
    }
