"""The pages of docs/api say what is so: what is made is current, and what is named is there."""

import re
from functools import cache
from pathlib import Path

import pytest

from api.description import document
from api.pages import FOLDER, filled
from api.sockets.asyncapi import socket_document
from engine.kernel.refusals import CATALOGUE

PAGES = pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)


@PAGES
def test_what_is_made_is_current(page: Path) -> None:
    text = page.read_text("utf-8")
    assert filled(text) == text, f"docs/api/{page.name} is old: run hadiyati pages"


@PAGES
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@PAGES
def test_every_operation_that_is_named_is_there(page: Path) -> None:
    named = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`?]+)", page.read_text("utf-8"))
    for method, path in named:
        assert path == "/v1/socket" or method.lower() in document()["paths"][path], (method, path)


@cache
def known_words() -> str:
    """Everything that either description says, to look a name up in."""
    return f"{document()} {socket_document()} {sorted(CATALOGUE)}"


@PAGES
def test_every_name_in_code_is_one_of_the_interface(page: Path) -> None:
    for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", page.read_text("utf-8")):
        assert f"'{name}'" in known_words() or f"`{name}`" in known_words(), name
