"""The table of docs/security.md names requirements that there are, and tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
TABLE, _, UNMET = TEXT.partition("## What is not met")
# How many sections each chapter of ASVS 5.0.0 has, and how many requirements each of these.
SECTIONS = {
    1: (2, 10, 12, 3, 3),
    2: (3, 3, 5, 2),
    3: (1, 3, 5, 8, 8, 1, 5),
    4: (5, 5, 2, 4),
    5: (1, 6, 2, 3),
    6: (4, 12, 8, 6, 8, 4, 2, 4),
    7: (3, 4, 2, 5, 3, 2),
    8: (4, 4, 3, 2),
    9: (3, 4),
    11: (4, 5, 5, 4, 2, 2, 2),
    12: (5, 2, 5),
    13: (4, 6, 4, 7),
    14: (2, 8, 3),
    15: (5, 5, 7, 4),
    16: (1, 5, 4, 3, 4),
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


def test_every_requirement_is_one_of_the_standard() -> None:
    named = [tuple(map(int, one)) for one in NUMBER.findall(TABLE + UNMET)]
    assert named
    for chapter, section, number in named:
        sections = SECTIONS.get(chapter, ())
        is_one = section <= len(sections) and number <= sections[section - 1]
        assert is_one, f"ASVS 5.0.0 has no {chapter}.{section}.{number}"


def test_what_is_not_met_is_not_in_the_table() -> None:
    met = {one for requirement, _ in rows() for one in named_in(requirement)}
    unmet = {
        one
        for line in UNMET.splitlines()
        if line.startswith("- ")
        for one in named_in(line.partition(":")[0].partition(" for ")[0])
    }
    # Where one factor is demanded of some and not of others, both are told.
    assert met & unmet <= {(6, 3, 3)}
