"""A request with a key that no cell carries out: done once, and answered the same each time."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import Request
from msgspec import Struct
from starlette.responses import Response

from api.errors import Refused, problem
from api.parts import Parts
from api.refusals import STILL_RUNNING
from api.refusing import note_refusal
from api.sending import fingerprint
from engine.kernel.ids import derived_id
from engine.kernel.refusals import KEY_REUSED
from engine.kernel.timing import SECOND_MS
from storage.kept_answers import KeptAnswer, UnderWay

_KEPT_HEADERS: Final = ("content-type", "content-language", "etag", "location")
_TRY_AGAIN: Final = 429


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked, and by whom: a user's id, or the phone of somebody who is none yet."""

    who: str
    route: str
    key: str | None
    body: Any = None


def name_of(parts: Parts, asked: Asked) -> str:
    """The same for the same principal, route and key; nothing personal can be read from it."""
    if asked.key is None:
        return ""
    who = hmac.new(parts.keys.index_key(), asked.who.encode(), hashlib.sha256).hexdigest()
    return derived_id("answer", who, asked.route, asked.key)


async def once(
    request: Request, parts: Parts, asked: Asked, make: Callable[[], Awaitable[Response]]
) -> Response:
    """The answer that `make` gives, or gave when this was asked before.

    Everything it stores is stored with its answer, or not at all. It should wait for nobody but
    storage. A refusal is kept, too, for a wrong code counts once; "try again later" is not.
    """
    name = name_of(parts, asked)
    if not name:
        return await make()
    now = parts.wall.now()
    digest = fingerprint(asked.body)
    life_ms = parts.settings.edge.key_life_s * SECOND_MS

    async def answer() -> KeptAnswer:
        try:
            made = await make()
        except Refused as refused:
            note_refusal(request, refused.refusal)
            made = problem(request, refused.refusal)
        is_final = made.status_code < 500 and made.status_code != _TRY_AGAIN
        return KeptAnswer(
            id=name,
            fingerprint=digest,
            status=made.status_code,
            headers={one: made.headers[one] for one in _KEPT_HEADERS if one in made.headers},
            body=bytes(made.body),
            expires_at=now + life_ms if is_final else now,
        )

    try:
        kept = await parts.kept_answers.once(name, answer, now=now)
    except UnderWay:
        raise Refused(STILL_RUNNING(retry_after_s=1)) from None
    if kept.fingerprint != digest:
        raise Refused(KEY_REUSED())
    return Response(kept.body, kept.status, kept.headers)
