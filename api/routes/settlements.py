"""Settlement files of gateways against the ledger: runs, what breaks, and what becomes of that."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from actors.reconciling import Settlements
from actors.settlement_files import BadFile, parse_settlement
from api.bodies import Body, Reason, Storable
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import SETTLEMENT_BREAKS, SETTLEMENT_RUNS
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from api.sending import id_of_command
from api.settlement_answers import (
    BreakLinesShown,
    BreaksShown,
    FeedsShown,
    RunShown,
    RunsShown,
    break_shown,
    feeds_shown,
    lines_shown,
    run_shown,
)
from engine.identity.access import Permission
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, UNAVAILABLE, Refusal
from engine.money.breaks import (
    BREAK_DECIDED,
    NOT_YOUR_WRITE_OFF,
    UNKNOWN_BREAK,
    UNREADABLE_SETTLEMENT,
    BreakId,
    RunId,
    SettlementBreak,
)

router = APIRouter(prefix="/v1", tags=["money"])
_CONTENT_MAX = 200_000
Accountant = Annotated[Caller, granted(Permission.RECONCILE)]


class SettlementFileBody(Body):
    """A settlement file (CSV of Moyasar, Stripe or PayPal); larger ones go into the folder.

    A dry run tells what would match and break, and changes nothing.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=100), Storable]
    content: Annotated[str, Field(min_length=1, max_length=_CONTENT_MAX)]
    is_dry: bool = False


class BreakDecisionBody(Body):
    """`resolved`: the ledger is right; `written_off`: given up, and entered as unexplained."""

    outcome: Literal["resolved", "written_off"]
    reason: Reason


class WriteOffApprovalBody(Body):
    """Whether a write-off may be entered."""

    approved: bool


@router.post(
    "/settlement-runs",
    status_code=201,
    responses=answers(
        201,
        RunShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNREADABLE_SETTLEMENT,
        KEY_REUSED,
        UNAVAILABLE,
    ),
)
async def run_settlement(
    body: SettlementFileBody, *, key: Key, by: Accountant, request: Request
) -> Json:
    """Hold a gateway's settlement file against the ledger; what matches is settled, once."""
    try:
        file = parse_settlement(body.name, body.content)
    except BadFile as fault:
        raise Refused(UNREADABLE_SETTLEMENT(why=str(fault))) from None
    settlements: Settlements = request.app.state.settlements
    run_id = RunId(id_of_command(by, "POST /v1/settlement-runs", key))
    known = None if body.is_dry else await settlements.find_run(run_id)
    if known is not None:
        if known.digest != file.digest:
            raise Refused(KEY_REUSED())
        return Json(run_shown(known), 201)
    outcome = await settlements.run(file, run_id=run_id, by=by, is_dry=body.is_dry)
    oldest = sorted(outcome.found.breaks, key=lambda one: -one.age_days) if body.is_dry else ()
    shown = run_shown(outcome.run, is_dry=body.is_dry, found=tuple(oldest))
    return Json(shown, 201)


@router.get(
    "/settlement-runs", responses=answers(200, RunsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)
)
async def list_settlement_runs(
    _: Accountant, parts: PartsDep, paging: Annotated[Paging, listed(SETTLEMENT_RUNS)]
) -> Json:
    """Which settlement files were held against the ledger, and what came of it."""
    page = await parts.settlements.list_runs(paging.wanted)
    return paging.answer(page, "runs", [run_shown(one) for one in page.rows])


@router.get("/settlement-feeds", responses=answers(200, FeedsShown, *WITH_TOKEN, *WITH_STORE))
async def list_settlement_feeds(_: Accountant, parts: PartsDep) -> Json:
    """How far each gateway's settlements were fetched, and what failed since."""
    asked = {one.gateway.value for one in parts.settlement_sources}
    feeds = await parts.settlements.list_feeds()
    return Json({"feeds": feeds_shown(feeds, asked, parts.wall.now())})


@router.get(
    "/settlement-breaks",
    responses=answers(200, BreaksShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST),
)
async def list_settlement_breaks(
    _: Accountant, parts: PartsDep, paging: Annotated[Paging, listed(SETTLEMENT_BREAKS)]
) -> Json:
    """What settlement files and the ledger do not agree on, the oldest first."""
    page, now = await parts.settlements.list_breaks(paging.wanted), parts.wall.now()
    return paging.answer(page, "breaks", [break_shown(one, now) for one in page.rows])


@router.get(
    "/settlement-breaks/{break_id}",
    responses=answers(
        200, BreakLinesShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_BREAK, INVALID_REQUEST
    ),
)
async def get_settlement_break(break_id: PathId, _: Accountant, parts: PartsDep) -> Json:
    """A break with the lines of the file and the items of the ledger that are in it."""
    found = await parts.settlements.find_breaks([BreakId(break_id)])
    return _told(next(iter(found), UNKNOWN_BREAK()), parts.wall.now())


@router.post(
    "/settlement-breaks/{break_id}/decision",
    responses=answers(
        200,
        BreakLinesShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_BREAK,
        BREAK_DECIDED,
        UNAVAILABLE,
    ),
)
async def decide_settlement_break(
    break_id: PathId,
    body: BreakDecisionBody,
    *,
    by: Accountant,
    parts: PartsDep,
    request: Request,
) -> Json:
    """Explain a break, or give it up; much of that waits until somebody else approves."""
    settlements: Settlements = request.app.state.settlements
    decided = await settlements.decide(
        BreakId(break_id),
        is_written_off=body.outcome == "written_off",
        note=body.reason,
        by=by,
    )
    return _told(decided, parts.wall.now())


@router.post(
    "/settlement-breaks/{break_id}/approval",
    responses=answers(
        200,
        BreakLinesShown,
        *WITH_BODY,
        *WITH_TOKEN,
        *WITH_STORE,
        UNKNOWN_BREAK,
        BREAK_DECIDED,
        NOT_YOUR_WRITE_OFF,
        UNAVAILABLE,
    ),
)
async def judge_write_off(
    break_id: PathId,
    body: WriteOffApprovalBody,
    *,
    by: Accountant,
    parts: PartsDep,
    request: Request,
) -> Json:
    """Approve a write-off that somebody else asked for, or have it looked for again."""
    settlements: Settlements = request.app.state.settlements
    judged = await settlements.judge(BreakId(break_id), is_approved=body.approved, by=by)
    return _told(judged, parts.wall.now())


def _told(found: SettlementBreak | Refusal, now: int) -> Json:
    if isinstance(found, Refusal):
        raise Refused(found)
    return Json(lines_shown(found, now))
