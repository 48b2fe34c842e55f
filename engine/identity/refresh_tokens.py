"""Refresh tokens: opaque, and yet one that we made is told from one that somebody made up."""

import hashlib
import hmac
import uuid

from msgspec import Struct

from engine.identity.ids import SessionId
from engine.kernel import base64url

SECRET_BYTES = 32
_ID_BYTES, _GENERATION_BYTES, _MAC_BYTES = 16, 4, 16
_PREFIX = "hr1."
_LENGTH = _ID_BYTES + _GENERATION_BYTES + SECRET_BYTES + _MAC_BYTES


class RefreshToken(Struct, frozen=True, kw_only=True):
    """The `generation` counts the tokens that a session had before this one."""

    session_id: SessionId
    generation: int
    secret: bytes


def spell(token: RefreshToken, key: bytes) -> str:
    """The token as it is sent; `key` is the installation's."""
    body = (
        uuid.UUID(token.session_id).bytes
        + token.generation.to_bytes(_GENERATION_BYTES, "big")
        + token.secret
    )
    return _PREFIX + base64url.spelled(body + _mac(body, key))


def read(text: str, key: bytes) -> RefreshToken | None:
    """The token, or None when this installation never made it.

    Without this check anybody could end somebody's session by a made-up "old" token.
    """
    found = base64url.read(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
    if found is None or len(found) != _LENGTH:
        return None
    body = found[:-_MAC_BYTES]
    if not hmac.compare_digest(found[-_MAC_BYTES:], _mac(body, key)):
        return None
    secret_at = _ID_BYTES + _GENERATION_BYTES
    return RefreshToken(
        session_id=SessionId(str(uuid.UUID(bytes=body[:_ID_BYTES]))),
        generation=int.from_bytes(body[_ID_BYTES:secret_at], "big"),
        secret=body[secret_at:],
    )


def digest(secret: bytes) -> str:
    """What is stored in the place of a secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret).hexdigest()


def successor(secret: bytes, nonce: str) -> bytes:
    """The secret after this one: whoever holds this one can be told it again, nobody else can."""
    return hmac.new(secret, nonce.encode(), hashlib.sha256).digest()


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"refresh\x1f" + body, hashlib.sha256).digest()[:_MAC_BYTES]
