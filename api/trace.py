"""Which trace a request belongs to: the W3C Trace Context header, taken over or begun."""

import re
import secrets
from typing import Final, NamedTuple

_HEADER: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Trace(NamedTuple):
    """`span_id` is our own part of the trace."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def header(self) -> str:
        """As it is told to whoever asked, and to whoever is asked next."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def trace_of(told: str) -> Trace:
    """Go on with the trace that a `traceparent` names; one that is malformed is no trace."""
    drawn = secrets.token_hex(24)
    span_id = drawn[32:]
    if not told:
        return Trace(drawn[:32], span_id, "01")
    found = _HEADER.fullmatch(told)
    is_good = found is not None and not told.startswith("ff") and found[4] is None
    if found is None or not is_good or not found[1].strip("0") or not found[2].strip("0"):
        return Trace(drawn[:32], span_id, "01")
    return Trace(found[1], span_id, found[3])
