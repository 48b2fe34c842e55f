"""How long what is remembered is kept before it goes by itself."""

from typing import Final

from msgspec import Struct

from engine.kernel.timing import DAY_MS, Instant


class Periods(Struct, frozen=True, kw_only=True):
    """Days after which rows go, by their table; of `orders` and `gift_links` only what is personal.

    A session counts from its expiry, a draft from its last change, an effect from when it was
    promised, an order from its end; `audit_log` is how long from where and why something was done
    is known.
    """

    answers: int = 7
    outbox: int = 7
    challenges: int = 2
    trail: int = 30
    sessions: int = 30
    refused_tries: int = 90
    waits: int = 90
    quotes: int = 90
    drafts: int = 90
    what_ifs: int = 180
    chat_messages: int = 180
    audit_log: int = 365
    orders: int = 730
    gift_links: int = 730


# What names its own last moment.
OWN_EXPIRY: Final = ("kept_answers", "exports", "sheets", "links", "code_tallies")
REDACTED: Final = ("orders", "gift_links", "audit_log")
DELETED: Final = tuple(name for name in Periods.__struct_fields__ if name not in REDACTED)


def before(periods: Periods, name: str, *, now: Instant) -> Instant:
    """What is older than this goes."""
    return now - int(getattr(periods, name)) * DAY_MS
