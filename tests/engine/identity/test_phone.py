"""Phone numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.phone import mobile_in_e164


@pytest.mark.parametrize(
    "written",
    [
        "0512345678",
        "512345678",
        "966512345678",
        "00966512345678",
        "+966512345678",
        "+966 51 234 5678",
        " 051-234-5678 ",
        "٠٥١٢٣٤٥٦٧٨",
        "+٩٦٦٥١٢٣٤٥٦٧٨",
        "۰۵۱۲۳۴۵۶۷۸",
    ],
)
def test_every_way_to_write_a_saudi_mobile_is_one_number(written: str) -> None:
    assert mobile_in_e164(written) == "+966512345678"


@pytest.mark.parametrize(
    "written", ["", "abc", "05512", "0112345678", "+966112345678", "999", "1" * 50, "+", "\x00"]
)
def test_what_can_receive_no_text_is_no_mobile_number(written: str) -> None:
    assert mobile_in_e164(written) is None


def test_visitors_keep_their_numbers() -> None:
    assert mobile_in_e164("+971501234567") == "+971501234567"
    assert mobile_in_e164("00447911123456") == "+447911123456"


@given(
    st.sampled_from(["", "0", "966", "+966", "00966"]),
    st.text("0123456789", min_size=8, max_size=9),
)
def test_a_plain_spelling_is_read_as_one_with_spaces(start: str, end: str) -> None:
    assert mobile_in_e164(f"{start}5{end}") == mobile_in_e164(f" {start}5{end}")
