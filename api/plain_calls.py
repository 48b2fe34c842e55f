"""A route's function called straight away, where it asks for no more than a request tells.

The framework solves whatever a route may ask for anew with each request, within two stacks of
things to close. Most routes ask who is calling and for words of the address, and close nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any, Final, get_type_hints

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

# What a function may ask for here; the rest of what the framework knows stays the framework's.
_BESIDE: Final = frozenset({"request_param_name", "dependencies"})
_READ: Final = _BESIDE | {"path_params", "query_params", "header_params"}
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
        self._request_name = dependant.request_param_name

    async def __call__(self, request: Request) -> Any:  # noqa: ANN401 - what the function returns
        """What it depends on comes first, then the words of the address and the headers."""
        values = {name: await ask(request) for name, ask in self._asks}
        if self._is_worded:
            values |= self._read(request)
        if self._request_name is not None:
            values[self._request_name] = request
        return await self._call(**values)

    def _read(self, request: Request) -> dict[str, Any]:
        told = [
            request_params_to_args(self._path, request.path_params),
            request_params_to_args(self._query, request.query_params if self._query else {}),
            request_params_to_args(self._headers, request.headers if self._headers else {}),
        ]
        faults = [one for _, each in told for one in each]
        if faults:
            raise RequestValidationError(faults)
        return {name: value for values, _ in told for name, value in values.items()}


def plain_call_of(route: APIRoute) -> PlainCall | None:
    """None where the framework is needed: for bodies, and for what is closed afterwards."""
    # Faults in words that two functions read would be told together.
    is_plain = _is_plain(route.dependant, _READ) and _answers_itself(route.dependant.call)
    return PlainCall(route.dependant) if is_plain else None


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
