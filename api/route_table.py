"""Which routes there are: whom each lets in, and which methods an address knows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import compile_path

from api.deps import Granted
from engine.identity.access import GRANTS, Deed
from engine.kernel.messages import Role

if TYPE_CHECKING:
    from re import Pattern


def routes_of(*routers: APIRouter) -> Sequence[APIRoute]:
    """What they serve, in the order of their declaration."""
    return [one for each in routers for one in each.routes if isinstance(one, APIRoute)]


def deeds_of(route: APIRoute) -> set[Deed]:
    """What a route asks the table of grants for; nothing if it is open to all."""
    return set(_granted_by(route.dependant))


def roles_of(route: APIRoute) -> set[Role]:
    """Who may ask it; nobody is named if it is open to all."""
    return {role for deed in deeds_of(route) for role in GRANTS[deed].roles}


class Methods:
    """Which methods each address knows, of all routes together (RFC 9110 section 10.2.1)."""

    def __init__(self, routes: Iterable[APIRoute]) -> None:
        by_path: defaultdict[str, set[str]] = defaultdict(set)
        for route in routes:
            by_path[route.path] |= route.methods or set()
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
