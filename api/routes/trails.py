"""Where a courier was: positions kept now and then while he was on duty."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.refusals import INVALID_REQUEST
from engine.audit.record import Action, acted
from engine.couriers.messages import UNKNOWN_COURIER
from engine.identity.access import Permission
from engine.kernel.ids import CourierId, UserId
from engine.kernel.messages import Caller
from engine.kernel.timing import HOUR_MS
from storage.store import TrailFix

router = APIRouter(prefix="/v1/couriers", tags=["couriers"])
_LIMIT_MAX = 1_000

Since = Annotated[
    int | None, Query(ge=0, le=253_402_300_799_999, description="An hour ago when it is left out.")
]
Until = Annotated[
    int | None, Query(ge=0, le=253_402_300_799_999, description="Before this; now when left out.")
]
Limit = Annotated[int, Query(ge=1, le=_LIMIT_MAX, description="At most so many.")]


class TrailShown(BaseModel):
    """A part of a courier's trail, oldest first; `next` is the `since` of the following part."""

    model_config = ConfigDict(extra="allow")

    courier_id: str
    fixes: list[dict[str, Any]]
    next: int | None


@router.get(
    "/{courier_id}/trail",
    responses=answers(200, TrailShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_COURIER, INVALID_REQUEST),
)
async def get_trail(
    courier_id: PathId,
    caller: Annotated[Caller, granted(Permission.SEE_TRAIL)],
    parts: PartsDep,
    *,
    since: Since = None,
    until: Until = None,
    limit: Limit = 200,
) -> Json:
    """Where he was between two instants, as sampled."""
    now = parts.clock.now()
    ends = now if until is None else until
    begins = ends - HOUR_MS if since is None else since
    courier = await parts.store.find_courier(CourierId(UserId(courier_id)))
    if courier is None or not caller.may_act_in(courier.zone_id):
        raise Refused(UNKNOWN_COURIER())
    seen = {"since": begins, "until": ends}
    subject = f"courier:{courier.id}"
    await parts.audit.record([acted(caller, Action.SEE_TRAIL, subject, at=now, after=seen)])
    found = await parts.store.list_trail(courier.id, since=begins, until=ends, limit=limit + 1)
    following = found[limit].at if len(found) > limit else None
    fixes = [_shown(one) for one in found[:limit]]
    return Json({"courier_id": courier.id, "fixes": fixes, "next": following})


def _shown(fix: TrailFix) -> dict[str, Any]:
    return {"at": fix.at, "lat": fix.lat, "lng": fix.lng, "accuracy_m": fix.accuracy_m}
