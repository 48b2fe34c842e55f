"""What is answered about files."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class UploadShown(BaseModel):
    """A file as it is kept; `url` shows it until `url_expires_at`, to whoever has it."""

    model_config = ConfigDict(extra="allow")

    upload_id: str
    purpose: str
    order_id: str | None
    media_type: str
    size_bytes: int
    width: int
    height: int
    pages: int
    is_scanned: bool
    made_at: int
    url: str
    url_expires_at: int


class PointShown(BaseModel):
    """Degrees."""

    lat: float
    lng: float


class ProofFileShown(BaseModel):
    """A file that the courier's phone told of: awaited until it has come, then kept."""

    model_config = ConfigDict(extra="allow")

    state: Literal["awaited", "kept"]
    file: UploadShown | None


class HandoverShown(BaseModel):
    """How a gift changed hands; where exactly is for operators."""

    model_config = ConfigDict(extra="allow")

    order_id: str
    handed_to: str
    taken_by: str
    proved_by: list[str]
    at: int
    device_at: int | None
    place: PointShown | None
    accuracy_m: float | None
    fix_at: int | None
    distance_m: float | None
    photo: ProofFileShown | None
    signature: ProofFileShown | None
