"""Which routes there are: whom each lets in, and which methods an address knows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import compile_path

from api.deps import Granted
from engine.identity.access import GRANTS, Deed
from engine.kernel.messages import Role

if TYPE_CHECKING:
    from re import Pattern

_NO_METHOD: Final = frozenset[str]()


def routes_of(app: FastAPI) -> Iterator[RouteContext]:
    """Those that are described; what a router includes is seen through it."""
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            yield route


def path_of(route: RouteContext) -> str:
    """With its parameters in braces."""
    assert route.path is not None
    return route.path


def deeds_of(route: RouteContext) -> set[Deed]:
    """What a route asks the table of grants for; nothing if it is open to all."""
    return set(_granted_by(route.dependant))


def roles_of(route: RouteContext) -> set[Role]:
    """Who may ask it; nobody is named if it is open to all."""
    return {role for deed in deeds_of(route) for role in GRANTS[deed].roles}


class Methods:
    """Which methods each address knows, of all routes together (RFC 9110 section 10.2.1)."""

    def __init__(self, app: FastAPI) -> None:
        by_path: defaultdict[str, set[str]] = defaultdict(set)
        for route in routes_of(app):
            by_path[path_of(route)] |= route.methods or _NO_METHOD
        self._known: Sequence[tuple[Pattern[str], set[str]]] = [
            (compile_path(path)[0], methods) for path, methods in by_path.items()
        ]

    def of(self, path: str) -> list[str]:
        """In one order; none for an address that there is not."""
        return sorted({one for known, found in self._known if known.match(path) for one in found})


def _granted_by(dependant: Dependant) -> Iterator[Deed]:
    if isinstance(dependant.call, Granted):
        yield from dependant.call.deeds
    for one in dependant.dependencies:
        yield from _granted_by(one)
