"""Taking a transfer back, for those who keep the books."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from actors.corrections import Corrections
from api.answer import Answer
from api.bodies import Body, Reason
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.kernel.pages import LAST_INSTANT
from engine.kernel.refusals import Refusal
from engine.money.corrections import NOT_BY_HAND, NOT_YET, UNKNOWN_TRANSFER
from engine.money.ledger import NOT_ENOUGH, NOT_REVERSIBLE
from engine.money.transfers import TransferId

router = APIRouter(prefix="/v1", tags=["money"])


class CorrectionBody(Body):
    """Why, and the day for which it counts in the books: today if none is told."""

    reason: Reason
    effective_at: Annotated[int | None, Field(ge=0, le=LAST_INSTANT)] = None


class CorrectionShown(Answer):
    """The reversal: its place in the ledger, and the day for which it counts."""

    transfer_id: str
    reverses: str
    number: int
    at: int
    effective_at: int


@router.post(
    "/transfers/{transfer_id}/reversal",
    status_code=201,
    responses=answers(
        201,
        CorrectionShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_TRANSFER,
        NOT_BY_HAND,
        NOT_YET,
        NOT_REVERSIBLE,
        NOT_ENOUGH,
    ),
)
async def reverse_transfer(
    transfer_id: PathId,
    body: CorrectionBody,
    *,
    key: Key,
    accountant: Annotated[Caller, granted(Permission.CORRECT_BOOKS)],
    parts: PartsDep,
    request: Request,
) -> Json:
    """Take back credit or a tip that was given by mistake; the transfer itself stays."""
    # A transfer is taken back once whatever the key.
    del key
    corrections = Corrections(request.app.state.ledger, parts.ledger, parts.audit, wall=parts.wall)
    told = await corrections.take_back(
        TransferId(transfer_id),
        effective_at=body.effective_at,
        by=accountant,
        reason=body.reason,
    )
    if isinstance(told, Refusal):
        raise Refused(told)
    return Json(
        {
            "transfer_id": told.transfer.id,
            "reverses": transfer_id,
            "number": told.number,
            "at": told.at,
            "effective_at": told.transfer.effective_at,
        },
        201,
    )
