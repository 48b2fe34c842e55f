"""Sparse answers: `?fields=` cuts every resource and every row of a list to what was asked for.

What can be asked for is what the description of the answer names; no route knows of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from fastapi.routing import APIRoute
from msgspec import Struct
from pydantic import BaseModel
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Fault, Invalid, problem
from api.list_queries import FIELDS, Parameter
from api.refusals import INVALID_REQUEST
from api.rewriting import Rewritten

if TYPE_CHECKING:
    from re import Pattern

_IN_QUERY: Final = FIELDS.encode()


class Sparse(Struct, frozen=True, kw_only=True):
    """One answer that can be cut: the fields of the whole, or of each of its `rows`."""

    names: tuple[str, ...]
    rows: str = ""

    @property
    def parameter(self) -> Parameter:
        """How it is asked for."""
        of = "each row" if self.rows else "the answer"
        one = {"type": "string", "enum": list(self.names)}
        return Parameter(
            name=FIELDS,
            says=f"Only these fields of {of}, repeated or between commas; the others are left out.",
            schema={"type": "array", "items": one, "maxItems": len(self.names), "default": []},
            example=list(self.names[:2]),
        )

    def cut(self, told: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """The answer with those alone; what is beside the rows of a list stays."""
        if not self.rows:
            return _only(told, names)
        return told | {self.rows: [_only(one, names) for one in told[self.rows]]}


def sparse_of(model: type[BaseModel]) -> Sparse:
    """What can be asked of an answer. With a single list in it, and nothing else, it is a list."""
    rows = {name: row for name, one in model.model_fields.items() if (row := _row_of(one))}
    beside = model.model_fields.keys() - rows.keys()
    is_list = len(rows) == 1 and (not beside or "next" in beside)
    if not is_list:
        return Sparse(names=tuple(model.model_fields))
    ((name, row),) = rows.items()
    return Sparse(names=tuple(row.model_fields), rows=name)


def sparse_routes(routes: Iterable[APIRoute]) -> Iterator[tuple[APIRoute, Sparse]]:
    """Those that answer with a resource or a list of them."""
    for route in routes:
        told = route.responses.get(200, {})
        is_ours = route.path.startswith("/v1/") and route.methods == {"GET"}
        if is_ours and "model" in told and "content" not in told:
            yield route, sparse_of(told["model"])


class SparseAnswers:
    """Which answer each address gives."""

    def __init__(self, routes: Iterable[APIRoute]) -> None:
        self._known: list[tuple[Pattern[str], Sparse]] = [
            (compile_path(route.path)[0], sparse) for route, sparse in sparse_routes(routes)
        ]

    def of(self, path: str) -> Sparse | None:
        """None for an address that answers with no resource."""
        return next((sparse for known, sparse in self._known if known.match(path)), None)


class Chosen:
    """Sits around the routes, and does nothing for who does not ask for `fields`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; one for a field that there is not is refused."""
        is_asked = scope["type"] == "http" and _IN_QUERY in scope["query_string"]
        sparse = _asked_of(scope) if is_asked and scope["method"] == "GET" else None
        texts = QueryParams(scope["query_string"]).getlist(FIELDS) if sparse else []
        if sparse is None or not texts:
            await self._app(scope, receive, send)
            return
        try:
            names = sparse.parameter.read(texts)
        except Invalid as error:
            await _refused(Request(scope), error.faults)(scope, receive, send)
            return

        def cut(told: dict[str, Any]) -> dict[str, Any]:
            return sparse.cut(told, names)

        await self._app(scope, receive, Rewritten(send, cut, _is_resource).send)


def _is_resource(start: Message) -> bool:
    kind = Headers(scope=start).get("content-type", "")
    return start["status"] == 200 and kind.startswith("application/json")


def _asked_of(scope: Scope) -> Sparse | None:
    answers: SparseAnswers = scope["app"].state.sparse_answers
    return answers.of(scope["path"])


def _refused(request: Request, faults: Sequence[Fault]) -> ASGIApp:
    return problem(request, INVALID_REQUEST(), errors=faults)


def _only(told: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: told[name] for name in names if name in told}


def _row_of(field: Any) -> type[BaseModel] | None:  # noqa: ANN401 - pydantic's own
    if get_origin(field.annotation) is not list:
        return None
    (row,) = get_args(field.annotation)
    return row if isinstance(row, type) and issubclass(row, BaseModel) else None
