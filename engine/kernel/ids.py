"""Identifiers: text UUIDs with a type per kind of thing, made from a time and random bits."""

import hashlib
import re
import uuid
from typing import Final, NewType

UserId = NewType("UserId", str)
# A courier is a user who carries: one person, one id, whatever he does with us.
CourierId = UserId
OrderId = NewType("OrderId", str)
OfferId = NewType("OfferId", str)
ZoneId = NewType("ZoneId", str)
QuoteId = NewType("QuoteId", str)
PaymentId = NewType("PaymentId", str)
CommandId = NewType("CommandId", str)
EffectId = NewType("EffectId", str)
CellId = NewType("CellId", str)

_CANONICAL: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RANDOM_BITS = 74
_NAMESPACE = uuid.UUID("7a4f1c58-3b0e-5c7e-9a54-2f6d9f0e1b11")
_OF_NAMESPACE: Final = hashlib.sha1(_NAMESPACE.bytes, usedforsecurity=False)


def uuid7(at_ms: int, random_bits: int) -> str:
    """A UUIDv7 (RFC 9562 section 5.7) of milliseconds since the epoch and 74 random bits."""
    random_bits &= (1 << _RANDOM_BITS) - 1
    high = (at_ms & ((1 << 48) - 1)) << 16 | 0x7 << 12 | random_bits >> 62
    low = 0b10 << 62 | random_bits & ((1 << 62) - 1)
    return _spelled(f"{high << 64 | low:032x}")


def derived_id(*names: str) -> str:
    """The same UUIDv5 for the same names: how a repeated request is recognised."""
    hashed = _OF_NAMESPACE.copy()
    hashed.update("\x1f".join(names).encode())
    digits = hashed.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def is_id(text: str) -> bool:
    """Whether `text` is a UUID in its canonical spelling."""
    return _CANONICAL.fullmatch(text) is not None


def _spelled(digits: str) -> str:
    """Canonically; to make a `UUID` for it takes several times as long."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
