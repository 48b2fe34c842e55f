"""Finds the route of a request by its address at once; the framework asks one after the other."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.plain_bodies import NotPlain, ReadBody
from api.plain_calls import PlainCall, plain_call_of

_Key = tuple[str, int, str]
_AT: Final = "directory.route"
_NOT_HERE: Final[tuple[Match, Scope]] = (Match.NONE, {})


class Found(NamedTuple):
    """The route that a request means, and what its address says; how to call it, if plainly."""

    route: APIRoute
    path_params: Mapping[str, Any]
    plain: PlainCall | None


class Directory:
    """All routes by method and address.

    Routes that might be meant are those of a method with so many parts in their address, the
    second of them the same; of several that fit, the first declared, as ever.
    """

    def __init__(self, routes: Iterable[APIRoute]) -> None:
        by_key: defaultdict[_Key, list[tuple[APIRoute, PlainCall | None]]] = defaultdict(list)
        for route in routes:
            plain = plain_call_of(route)
            for method in route.methods or ():
                by_key[_key(method, route.path)].append((route, plain))
        self._by_key = dict(by_key)

    def find(self, scope: Scope) -> Found | None:
        """None for what there is not, and for what the framework finds in ways of its own."""
        if scope["type"] != "http" or scope.get("root_path"):
            return None
        path = scope["path"]
        for route, plain in self._by_key.get(_key(scope["method"], path), ()):
            if (found := route.path_regex.match(path)) is not None:
                convertors = route.param_convertors
                params = {
                    name: convertors[name].convert(told) for name, told in found.groupdict().items()
                }
                return Found(route, params, plain)
        return None


class ByAddress(BaseRoute):
    """Stands before all routes. What is not found, the framework refuses in its own way."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route's own answer, with the route."""
        found: Found | None = scope.get(_AT) or self._directory.find(scope)
        if found is None:
            return _NOT_HERE
        return Match.FULL, {**_told(found), _AT: found}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the found route answer."""
        found: Found = scope[_AT]
        await found.route.app(scope, receive, send)


class Straight:
    """Next to the routes: calls those that ask for little itself, and leaves the others."""

    def __init__(self, app: ASGIApp, directory: Directory) -> None:
        self._app = app
        self._directory = directory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is raised is answered by whom the application names for it."""
        scope[_AT] = found = self._directory.find(scope)
        if found is None or found.plain is None:
            await self._app(scope, receive, send)
            return
        scope.update(_told(found))
        body = ReadBody(receive) if found.plain.has_body else None
        request = Request(scope, body.again if body else receive, send)
        try:
            response = await found.plain(request, await body.told(scope) if body else None)
        except NotPlain:
            await self._app(scope, request.receive, send)
            return
        except Exception as error:  # noqa: BLE001 - what nobody answers is raised again
            response = await _answer_to(request, error)
        await response(scope, receive, send)


def _told(found: Found) -> dict[str, Any]:
    return {
        "endpoint": found.route.endpoint,
        "path_params": found.path_params,
        "route": found.route,
    }


async def _answer_to(request: Request, error: Exception) -> Response:
    """By the handler of its kind; what nobody expects goes on its way."""
    handlers = request.app.exception_handlers
    handler = next((handlers[one] for one in type(error).__mro__ if one in handlers), None)
    if handler is None:
        raise error
    response: Response = await handler(request, error)
    return response


def _key(method: str, path: str) -> _Key:
    parts = path.split("/", 3)
    # What stands before a parameter tells routes apart; the parameter itself does not.
    return method, path.count("/"), parts[2] if len(parts) > 2 else path
