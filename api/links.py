"""Links that show something to who has no account: signed, for one purpose, until they expire."""

import hashlib
import hmac
import struct
import uuid
from typing import Final

from engine.kernel import base64url
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant

UNKNOWN_LINK = declare(
    "unknown_link",
    RefusalKind.NOT_FOUND,
    en="This link is not one of ours, or it was copied in part.",
    ar="هذا الرابط غير صحيح أو نُسخ ناقصًا.",
)
LINK_EXPIRED = declare(
    "link_expired",
    RefusalKind.GONE,
    en="This link has expired. Ask who sent it for a new one.",
    ar="انتهت صلاحية هذا الرابط. اطلب رابطًا جديدًا ممن أرسله.",
)
# What it shows, which side of it, and the last millisecond at which it is valid.
_LAYOUT: Final = struct.Struct(">16sBQ")
_MAC_BYTES: Final = 16


def sign_link(identifier: str, side: int, expires_at: Instant, *, key: bytes) -> str:
    """The part of the address that cannot be made up; `side` is a number below 256."""
    plain = _LAYOUT.pack(uuid.UUID(identifier).bytes, side, expires_at)
    return base64url.spelled(plain + _mac(plain, key))


def read_link(token: str, *, key: bytes, now: Instant) -> tuple[str, int] | Refusal:
    """The id of what it shows and which side of it, or why it shows nothing."""
    whole = base64url.read(token) or b""
    plain, mac = whole[: _LAYOUT.size], whole[_LAYOUT.size :]
    if len(plain) < _LAYOUT.size or not hmac.compare_digest(mac, _mac(plain, key)):
        return UNKNOWN_LINK()
    identifier, side, expires_at = _LAYOUT.unpack(plain)
    if now > expires_at:
        return LINK_EXPIRED()
    return str(uuid.UUID(bytes=identifier)), side


def _mac(plain: bytes, key: bytes) -> bytes:
    return hmac.new(key, plain, hashlib.sha256).digest()[:_MAC_BYTES]
