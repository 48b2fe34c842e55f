"""The house rules that no linter knows; each message says what to do."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("engine", "optimizer", "storage", "actors", "api", "simulations")
PURE = ("engine", "optimizer")
WRITTEN = (".github", ".ci", "deploy", "docs", "tests", *PACKAGES)

# Called by the name of a table: tests/storage/test_places.py knows by which.
CALLED_BY_PLACE = ("erase_", "tell_", "remove_old_", "remove_expired_")

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60

DRAWER = re.compile(
    r"(?:bases?|common|core|helpers?|managers?|misc|services?|shared|utils?|utilities)"
)
DRAWER_CLASS = re.compile(r"(?:Helpers?|Managers?|\wServices?|Utils?)$")
POSTPONED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")
SQL_BLOCK = re.compile(r"^--\s*name:\s*(?P<name>\w+)", re.MULTILINE)
SQL_STATEMENT = re.compile(
    r"^\s*(?:select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from)\s",
    re.IGNORECASE | re.DOTALL,
)


def modules(*folders: str) -> list[str]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def texts() -> list[str]:
    kinds = {".md", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml", ""}
    found = [path for folder in WRITTEN for path in (ROOT / folder).rglob("*") if path.is_file()]
    # What npm has fetched beside the client in TypeScript is not ours.
    found = [path for path in found if "node_modules" not in path.parts]
    found += [path for path in ROOT.iterdir() if path.is_file()]
    return sorted(p.relative_to(ROOT).as_posix() for p in found if p.suffix in kinds)


def sql_blocks() -> list[str]:
    return [
        f"{path.relative_to(ROOT).as_posix()}:{match['name']}"
        for path in sorted((ROOT / "storage" / "sql").glob("*.sql"))
        for match in SQL_BLOCK.finditer(path.read_text("utf-8"))
    ]


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"), module)


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def names_used_in_storage() -> frozenset[str]:
    return frozenset(
        node.attr
        for module in modules("storage")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
    )


@pytest.mark.parametrize("module", modules(*PURE))
def test_rules_never_wait(module: str) -> None:
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    lines = [node.lineno for node in ast.walk(tree(module)) if isinstance(node, waits)]
    assert not lines, (
        f"{module} waits at lines {lines}: engine and optimizer only compute; "
        "let the actor fetch what the rule needs and hand it in"
    )


@pytest.mark.parametrize("module", modules(*PACKAGES, "tests"))
def test_a_file_can_be_read_in_one_sitting(module: str) -> None:
    limit = TEST_FILE_LINES_MAX if module.startswith("tests/") else FILE_LINES_MAX
    length = len((ROOT / module).read_text("utf-8").splitlines())
    assert length <= limit, (
        f"{module} has {length} lines, {limit} are allowed: split it by what it speaks of"
    )


@pytest.mark.parametrize("module", modules(*PACKAGES))
def test_a_function_fits_on_a_screen(module: str) -> None:
    long = [
        f"{function.name} ({length} lines)"
        for function in functions(module)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, (
        f"{module}: {', '.join(long)}; {FUNCTION_LINES_MAX} are allowed: "
        "give the steps names and make them functions"
    )


@pytest.mark.parametrize("module", modules(*PACKAGES))
def test_a_module_says_what_it_is(module: str) -> None:
    if not tree(module).body:
        return  # an __init__.py that only marks a package
    docstring = ast.get_docstring(tree(module)) or ""
    assert re.match(r"\S.+\.(?:\n\n|\Z)", docstring), (
        f"{module} begins with {docstring.partition(chr(10))[0]!r}: begin it with one sentence, "
        "on one line, that says what the file is; more may follow after an empty line"
    )


@pytest.mark.parametrize("module", modules(*PACKAGES, "tests"))
def test_no_file_is_a_drawer(module: str) -> None:
    words = [word for part in Path(module).with_suffix("").parts for word in part.split("_")]
    drawers = [word for word in words if DRAWER.fullmatch(word)]
    assert not drawers, (
        f"{module}: {', '.join(drawers)} as a name says nothing; "
        "name the file after what it speaks of"
    )


@pytest.mark.parametrize("module", modules(*PACKAGES, "tests"))
def test_no_class_is_a_drawer(module: str) -> None:
    classes = [node.name for node in ast.walk(tree(module)) if isinstance(node, ast.ClassDef)]
    drawers = [name for name in classes if DRAWER_CLASS.search(name)]
    assert not drawers, f"{module}: {', '.join(drawers)}: name a class after the one thing it is"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_dependency_takes_our_name(package: str) -> None:
    others = set(packages_distributions().get(package, ())) - {"hadiyati"}
    assert not others, (
        f"{others} ships a top-level package {package!r} that would hide ours or be hidden: "
        "do without that dependency"
    )


@pytest.mark.parametrize("text", texts())
def test_nothing_is_postponed_in_a_comment(text: str) -> None:
    lines = (ROOT / text).read_text("utf-8", errors="replace").splitlines()
    marks = [number for number, line in enumerate(lines, 1) if POSTPONED.search(line)]
    assert not marks, f"{text} postpones work at lines {marks}: do it, or open an issue instead"


@pytest.mark.parametrize("module", modules("engine", "optimizer", "actors", "api", "simulations"))
def test_only_storage_speaks_sql(module: str) -> None:
    lines = [
        node.lineno
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL_STATEMENT.match(node.value)
    ]
    assert not lines, (
        f"{module} holds SQL at lines {lines}: make it a named block in storage/sql and call that"
    )


@pytest.mark.parametrize("block", sql_blocks())
def test_every_query_has_a_caller(block: str) -> None:
    name = block.rpartition(":")[2]
    if name.startswith(CALLED_BY_PLACE):
        return
    assert name in names_used_in_storage(), (
        f"{block} is called by nobody in storage: call it or delete it"
    )
