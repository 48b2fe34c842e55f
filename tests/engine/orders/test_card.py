"""What must hold of what is written on a card."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.orders.card import (
    MESSAGE_CODE_POINTS_MAX,
    TEMPLATES,
    Occasion,
    cleaned,
    graphemes,
    is_too_long,
)

FAMILY = "👨‍👩‍👧‍👦"
WAVING = "👋🏽"
SAUDI = "🇸🇦"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
SHADDA = "مُبَارَكٌ"


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("abc", 3), ("مبروك", 5), (SHADDA, 5), (FAMILY, 1), (WAVING, 1), (SAUDI * 2, 2)],
)
def test_characters_are_counted_as_people_count_them(text: str, count: int) -> None:
    assert graphemes(text) == count


@pytest.mark.parametrize("text", [FAMILY, WAVING, SAUDI, SCOTLAND, SHADDA, "می‌خواهم", "a\n\nb"])
def test_emoji_flags_and_arabic_stay_as_they_are(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\u202eb\u2066c\u200f", "abc"),
        ("\u061cمبروك\u200e", "مبروك"),
        ("a\x00b\x1b[31mc\x07", "ab[31mc"),
        ("a\r\nb\rc\u2028d\te", "a\nb\nc\nd e"),
        ("  a\n\n\n \n b  ", "a\n\n b"),
        ("a\ufeff\u00ad\u200bb", "ab"),
        ("\U000e0041secret", "secret"),
        ("e" + "\u0301" * 50, "é" + "\u0301" * 4),
    ],
)
def test_what_cannot_be_seen_or_turns_the_text_around_it_goes(text: str, left: str) -> None:
    assert cleaned(text) == left


@given(st.text())
@example("e\u0301" * 3 + "\u0316" * 9)
@example("\n \n\u200f\n")
def test_a_cleaned_message_is_clean(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert unicodedata.is_normalized("NFC", once)
    turning = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    assert not turning & set(once)


def test_five_hundred_characters_have_room_whatever_they_are_made_of() -> None:
    assert not is_too_long(WAVING * 500)
    assert is_too_long(WAVING * 501)
    assert is_too_long("م" * 501)
    assert is_too_long("a" + "\u0300" * MESSAGE_CODE_POINTS_MAX)


def test_every_occasion_has_a_card_in_both_languages() -> None:
    assert {one.occasion for one in TEMPLATES.values()} == set(Occasion)
    assert all(
        one.en and one.ar for one in TEMPLATES.values() if one.occasion is not Occasion.OTHER
    )


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_letters_are_kept_as_they_are_also_among_others(text: str) -> None:
    assert cleaned(text) == text.strip()
    assert cleaned(f"ك{text}ك") == f"ك{text}ك"
