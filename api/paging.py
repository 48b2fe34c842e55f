"""Lists over HTTP: a page at a time, with signed cursors in both directions."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from msgspec import Struct

from api.deps import PartsDep, ProvenDep
from api.errors import Invalid
from api.json_answer import Json
from api.list_queries import Asked, Query
from engine.kernel import base64url
from engine.kernel.pages import Key, Page, Wanted

T = TypeVar("T")
_MAC_BYTES: Final = 16
# What may differ between two pages of the same list.
_OF_THE_PAGE: Final = {"cursor", "limit"}


class _Cursor(Struct, frozen=True, array_like=True):
    """Where to go on, and in what: a list is asked for again as it was."""

    asked: Asked
    backwards: bool
    key: Key


class Paging:
    """One list, as one caller asks for it: what is wanted of a store, and the page as an answer."""

    def __init__(
        self, request: Request, query: Query, *, who: Sequence[str], secret: bytes
    ) -> None:
        self._request = request
        self._listing = query.listing
        self._secret = secret
        self._list = msgspec.json.encode((request.url.path, *who))
        given: dict[str, list[str]] = {}
        for name, text in request.query_params.multi_items():
            given.setdefault(name, []).append(text)
        self._asked, values = query.read(given)
        backwards, beyond = False, None
        if cursor := values.get("cursor"):
            opened = self._opened(cursor)
            if values.keys() - _OF_THE_PAGE and opened.asked != self._asked:
                raise Invalid("/query/cursor", "is of other filters, or of another order")
            self._asked, backwards, beyond = opened.asked, opened.backwards, opened.key
        self.wanted = Wanted(
            limit=values.get("limit", query.limit),
            by=self._asked.by,
            descending=self._asked.descending,
            only=self._asked.only,
            beyond=beyond,
            backwards=backwards,
        )

    @property
    def beside(self) -> Mapping[str, int | str]:
        """What was asked besides filters of columns."""
        return self._asked.beside

    def answer(
        self, page: Page[Any], name: str, shown: Sequence[Mapping[str, Any]], **beside: object
    ) -> Json:
        """The page under `name`, with cursors to its neighbours, also as links (RFC 8288)."""
        key, ends = self._listing.key(self._asked.by), {}
        if page.has_next:
            ends["next"] = self._closed(key(page.rows[-1]), backwards=False)
        if page.has_previous:
            ends["previous"] = self._closed(key(page.rows[0]), backwards=True)
        body = {**beside, name: shown, "next": ends.get("next"), "previous": ends.get("previous")}
        return Json(body, headers=self._links(ends))

    def _links(self, ends: dict[str, str]) -> dict[str, str]:
        asked = [pair for pair in self._request.query_params.multi_items() if pair[0] != "cursor"]
        path = self._request.url.path
        links = [
            f'<{path}?{urlencode([*asked, ("cursor", cursor)])}>; rel="{rel[:4]}"'
            for rel, cursor in ends.items()
        ]
        return {"link": ", ".join(links)} if links else {}

    def _closed(self, key: Key, *, backwards: bool) -> str:
        plain = msgspec.json.encode(_Cursor(self._asked, backwards, key))
        return base64url.spelled(self._mac(plain) + plain)

    def _opened(self, cursor: str) -> _Cursor:
        told = base64url.read(cursor) or b""
        mac, plain = told[:_MAC_BYTES], told[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(plain)):
            raise Invalid("/query/cursor", "is not from a page of this list")
        return msgspec.json.decode(plain, type=_Cursor)

    def _mac(self, plain: bytes) -> bytes:
        return hmac.new(self._secret, self._list + plain, hashlib.sha256).digest()[:_MAC_BYTES]


class Listed:
    """The dependency that reads what is asked of one list."""

    def __init__(self, query: Query) -> None:
        self.query = query

    async def __call__(self, request: Request, proven: ProvenDep, parts: PartsDep) -> Paging:
        """What is asked for; raises `Invalid`."""
        who = (proven.caller.user_id, proven.caller.role.value)
        secret = parts.keys.keys.secret("cursors")
        return Paging(request, self.query, who=who, secret=secret)


def queries_of(dependant: Dependant) -> Iterator[Query]:
    """Those of the lists that a route reads."""
    if isinstance(dependant.call, Listed):
        yield dependant.call.query
    for one in dependant.dependencies:
        yield from queries_of(one)


def listed(query: Query) -> Any:  # noqa: ANN401 - as `Depends` itself
    """For `Annotated[Paging, listed(...)]`: what is asked of this list."""
    return Depends(Listed(query))
