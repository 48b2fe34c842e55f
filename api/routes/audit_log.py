"""The audit log, for admins: what was done by those in charge, newest first."""

from typing import Annotated, Any

from fastapi import APIRouter
from msgspec import to_builtins
from pydantic import BaseModel, ConfigDict

from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import AUDIT_LOG
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from engine.audit.chain import StoredRecord
from engine.audit.record import Action
from engine.identity.access import Permission
from engine.kernel.messages import Caller, Role
from storage.audit import record_of

router = APIRouter(prefix="/v1/audit-log", tags=["staff"])


class AuditRecordShown(BaseModel):
    """Who did what to whom, from where and why; `place` and `reason` are null once forgotten.

    `hash` is sealed over everything before: number and hash are a checkpoint for `verify-audit`.
    """

    model_config = ConfigDict(extra="allow")

    number: int
    at: int
    action: Action
    actor: str
    role: Role | None
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    place: str | None
    reason: str | None
    hash: str


class AuditLogShown(BaseModel):
    """A page of the audit log, newest first."""

    model_config = ConfigDict(extra="allow")

    records: list[AuditRecordShown]
    next: str | None
    previous: str | None


@router.get("", responses=answers(200, AuditLogShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST))
async def list_audit_log(
    _: Annotated[Caller, granted(Permission.SEE_AUDIT_LOG)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(AUDIT_LOG)],
) -> Json:
    """What was done by those in charge, or to somebody's phone, and who looked where."""
    page = await parts.audit.list_records(paging.wanted)
    return paging.answer(page, "records", [_shown(one) for one in page.rows])


def _shown(stored: StoredRecord) -> dict[str, Any]:
    act, circumstances = record_of(stored)
    told: dict[str, Any] = to_builtins(act)
    return {
        "number": stored.number,
        **told,
        "place": None if circumstances is None else circumstances.place,
        "reason": None if circumstances is None else circumstances.reason,
        "hash": stored.hash,
    }
