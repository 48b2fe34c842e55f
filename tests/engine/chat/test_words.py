"""What may stand in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.words import HIDDEN, QUICK_REPLIES, QuickReplyCode, is_too_long, tidied


@pytest.mark.parametrize(
    "told",
    [
        "0501234567",
        "050 123 4567",
        "+966 50 123 4567",
        "00966501234567",
        "966501234567",
        "٠٥٠١٢٣٤٥٦٧",
        "501234567",
        "+44 20 7946 0958",
        "noura@example.com",
        "https://wa.me/966501234567",
        "t.me/noura",
    ],
)
def test_ways_to_reach_somebody_are_hidden(told: str) -> None:
    assert tidied(f"اتصل بي {told} الآن") == f"اتصل بي {HIDDEN} الآن"


@pytest.mark.parametrize(
    "told",
    [
        "Building 7, floor 12, flat 1204",
        "PIN 4711",
        "at 12:30 or 13:00",
        "https://maps.app.goo.gl/AbC123",
        "👨‍👩‍👧‍👦 شكرًا",
        "order K7M2QX, 150.00 SAR",
    ],
)
def test_what_a_delivery_needs_stays(told: str) -> None:
    assert tidied(told) == told


def test_what_is_not_seen_goes() -> None:
    assert tidied("\u202eعيد\u202c مبارك\x07\n\n\n\nx") == "عيد مبارك\n\nx"


@given(st.text(max_size=200))
def test_a_text_that_was_tidied_stays_as_it_is(text: str) -> None:
    once = tidied(text)
    assert tidied(once) == once


def test_a_message_is_counted_in_what_people_see() -> None:
    assert not is_too_long("👍🏽" * 1000)
    assert is_too_long("x" * 1001)
    assert is_too_long("👍🏽" * 1001)
    assert is_too_long("👨‍👩‍👧‍👦" * 999)


def test_every_quick_reply_is_there_in_both_languages() -> None:
    assert set(QUICK_REPLIES) == set(QuickReplyCode)
    for code, one in QUICK_REPLIES.items():
        assert one.code is code
        assert tidied(one.en) == one.en
        assert tidied(one.ar) == one.ar
        assert one.en.isascii()
        assert not one.ar.isascii()
