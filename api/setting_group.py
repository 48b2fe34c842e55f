"""What every group of settings has in common."""

from pydantic import BaseModel, ConfigDict


class SettingGroup(BaseModel):
    """Unknown names are refused, and nothing changes while the service runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")
