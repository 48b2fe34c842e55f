"""How a zone does: the same figures, by the same formulas, as in simulations and benchmarks."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from msgspec import to_builtins
from pydantic import BaseModel, ConfigDict

from api.deps import PartsDep, PathId, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.errors import Invalid, Refused
from api.json_answer import Json
from api.refusals import INVALID_REQUEST
from engine.dispatch.record import metrics_of
from engine.geo.zone import UNKNOWN_ZONE
from engine.identity.access import Permission
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Caller
from engine.kernel.timing import HOUR_MS, Instant
from engine.metrics import DEFINITIONS

router = APIRouter(prefix="/v1/zones", tags=["zones"])
# One answer reads all that happened meanwhile.
SINCE_MAX_MS = 24 * HOUR_MS
_SINCE_MS = HOUR_MS

Since = Annotated[
    int | None,
    Query(ge=0, description="From when on, at most a day ago; an hour ago when it is left out."),
]


class MetricsShown(BaseModel):
    """A zone's figures since an instant, each with its unit and formula."""

    model_config = ConfigDict(extra="allow")

    zone_id: str
    since: int
    until: int
    parameters_version: int
    metrics: dict[str, Any]
    definitions: dict[str, Any]


@router.get(
    "/{zone_id}/metrics",
    responses=answers(200, MetricsShown, *WITH_TOKEN, *WITH_STORE, UNKNOWN_ZONE, INVALID_REQUEST),
)
async def get_metrics(
    zone_id: PathId,
    _: Annotated[Caller, granted(Permission.SEE_METRICS)],
    parts: PartsDep,
    since: Since = None,
) -> Json:
    """Click-to-door, waiting, lateness, utilisation, fairness and offers since an instant."""
    until = parts.clock.now()
    begins = _begin(since, until)
    zone = await parts.store.find_zone(ZoneId(zone_id))
    if zone is None:
        raise Refused(UNKNOWN_ZONE())
    history = await parts.store.zone_history(zone.id, begins)
    found = metrics_of(history, zone.parameters, since=begins, until=until)
    body = {
        "zone_id": zone.id,
        "since": begins,
        "until": until,
        "parameters_version": zone.parameters_version,
        "metrics": to_builtins(found),
        "definitions": to_builtins(DEFINITIONS),
    }
    return Json(body)


def _begin(since: Instant | None, until: Instant) -> Instant:
    if since is None:
        return until - _SINCE_MS
    if not until - SINCE_MAX_MS <= since <= until:
        raise Invalid("/since", "must lie within the last 24 hours")
    return since
