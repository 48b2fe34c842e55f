"""The description of the REST interface: OpenAPI 3.1, with every code of every refusal."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.errors import MEDIA_TYPE, status_of
from api.examples import show_examples
from api.fields import sparse_routes
from api.list_queries import Parameter
from api.paging import queries_of
from api.refusals import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    NOT_AUTHENTICATED,
    OVERLOADED,
    QUOTA_EXCEEDED,
    STILL_RUNNING,
    TOKEN_EXPIRED,
    TOO_LARGE,
    TOO_MANY_AT_ONCE,
    TOO_SLOW,
)
from api.route_table import roles_of
from api.versions import DEPRECATIONS, NEWEST
from engine.geo.guard import Guard
from engine.geo.parameters import ZoneParameters
from engine.identity.sessions import SESSION_ENDED
from engine.kernel.refusals import (
    CATALOGUE,
    DEADLINE_PASSED,
    KEY_REUSED,
    NOT_ALLOWED,
    UNAVAILABLE,
    Declared,
)

TITLE = "Hadiyati"
_ABOUT = """\
Gift delivery: quotes, orders, couriers and zones. Times are milliseconds since the Unix epoch
(UTC), money is halalas, coordinates are WGS 84 degrees. What is live goes over the socket
`/v1/socket`, described in docs/protocol.md. What is described here is the newest version: a client
that is made from it sends its date, the `version` above, as the header `Hadiyati-Version`.
"""
_REF = "#/components/schemas/"
_ETAG = "The version that this is; what changes it asks for it as `If-Match`."

# What any route may refuse with, and what any route may that needs a token or sends a command.
ALWAYS = (INTERNAL_ERROR, QUOTA_EXCEEDED, TOO_MANY_AT_ONCE, OVERLOADED)
WITH_BODY = (INVALID_REQUEST, TOO_LARGE, TOO_SLOW)
WITH_TOKEN = (NOT_AUTHENTICATED, TOKEN_EXPIRED, SESSION_ENDED, NOT_ALLOWED)
WITH_STORE = (UNAVAILABLE,)
WITH_KEY = (KEY_REUSED, STILL_RUNNING)
WITH_COMMAND = (*WITH_BODY, *WITH_TOKEN, KEY_REUSED, UNAVAILABLE, DEADLINE_PASSED)


def answers(status: int, model: type[BaseModel], *refusals: Declared) -> dict[int | str, Any]:
    """The `responses` of a route: what it answers, and each status with the codes that mean it."""
    found: dict[int | str, Any] = {status: {"model": model, "description": _first_line(model)}}
    codes: dict[int, dict[str, str]] = {}
    for one in (*refusals, *ALWAYS):
        codes.setdefault(status_of(one), {})[one.code] = one.en
    return found | {one: _refused(texts) for one, texts in sorted(codes.items())}


def tagged(
    responses: dict[int | str, Any], *, is_conditional: bool = False
) -> dict[int | str, Any]:
    """The `responses` of a route whose good answer has an ETag; 304 if it heeds `If-None-Match`."""
    for status, told in responses.items():
        if int(status) < 300:
            told["headers"] = {"ETag": {"description": _ETAG, "schema": {"type": "string"}}}
    if is_conditional:
        responses[304] = {"description": "It is still what the `If-None-Match` names."}
    return responses


def _refused(texts: dict[str, str]) -> dict[str, Any]:
    """The answer of one status, by its codes."""
    return {
        "description": " ".join(f"`{code}`: {text}" for code, text in sorted(texts.items())),
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": f"{_REF}Problem"},
                        {"properties": {"code": {"enum": sorted(texts)}}},
                    ]
                },
                "examples": {
                    code: {"$ref": f"#/components/examples/{code}"} for code in sorted(texts)
                },
            }
        },
    }


def codes_of(responses: dict[str, Any]) -> set[str]:
    """Those of every refusal in a description of answers."""
    return {
        code
        for answer in responses.values()
        for part in answer.get("content", {}).get(MEDIA_TYPE, {}).get("schema", {}).get("allOf", ())
        for code in part.get("properties", {}).get("code", {}).get("enum", ())
    }


@cache
def document() -> dict[str, Any]:
    """Made once; not to be changed."""
    from api.app import ROUTES  # noqa: PLC0415 - its routes import this file

    described = get_openapi(
        title=TITLE,
        version=NEWEST,
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=ROUTES,
    )
    schemas, paths = described["components"]["schemas"], described["paths"]
    schemas["Problem"] = _problem_schema()
    _, ours = msgspec.json.schema_components((ZoneParameters, Guard), ref_template=_REF + "{name}")
    schemas.update(msgspec.json.decode(msgspec.json.encode(ours)))
    for body in ("ZoneBody", "ParametersBody"):
        schemas[body]["properties"]["parameters"] = {"$ref": f"{_REF}ZoneParameters"}
    for body in ("RestoreBody", "ParametersBody"):
        guard = {"anyOf": [{"$ref": f"{_REF}Guard"}, {"type": "null"}]}
        schemas[body]["properties"]["guard"] = guard
    for route in ROUTES:
        for method in route.methods or ():
            _say_more(route, paths[route.path][method.lower()])
    for route, sparse in sparse_routes(ROUTES):
        operation = paths[route.path]["get"]
        _add(operation, (sparse.parameter,))
        _may_refuse(operation, INVALID_REQUEST)
    _say_what_goes(paths)
    show_examples(described)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return described


def _say_more(route: APIRoute, operation: dict[str, Any]) -> None:
    """Who may ask for it, without whom it is open to all; and what no signature shows of lists."""
    operation["operationId"] = route.name
    if roles := roles_of(route):
        operation["x-roles"] = sorted(roles)
    for query in queries_of(route.dependant):
        _add(operation, query.parameters)


def _add(operation: dict[str, Any], parameters: Iterable[Parameter]) -> None:
    shown = operation.setdefault("parameters", [])
    for one in parameters:
        told = {"name": one.name, "in": "query", "required": False, "description": one.says}
        example = {} if one.example is None else {"example": one.example}
        shown.append({**told, "schema": one.schema, **example})


def _may_refuse(operation: dict[str, Any], declared: Declared) -> None:
    status, answers_of = str(status_of(declared)), operation["responses"]
    codes = codes_of({status: answers_of.get(status, {})}) | {declared.code}
    answers_of[status] = _refused({code: CATALOGUE[code].en for code in codes})


def _say_what_goes(paths: dict[str, Any]) -> None:
    for one in DEPRECATIONS:
        method, _, path = one.operation.partition(" ")
        operation = paths[path][method.lower()]
        named = [part for part in operation["parameters"] if part["name"] == one.parameter]
        for part in named or [operation]:
            part["deprecated"] = True


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip()


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    allowed = {"type": "array", "items": text, "description": "The only things it might be."}
    entry = {
        "type": "object",
        "properties": {"pointer": text, "message": text, "allowed": allowed},
    }
    return {
        "type": "object",
        "description": "RFC 9457; the facts that the text names stand beside these members.",
        "required": ["type", "title", "status", "code", "detail", "title_ar", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "title_ar": text,
            "request_id": text,
            "errors": {"type": "array", "items": entry},
        },
    }
