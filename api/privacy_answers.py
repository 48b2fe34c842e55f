"""What is sent and answered about one's own data."""

from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from api.answer import Answer, PageAnswer
from api.bodies import Body, Phone, Reason, Storable
from api.deps import IdText


class AskForBody(Body):
    """Whom an admin asks for: somebody with an account, or a phone to which gifts were sent."""

    kind: Literal["export", "erasure"]
    user_id: IdText | None = None
    phone: Phone | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_of_both(self) -> "AskForBody":
        if (self.user_id is None) == (self.phone is None):
            raise ValueError("name either user_id or phone")
        return self


class ConsentBody(Body):
    """Which text was agreed to, by the name of its version."""

    wording: Annotated[str, StringConstraints(min_length=1, max_length=64), Storable]


class PrivacyRequestShown(Answer):
    """A request about somebody's data: when it is carried out, and until when by law.

    `waits_for` is what must come to its end before an erasure; `file` is where an export is.
    """

    request_id: str
    user_id: str
    kind: Literal["export", "erasure"]
    status: Literal["open", "done", "withdrawn"]
    asked_at: int
    due_at: int
    answer_by: int
    waits_for: list[str]
    ended_at: int | None
    file: str | None
    file_expires_at: int | None


class PrivacyRequestsShown(PageAnswer):
    """One's own requests, the newest first; or all that are open, the oldest first."""

    requests: list[PrivacyRequestShown]


class ConsentShown(Answer):
    """What was agreed to, in which wording, from when until when."""

    purpose: str
    wording: str
    given_at: int
    ended_at: int | None
    is_withdrawn: bool


class ConsentsShown(PageAnswer):
    """All that somebody ever agreed to, the newest first."""

    consents: list[ConsentShown]
