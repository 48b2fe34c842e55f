"""The description as makers of clients want it: every refusal of an operation is one problem."""

from typing import Any

from api.description import codes_of
from api.errors import MEDIA_TYPE
from api.examples import without_examples


def for_clients(document: dict[str, Any]) -> dict[str, Any]:
    """Without examples; the codes of an operation's refusals are one type, and may be others."""
    slim = without_examples(document)
    for methods in slim["paths"].values():
        for operation in methods.values():
            operation["responses"] = _answers(operation["responses"])
    return slim


def _answers(responses: dict[str, Any]) -> dict[str, Any]:
    good = {status: one for status, one in responses.items() if int(status) < 300}
    codes = sorted(codes_of(responses))
    known = {"anyOf": [{"type": "string", "enum": codes}, {"type": "string"}]}
    problem = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"code": known}}]}
    refusal = {"description": "A problem.", "content": {MEDIA_TYPE: {"schema": problem}}}
    return {**good, "default": refusal}
