"""What is answered about files."""

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
