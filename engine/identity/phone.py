"""Phone numbers as people write them, and as we keep them: E.164."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from engine.kernel.refusals import RefusalKind, declare

HOME_REGION = "SA"
WRITTEN_MAX = 40
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

BAD_PHONE = declare(
    "bad_phone",
    RefusalKind.INVALID,
    en="This is not a mobile phone number.",
    ar="هذا ليس رقم هاتف جوّال صحيحًا.",
)


def mobile_in_e164(written: str) -> str | None:
    """The number in E.164 (`+9665…`), or None when nobody could receive a text message there.

    Digits of any script are read; without a country the number is Saudi.
    """
    if len(written) > WRITTEN_MAX:
        return None
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
