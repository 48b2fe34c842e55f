"""The parameters of a zone: every version, new ones, and old ones again."""

from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from msgspec import to_builtins

from api.answers import ParameterSetsShown, ZoneChanged
from api.deps import PartsDep, PathId, granted, version_in
from api.description import WITH_COMMAND, WITH_STORE, WITH_TOKEN, answers, tagged
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import PARAMETERS
from api.paging import Paging, listed
from api.parameters_in import guard_in, parameters_in
from api.parts import Parts
from api.quoted_zones import QuotedZones
from api.refusals import IF_MATCH_MISSING, INVALID_REQUEST
from api.sending import carry_out, fingerprint, id_of_command
from api.zone_bodies import ParametersBody, RestoreBody
from api.zones_of import find_zone
from engine import listings
from engine.geo.bounds import differences
from engine.geo.guard import Guard
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import (
    BAD_PARAMETERS,
    STALE_PARAMETERS,
    UNKNOWN_VERSION,
    UNKNOWN_ZONE,
    ChangeZoneParameters,
    ParameterSet,
    Zone,
    guard_state,
)
from engine.identity.access import Permission
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Caller
from engine.kernel.timing import Instant

router = APIRouter(prefix="/v1/zones/{zone_id}/parameters", tags=["zones"])
_CHANGING = (*WITH_COMMAND, BAD_PARAMETERS, UNKNOWN_ZONE, STALE_PARAMETERS, IF_MATCH_MISSING)
IfMatch = Annotated[str | None, Header(max_length=40)]
VersionPath = Annotated[int, Path(ge=1, le=1_000_000_000)]


@router.get(
    "",
    responses=tagged(
        answers(200, ParameterSetsShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_ZONE, INVALID_REQUEST)
    ),
)
async def list_parameters(
    zone_id: PathId,
    _: Annotated[Caller, granted(Permission.SEE_PARAMETERS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(PARAMETERS)],
) -> Json:
    """Every version with its author, reason, effective time and what it turned, newest first."""
    zone = await find_zone(parts, zone_id)
    sets = await parts.store.list_parameter_sets(zone.id)
    shown = [_version(zone, one, sets, now=parts.clock.now()) for one in sets]
    for (after, before), told in zip(pairwise(sets), shown, strict=False):
        told["changes"] = differences(before.parameters, after.parameters)
    page = listings.PARAMETERS.page(sets, paging.wanted)
    told_of = {one["version"]: one for one in shown}
    answer = paging.answer(page, "versions", [told_of[one.version] for one in page.rows])
    answer.headers["etag"] = f'"{sets[0].version}"'
    return answer


@router.put("", responses=tagged(answers(200, ZoneChanged, *_CHANGING)))
async def change_parameters(
    zone_id: PathId,
    body: ParametersBody,
    caller: Annotated[Caller, granted(ChangeZoneParameters)],
    *,
    parts: PartsDep,
    request: Request,
    if_match: IfMatch = None,
) -> Json:
    """Other parameters, from `effective_at` on or at once; what is left out stays as it was."""
    # What was sent is judged before what it would replace (RFC 9110, 13.2.1).
    guard, _ = guard_in(body.guard), parameters_in(body.parameters, ZoneParameters())
    seen, _ = await _version_seen(parts, zone_id, if_match)
    changed = await _change(
        parts,
        caller,
        zone_id,
        body,
        parameters_in(body.parameters, seen.parameters),
        guard=guard,
        seen=seen.version,
        route=f"PUT /v1/zones/{zone_id}/parameters",
    )
    _tell_quoting(request, zone_id)
    return changed


@router.post(
    "/{version}/restore",
    responses=tagged(answers(200, ZoneChanged, *_CHANGING, UNKNOWN_VERSION)),
)
async def restore_parameters(
    zone_id: PathId,
    version: VersionPath,
    body: RestoreBody,
    caller: Annotated[Caller, granted(ChangeZoneParameters)],
    *,
    parts: PartsDep,
    request: Request,
    if_match: IfMatch = None,
) -> Json:
    """The parameters of an earlier version again, as a new version that says so."""
    guard = guard_in(body.guard)
    seen, sets = await _version_seen(parts, zone_id, if_match)
    meant = next((one for one in sets if one.version == version), None)
    if meant is None:
        raise Refused(UNKNOWN_VERSION(version=version))
    route = f"POST /v1/zones/{zone_id}/parameters/{version}/restore"
    changed = await _change(
        parts,
        caller,
        zone_id,
        body,
        meant.parameters,
        guard=guard,
        seen=seen.version,
        route=route,
        restores=version,
    )
    _tell_quoting(request, zone_id)
    return changed


def _tell_quoting(request: Request, zone_id: str) -> None:
    zones: QuotedZones = request.app.state.quoted_zones
    zones.changed(ZoneId(zone_id))


async def _change(
    parts: Parts,
    caller: Caller,
    zone_id: str,
    body: RestoreBody,
    wanted: ZoneParameters,
    *,
    guard: Guard | None,
    seen: int,
    route: str,
    restores: int | None = None,
) -> Json:
    asked = body.model_dump(mode="json")
    command = ChangeZoneParameters(
        zone_id=ZoneId(zone_id),
        parameters=wanted,
        author=caller.user_id,
        reason=body.reason,
        effective_at=body.effective_at or parts.clock.now(),
        after_version=seen,
        restores=restores,
        guard=guard,
    )
    # The version seen makes a repetition recognisable without a key: it is replaced only once.
    command_id = id_of_command(caller, route, f"{seen} {fingerprint(asked)}")
    reply = await carry_out(parts, command, caller, command_id=command_id, asked=asked)
    return Json(reply, headers={"etag": f'"{reply["parameters_version"]}"'})


async def _version_seen(
    parts: Parts, zone_id: str, if_match: str | None
) -> tuple[ParameterSet, tuple[ParameterSet, ...]]:
    """The version that the caller saw, and all there are."""
    if if_match is None:
        raise Refused(IF_MATCH_MISSING())
    sets = await parts.store.list_parameter_sets(ZoneId(zone_id))
    if not sets:
        raise Refused(UNKNOWN_ZONE())
    version = version_in(if_match)
    seen = next((one for one in sets if str(one.version) == version), None)
    if seen is None:
        raise Refused(STALE_PARAMETERS(last_version=sets[0].version))
    return seen, sets


def _version(
    zone: Zone, one: ParameterSet, sets: tuple[ParameterSet, ...], *, now: Instant
) -> dict[str, Any]:
    return {**to_builtins(one), "changes": {}, "guard_state": guard_state(zone, one, sets, now=now)}
