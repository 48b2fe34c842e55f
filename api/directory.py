"""Finds the route of a request by its address at once; the framework asks one after the other."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

_Key = tuple[str, int, str]
_AT: Final = "directory.route"
_NOT_HERE: Final[tuple[Match, Scope]] = (Match.NONE, {})


class Directory(BaseRoute):
    """Stands before all routes. What it does not find, the framework refuses in its own way.

    Routes that might be meant are those of a method with so many parts in their address, the
    second of them the same; of several that fit, the first declared, as ever.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        by_key: defaultdict[_Key, list[APIRoute]] = defaultdict(list)
        for route in routes:
            if isinstance(route, APIRoute):
                for method in route.methods or ():
                    by_key[_key(method, route.path)].append(route)
        self._by_key = dict(by_key)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route's own answer, with the route."""
        if scope["type"] != "http" or scope.get("root_path"):
            return _NOT_HERE
        path = scope["path"]
        for route in self._by_key.get(_key(scope["method"], path), ()):
            if (found := route.path_regex.match(path)) is not None:
                convertors = route.param_convertors
                params = {
                    name: convertors[name].convert(told) for name, told in found.groupdict().items()
                }
                return Match.FULL, {
                    "endpoint": route.endpoint,
                    "path_params": params,
                    "route": route,
                    _AT: route,
                }
        return _NOT_HERE

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the found route answer."""
        route: APIRoute = scope[_AT]
        await route.app(scope, receive, send)


def _key(method: str, path: str) -> _Key:
    parts = path.split("/", 3)
    # What stands before a parameter tells routes apart; the parameter itself does not.
    return method, path.count("/"), parts[2] if len(parts) > 2 else path
