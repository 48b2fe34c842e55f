"""What was released stays true: no client that was written from it is broken unknowingly."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.compatibility import breaks
from api.description import document
from api.versions import CHANGES as CHANGES_OF_ANSWERS

RELEASED = Path(__file__).parents[2] / "docs" / "api" / "released"
Parts = dict[str, Any]


def test_nothing_that_was_released_is_broken() -> None:
    for file in sorted(RELEASED.glob("*.json")):
        made_good = {
            (one.operation, where, what)
            for one in CHANGES_OF_ANSWERS
            if one.since > file.stem
            for where, what in one.breaks
        }
        found = breaks(json.loads(file.read_text("utf-8")), document())
        assert {(one.operation, one.where, one.what) for one in found} == made_good, file.stem


def schema(name: str) -> Callable[[Parts], Parts]:
    return lambda whole: whole["components"]["schemas"][name]["properties"]


def query(path: str, name: str) -> Callable[[Parts], Parts]:
    def found(whole: Parts) -> Parts:
        asked: list[Parts] = whole["paths"][path]["get"]["parameters"]
        return next(one for one in asked if one["name"] == name)

    return found


CHANGES: list[tuple[str, Callable[[Parts], object], set[str]]] = [
    ("an operation goes", lambda all_: all_["paths"].pop("/v1/cards"), {"is gone"}),
    (
        "a field is asked for",
        lambda all_: all_["components"]["schemas"]["QuoteBody"]["required"].append("goods"),
        {"is asked for now"},
    ),
    (
        "a field is not taken",
        lambda all_: schema("QuoteBody")(all_).pop("goods"),
        {"is not known any more"},
    ),
    (
        "a bound is tightened",
        lambda all_: schema("QuoteBody")(all_)["preparation_s"].update(maximum=60),
        {"has a tighter maximum: 86400.0 became 60"},
    ),
    (
        "a value is not taken",
        lambda all_: schema("TokenBody")(all_)["role"]["enum"].remove("courier"),
        {"does not take 'courier' any more"},
    ),
    (
        "a field is not told",
        lambda all_: schema("QuoteMade")(all_).pop("promised_at"),
        {"is not told any more"},
    ),
    (
        "a field may be missing",
        lambda all_: all_["components"]["schemas"]["QuoteMade"]["required"].remove("promised_at"),
        {"may be missing now"},
    ),
    (
        "a field is told in another type",
        lambda all_: schema("QuoteMade")(all_)["promised_at"].update(type="string"),
        {"may be string now"},
    ),
    (
        "a field may be null",
        lambda all_: schema("QuoteMade")(all_)["promised_at"].update(type=["integer", "null"]),
        {"may be null now"},
    ),
    (
        "a parameter goes",
        lambda all_: query("/v1/orders", "q")(all_).update(name="words"),
        {"is not known any more"},
    ),
    (
        "a parameter is asked for",
        lambda all_: query("/v1/orders", "q")(all_).update(required=True),
        {"is asked for now"},
    ),
    (
        "another status says yes",
        lambda all_: all_["paths"]["/v1/cards"]["get"]["responses"].pop("200"),
        {"is not given any more"},
    ),
    ("more is told", lambda all_: schema("QuoteMade")(all_).update(more={"type": "string"}), set()),
    ("more is taken", lambda all_: schema("QuoteBody")(all_).update(more={}), set()),
    (
        "a bound is loosened",
        lambda all_: schema("QuoteBody")(all_)["preparation_s"].update(maximum=10**6),
        set(),
    ),
    ("an operation is new", lambda all_: all_["paths"].update({"/v1/new": {"get": {}}}), set()),
]


@pytest.mark.parametrize(("what", "change", "expected"), CHANGES)
def test_what_breaks_a_client_is_found_and_nothing_else(
    what: str, change: Callable[[Parts], object], expected: set[str]
) -> None:
    changed = copy.deepcopy(document())
    change(changed)
    assert {one.what for one in breaks(document(), changed)} == expected, what
