"""Lists over HTTP: a page at a time, with signed cursors in both directions, and chosen fields."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.errors import Invalid
from api.json_answer import Json
from api.parts import Parts
from engine.kernel.messages import Caller
from engine.kernel.pages import Key, Page, Wanted

T = TypeVar("T")
LIMIT_MAX: Final = 100
_MAC_BYTES: Final = 16
# What may differ between two pages of the same list.
_OF_THE_PAGE: Final = {"cursor", "limit", "fields"}


class PageQuery(BaseModel):
    """What every list can be asked; each adds its own filters. Other parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    shows: ClassVar[type[BaseModel] | None] = None

    limit: int = Field(default=LIMIT_MAX, ge=1, le=LIMIT_MAX, description="At most so many.")
    cursor: str = Field(
        default="", max_length=400, description="`next` or `previous` of another page of this list."
    )

    @model_validator(mode="after")
    def _fields_are_known(self) -> "PageQuery":
        known = self.shows.model_fields if self.shows else {}
        for name in getattr(self, "fields", ()):
            if name not in known:
                raise ValueError(f"fields: there is no {name[:40]!r}; there are {', '.join(known)}")
        return self


def fields_of(shows: type[BaseModel]) -> Any:  # noqa: ANN401 - pydantic's Field is of any type
    """The parameter that chooses which fields of each row are told."""
    return Field(
        default=(),
        max_length=len(shows.model_fields),
        description="Only these fields of each row, if any are named.",
        json_schema_extra={"items": {"type": "string", "enum": list(shows.model_fields)}},
    )


class Paging:
    """One list, as one caller asks for it with one set of filters."""

    def __init__(
        self,
        request: Request,
        parts: Parts,
        caller: Caller,
        query: PageQuery,
        *,
        descending: bool,
    ) -> None:
        self._request = request
        self._query = query
        self._secret = parts.keys.keys.secret("cursors")
        asked = query.model_dump(mode="json", exclude=_OF_THE_PAGE, by_alias=True)
        listed = [request.url.path, caller.user_id, caller.role, asked]
        self._list = msgspec.json.encode(listed, order="sorted")
        self._descending = descending

    def wanted(self) -> Wanted:
        """What to read; raises `Invalid` for a cursor that is not from a page of this list."""
        wanted = Wanted(limit=self._query.limit, descending=self._descending)
        if not self._query.cursor:
            return wanted
        backwards, *key = self._opened(self._query.cursor)
        return msgspec.structs.replace(wanted, backwards=backwards, beyond=tuple(key))

    def answer(
        self,
        page: Page[T],
        key: Callable[[T], Key],
        name: str,
        shown: Sequence[Mapping[str, Any]],
        **beside: str,
    ) -> Json:
        """The page under `name`, with cursors to its neighbours, also as links (RFC 8288)."""
        ends = {}
        if page.has_next:
            ends["next"] = self._closed(key(page.rows[-1]), backwards=False)
        if page.has_previous:
            ends["previous"] = self._closed(key(page.rows[0]), backwards=True)
        chosen = getattr(self._query, "fields", ())
        rows = [{one: row[one] for one in chosen} for row in shown] if chosen else list(shown)
        body = {**beside, name: rows, "next": ends.get("next"), "previous": ends.get("previous")}
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
        plain = msgspec.json.encode((backwards, *key))
        return base64.urlsafe_b64encode(self._mac(plain) + plain).decode().rstrip("=")

    def _opened(self, cursor: str) -> list[Any]:
        try:
            told = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            told = b""
        mac, plain = told[:_MAC_BYTES], told[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(plain)):
            raise Invalid("/query/cursor", "is not from a page of this list with these filters")
        key: list[Any] = msgspec.json.decode(plain)
        return key

    def _mac(self, plain: bytes) -> bytes:
        return hmac.new(self._secret, self._list + plain, hashlib.sha256).digest()[:_MAC_BYTES]
