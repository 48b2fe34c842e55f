"""A courier's work: the same words as over the socket, carried out as the same commands."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body

from api.bodies import DutyBody, ProgressBody, ReasonBody, WaitingPointBody
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_COMMAND, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.parts import Parts
from api.sending import in_turn
from api.sockets.courier_words import execute_words, weight_of
from api.sockets.frames import (
    Accept,
    Acknowledge,
    CourierFrame,
    Decline,
    Duty,
    HandoverWords,
    Progress,
    ReachedWaitingPoint,
)
from api.work_answers import DutyChanged, OfferAnswered, ProgressTaken, WaitingPointTaken, WorkShown
from engine.couriers.messages import (
    BREAK_TIME,
    BUSY_ELSEWHERE,
    COURIER_BUSY,
    COURIER_STATE,
    NOT_YOUR_ORDER,
    OFFER_CLOSED,
    OFFER_EXPIRED,
    SHIFT_BEGIN,
    SHIFT_OVER,
    TOO_MANY_EARLY,
    UNKNOWN_COURIER,
    UNKNOWN_OFFER,
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    EndBreak,
    GoOffDuty,
    GoOnDuty,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
)
from engine.dispatch.view import work_view
from engine.geo.zone import OUTSIDE_ZONES, UNKNOWN_ZONE
from engine.identity.access import Permission
from engine.identity.profiles import NOT_VERIFIED, SUSPENDED
from engine.kernel.messages import Caller
from engine.kernel.refusals import UNAVAILABLE
from engine.orders.cash import CASH_DUE, NOT_CASH
from engine.orders.messages import ORDER_STATE, PIN_LOCKED, WRONG_PIN
from engine.orders.proof import NO_NEIGHBOUR, NO_PHOTO_CONSENT, PROOF_MISSING

router = APIRouter(prefix="/v1/courier", tags=["couriers"])
_ANSWERING = (*WITH_COMMAND, UNKNOWN_COURIER, UNKNOWN_OFFER, OFFER_EXPIRED, OFFER_CLOSED)


async def _do(parts: Parts, caller: Caller, frame: CourierFrame) -> Json:
    work = partial(execute_words, parts, caller, frame)
    answer = await in_turn(parts, f"courier:{caller.user_id}", weight_of(frame), work)
    if answer.refusal is not None:
        raise Refused(answer.refusal)
    return Json(answer.reply)


@router.get("", responses=answers(200, WorkShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_COURIER))
async def get_work(
    caller: Annotated[Caller, granted(Permission.SEE_WORK)], parts: PartsDep
) -> Json:
    """The work view."""
    shown = await parts.bus.snapshot(f"courier:{caller.user_id}")
    if shown is not None:
        return Json(shown.body)
    # Who is off duty is in no cell.
    courier = await parts.store.find_courier(caller.user_id)
    if courier is None:
        raise Refused(UNKNOWN_COURIER())
    if courier.route:
        raise Refused(UNAVAILABLE())
    return Json(work_view(courier, None, {}))


@router.post(
    "/duty",
    responses=answers(
        200,
        DutyChanged,
        *WITH_COMMAND,
        NOT_VERIFIED,
        SUSPENDED,
        OUTSIDE_ZONES,
        UNKNOWN_ZONE,
        UNKNOWN_COURIER,
        COURIER_STATE,
        COURIER_BUSY,
        BREAK_TIME,
        SHIFT_BEGIN,
        SHIFT_OVER,
        BUSY_ELSEWHERE,
    ),
)
async def change_duty(
    body: Annotated[DutyBody, Body()],
    key: Key,
    caller: Annotated[Caller, granted(GoOnDuty, GoOffDuty, TakeBreak, EndBreak)],
    parts: PartsDep,
) -> Json:
    """Go on duty, stop, rest, or go on."""
    return await _do(parts, caller, Duty(id=key, **body.model_dump()))


@router.post("/offers/{offer_id}/acknowledge", responses=answers(200, OfferAnswered, *_ANSWERING))
async def acknowledge_offer(
    offer_id: PathId,
    key: Key,
    caller: Annotated[Caller, granted(AcknowledgeOffer)],
    parts: PartsDep,
) -> Json:
    """The phone shows it."""
    return await _do(parts, caller, Acknowledge(id=key, offer_id=offer_id))


@router.post("/offers/{offer_id}/accept", responses=answers(200, OfferAnswered, *_ANSWERING))
async def accept_offer(
    offer_id: PathId, key: Key, caller: Annotated[Caller, granted(AcceptOffer)], parts: PartsDep
) -> Json:
    """Take the trip."""
    return await _do(parts, caller, Accept(id=key, offer_id=offer_id))


@router.post("/offers/{offer_id}/decline", responses=answers(200, OfferAnswered, *_ANSWERING))
async def decline_offer(
    offer_id: PathId,
    body: ReasonBody,
    key: Key,
    caller: Annotated[Caller, granted(DeclineOffer)],
    parts: PartsDep,
) -> Json:
    """Do not; these orders are never asked about again."""
    return await _do(parts, caller, Decline(id=key, offer_id=offer_id, reason=body.reason))


@router.post(
    "/progress",
    responses=answers(
        200,
        ProgressTaken,
        *WITH_COMMAND,
        UNKNOWN_COURIER,
        NOT_YOUR_ORDER,
        ORDER_STATE,
        TOO_MANY_EARLY,
        WRONG_PIN,
        PIN_LOCKED,
        PROOF_MISSING,
        CASH_DUE,
        NOT_CASH,
        NO_PHOTO_CONSENT,
        NO_NEIGHBOUR,
    ),
)
async def report_progress(
    body: ProgressBody,
    key: Key,
    caller: Annotated[Caller, granted(ReportProgress)],
    parts: PartsDep,
) -> Json:
    """Something happened to an order that the courier carries."""
    said = body.model_dump(exclude={"handover"})
    handover = None if body.handover is None else HandoverWords(**body.handover.model_dump())
    return await _do(parts, caller, Progress(id=key, **said, handover=handover))


@router.post(
    "/waiting-point", responses=answers(200, WaitingPointTaken, *WITH_COMMAND, UNKNOWN_COURIER)
)
async def reach_waiting_point(
    body: WaitingPointBody,
    key: Key,
    caller: Annotated[Caller, granted(ReachWaitingPoint)],
    parts: PartsDep,
) -> Json:
    """The courier is where he was asked to wait; saying so without being asked changes nothing."""
    return await _do(parts, caller, ReachedWaitingPoint(id=key, **body.model_dump()))
