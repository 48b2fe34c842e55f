"""The versions of the interface, each a date, and what answers looked like before each change."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from msgspec import Struct

HEADER: Final = "Hadiyati-Version"
# That of a request without the header: what was true for the first app stays true for it.
FIRST: Final = "2026-11-01"
Told = dict[str, Any]


class AnswerChange(Struct, frozen=True, kw_only=True):
    """From the version `since` on an operation answers otherwise; `earlier` makes it as before.

    `breaks` are the findings of `api.compatibility` that it makes good, as places and sentences.
    """

    since: str
    operation: str
    says: str
    earlier: Callable[[Told], Told]
    breaks: frozenset[tuple[str, str]]


class Deprecation(Struct, frozen=True, kw_only=True):
    """An operation, or a query parameter of it, that is going: since when, until when, instead."""

    operation: str
    parameter: str = ""
    since: datetime
    until: datetime
    instead: str

    def headers(self, more: str) -> dict[str, str]:
        """RFC 9745 and RFC 8594; `more` is where it is explained."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": self.until.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "Link": f'<{more}>; rel="deprecation"; type="text/markdown"',
        }


def _numbered_statement(told: Told) -> Told:
    """`next` was the number of the last line of a part that is not the last part."""
    goes_on = told["next"] is not None
    kept = {name: one for name, one in told.items() if name != "previous"}
    return {**kept, "next": told["lines"][-1]["number"] if goes_on else None}


CHANGES: Final = (
    AnswerChange(
        since="2026-11-28",
        operation="GET /v1/wallet/statement",
        says="`next` and `previous` are cursors, as in every other list; `next` was a number.",
        earlier=_numbered_statement,
        breaks=frozenset({("answer 200/next", "may be string now")}),
    ),
)
DEPRECATIONS: Final = (
    Deprecation(
        operation="GET /v1/wallet/statement",
        parameter="before",
        since=datetime(2026, 11, 28, tzinfo=UTC),
        until=datetime(2027, 11, 28, tzinfo=UTC),
        instead="`cursor`",
    ),
)
VERSIONS: Final = tuple(sorted({FIRST, *(one.since for one in CHANGES)}))
NEWEST: Final = VERSIONS[-1]


def changes_since(version: str, method: str, path: str) -> list[AnswerChange]:
    """Those that a client of that version does not know, the newest first."""
    found = [one for one in CHANGES if one.since > version and fits(one.operation, method, path)]
    return sorted(found, key=lambda one: one.since, reverse=True)


def deprecations_of(method: str, path: str, parameters: set[str]) -> Iterator[Deprecation]:
    """Of what a request uses."""
    for one in DEPRECATIONS:
        is_used = not one.parameter or one.parameter in parameters
        if is_used and fits(one.operation, method, path):
            yield one


def fits(operation: str, method: str, path: str) -> bool:
    """Whether a request is one of an operation, whose path may have parameters."""
    asked, _, shape = operation.partition(" ")
    return asked == method and _pattern(shape).fullmatch(path) is not None


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(shape)))
