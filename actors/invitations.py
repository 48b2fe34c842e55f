"""The host of invitations: who becomes an operator or an admin, and with which factors."""

from msgspec import Struct
from msgspec.structs import replace

from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.passwords import Passwords
from engine.audit.record import Action, AuditRecord, acted
from engine.identity import links, second_factor
from engine.identity.access_changes import AccessChange, telling
from engine.identity.ids import LinkId
from engine.identity.links import UNKNOWN_INVITATION, Link, LinkPurpose
from engine.identity.profiles import Language, Profile, appoint
from engine.identity.staff import WRONG_CREDENTIALS, StaffAccount
from engine.kernel.ids import UserId, ZoneId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Page, Wanted
from engine.kernel.refusals import STALE, Refusal
from storage.identity import IdentityStore
from storage.staff import StaffStore

_RACES_MAX = 8


class Enrolment(Struct, frozen=True, kw_only=True):
    """What somebody who was invited puts into his authenticator."""

    email: str
    role: Role
    totp_secret: str
    otpauth_uri: str


class Enrolled(Struct, frozen=True, kw_only=True):
    """Who he is now, and what helps him when his authenticator is lost."""

    profile: Profile
    email: str
    recovery_codes: tuple[str, ...]


class Invitations:
    """`wall` dates links, `clock` what leaves through the outbox; `key` makes the links."""

    def __init__(
        self,
        store: StaffStore,
        people: IdentityStore,
        passwords: Passwords,
        *,
        wall: Clock,
        clock: Clock,
        chance: Chance,
        key: bytes,
    ) -> None:
        self._store = store
        self._people = people
        self._passwords = passwords
        self._wall = wall
        self._clock = clock
        self._chance = chance
        self._key = key

    async def invite(
        self,
        email: str,
        role: Role,
        *,
        zones: tuple[ZoneId, ...] | None,
        language: Language,
        by: Caller,
        by_mail: bool = True,
    ) -> Link:
        """Invite somebody; without an e-mail whoever invites hands the link over himself."""
        draft = Link(
            id=LinkId(new_id(self._wall, self._chance)),
            purpose=LinkPurpose.INVITE,
            email=email,
            language=language,
            role=role,
            zones=zones,
            author=None if by.role is Role.SYSTEM else by.user_id,
        )
        link = links.send(draft, self._key, now=self._wall.now())
        await self._keep(link, Action.INVITE, by, by_mail=by_mail)
        return link

    async def listed(self, wanted: Wanted) -> Page[Link]:
        """A page of the invitations that can still be accepted."""
        return await self._store.list_links(LinkPurpose.INVITE, wanted, now=self._wall.now())

    async def resend(self, link_id: LinkId, *, by: Caller) -> Link | Refusal:
        """Write again; the link in the message before is worth nothing any more."""
        link = await self._open(link_id)
        if isinstance(link, Refusal):
            return link
        again = links.send(link, self._key, now=self._wall.now())
        is_kept = await self._keep(again, Action.RESEND_INVITATION, by, by_mail=True)
        return again if is_kept else STALE()

    async def revoke(self, link_id: LinkId, *, by: Caller) -> Link | Refusal:
        """Take an invitation back."""
        link = await self._open(link_id)
        if isinstance(link, Refusal):
            return link
        revoked = links.revoke(link, now=self._wall.now())
        is_kept = await self._keep(revoked, Action.REVOKE_INVITATION, by, by_mail=False)
        return revoked if is_kept else STALE()

    async def begin(self, token: str) -> Enrolment | Refusal:
        """What to put into the authenticator; the same however often it is asked."""
        link = await self._invited(token)
        if isinstance(link, Refusal):
            return link
        assert link.role is not None
        secret = self._secret(token)
        return Enrolment(
            email=link.email,
            role=link.role,
            totp_secret=secret,
            otpauth_uri=second_factor.otpauth_uri(secret, link.email),
        )

    async def accept(
        self, token: str, password: str, code: str, *, place: str
    ) -> Enrolled | Refusal:
        """Take the invitation up; who had an account has these factors instead of those before."""
        link = await self._invited(token)
        if isinstance(link, Refusal):
            return link
        weak = await self._passwords.weakness(password, link.email)
        if weak is not None:
            return weak
        before = await self._store.find_account(link.email)
        draft = before or StaffAccount(
            user_id=UserId(new_id(self._wall, self._chance)),
            email=link.email,
            password_hash="",
            totp_secret="",
            created_at=self._wall.now(),
        )
        fresh = replace(draft, totp_secret=self._secret(token), totp_step=0, recovery=())
        account = second_factor.proven(fresh, code, now=self._wall.now())
        if account is None:
            return WRONG_CREDENTIALS(pointer="/code")
        return await self._enrol(link, account, password, place)

    async def _enrol(
        self, link: Link, account: StaffAccount, password: str, place: str
    ) -> Enrolled | Refusal:
        hashed = await self._passwords.hash(password)
        if isinstance(hashed, Refusal):
            return hashed
        codes = tuple(
            second_factor.spell_recovery(
                self._chance.bits(second_factor.RECOVERY_BYTES * 8).to_bytes(
                    second_factor.RECOVERY_BYTES, "big"
                )
            )
            for _ in range(second_factor.RECOVERY_CODES)
        )
        enrolled = replace(
            account,
            password_hash=hashed,
            recovery=tuple(second_factor.recovery_digest(one) for one in codes),
        )
        # A profile without an account lets nobody in, so it may come first.
        profile = await self._appoint(enrolled.user_id, link)
        used = links.use(link, now=self._wall.now())
        by = Caller(user_id=enrolled.user_id, role=profile.role, place=place)
        records = (self._record(by, Action.ACCEPT_INVITATION, link),)
        is_first = account.version == 1
        told = telling(enrolled.user_id, profile.role, AccessChange.FACTORS_CHANGED, of=link.id)
        if not await self._store.save_staff(
            account=enrolled,
            link=used,
            effects=() if is_first else (told,),
            at=self._clock.now(),
            records=records,
        ):
            return STALE()
        return Enrolled(profile=profile, email=link.email, recovery_codes=codes)

    async def _appoint(self, user_id: UserId, link: Link) -> Profile:
        assert link.role is not None
        for _ in range(_RACES_MAX):
            before = await self._people.find_profile(user_id, link.role)
            profile = appoint(
                before,
                user_id,
                link.role,
                zones=link.zones,
                language=link.language,
                email=link.email,
                now=self._wall.now(),
            )
            if await self._people.save_profile(profile):
                return profile
        raise AssertionError("a profile that nobody else changes was changed again and again")

    async def _open(self, link_id: LinkId) -> Link | Refusal:
        link = await self._store.find_link(link_id)
        is_one = link is not None and link.purpose is LinkPurpose.INVITE
        if link is None or not is_one or link.used_at or link.revoked_at:
            return UNKNOWN_INVITATION()
        return link

    async def _invited(self, token: str) -> Link | Refusal:
        link_id = links.id_in(token)
        link = None if link_id is None else await self._store.find_link(link_id)
        refusal = links.objection(link, token, LinkPurpose.INVITE, self._wall.now())
        if refusal is not None:
            return refusal
        assert link is not None
        return link

    async def _keep(self, link: Link, action: Action, by: Caller, *, by_mail: bool) -> bool:
        effects = (links.sending(link),) if by_mail else ()
        return await self._store.save_staff(
            link=link,
            effects=effects,
            at=self._clock.now(),
            records=(self._record(by, action, link),),
        )

    def _record(self, by: Caller, action: Action, link: Link) -> AuditRecord:
        after = {"role": link.role, "zones": link.zones}
        return acted(by, action, f"invitation:{link.id}", at=self._wall.now(), after=after)

    def _secret(self, token: str) -> str:
        return second_factor.secret_from(self._key, token)
