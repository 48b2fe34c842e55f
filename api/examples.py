"""Examples of requests and answers: they stand in the description of REST, and tests send them.

`examples.json` holds them by operation; the requests are written by hand, the answers are what the
requests were answered (`make examples`), with other ids, times and secrets.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from api.errors import problem_members
from engine.kernel.refusals import CATALOGUE

FILE: Final = Path(__file__).with_name("examples.json")
JSON: Final = "application/json"
_EXAMPLES: Final = ("example", "examples")
_REQUEST_ID: Final = "0198a3c4-8f4e-7d10-9c53-000000000000"


@cache
def examples() -> dict[str, dict[str, Any]]:
    """By operation: its `request`, if it takes a body, and its `answer`, if that is JSON."""
    read: dict[str, dict[str, Any]] = msgspec.json.decode(FILE.read_bytes())
    return read


def show_examples(document: dict[str, Any]) -> None:
    """Put them into a description."""
    for methods in document["paths"].values():
        for operation in methods.values():
            _show(operation, examples().get(operation["operationId"], {}))
    document["components"]["examples"] = {
        code: {
            "summary": one.en,
            "value": problem_members(one, title=one.en, request_id=_REQUEST_ID),
        }
        for code, one in sorted(CATALOGUE.items())
    }


def _show(operation: dict[str, Any], found: dict[str, Any]) -> None:
    if "request" in found:
        operation["requestBody"]["content"][JSON]["example"] = found["request"]
    for status, answer in operation["responses"].items():
        if "answer" in found and int(status) < 300 and JSON in answer.get("content", {}):
            answer["content"][JSON]["example"] = found["answer"]


def without_examples(document: dict[str, Any]) -> dict[str, Any]:
    """The same description, of which each form of a request or an answer is left."""

    def bare(part: object) -> object:
        if isinstance(part, dict):
            return {name: bare(one) for name, one in part.items() if name not in _EXAMPLES}
        return [bare(one) for one in part] if isinstance(part, list) else part

    found = bare(document)
    assert isinstance(found, dict)
    return found
