"""What is called straight away answers as the framework would have answered."""

from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, FastAPI, Header, Path, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import ROUTES
from api.directory import ByAddress, Directory, Straight
from api.errors import Invalid, add_handlers
from api.json_answer import Json
from api.outermost import BodyLimit, Outermost
from api.plain_calls import plain_call_of

LEFT_TO_THE_FRAMEWORK = {"GET /v1/sessions", "DELETE /v1/sessions/{session_id}"}


class Thing(BaseModel):
    """A body."""

    name: str


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


async def write(body: Thing) -> Json:
    """What has a body is the framework's."""
    return Json(body.name)


async def model() -> Thing:
    """So is what does not answer by itself."""
    return Thing(name="x")


def an_app(*, straight: bool) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/v1/things/{number}", read, methods=["GET", "DELETE"])
    app.add_api_route("/v1/things", write, methods=["POST"])
    app.add_api_route("/v1/things", model, methods=["GET"])
    if straight:
        directory = Directory(app.router.routes)
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


def test_every_route_without_a_body_is_called_straight_but_these() -> None:
    routes = [one for each in ROUTES for one in each.router.routes if isinstance(one, APIRoute)]
    left = {
        f"{method} {one.path}"
        for one in routes
        if one.body_field is None and plain_call_of(one) is None
        for method in one.methods or ()
    }
    assert left == LEFT_TO_THE_FRAMEWORK


async def _asked(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, headers=headers)


def _lasting(told: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in told.headers.items() if name != "traceparent"}
