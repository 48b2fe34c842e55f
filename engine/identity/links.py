"""Links that are sent by e-mail: each good once, for one thing, for a while."""

import base64
import hashlib
import hmac
import uuid
from enum import StrEnum

from msgspec.structs import replace

from engine.identity.ids import LinkId
from engine.identity.profiles import Language
from engine.kernel.ids import EffectId, UserId, ZoneId, derived_id
from engine.kernel.messages import Effect, Role, Thing
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, MINUTE_MS, Instant

_PREFIX = "hl1."
_ID_BYTES, _SECRET_BYTES = 16, 32


class LinkPurpose(StrEnum):
    """What a link is for; it is good for nothing else."""

    INVITE = "invite"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose
    VERIFY_EMAIL = "verify_email"


LIFE_MS = {
    LinkPurpose.INVITE: 7 * DAY_MS,
    LinkPurpose.RESET_PASSWORD: 30 * MINUTE_MS,
    LinkPurpose.VERIFY_EMAIL: DAY_MS,
}


class Link(Thing, frozen=True, kw_only=True):
    """Of what is sent only the digest is kept; sending it again (`sends`) makes another.

    `role` and `zones` are what an invitation promises, `author` is who invited. Of a verification
    `author` is whose e-mail it is, and `role` in which of his profiles.
    """

    id: LinkId
    purpose: LinkPurpose
    email: str
    language: Language
    role: Role | None = None
    zones: tuple[ZoneId, ...] | None = None
    author: UserId | None = None
    digest: str = ""
    sends: int = 0
    sent_at: Instant = 0
    expires_at: Instant = 0
    used_at: Instant | None = None
    revoked_at: Instant | None = None

    def is_open(self, now: Instant) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and self.revoked_at is None and now < self.expires_at


class SendLink(Effect, frozen=True, kw_only=True, tag=True):
    """An e-mail with a link: what stands in it is made when it leaves, and is stored nowhere."""

    link_id: LinkId
    sends: int


def sending(link: Link) -> SendLink:
    """The e-mail for a link as it was sent last; each sending is one effect."""
    return SendLink(
        id=EffectId(derived_id("link", link.id, str(link.sends))),
        link_id=link.id,
        sends=link.sends,
    )


BAD_LINK = declare(
    "bad_link",
    RefusalKind.GONE,
    en="This link is wrong, was used, or is no longer valid. Ask for a new one.",
    ar="هذا الرابط غير صحيح أو استُخدم من قبل أو انتهت صلاحيته. اطلب رابطًا جديدًا.",
)
UNKNOWN_INVITATION = declare(
    "unknown_invitation",
    RefusalKind.NOT_FOUND,
    en="There is no such invitation, or it was accepted or revoked.",
    ar="لا توجد دعوة كهذه أو أنها قُبلت أو أُلغيت.",
)


def send(link: Link, key: bytes, *, now: Instant) -> Link:
    """The link as it is sent now; what was sent before is worth nothing from then on."""
    sent = replace(
        link,
        version=link.version + 1,
        sends=link.sends + 1,
        sent_at=now,
        expires_at=now + LIFE_MS[link.purpose],
    )
    return replace(sent, digest=digest(token(sent, key)))


def token(link: Link, key: bytes) -> str:
    """What stands in the e-mail: only who has the key or the e-mail can know it."""
    made = hmac.new(key, f"link\x1f{link.id}\x1f{link.sends}".encode(), hashlib.sha256).digest()
    return _PREFIX + base64.urlsafe_b64encode(uuid.UUID(link.id).bytes + made).decode()


def id_in(text: str) -> LinkId | None:
    """Which link a token is of, true or not; None when it is none at all."""
    try:
        found = base64.b64decode(text.removeprefix(_PREFIX), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if not text.startswith(_PREFIX) or len(found) != _ID_BYTES + _SECRET_BYTES:
        return None
    return LinkId(str(uuid.UUID(bytes=found[:_ID_BYTES])))


def objection(link: Link | None, text: str, purpose: LinkPurpose, now: Instant) -> Refusal | None:
    """Why a token does not open anything."""
    if link is None or link.purpose is not purpose or not link.is_open(now):
        return BAD_LINK()
    return None if hmac.compare_digest(link.digest, digest(text)) else BAD_LINK()


def use(link: Link, *, now: Instant) -> Link:
    """It is used up."""
    return replace(link, version=link.version + 1, used_at=now)


def revoke(link: Link, *, now: Instant) -> Link:
    """It is worth nothing any more."""
    return replace(link, version=link.version + 1, revoked_at=now)


def digest(text: str) -> str:
    """What is stored in the place of a token; 256 bits need no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()
