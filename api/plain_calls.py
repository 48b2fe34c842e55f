"""A route's function called straight away, where it asks for no more than a request tells.

The framework solves whatever a route may ask for anew with each request, within two stacks of
things to close. Most routes ask who is calling, for words of the address and for a body in JSON,
and close nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any, Final, get_type_hints

from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

# What a function may ask for here; the rest of what the framework knows stays the framework's.
_BESIDE: Final = frozenset({"request_param_name", "dependencies"})
_READ: Final = _BESIDE | {"path_params", "query_params", "header_params", "body_params"}
_ABOUT: Final = frozenset(
    {"name", "call", "path", "scope", "use_cache", "own_oauth_scopes", "parent_oauth_scopes"}
)


class PlainCall:
    """Calls one function as the framework would, and raises what it would raise."""

    def __init__(self, dependant: Dependant) -> None:
        assert dependant.call is not None
        self._call: Callable[..., Awaitable[Any]] = dependant.call
        self._asks: Sequence[tuple[str, PlainCall]] = [
            (one.name or "", PlainCall(one)) for one in dependant.dependencies
        ]
        self._path = dependant.path_params
        self._query = dependant.query_params
        self._headers = dependant.header_params
        self._is_worded = bool(self._path or self._query or self._headers)
        self._body = dependant.body_params[0] if dependant.body_params else None
        self._request_name = dependant.request_param_name

    @property
    def has_body(self) -> bool:
        """Whether it is to be called with what JSON said."""
        return self._body is not None

    async def __call__(self, request: Request, told: object = None) -> Any:  # noqa: ANN401 - what the function returns
        """What it depends on comes first, then words and headers, then the body that was `told`."""
        values = {name: await ask(request) for name, ask in self._asks}
        if self._is_worded or self._body is not None:
            values |= self._read(request, told)
        if self._request_name is not None:
            values[self._request_name] = request
        return await self._call(**values)

    def _read(self, request: Request, told: object) -> dict[str, Any]:
        """All of it, so that all faults are told at once."""
        values: dict[str, Any] = {}
        faults: list[Any] = []
        for asked, said in (
            (self._path, request.path_params),
            (self._query, request.query_params if self._query else {}),
            (self._headers, request.headers if self._headers else {}),
        ):
            if asked:
                read, wrong = request_params_to_args(asked, said)
                values |= read
                faults += wrong
        if self._body is not None:
            values[self._body.name], wrong = self._body.validate(told, values, loc=("body",))
            faults += wrong
        if faults:
            raise RequestValidationError(faults)
        return values


def plain_call_of(route: APIRoute) -> PlainCall | None:
    """None where the framework is needed: parts of bodies, and what is closed afterwards."""
    # Faults in words that two functions read would be told together.
    is_plain = _is_plain(route.dependant, _READ) and _answers_itself(route.dependant.call)
    return PlainCall(route.dependant) if is_plain and _is_lone_body(route) else None


def _is_lone_body(route: APIRoute) -> bool:
    """Whether a body, if there is one, is one thing in JSON, and not a part of it by its name."""
    bodies = [one.field_info for one in route.dependant.body_params]
    return len(bodies) <= 1 and all(type(one) is params.Body and not one.embed for one in bodies)


def _is_plain(dependant: Dependant, known: frozenset[str]) -> bool:
    others = (one.name for one in fields(Dependant) if one.name not in known | _ABOUT)
    return (
        _is_awaited(dependant.call)
        and not any(getattr(dependant, one) for one in others)
        and all(one.name and _is_plain(one, _BESIDE) for one in dependant.dependencies)
    )


def _is_awaited(call: object) -> bool:
    # An object that is called is a coroutine function by its class.
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)


def _answers_itself(call: Callable[..., Any] | None) -> bool:
    answer = get_type_hints(call).get("return")
    return isinstance(answer, type) and issubclass(answer, Response)
