"""What other parameters would have done on the last hours, for operators."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from msgspec import to_builtins

from api.answers import WhatIfShown, WhatIfsShown
from api.deps import Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Invalid, Refused
from api.json_answer import Json
from api.list_queries import WHAT_IFS
from api.paging import Paging, listed
from api.parameters_in import parameters_in
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from api.sending import fingerprint, id_of_command
from api.what_ifs import WhatIfs
from api.zone_bodies import WhatIfBody
from engine import what_if as rules
from engine.geo.bounds import faults_in
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import BAD_PARAMETERS, UNKNOWN_ZONE, Zone
from engine.identity.access import Permission
from engine.kernel.ids import ZoneId, derived_id
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.kernel.timing import HOUR_MS
from engine.what_if import Asked, WhatIf, WhatIfId
from simulations.metrics import BY_NAME
from simulations.recent import Recent, TooManyOrders, read_zone
from simulations.what_if import Job

router = APIRouter(prefix="/v1/zones/{zone_id}/what-if", tags=["zones"])
_SEEING = (*WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)


async def _what_ifs(request: Request) -> WhatIfs:
    found: WhatIfs = request.app.state.what_ifs
    return found


WhatIfsDep = Annotated[WhatIfs, Depends(_what_ifs)]


@router.post(
    "",
    status_code=202,
    responses=answers(
        202,
        WhatIfShown,
        *WITH_BODY,
        *_SEEING,
        KEY_REUSED,
        UNKNOWN_ZONE,
        BAD_PARAMETERS,
        rules.SAME_PARAMETERS,
        rules.NOTHING_TO_REPLAY,
        rules.TOO_MUCH_TO_REPLAY,
        rules.TOO_MANY_WHAT_IFS,
    ),
)
async def ask(
    zone_id: PathId,
    body: WhatIfBody,
    *,
    key: Key,
    caller: Annotated[Caller, granted(Permission.TRY_WHAT_IF)],
    parts: PartsDep,
    what_ifs: WhatIfsDep,
) -> Json:
    """Live the last hours again under other parameters and under those in force, and compare."""
    what_if_id = _id_of(caller, zone_id, key)
    digest = fingerprint(body.model_dump(mode="json"))
    if before := await parts.what_ifs.find(what_if_id):
        return Json(_shown(_the_same(before, digest)), 202)
    zone = await _zone(parts, zone_id)
    tried = _tried(parts, body, zone)
    if not what_ifs.take_place(what_if_id):
        raise Refused(rules.TOO_MANY_WHAT_IFS())
    try:
        recent = await _recent(parts, zone, body.hours)
        asked = rules.ask(
            what_if_id,
            Asked(
                zone_id=zone.id,
                author=caller.user_id,
                at=parts.clock.now(),
                fingerprint=digest,
                since=recent.since,
                until=recent.until,
                runs=body.runs,
                leading=body.metric,
                in_force=zone.parameters,
                tried=tried,
            ),
            now=parts.wall.now(),
        )
        if await parts.what_ifs.save(asked):
            what_ifs.begin(asked, _job(asked, recent))
            return Json(_shown(asked), 202)
    finally:
        what_ifs.give_back(what_if_id)
    before = await parts.what_ifs.find(what_if_id)
    assert before is not None
    return Json(_shown(_the_same(before, digest)), 202)


@router.get("", responses=answers(200, WhatIfsShown, *_SEEING, UNKNOWN_ZONE))
async def list_what_ifs(
    zone_id: PathId,
    _: Annotated[Caller, granted(Permission.TRY_WHAT_IF)],
    parts: PartsDep,
    *,
    what_ifs: WhatIfsDep,
    paging: Annotated[Paging, listed(WHAT_IFS)],
) -> Json:
    """What was asked of a zone, newest first."""
    await _zone(parts, zone_id)
    page = await parts.what_ifs.list_of(ZoneId(zone_id), paging.wanted)
    shown = [_shown(await what_ifs.seen(one)) for one in page.rows]
    return paging.answer(page, "what_ifs", shown)


@router.get("/{what_if_id}", responses=answers(200, WhatIfShown, *_SEEING, rules.UNKNOWN_WHAT_IF))
async def get_what_if(
    zone_id: PathId,
    what_if_id: PathId,
    _: Annotated[Caller, granted(Permission.TRY_WHAT_IF)],
    parts: PartsDep,
    what_ifs: WhatIfsDep,
) -> Json:
    """How far it is, and in the end what could be shown."""
    return Json(_shown(await what_ifs.seen(await _find(parts, zone_id, what_if_id))))


@router.post(
    "/{what_if_id}/cancel",
    responses=answers(200, WhatIfShown, *_SEEING, rules.UNKNOWN_WHAT_IF, rules.WHAT_IF_ENDED),
)
async def cancel(
    zone_id: PathId,
    what_if_id: PathId,
    _: Annotated[Caller, granted(Permission.TRY_WHAT_IF)],
    key: Key,
    parts: PartsDep,
    what_ifs: WhatIfsDep,
) -> Json:
    """Stop it; the same again changes nothing."""
    del key
    while True:
        found = await what_ifs.seen(await _find(parts, zone_id, what_if_id))
        cancelled = rules.cancel(found, now=parts.wall.now())
        if isinstance(cancelled, Refusal):
            raise Refused(cancelled)
        if cancelled == found or await parts.what_ifs.save(cancelled):
            what_ifs.drop(cancelled.id)
            return Json(_shown(cancelled))


def _id_of(caller: Caller, zone_id: str, key: str) -> WhatIfId:
    command_id = id_of_command(caller, f"POST /v1/zones/{zone_id}/what-if", key)
    return WhatIfId(derived_id("what-if", command_id))


def _the_same(before: WhatIf, digest: str) -> WhatIf:
    if before.asked.fingerprint != digest:
        raise Refused(KEY_REUSED())
    return before


async def _zone(parts: Parts, zone_id: str) -> Zone:
    zone = await parts.store.find_zone(ZoneId(zone_id))
    if zone is None:
        raise Refused(UNKNOWN_ZONE())
    return zone


async def _find(parts: Parts, zone_id: str, what_if_id: str) -> WhatIf:
    found = await parts.what_ifs.find(WhatIfId(what_if_id))
    if found is None or found.asked.zone_id != zone_id:
        raise Refused(rules.UNKNOWN_WHAT_IF())
    return found


def _tried(parts: Parts, body: WhatIfBody, zone: Zone) -> ZoneParameters:
    limits = parts.settings.what_if
    if body.metric not in BY_NAME:
        raise Invalid("/metric", f"is not known; there are {', '.join(BY_NAME)}")
    if body.hours > limits.hours_max:
        raise Invalid("/hours", f"at most {limits.hours_max:g}")
    if body.runs > limits.runs_max:
        raise Invalid("/runs", f"at most {limits.runs_max}")
    tried = parameters_in(body.parameters, zone.parameters)
    if faults := faults_in(tried):
        raise Refused(BAD_PARAMETERS(faults=faults))
    if tried == zone.parameters:
        raise Refused(rules.SAME_PARAMETERS())
    return tried


async def _recent(parts: Parts, zone: Zone, hours: float) -> Recent:
    until = parts.clock.now()
    since = until - int(hours * HOUR_MS)
    orders_max = parts.settings.what_if.orders_max
    try:
        recent = await read_zone(parts.store, zone, since=since, until=until, orders_max=orders_max)
    except TooManyOrders:
        raise Refused(rules.TOO_MUCH_TO_REPLAY(orders_max=orders_max)) from None
    if not recent.orders or not recent.spells:
        facts = {"orders": len(recent.orders), "couriers": len(recent.spells)}
        raise Refused(rules.NOTHING_TO_REPLAY(**facts))
    return recent


def _job(asked: WhatIf, recent: Recent) -> Job:
    return Job(
        recent=recent,
        tried=to_builtins(asked.asked.tried),
        runs=asked.asked.runs,
        leading=asked.asked.leading,
    )


def _shown(what_if: WhatIf) -> dict[str, Any]:
    asked = what_if.asked
    in_force, tried = to_builtins(asked.in_force), to_builtins(asked.tried)
    return {
        "what_if_id": what_if.id,
        "zone_id": asked.zone_id,
        "version": what_if.version,
        "status": what_if.status,
        "author": asked.author,
        "asked_at": asked.at,
        "started_at": what_if.started_at,
        "ended_at": what_if.ended_at,
        "since": asked.since,
        "until": asked.until,
        "runs": asked.runs,
        "metric": asked.leading,
        "parameters": {name: one for name, one in tried.items() if one != in_force[name]},
        "done": what_if.done,
        "total": what_if.total,
        "problem": what_if.problem,
        "result": what_if.result,
    }
