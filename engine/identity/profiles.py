"""Profiles: what somebody tells of himself, one for each role that he has with us."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Role, Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import SECOND_MS, Instant

_RIYADH = timedelta(hours=3)
_AGE_MIN = {Role.CUSTOMER: 15, Role.COURIER: 18}
_AGE_MAX = 120


class ProfileStatus(StrEnum):
    """Whether somebody may act in the role."""

    PENDING_VERIFICATION = "pending_verification"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Language(StrEnum):
    """In which language somebody is spoken to."""

    ARABIC = "ar"
    ENGLISH = "en"


class Profile(Thing, frozen=True, kw_only=True):
    """`birth_date` is a Gregorian date (ISO 8601); empty texts were not told yet.

    `verified_email` is the address that was proven to be his, whatever `email` says since then.
    `zones` are those to which an operator is limited; None is every zone.
    """

    user_id: UserId
    role: Role
    status: ProfileStatus
    created_at: Instant
    language: Language = Language.ARABIC
    name_ar: str = ""
    name_en: str = ""
    email: str = ""
    verified_email: str = ""
    birth_date: str = ""
    status_reason: str = ""
    zones: tuple[ZoneId, ...] | None = None

    @property
    def is_email_verified(self) -> bool:
        """Whether the e-mail that he has now was proven to be his."""
        return self.email != "" and self.email == self.verified_email


class Edit(Struct, frozen=True, kw_only=True):
    """What somebody changes of his profile; None stays as it is."""

    language: Language | None = None
    name_ar: str | None = None
    name_en: str | None = None
    email: str | None = None
    birth_date: str | None = None


STALE_PROFILE = declare(
    "stale_profile",
    RefusalKind.CONFLICT,
    en="The profile changed meanwhile. Read it again and repeat what you wanted.",
    ar="تغيّر الملف الشخصي في هذه الأثناء. أعد القراءة ثم كرّر طلبك.",
)
UNKNOWN_PROFILE = declare(
    "unknown_profile",
    RefusalKind.NOT_FOUND,
    en="There is no such profile.",
    ar="لا يوجد ملف شخصي كهذا.",
)
BAD_BIRTH_DATE = declare(
    "bad_birth_date",
    RefusalKind.INVALID,
    en="This is no date on which somebody who may do this was born.",
    ar="هذا ليس تاريخ ميلاد مقبولًا لهذا الدور.",
)
NO_EMAIL = declare(
    "no_email_to_verify",
    RefusalKind.CONFLICT,
    en="There is no e-mail to verify, or it is another one by now. Tell it first.",
    ar="لا يوجد بريد إلكتروني للتحقق منه أو تغيّر منذ ذلك. أدخله أولًا.",
)
NOT_VERIFIED = declare(
    "not_verified",
    RefusalKind.FORBIDDEN,
    en="Your account as a courier has not been verified yet.",
    ar="لم يُوثَّق حسابك كمندوب بعد.",
)
SUSPENDED = declare(
    "suspended",
    RefusalKind.FORBIDDEN,
    en="This account is suspended. Call support.",
    ar="هذا الحساب موقوف. اتصل بالدعم.",
)


def first_profile(user_id: UserId, role: Role, *, verifies: bool, now: Instant) -> Profile:
    """How somebody begins in a role; `verifies` is whether couriers must be verified first."""
    is_pending = verifies and role is Role.COURIER
    status = ProfileStatus.PENDING_VERIFICATION if is_pending else ProfileStatus.ACTIVE
    return Profile(version=1, user_id=user_id, role=role, status=status, created_at=now)


def edit(profile: Profile, wish: Edit, *, now: Instant) -> Profile | Refusal:
    """The profile with these changes; what may not be changed by oneself is not in a wish."""
    if wish.birth_date and not _may_be_born(wish.birth_date, profile.role, now):
        return BAD_BIRTH_DATE(pointer="/birth_date")
    told = {name: getattr(wish, name) for name in wish.__struct_fields__}
    changed = {name: value for name, value in told.items() if value is not None}
    return replace(profile, version=profile.version + 1, **changed)


def verify_email(profile: Profile, email: str) -> Profile | Refusal:
    """The profile after a link that was sent to this e-mail was opened."""
    if not email or profile.email != email:
        return NO_EMAIL()
    return replace(profile, version=profile.version + 1, verified_email=email)


def judge(profile: Profile, status: ProfileStatus, reason: str) -> Profile:
    """The profile after an operator has verified or suspended it."""
    return replace(profile, version=profile.version + 1, status=status, status_reason=reason)


def limit(profile: Profile, zones: tuple[ZoneId, ...] | None) -> Profile:
    """The profile of an operator who acts in these zones only; None is every zone."""
    return replace(profile, version=profile.version + 1, zones=zones)


def appoint(
    before: Profile | None,
    user_id: UserId,
    role: Role,
    *,
    zones: tuple[ZoneId, ...] | None,
    language: Language,
    email: str,
    now: Instant,
) -> Profile:
    """The profile of somebody who was invited into a role, as the invitation says."""
    base = before or Profile(
        user_id=user_id, role=role, status=ProfileStatus.ACTIVE, created_at=now, language=language
    )
    return replace(
        base,
        version=base.version + 1,
        status=ProfileStatus.ACTIVE,
        status_reason="",
        email=email,
        # Whoever took the invitation up has read the mail.
        verified_email=email,
        zones=zones,
    )


def missing(profile: Profile) -> tuple[str, ...]:
    """What is still to be told, in the order in which an app asks for it."""
    asked = ("name_ar", "name_en", "email", "birth_date")
    untold = tuple(name for name in asked if not getattr(profile, name))
    is_unproven = profile.email != "" and not profile.is_email_verified
    return (*untold, "email_verification") if is_unproven else untold


def objection(profile: Profile) -> Refusal | None:
    """Why somebody may not work in this role now."""
    match profile.status:
        case ProfileStatus.ACTIVE:
            return None
        case ProfileStatus.PENDING_VERIFICATION:
            return NOT_VERIFIED()
        case ProfileStatus.SUSPENDED:
            return SUSPENDED()


def _may_be_born(text: str, role: Role, now: Instant) -> bool:
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return False
    today = (datetime.fromtimestamp(now / SECOND_MS, UTC) + _RIYADH).date()
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    age = today.year - born.year - (0 if had_birthday else 1)
    return _AGE_MIN.get(role, 0) <= age <= _AGE_MAX
