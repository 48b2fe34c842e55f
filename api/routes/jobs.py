"""What runs by itself: when it last did, what came of it, and when it is due again."""

from typing import Annotated

from fastapi import APIRouter, Request
from msgspec import to_builtins
from pydantic import BaseModel

from actors.jobs import Jobs
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.hosts.jobs import job_times
from api.json_answer import Json
from engine.identity.access import Permission
from engine.jobs import JobName, JobStatus, next_due
from engine.kernel.messages import Caller

router = APIRouter(prefix="/v1/jobs", tags=["money"])


class JobRunShown(BaseModel):
    """The last run: for when it was due, how it went, and what it did or why it failed."""

    due_at: int
    status: JobStatus
    started_at: int
    ended_at: int | None
    tries: int
    told: str


class JobShown(BaseModel):
    """A job; `is_on` is whether it runs by itself here, `last` null before its first run."""

    name: JobName
    is_on: bool
    due_at: int
    last: JobRunShown | None


class JobsShown(BaseModel):
    """Every job."""

    jobs: list[JobShown]


@router.get("", responses=answers(200, JobsShown, *WITH_TOKEN, *WITH_STORE))
async def list_jobs(
    _: Annotated[Caller, granted(Permission.SEE_BOOKS)], parts: PartsDep, request: Request
) -> Json:
    """What keeps the books by itself, with its last run."""
    jobs: Jobs = request.app.state.jobs
    times, now = job_times(parts), parts.wall.now()
    told = []
    for name in JobName:
        last = await parts.jobs.find(name)
        run = None if last is None else to_builtins(last)
        shown = run and {one: run[one] for one in JobRunShown.model_fields}
        told.append(
            {
                "name": name,
                "is_on": name in jobs.names,
                "due_at": next_due(name, times, now),
                "last": shown,
            }
        )
    return Json({"jobs": told})
