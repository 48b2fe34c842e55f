"""What must hold of everything that can be refused."""

import importlib
import pkgutil
import re
from typing import Final

import msgspec
import pytest

import engine
from engine.kernel.refusals import CATALOGUE, Declared, Refusal, RefusalKind, declare

for module in pkgutil.walk_packages(engine.__path__, "engine."):
    importlib.import_module(module.name)

ALL: Final = sorted(CATALOGUE.values(), key=lambda one: one.code)
ARABIC = re.compile(r"[\u0600-\u06FF]")
LATIN = re.compile(r"[A-Za-z]")


@pytest.mark.parametrize("declared", ALL, ids=lambda one: one.code)
def test_a_refusal_speaks_both_languages(declared: Declared) -> None:
    assert LATIN.search(declared.en)
    assert ARABIC.search(declared.ar)
    assert not ARABIC.search(declared.en)
    assert declared.en.endswith((".", "!"))
    assert declared.ar.endswith((".", "!"))
    assert declared.en == declared.en.strip()
    assert declared.ar == declared.ar.strip()


@pytest.mark.parametrize("declared", ALL, ids=lambda one: one.code)
def test_a_code_is_snake_case_and_leads_to_its_texts(declared: Declared) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", declared.code)
    assert CATALOGUE[declared.code] is declared
    refusal = declared(facts=["a"], limit=3)
    assert refusal == Refusal(code=declared.code, detail={"facts": ["a"], "limit": 3})
    assert msgspec.json.decode(msgspec.json.encode(refusal), type=Refusal) == refusal


def test_every_sort_of_refusal_is_used() -> None:
    assert {one.kind for one in ALL} == set(RefusalKind)


def test_no_two_refusals_say_the_same() -> None:
    assert len({one.en for one in ALL}) == len({one.ar for one in ALL}) == len(ALL)


def test_a_code_is_declared_once() -> None:
    with pytest.raises(AssertionError, match="stale_version is declared twice"):
        declare("stale_version", RefusalKind.CONFLICT, en="No.", ar="لا.")


def test_refusals_share_no_details() -> None:
    first = Refusal(code="a")
    first.detail["x"] = 1
    assert Refusal(code="b").detail == {}
