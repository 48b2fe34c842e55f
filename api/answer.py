"""What every described answer has in common."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Clients must let pass what they do not know: answers may gain fields at any time."""

    model_config = ConfigDict(extra="allow")


class PageAnswer(Answer):
    """`next` and `previous` are the cursors of the pages on either side, if there are any."""

    next: str | None
    previous: str | None
