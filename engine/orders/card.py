"""The card that goes with a gift: occasions, templates, and what may be written on it."""

import unicodedata
from enum import StrEnum
from typing import Final

import regex
from msgspec import Struct

MESSAGE_GRAPHEMES_MAX: Final = 500
# A grapheme may be any number of code points; a kiss of two people with skins is ten, the longest
# emoji that there is, and a family of four with skins would be eleven.
MESSAGE_CODE_POINTS_MAX: Final = 12 * MESSAGE_GRAPHEMES_MAX
_BREAKS: Final = regex.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_FLAG: Final = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
# Joiners shape Arabic letters and tie emoji; a flag of a region is written in tags.
_UNSEEN: Final = regex.compile(rf"({_FLAG})|(?![\n\u200c\u200d])[\p{{Cc}}\p{{Cf}}\p{{Co}}\p{{Cs}}]")
_MARKS: Final = regex.compile(r"(\p{Mn}{4})\p{Mn}+")
_GAPS: Final = regex.compile(r"\n(?:[^\S\n]*\n){2,}")
_GRAPHEME: Final = regex.compile(r"\X")


class Occasion(StrEnum):
    """Why something is given."""

    BIRTHDAY = "birthday"
    WEDDING = "wedding"
    NEWBORN = "newborn"
    GRADUATION = "graduation"
    EID_AL_FITR = "eid_al_fitr"
    EID_AL_ADHA = "eid_al_adha"
    RAMADAN = "ramadan"
    NATIONAL_DAY = "national_day"
    LOVE = "love"
    THANKS = "thanks"
    GET_WELL = "get_well"
    CONDOLENCE = "condolence"
    OTHER = "other"


class CardTemplate(Struct, frozen=True, kw_only=True):
    """A printed card; `en` and `ar` are what stands on it before the message."""

    id: str
    occasion: Occasion
    en: str
    ar: str


TEMPLATES: Final[dict[str, CardTemplate]] = {
    one.id: one
    for one in (
        CardTemplate(
            id="birthday_candles",
            occasion=Occasion.BIRTHDAY,
            en="Happy birthday",
            ar="عيد ميلاد سعيد",
        ),
        CardTemplate(
            id="wedding_roses", occasion=Occasion.WEDDING, en="Congratulations", ar="ألف مبروك"
        ),
        CardTemplate(
            id="newborn_stars",
            occasion=Occasion.NEWBORN,
            en="Welcome, little one",
            ar="مبارك المولود",
        ),
        CardTemplate(
            id="graduation_cap", occasion=Occasion.GRADUATION, en="You made it", ar="مبارك التخرج"
        ),
        CardTemplate(
            id="eid_crescent", occasion=Occasion.EID_AL_FITR, en="Eid Mubarak", ar="عيد مبارك"
        ),
        CardTemplate(
            id="eid_lantern", occasion=Occasion.EID_AL_ADHA, en="Eid Mubarak", ar="عيد أضحى مبارك"
        ),
        CardTemplate(
            id="ramadan_lantern", occasion=Occasion.RAMADAN, en="Ramadan Kareem", ar="رمضان كريم"
        ),
        CardTemplate(
            id="national_day_palms",
            occasion=Occasion.NATIONAL_DAY,
            en="Happy National Day",
            ar="يوم وطني سعيد",
        ),
        CardTemplate(id="love_rose", occasion=Occasion.LOVE, en="With love", ar="مع حبي"),
        CardTemplate(id="thanks_leaf", occasion=Occasion.THANKS, en="Thank you", ar="شكرًا لك"),
        CardTemplate(
            id="get_well_sun",
            occasion=Occasion.GET_WELL,
            en="Get well soon",
            ar="سلامتك، ما تشوف شر",
        ),
        CardTemplate(
            id="condolence_plain",
            occasion=Occasion.CONDOLENCE,
            en="With sympathy",
            ar="عظّم الله أجركم",
        ),
        CardTemplate(id="plain", occasion=Occasion.OTHER, en="", ar=""),
    )
}


def is_plain(text: str) -> bool:
    """Whether it is of letters, digits and signs of ASCII alone: then nothing in it is unseen."""
    return text.isascii() and text.isprintable()


def cleaned(text: str) -> str:
    """The message without what cannot be seen or would turn the text around it.

    Controls and marks of direction go, line breaks become one kind and at most two in a row, and a
    letter keeps four marks. The same text cleaned twice is the same.
    """
    if is_plain(text):
        return text.strip()
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    text = unicodedata.normalize("NFC", _UNSEEN.sub(r"\1", text))
    text = unicodedata.normalize("NFC", _MARKS.sub(r"\1", text))
    return str(_GAPS.sub("\n\n", text)).strip()


def graphemes(text: str) -> int:
    """How many characters people would count (UAX 29): an emoji of seven code points is one."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def is_too_long(message: str) -> bool:
    """Whether a cleaned message has no room on a card."""
    if len(message) <= MESSAGE_GRAPHEMES_MAX:
        return False
    return len(message) > MESSAGE_CODE_POINTS_MAX or graphemes(message) > MESSAGE_GRAPHEMES_MAX
