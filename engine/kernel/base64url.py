"""Bytes as letters that fit into an address: base64url without padding (RFC 4648, section 5)."""

import base64


def spelled(plain: bytes) -> str:
    """The one spelling of some bytes."""
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def read(text: str) -> bytes | None:
    """The bytes whose spelling it is, or None: other letters for the same bytes are none."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return found if spelled(found) == text else None
