"""The table of docs/security.md names requirements that there are, and tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
TABLE, _, REST = TEXT.partition("## What does not apply")
ABSENT, _, AFTER = REST.partition("## Keys")
UNMET = AFTER.partition("## What is not met")[2]
# The level of each requirement of ASVS 5.0.0: a text for each section, a digit for each number.
LEVELS = {
    1: ("22", "1111122223", "112222222223", "222", "123"),
    2: ("122", "112", "12223", "23"),
    3: ("3", "113", "12223", "11222233", "11122333", "3", "22333"),
    4: ("12233", "23333", "22", "1222"),
    5: ("2", "112333", "113", "222"),
    6: ("122", "111111112222", "11223333", "112233", "22222333", "2223", "33", "2222"),
    7: ("222", "1111", "22", "11222", "223", "22"),
    8: ("1233", "1123", "133", "23"),
    9: ("111", "1222"),
    11: ("2233", "22233", "11233", "1222", "23", "23", "33"),
    12: ("12233", "11", "22223"),
    13: ("2333", "222223", "2233", "1222233"),
    14: ("22", "12223333", "122"),
    15: ("12233", "12233", "1222222", "3333"),
    16: ("2", "22222", "2222", "222", "2223"),
}
SOURCES = ("actors", "api", "engine", "optimizer", "simulations", "storage")
# What has no place in the source.
DANGERS = re.compile(
    r"(?<![.\w])(?:eval|exec)\(|\bpickle\b|\bmarshal\b|shell=True|os\.system|os\.popen|yaml\.load\("
    r"|verify=False|CERT_NONE|_create_unverified|follow_redirects=True|debug=True|set_cookie"
    r"|etree\.(?:parse|fromstring|XMLParser|iterparse)|minidom|re\.compile\(f[\"']"
)
# What packs what goes between Ray's own processes, what plays a gateway for this machine, and the
# one place where XML of others is read.
EXCUSED = {
    "actors/packing.py",
    "simulations/gateways/server.py",
    "engine/invoices/received.py",
}
# A requirement not to do something that is not done, and one that a decision answers.
WITHOUT_TEST = {"6.1.1", "6.2.10"}
NUMBER = re.compile(r"\b(\d{1,2})\.(\d)\.(\d{1,2})\b")


def rows() -> list[tuple[str, str]]:
    """The requirements of each row, and its tests."""
    lines = [line for line in TABLE.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert all(len(one) == 3 for one in cells)
    return [(one[0], one[2]) for one in cells]


def named_in(text: str) -> set[tuple[int, int, int]]:
    """The requirements that a text names, also those between two of a section."""
    found = {(int(a), int(b), int(c)) for a, b, c in NUMBER.findall(text)}
    for first, last in re.findall(r"(\d+\.\d\.\d+) to (\d+\.\d\.\d+)", text):
        chapter, section, begin = map(int, first.split("."))
        until = map(int, last.split("."))
        if [chapter, section] == [next(until), next(until)]:
            found |= {(chapter, section, one) for one in range(begin, next(until) + 1)}
    return found


@pytest.mark.parametrize(("requirement", "tests"), rows())
def test_a_row_names_tests_that_there_are(requirement: str, tests: str) -> None:
    found = re.findall(r"`(tests/[\w/]+\.py)`", tests)
    missing = [one for one in found if not (ROOT / one).is_file()]
    assert not missing, f"{missing} of {requirement!r} are gone: name the tests that hold it now"
    numbers = {".".join(one) for one in NUMBER.findall(requirement)}
    assert found or numbers <= WITHOUT_TEST, f"{requirement!r} has no test"


def listed(text: str) -> set[tuple[int, int, int]]:
    """The requirements before the colon of each line of a list."""
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    return {
        one
        for line in lines
        for one in named_in(re.split(": | for | beyond ", line, maxsplit=1)[0])
    }


def levels() -> dict[tuple[int, int, int], int]:
    """Those of every requirement."""
    return {
        (chapter, section, number): int(level)
        for chapter, sections in LEVELS.items()
        for section, text in enumerate(sections, 1)
        for number, level in enumerate(text, 1)
    }


def met() -> set[tuple[int, int, int]]:
    return {one for requirement, _ in rows() for one in named_in(requirement)}


def test_every_requirement_is_one_of_the_standard() -> None:
    named = met() | listed(ABSENT) | listed(UNMET)
    assert named
    assert sorted(named - levels().keys()) == []


def test_no_requirement_of_the_first_two_levels_is_passed_over() -> None:
    told = met() | listed(ABSENT) | listed(UNMET)
    asked = {one for one, level in levels().items() if level <= 2}
    assert sorted(asked - told) == []


def test_what_is_not_met_is_not_in_the_table() -> None:
    # Where something is demanded of some and not of others, both are told.
    both = {(6, 3, 3), (12, 3, 1), (12, 3, 3), (12, 3, 4), (13, 2, 2)}
    assert met() & listed(UNMET) <= both
    assert not listed(ABSENT) & (met() | listed(UNMET))


def test_nothing_dangerous_stands_in_the_source() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for folder in SOURCES
        for file in sorted((ROOT / folder).rglob("*.py"))
        if str(file.relative_to(ROOT)) not in EXCUSED
        for line in file.read_text("utf-8").splitlines()
        if DANGERS.search(line)
    ]
    assert not found


def test_every_key_that_is_made_is_listed() -> None:
    source = "".join(file.read_text("utf-8") for file in sorted((ROOT / "api").rglob("*.py")))
    made = set(re.findall(r"\.secret\(\"([^\"]+)\"\)", source))
    made |= set(re.findall(r"^PURPOSE(?:: Final)? = \"([^\"]+)\"", source, re.MULTILINE))
    keys = AFTER.partition("## Who is spoken to")[0]
    assert len(made) > 5
    assert [one for one in sorted(made) if f"`{one}`" not in keys] == []
