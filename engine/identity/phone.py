"""Phone numbers as people write them, and as we keep them: E.164."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from engine.kernel.refusals import RefusalKind, declare

HOME_REGION = "SA"
WRITTEN_MAX = 40
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
# As most numbers are written here; what they may be is known to the library.
_SAUDI: Final = re.compile(r"(?:\+966|00966|966|0)?(5[0-9]{8})")

BAD_PHONE = declare(
    "bad_phone",
    RefusalKind.INVALID,
    en="This is not a mobile phone number.",
    ar="هذا ليس رقم هاتف جوّال صحيحًا.",
)


def _mobiles_of(region: str) -> re.Pattern[str]:
    told = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert told is not None
    assert told.mobile is not None
    pattern = told.mobile.national_number_pattern
    assert pattern is not None
    return re.compile(pattern)


_SAUDI_MOBILE: Final = _mobiles_of(HOME_REGION)


def mobile_in_e164(written: str) -> str | None:
    """The number in E.164 (`+9665…`), or None when nobody could receive a text message there.

    Digits of any script are read; without a country the number is Saudi.
    """
    if len(written) > WRITTEN_MAX:
        return None
    plain = _SAUDI.fullmatch(written)
    if plain is not None and _SAUDI_MOBILE.fullmatch(plain[1]):
        # Reading any number of the world takes longer than the rest of placing an order's rules.
        return f"+966{plain[1]}"
    return _any_mobile(written)


def _any_mobile(written: str) -> str | None:
    try:
        number = phonenumbers.parse(written, HOME_REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.number_type(number) not in _MOBILE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def region_of(phone: str) -> str:
    """The country of a number in E.164 (`SA`); `ZZ` when it belongs to none."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or "ZZ"
