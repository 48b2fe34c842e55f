"""The description as makers of clients want it: every refusal of an operation is one problem."""

from typing import Any

from api.errors import MEDIA_TYPE
from api.examples import without_examples

_TAGS = ("x-roles",)


def for_clients(document: dict[str, Any]) -> dict[str, Any]:
    """Without examples; the codes of an operation's refusals are one type, and may be others."""
    slim = without_examples(document)
    for methods in slim["paths"].values():
        for operation in methods.values():
            operation["responses"] = _answers(operation["responses"])
    return slim


def _answers(responses: dict[str, Any]) -> dict[str, Any]:
    good = {status: one for status, one in responses.items() if int(status) < 300}
    codes = sorted({code for one in responses.values() for code in _codes(one)})
    known = {"anyOf": [{"type": "string", "enum": codes}, {"type": "string"}]}
    problem = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"code": known}}]}
    refusal = {"description": "A problem.", "content": {MEDIA_TYPE: {"schema": problem}}}
    return {**good, "default": refusal}


def _codes(answer: dict[str, Any]) -> list[str]:
    schema = answer.get("content", {}).get(MEDIA_TYPE, {}).get("schema", {})
    found: list[str] = [
        code
        for part in schema.get("allOf", ())
        for code in part.get("properties", {}).get("code", {}).get("enum", ())
    ]
    return found
