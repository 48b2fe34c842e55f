"""What must hold of the content of a QR code."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.invoices import tlv


def test_lengths_are_bytes_and_not_letters() -> None:
    whole = base64.b64decode(tlv.encode(["هدية".encode(), b"1"]))
    assert whole == bytes((1, 8)) + "هدية".encode() + bytes((2, 1)) + b"1"


@given(st.lists(st.binary(max_size=255), max_size=9))
def test_what_was_written_is_read(values: list[bytes]) -> None:
    assert tlv.decode(tlv.encode(values)) == dict(enumerate(values, start=1))


@given(st.text())
def test_a_name_is_cut_between_letters(name: str) -> None:
    fitted = tlv.fitting(name)
    assert len(fitted) <= 255
    assert name.startswith(fitted.decode())
    assert len(fitted) > 251 or fitted.decode() == name


@pytest.mark.parametrize("odd", ["AQ==", "AQU=", "%", base64.b64encode(b"\x01\x05abc").decode()])
def test_what_is_cut_off_is_no_code(odd: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        tlv.decode(odd)


def test_a_value_that_has_no_room_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        tlv.encode([b"x" * 256])
