"""The pages of docs/api: prose by hand, and parts that are made between marks in it.

`<!-- made: request make_quote -->` and `<!-- /made -->` enclose what `request` makes.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from api.description import codes_of, document
from api.errors import STATUS_BY_KIND, status_of
from api.examples import examples
from api.sockets.close_codes import MEANINGS
from api.sockets.frame_examples import OF_THE_APP, OF_THE_SERVER
from api.versions import CHANGES, DEPRECATIONS, FIRST, VERSIONS
from engine.kernel.refusals import CATALOGUE

FOLDER: Final = Path(__file__).parents[1] / "docs" / "api"
_MARKED: Final = re.compile(r"(<!-- made: ([\w ]+) -->\n).*?(<!-- /made -->)", re.DOTALL)


def filled(page: str) -> str:
    """A page with its made parts as they must be."""

    def fill(found: re.Match[str]) -> str:
        kind, *words = found[2].split()
        return f"{found[1]}{_MAKERS[kind](*words).strip()}\n{found[3]}"

    return _MARKED.sub(fill, page)


def _block(value: object) -> str:
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```"


def _request(operation_id: str) -> str:
    method, path, operation = _operations()[operation_id]
    keyed = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
    headers = ["Content-Type: application/json"]
    if "x-roles" in operation:
        headers.insert(0, "Authorization: Bearer <access token>")
    if keyed:
        headers.append("Idempotency-Key: 6b0f3c9e")
    body = json.dumps(examples()[operation_id]["request"], ensure_ascii=False, indent=2)
    lines = [f"{method} {path} HTTP/1.1", *headers, "", body]
    return "```http\n" + "\n".join(lines) + "\n```"


def _answer(operation_id: str) -> str:
    return _block(examples()[operation_id]["answer"])


def _problem(code: str) -> str:
    return _block(document()["components"]["examples"][code]["value"])


def _frame(tag: str) -> str:
    found = {**OF_THE_APP, **OF_THE_SERVER}[tag]
    return _block({"type": tag, **found})


def _codes() -> str:
    rows = [
        f"| `{code}` | {status_of(one)} | {one.en} | {one.ar} |"
        for code, one in sorted(CATALOGUE.items())
    ]
    return _table(("code", "status", "English", "Arabic"), rows)


def _statuses() -> str:
    rows = [f"| {kind.value} | {status} |" for kind, status in STATUS_BY_KIND.items()]
    return _table(("what sort of no", "status"), rows)


def _list() -> str:
    """Every operation, by its tag."""
    by_tag = defaultdict(list)
    for method, path, operation in _operations().values():
        (tag,) = operation.get("tags", ("other",))
        roles = ", ".join(operation.get("x-roles", ())) or "anybody"
        about = operation["description"].partition("\n")[0]
        codes = ", ".join(f"`{one}`" for one in _rare_codes(operation))
        by_tag[tag].append(f"| `{method} {path}` | {about} | {roles} | {codes} |")
    head = ("operation", "what it does", "whose", "refusals of its own")
    return "\n".join(f"### {tag}\n\n{_table(head, rows)}" for tag, rows in sorted(by_tag.items()))


def _rare_codes(operation: dict[str, Any]) -> list[str]:
    """Those that fewer than a quarter of all operations have."""
    known = [codes_of(one["responses"]) for _, _, one in _operations().values()]
    common = {one for one in CATALOGUE if sum(one in each for each in known) * 4 >= len(known)}
    return sorted(codes_of(operation["responses"]) - common)


def _versions() -> str:
    changes = defaultdict(list)
    for one in CHANGES:
        changes[one.since].append(f"`{one.operation}`: {one.says}")
    rows = [
        f"| {version} | {'The first.' if version == FIRST else ' '.join(changes[version])} |"
        for version in reversed(VERSIONS)
    ]
    return _table(("version", "what changed"), rows)


def _going() -> str:
    rows = [
        f"| `{one.operation}` {one.parameter and f'parameter `{one.parameter}`'} "
        f"| {one.since:%Y-%m-%d} | {one.until:%Y-%m-%d} | {one.instead} |"
        for one in DEPRECATIONS
    ]
    return _table(("what goes", "deprecated", "gone", "instead"), rows)


def _closes() -> str:
    rows = [
        f"| {int(code)} | {meaning} | {'no' if code.is_final else 'yes'} |"
        for code, meaning in MEANINGS.items()
    ]
    return _table(("code", "meaning", "connect again"), rows)


def _table(head: tuple[str, ...], rows: list[str]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows, ""])


def _operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


_MAKERS: Final[Mapping[str, Callable[..., str]]] = {
    "request": _request,
    "answer": _answer,
    "problem": _problem,
    "frame": _frame,
    "codes": _codes,
    "statuses": _statuses,
    "operations": _list,
    "versions": _versions,
    "going": _going,
    "closes": _closes,
}
