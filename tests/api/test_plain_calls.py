"""What is called straight away answers as the framework would have answered."""

import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Annotated

import httpx2
import msgspec
import pytest
from fastapi import Body, Depends, FastAPI, Header, Path, Query, Request
from hypothesis import given
from hypothesis.strategies import (
    booleans,
    dictionaries,
    floats,
    integers,
    lists,
    none,
    recursive,
    text,
)
from pydantic import BaseModel, ConfigDict
from starlette.types import Message

from api.app import ROUTES
from api.directory import ByAddress, Directory, Straight
from api.errors import Invalid, add_handlers
from api.json_answer import Json
from api.outermost import BodyLimit, Outermost
from api.plain_calls import plain_call_of
from api.route_table import routes_of

LEFT_TO_THE_FRAMEWORK = {
    "GET /v1/sessions",
    "DELETE /v1/sessions/{session_id}",
    "POST /v1/auth/logout",
    "PUT /v1/phone",
}
JSON = {"content-type": "application/json"}


class Thing(BaseModel):
    """A body."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    name: str
    weight: float = 0.0
    count: int = 0
    more: "list[Thing]" = []


async def _host(request: Request) -> str:
    if "x-refused" in request.headers:
        raise Invalid("/header/x-refused", "must not be there")
    return request.url.hostname or ""


class _Asking:
    async def __call__(self, request: Request, host: Annotated[str, Depends(_host)]) -> str:
        return f"{host}{request.url.path}"


async def read(
    number: Annotated[int, Path(ge=3)],
    host: Annotated[str, Depends(_Asking())],
    request: Request,
    many: Annotated[list[int] | None, Query(max_length=2)] = None,
    key: Annotated[str, Header(alias="Some-Key", min_length=3)] = "none",
) -> Json:
    """All that a plain route may ask for."""
    if key == "fault":
        raise ArithmeticError
    return Json([number, host, request.method, many, key], 203, {"x-own": "1"})


async def write(
    body: Thing,
    host: Annotated[str, Depends(_Asking())],
    key: Annotated[str, Header(alias="Some-Key", min_length=3)],
    request: Request,
) -> Json:
    """All that a plain route with a body may ask for."""
    if body.name == "fault":
        raise ArithmeticError
    return Json([repr(body), host, key, (await request.body()).hex()])


async def maybe(body: Thing | None = None) -> Json:
    """What may come without a body."""
    return Json(repr(body))


async def part(name: Annotated[str, Body(embed=True)]) -> Json:
    """A part of a body is the framework's."""
    return Json(name)


async def model() -> Thing:
    """So is what does not answer by itself."""
    return Thing(name="x")


@cache
def an_app(*, straight: bool) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/v1/things/{number}", read, methods=["GET", "DELETE"])
    app.add_api_route("/v1/things", write, methods=["POST"])
    app.add_api_route("/v1/things", maybe, methods=["PATCH"])
    app.add_api_route("/v1/things", part, methods=["PUT"])
    app.add_api_route("/v1/things", model, methods=["GET"])
    if straight:
        directory = Directory(routes_of(app.router))
        app.router.routes.insert(0, ByAddress(directory))
        app.add_middleware(Straight, directory=directory)
    limit = BodyLimit(1000, 10.0)
    app.add_middleware(Outermost, body=limit, bodies={}, new_id=lambda: "id")
    add_handlers(app)
    return app


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/things/7", {}, 203),
        ("DELETE", "/v1/things/7?many=1&many=2", {"some-key": "abc"}, 203),
        ("GET", "/v1/things/2?many=x", {"some-key": "a"}, 422),
        ("GET", "/v1/things/x?many=1&many=2&many=3", {}, 422),
        ("GET", "/v1/things/7", {"some-key": "fault"}, 500),
        ("GET", "/v1/things/2", {"x-refused": "1"}, 422),
        ("GET", "/v1/things", {}, 200),
        ("POST", "/v1/things", {}, 422),
        ("GET", "/v1/nothing", {}, 404),
    ],
)
async def test_it_is_answered_as_by_the_framework(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    told = [
        await _asked(an_app(straight=straight), method, path, headers) for straight in (True, False)
    ]
    assert [one.status_code for one in told] == [status, status]
    assert told[0].content == told[1].content
    assert _lasting(told[0]) == _lasting(told[1])


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "x", "weight": 1, "more": [{"name": "\xd9\x85"}]}',
        b'{"name": "x", "name": "y"}',
        b'{"name": "x", "count": 1.0, "weight": "2"}',
        b'{"name": "x", "weight": NaN}',
        b'{"name": "x", "weight": 1e999}',
        b'{"name": "x", "count": 123456789012345678901234567890}',
        b'{"name": "fault"}',
        b'{"name": 1, "other": 2, "more": [{"name": null}, 3]}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000\\ud83d\\ude00"}',
        b'{"name": "\x01"}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "x"}',
        '{"name": "x"}'.encode("utf-16"),
        b'{"name": "x",}',
        b'{"name": "x"} {}',
        b"{",
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"[" * 900 + b"]" * 900,
        b"name=x",
        b'{"name": "' + b"x" * 1000 + b'"}',
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"some-key": "abc", **JSON},
        {"some-key": "abc", "content-type": "Application/JSON ; charset=utf-8"},
        {"some-key": "a", "content-type": "application/problem+json"},
        {"some-key": "abc", "content-type": "text/plain"},
        {"some-key": "abc", "content-type": "application/x-www-form-urlencoded"},
        {"some-key": "abc"},
        {"x-refused": "1", **JSON},
        JSON,
    ],
)
async def test_a_body_is_read_as_by_the_framework(
    method: str, body: bytes, headers: dict[str, str]
) -> None:
    told = [
        await _asked(an_app(straight=straight), method, "/v1/things", headers, body)
        for straight in (True, False)
    ]
    assert told[0].status_code == told[1].status_code
    assert told[0].content == told[1].content
    assert _lasting(told[0]) == _lasting(told[1])


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize(
    ("parts", "status"),
    [([b'{"na', b'me": "x"}', b""], 200), ([b'{"name": "', b"x" * 999, b'"}'], 413)],
)
async def test_a_body_may_come_in_parts(parts: list[bytes], status: int, *, straight: bool) -> None:
    async def sent() -> AsyncIterator[bytes]:
        for one in parts:
            yield one

    headers = {"some-key": "abc", **JSON}
    told = await _asked(an_app(straight=straight), "POST", "/v1/things", headers, sent())
    assert told.status_code == status


@pytest.mark.parametrize("straight", [True, False])
async def test_who_goes_away_in_the_middle_of_a_body_has_asked_nothing(*, straight: bool) -> None:
    coming: list[Message] = [
        {"type": "http.request", "body": b'{"name": "x"}', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (name.encode(), value.encode()) for name, value in {"some-key": "abc", **JSON}.items()
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/things",
        "query_string": b"",
        "headers": headers,
        "server": ("here", 80),
        "scheme": "http",
    }
    await an_app(straight=straight)(scope, receive, send)
    assert sent[0]["status"] == 422


@given(
    recursive(
        none() | booleans() | integers() | floats() | text(),
        lambda one: lists(one) | dictionaries(text(), one),
    )
)
def test_what_is_taken_for_json_says_the_same_as_the_framework_reads(value: object) -> None:
    told = json.dumps(value)
    try:
        read = msgspec.json.decode(told.encode())
    except msgspec.DecodeError:
        return
    assert repr(read) == repr(json.loads(told))


def test_every_route_is_called_straight_but_these() -> None:
    left = {
        f"{method} {one.path}"
        for one in ROUTES
        if plain_call_of(one) is None
        for method in one.methods or ()
    }
    assert left == LEFT_TO_THE_FRAMEWORK


async def _asked(
    app: FastAPI,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | AsyncIterator[bytes] = b"",
) -> httpx2.Response:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, headers=headers, content=body)


def _lasting(told: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in told.headers.items() if name != "traceparent"}
