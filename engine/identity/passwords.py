"""Which passwords are good enough: long, and not what an attacker tries first.

NIST SP 800-63B-4 section 3.1.1.2 and OWASP ASVS 5 chapter V6.2: a length, a list, no rules about
letters and no forced changes.
"""

from collections.abc import Set as AbstractSet
from itertools import pairwise

from engine.kernel.refusals import Refusal, RefusalKind, declare

PASSWORD_MIN = 12
PASSWORD_MAX = 128
_CORE_MIN = 4
_OURS = ("hadiyati", "هديتي")

WEAK_PASSWORD = declare(
    "weak_password",
    RefusalKind.INVALID,
    en="This password is too easy to guess. Take at least twelve characters that nobody expects.",
    ar="كلمة المرور هذه سهلة التخمين. اختر اثني عشر حرفًا على الأقل لا يتوقعها أحد.",
)

STOLEN_PASSWORD = declare(
    "stolen_password",
    RefusalKind.INVALID,
    en="This password was stolen from another service once, so attackers try it. Take another.",
    ar="سُرقت كلمة المرور هذه من خدمة أخرى، فيجربها المهاجمون. اختر كلمة أخرى.",
)


def weakness(password: str, email: str, common: AbstractSet[str]) -> Refusal | None:
    """Why a password may not be taken; `common` are the ones that are tried first, in lower case.

    One of those with digits and signs around it is tried next, so it is no better.
    """
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return WEAK_PASSWORD(pointer="/password", length_min=PASSWORD_MIN)
    plain = password.casefold()
    core = plain.strip("".join({one for one in plain if not one.isalpha()}))
    is_expected = plain in common or core in common or len(core) < _CORE_MIN
    person = email.casefold().partition("@")[0]
    named = [one for one in (person, *_OURS) if len(one) >= _CORE_MIN and one in plain]
    rest = plain
    for one in named:
        rest = rest.replace(one, "")
    if is_expected or _repeats(plain) or (named and len(rest) < PASSWORD_MIN):
        return WEAK_PASSWORD(pointer="/password", length_min=PASSWORD_MIN)
    return None


def _repeats(text: str) -> bool:
    """Whether it is a short piece again and again, or the next character each time."""
    is_periodic = text in (text + text)[1:-1]
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return is_periodic or steps in ({1}, {-1})
