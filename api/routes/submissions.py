"""How invoices stand with the tax authority, for admins: what waits, and what it said of each."""

from typing import Annotated, Literal

from fastapi import APIRouter
from msgspec import to_builtins

from api.answer import Answer, PageAnswer
from api.deps import PartsDep, granted
from api.description import WITH_STORE, WITH_TOKEN, answers
from api.json_answer import Json
from api.list_queries import SUBMISSIONS
from api.paging import Paging, listed
from api.refusals import INVALID_REQUEST
from engine.identity.access import Permission
from engine.invoices.submission import REPORTED_WITHIN_MS, Submission
from engine.kernel.messages import Caller

router = APIRouter(prefix="/v1/invoice-submissions", tags=["invoices"])


class RemarkShown(Answer):
    """What the authority says: the code of its rule, and a sentence."""

    code: str
    text: str


class SubmittedInvoiceShown(Answer):
    """An issued document; `tries` counts requests, `due_at` is when the next one may be made."""

    invoice_id: str
    number: str
    is_standard: bool
    status: Literal["not_sent", "reported", "cleared", "refused"]
    issued_at: int
    report_by: int
    due_at: int | None
    decided_at: int | None
    tries: int
    warnings: list[RemarkShown]
    errors: list[RemarkShown]


class SubmissionsShown(PageAnswer):
    """A page, the newest first, and when the longest waiting document of all was issued.

    `is_sending` is whether an authority is set.
    """

    submissions: list[SubmittedInvoiceShown]
    oldest_not_sent_at: int | None
    is_sending: bool


@router.get("", responses=answers(200, SubmissionsShown, *WITH_TOKEN, *WITH_STORE, INVALID_REQUEST))
async def list_submissions(
    _: Annotated[Caller, granted(Permission.SEE_BOOKS)],
    parts: PartsDep,
    paging: Annotated[Paging, listed(SUBMISSIONS)],
) -> Json:
    """Invoices and notes on their way to the tax authority, which wants them within a day."""
    page = await parts.invoices.list_submissions(paging.wanted)
    return paging.answer(
        page,
        "submissions",
        [_shown(one) for one in page.rows],
        oldest_not_sent_at=await parts.invoices.oldest_not_sent(),
        is_sending=await parts.authority.is_open(),
    )


def _shown(one: Submission) -> dict[str, object]:
    return {
        "invoice_id": one.id,
        "number": one.number,
        "is_standard": one.is_standard,
        "status": one.status.value,
        "issued_at": one.issued_at,
        "report_by": one.issued_at + REPORTED_WITHIN_MS,
        "due_at": one.due_at,
        "decided_at": one.decided_at,
        "tries": one.tries,
        "warnings": to_builtins(one.warnings),
        "errors": to_builtins(one.errors),
    }
