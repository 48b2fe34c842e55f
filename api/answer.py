"""What every described answer has in common."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Clients must let pass what they do not know: answers may gain fields at any time."""

    model_config = ConfigDict(extra="allow")
