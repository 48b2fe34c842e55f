"""Addresses at which a file is seen: signed, for minutes."""

from typing import Any, Final

from api.links import read_link, sign_link
from api.parts import Parts
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS
from engine.uploads import Upload, UploadId

PURPOSE: Final = "file links"


def upload_shown(parts: Parts, one: Upload) -> dict[str, Any]:
    """A file with its address, for somebody who may see it."""
    expires_at = parts.wall.now() + parts.settings.objects.link_s * SECOND_MS
    return {
        "upload_id": one.id,
        "purpose": one.purpose.value,
        "order_id": one.order_id,
        "media_type": one.media_type.value,
        "size_bytes": one.size_bytes,
        "width": one.width,
        "height": one.height,
        "pages": one.pages,
        "is_scanned": one.is_scanned,
        "made_at": one.made_at,
        "url": f"/v1/files/{sign_link(one.id, 0, expires_at, key=_key(parts))}",
        "url_expires_at": expires_at,
    }


def read_file_link(parts: Parts, token: str) -> UploadId | Refusal:
    """Which file an address shows."""
    read = read_link(token, key=_key(parts), now=parts.wall.now())
    return read if isinstance(read, Refusal) else UploadId(read[0])


def _key(parts: Parts) -> bytes:
    return parts.keys.keys.secret(PURPOSE)
