"""How a no looks over HTTP: problem+json (RFC 9457), its status and its language."""

from collections.abc import Mapping, Sequence
from typing import Final, Self

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from actors.bus import CellUnavailable
from api.refusals import (
    IF_MATCH_MISSING,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NO_SUCH_PAGE,
    NOT_AUTHENTICATED,
    OVERLOADED,
    QUOTA_EXCEEDED,
    TOKEN_EXPIRED,
    TOO_LARGE,
    TOO_SLOW,
)
from api.refusing import note_refusal
from engine.geo.zone import STALE_PARAMETERS
from engine.identity.profiles import STALE_PROFILE
from engine.identity.sessions import SESSION_ENDED
from engine.identity.staff import WRONG_CREDENTIALS
from engine.kernel.refusals import CATALOGUE, UNAVAILABLE, Declared, Refusal, RefusalKind
from storage.store import StoreUnavailable

TYPE_PREFIX: Final = "https://hadiyati.example/problems/"
MEDIA_TYPE: Final = "application/problem+json"

STATUS_BY_KIND: Final[Mapping[RefusalKind, int]] = {
    RefusalKind.INVALID: 422,
    RefusalKind.FORBIDDEN: 403,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.CONFLICT: 409,
    RefusalKind.GONE: 410,
    RefusalKind.TOO_MANY: 429,
    RefusalKind.UNAVAILABLE: 503,
}
# Where HTTP has a narrower word than the kind.
STATUS_BY_CODE: Final[Mapping[str, int]] = {
    NOT_AUTHENTICATED.code: 401,
    TOKEN_EXPIRED.code: 401,
    SESSION_ENDED.code: 401,
    WRONG_CREDENTIALS.code: 401,
    METHOD_NOT_ALLOWED.code: 405,
    STALE_PARAMETERS.code: 412,
    STALE_PROFILE.code: 412,
    TOO_SLOW.code: 408,
    TOO_LARGE.code: 413,
    IF_MATCH_MISSING.code: 428,
    INTERNAL_ERROR.code: 500,
}
_BY_STATUS: Final[Mapping[int, Declared]] = {
    401: NOT_AUTHENTICATED,
    404: NO_SUCH_PAGE,
    405: METHOD_NOT_ALLOWED,
    408: TOO_SLOW,
    413: TOO_LARGE,
}
# Types that are registered for everybody (draft-ietf-httpapi-ratelimit-headers).
_REGISTERED: Final[Mapping[str, str]] = {
    QUOTA_EXCEEDED.code: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    OVERLOADED.code: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}
# A problem has a status of its own.
_RENAMED: Final[Mapping[str, str]] = {"status": "current_status"}
_ERRORS_MAX: Final = 20


class Refused(Exception):
    """A refusal on its way out of a route."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with one part of a request; `allowed` are the only things it might be."""

    pointer: str
    message: str
    allowed: tuple[str, ...] = ()


class Invalid(Exception):
    """A fault in a request that its types alone do not show; `pointer` says where."""

    def __init__(self, pointer: str, message: str, *, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.faults = [Fault(pointer=pointer, message=message, allowed=allowed)]

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> Self:
        """All of them as one; there must be some."""
        error = cls(faults[0].pointer, faults[0].message)
        error.faults = list(faults)
        return error


def status_of(declared: Declared) -> int:
    """The HTTP status of a code."""
    return STATUS_BY_CODE.get(declared.code, STATUS_BY_KIND[declared.kind])


def problem_members(declared: Declared, *, title: str, request_id: str) -> dict[str, str | int]:
    """What every problem says (RFC 9457 and our own members), without the facts of one case."""
    return {
        "type": _REGISTERED.get(declared.code, TYPE_PREFIX + declared.code),
        "title": title,
        "status": status_of(declared),
        "code": declared.code,
        "detail": title,
        "title_ar": declared.ar,
        "request_id": request_id,
    }


def problem(
    request: HTTPConnection,
    refusal: Refusal,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Fault] = (),
) -> Response:
    """The answer that says no; `errors` are the faults of single fields."""
    declared = CATALOGUE[refusal.code]
    status = status_of(declared)
    arabic = prefers_arabic(request.headers.get("accept-language", ""))
    body = {
        **problem_members(
            declared,
            title=declared.ar if arabic else declared.en,
            request_id=request.scope.get("state", {}).get("request_id", ""),
        ),
        **{_RENAMED.get(name, name): fact for name, fact in refusal.detail.items()},
        **({"errors": errors} if errors else {}),
    }
    sent = {"content-language": "ar" if arabic else "en", **(headers or {})}
    if status == 401:
        sent["www-authenticate"] = "Bearer"
    if status in {429, 503} or "retry_after_s" in refusal.detail:
        sent["retry-after"] = str(_retry_after_s(request, refusal))
    return Response(msgspec.json.encode(body), status, sent, MEDIA_TYPE)


def prefers_arabic(accept_language: str) -> bool:
    """Whether an Accept-Language header (RFC 9110 section 12.5.4) puts Arabic before English."""
    best = {"ar": 0.0, "en": 0.0, "*": 0.0}
    for part in accept_language.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.strip().partition("-")[0]
        if language in best:
            best[language] = max(best[language], _weight(weight))
    return best["ar"] > max(best["en"], best["*"])


def add_handlers(app: FastAPI) -> None:
    """Answer everything that can be raised in a route as a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(RequestValidationError, _mistyped)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(CellUnavailable, _unavailable)


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def _retry_after_s(request: HTTPConnection, refusal: Refusal) -> int:
    told = refusal.detail.get("retry_after_s")
    if isinstance(told, int):
        return max(1, told)
    retry_after_s: int = request.app.state.settings.edge.retry_after_s
    return retry_after_s


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    note_refusal(request, error.refusal)
    return problem(request, error.refusal)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    return problem(request, INVALID_REQUEST(), errors=error.faults[:_ERRORS_MAX])


async def _mistyped(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        Fault(pointer=pointer_to(one["loc"]), message=one["msg"])
        for one in error.errors()[:_ERRORS_MAX]
    ]
    return problem(request, INVALID_REQUEST(), errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    declared = _BY_STATUS.get(error.status_code, INVALID_REQUEST)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # The framework names the methods of one route; others may share its address.
        headers["Allow"] = ", ".join(request.app.state.methods.of(request.url.path))
    return problem(request, declared(), headers=headers)


async def _unavailable(request: Request, error: Exception) -> Response:
    structlog.get_logger(__name__).warning("unavailable", why=repr(error))
    return problem(request, UNAVAILABLE())


def pointer_to(place: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) into the body; what lies elsewhere begins with where it lies."""
    parts = place[1:] if place and place[0] == "body" else place
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)
