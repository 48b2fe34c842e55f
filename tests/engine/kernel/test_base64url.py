"""Bytes have one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.base64url import read, spelled

LETTERS = "ABCwxyz0189-_+/="


@given(st.binary(max_size=40))
def test_what_was_spelled_is_read(plain: bytes) -> None:
    assert read(spelled(plain)) == plain


@given(st.text(LETTERS, max_size=12) | st.text(max_size=12))
def test_no_other_letters_are_the_same_bytes(text: str) -> None:
    found = read(text)
    assert found is None or spelled(found) == text


@pytest.mark.parametrize("text", ["//8", "++8", "__9", "__8=", " __8", "_", "ورد"])
def test_other_letters_are_none(text: str) -> None:
    assert spelled(b"\xff\xff") == "__8"
    assert read(text) is None
