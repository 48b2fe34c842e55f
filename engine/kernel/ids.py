"""Identifiers: text UUIDs with a type per kind of thing, made from a time and random bits."""

import uuid
from typing import NewType

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

_RANDOM_BITS = 74
_NAMESPACE = uuid.UUID("7a4f1c58-3b0e-5c7e-9a54-2f6d9f0e1b11")


def uuid7(at_ms: int, random_bits: int) -> str:
    """A UUIDv7 (RFC 9562 section 5.7) of milliseconds since the epoch and 74 random bits."""
    random_bits &= (1 << _RANDOM_BITS) - 1
    high = (at_ms & ((1 << 48) - 1)) << 16 | 0x7 << 12 | random_bits >> 62
    low = 0b10 << 62 | random_bits & ((1 << 62) - 1)
    return str(uuid.UUID(int=high << 64 | low))


def derived_id(*names: str) -> str:
    """The same UUIDv5 for the same names: how a repeated request is recognised."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(names)))


def is_id(text: str) -> bool:
    """Whether `text` is a UUID in its canonical spelling."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
