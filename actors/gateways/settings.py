"""What an operator may set about messages to the outside world."""

from pydantic import BaseModel, ConfigDict, Field


class OutboxSettings(BaseModel):
    """How messages leave for the outside world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: int = Field(
        default=16, ge=1, le=1000, description="Messages one process sends at the same time."
    )
    lease_s: float = Field(
        default=30.0, ge=1, le=3600, description="Seconds a message is one process's alone."
    )
    poll_s: float = Field(
        default=1.0, gt=0, le=600, description="Seconds between two looks for new messages."
    )
    retry_s: float = Field(
        default=2.0, gt=0, le=600, description="Seconds before the first repetition, at most."
    )
    retry_s_max: float = Field(
        default=600.0, gt=0, le=86_400, description="Seconds before any repetition, at most."
    )
    print_sms: bool = Field(
        default=False, description="Print the text messages of the development gateway."
    )
