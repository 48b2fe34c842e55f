"""What was refused, for admins: tries to get in, and to get at what one may not have."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import to_builtins

from api.answer import Answer, PageAnswer
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import REFUSED_TRIES
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.kernel.messages import Caller

router = APIRouter(prefix="/v1/refused-tries", tags=["staff"])


class RefusedTryShown(Answer):
    """The same no, `count` times within a minute.

    `subject` is `user:id`, or `tried:` with a keyed hash of a phone or an e-mail; `place` is a
    keyed hash of a network. The same hash is the same one, and leads nobody back to it.
    """

    id: str
    kind: str
    code: str
    route: str
    subject: str
    place: str
    count: int
    first_at: int
    last_at: int


class RefusedTriesShown(PageAnswer):
    """A page of what was refused, the newest first."""

    refused_tries: list[RefusedTryShown]


@router.get(
    "", responses=answers(200, RefusedTriesShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST)
)
async def list_refused_tries(
    _: Annotated[Caller, granted(Permission.SEE_AUDIT_LOG)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(REFUSED_TRIES)],
) -> Json:
    """Refused log-ins and refused access, a second after they were refused."""
    page = await parts.refused_tries.list_refused(paging.wanted)
    return paging.answer(page, "refused_tries", [to_builtins(one) for one in page.rows])
