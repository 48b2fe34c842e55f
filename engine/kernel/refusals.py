"""Refusals: expected answers of the rules, each with a stable code and a text in two languages."""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class RefusalKind(StrEnum):
    """What sort of no it is; the edge derives its status from this."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class Refusal(Struct, frozen=True, kw_only=True, tag=True):
    """A no with its code; `detail` holds the facts that the text names."""

    code: str
    detail: dict[str, str | int | list[str]] = {}


class Declared(Struct, frozen=True):
    """What is published about a code."""

    code: str
    kind: RefusalKind
    en: str
    ar: str

    def __call__(self, **detail: str | int | list[str]) -> Refusal:
        return Refusal(code=self.code, detail=detail)


CATALOGUE: Final[dict[str, Declared]] = {}


def declare(code: str, kind: RefusalKind, *, en: str, ar: str) -> Declared:
    """Publish a code once; the returned object makes its refusals."""
    assert code not in CATALOGUE, f"the refusal {code} is declared twice"
    declared = Declared(code, kind, en, ar)
    CATALOGUE[code] = declared
    return declared


STALE = declare(
    "stale_version",
    RefusalKind.CONFLICT,
    en="This changed meanwhile. Read it again and repeat what you wanted.",
    ar="تغيّرت البيانات في هذه الأثناء. أعد القراءة ثم كرّر طلبك.",
)
KEY_REUSED = declare(
    "idempotency_key_reused",
    RefusalKind.INVALID,
    en="This idempotency key was used for a different request. Send a new key.",
    ar="استُخدم مفتاح عدم التكرار هذا لطلب مختلف. أرسل مفتاحًا جديدًا.",
)
NOT_ALLOWED = declare(
    "not_allowed",
    RefusalKind.FORBIDDEN,
    en="Your role does not allow this.",
    ar="دورك لا يسمح بهذا الإجراء.",
)
DEADLINE_PASSED = declare(
    "deadline_passed",
    RefusalKind.UNAVAILABLE,
    en="The answer would have come too late, so nothing was done. Try again.",
    ar="كان الرد سيصل متأخرًا فلم يُنفَّذ شيء. حاول مرة أخرى.",
)
# Said by a cell to the door, which looks again: nobody outside hears it, so it is not published.
ELSEWHERE = Declared(
    "elsewhere",
    RefusalKind.CONFLICT,
    en="This has moved on meanwhile. Repeat what you wanted.",
    ar="انتقل هذا إلى مكان آخر في هذه الأثناء. كرّر طلبك.",
)
UNAVAILABLE = declare(
    "temporarily_unavailable",
    RefusalKind.UNAVAILABLE,
    en="The service is recovering. Try again in a few seconds.",
    ar="الخدمة تستعيد عملها. حاول بعد ثوانٍ قليلة.",
)
