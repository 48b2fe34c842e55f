"""The house rules that no linter knows; each names all who break it, and says what to do."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

# They read the same files: one worker reads them once.
pytestmark = pytest.mark.xdist_group("tidy")

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("engine", "optimizer", "storage", "actors", "api", "simulations")
PURE = ("engine", "optimizer")
WRITTEN = (".github", ".ci", "deploy", "docs", "tests", *PACKAGES)

# Called by the name of a table: tests/storage/test_places.py knows by which.
CALLED_BY_PLACE = ("erase_", "tell_", "remove_old_", "remove_expired_")

COMPILED = {"compiled", "compiled_apart", "compiled_entry"}

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


def nodes(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    for module in modules(*folders):
        for node in ast.walk(tree(module)):
            yield module, node


def none_of(found: Iterable[str], advice: str) -> None:
    listed = list(found)
    assert not listed, "\n".join([advice, *listed])


def test_rules_never_wait() -> None:
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    none_of(
        (f"{module}:{node.lineno}" for module, node in nodes(*PURE) if isinstance(node, waits)),
        "engine and optimizer only compute; let the actor fetch what the rule needs and hand it in",
    )


def test_python_calls_nothing_that_only_the_compiled_can_call() -> None:
    inner = {
        module: {node.name for node in functions(module, COMPILED - {"compiled_entry"})}
        for module in modules("optimizer")
    }
    none_of(
        (call for module in modules(*PACKAGES, "tests") for call in calls_of(module, inner)),
        "such a call ends the process: make the function a @compiled_entry",
    )


def functions(module: str, decorators: set[str]) -> list[ast.FunctionDef]:
    """Those at the top of a module with one of these decorators."""
    return [
        node
        for node in tree(module).body
        if isinstance(node, ast.FunctionDef)
        and decorators & {ast.unparse(one) for one in node.decorator_list}
    ]


def calls_of(module: str, inner: Mapping[str, set[str]]) -> Iterator[str]:
    """Where Python names a function of these, of this module or imported from another."""
    names = set(inner.get(module, ()))
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            theirs = inner.get(f"{node.module.replace('.', '/')}.py", ())
            names.update(one.asname or one.name for one in node.names if one.name in theirs)
    is_compiled = functions(module, COMPILED)
    for node in tree(module).body:
        for one in ast.walk(node) if names and node not in is_compiled else ():
            if isinstance(one, ast.Name) and one.id in names:
                yield f"{module}:{one.lineno} {one.id}"


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {
        module: len((ROOT / module).read_text("utf-8").splitlines())
        for module in modules(*PACKAGES, "tests")
    }
    none_of(
        (
            f"{module} has {length} lines, {allowed(module)} are allowed"
            for module, length in lengths.items()
            if length > allowed(module)
        ),
        "split a file by what it speaks of",
    )


def allowed(module: str) -> int:
    return TEST_FILE_LINES_MAX if module.startswith("tests/") else FILE_LINES_MAX


def test_a_function_fits_on_a_screen() -> None:
    none_of(
        (
            f"{module}: {node.name} ({length} lines)"
            for module, node in nodes(*PACKAGES)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
        ),
        f"{FUNCTION_LINES_MAX} lines are allowed: give the steps names and make them functions",
    )


def test_a_module_says_what_it_is() -> None:
    # An __init__.py that only marks a package says nothing.
    docstrings = {
        module: ast.get_docstring(tree(module)) or ""
        for module in modules(*PACKAGES)
        if tree(module).body
    }
    none_of(
        (
            f"{module} begins with {told.partition(chr(10))[0]!r}"
            for module, told in docstrings.items()
            if not re.match(r"\S.+\.(?:\n\n|\Z)", told)
        ),
        "begin a module with one sentence, on one line, that says what the file is; more may "
        "follow after an empty line",
    )


def test_no_file_is_a_drawer() -> None:
    none_of(
        (
            f"{module}: {word}"
            for module in modules(*PACKAGES, "tests")
            for part in Path(module).with_suffix("").parts
            for word in part.split("_")
            if DRAWER.fullmatch(word)
        ),
        "such a name says nothing; name the file after what it speaks of",
    )


def test_no_class_is_a_drawer() -> None:
    none_of(
        (
            f"{module}: {node.name}"
            for module, node in nodes(*PACKAGES, "tests")
            if isinstance(node, ast.ClassDef) and DRAWER_CLASS.search(node.name)
        ),
        "name a class after the one thing it is",
    )


def test_no_dependency_takes_our_name() -> None:
    shipped = packages_distributions()
    none_of(
        (
            f"{other} ships {package!r}"
            for package in PACKAGES
            for other in set(shipped.get(package, ())) - {"hadiyati"}
        ),
        "its top-level package would hide ours or be hidden: do without that dependency",
    )


def test_nothing_is_postponed_in_a_comment() -> None:
    none_of(
        (
            f"{text}:{number}"
            for text in texts()
            for number, line in enumerate(
                (ROOT / text).read_text("utf-8", errors="replace").splitlines(), 1
            )
            if POSTPONED.search(line)
        ),
        "do it, or open an issue instead",
    )


def test_only_storage_speaks_sql() -> None:
    none_of(
        (
            f"{module}:{node.lineno}"
            for module, node in nodes("engine", "optimizer", "actors", "api", "simulations")
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and SQL_STATEMENT.match(node.value)
        ),
        "make SQL a named block in storage/sql and call that",
    )


def test_every_query_has_a_caller() -> None:
    used = {node.attr for _, node in nodes("storage") if isinstance(node, ast.Attribute)}
    names = {block: block.rpartition(":")[2] for block in sql_blocks()}
    none_of(
        (
            block
            for block, name in names.items()
            if not name.startswith(CALLED_BY_PLACE) and name not in used
        ),
        "a query that nobody in storage calls: call it or delete it",
    )
