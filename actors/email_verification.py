"""The host of verified e-mails: a link is sent to the address, and whoever opens it has read it."""

import hashlib
import hmac

from actors.chance import Chance, new_id
from actors.clock import Clock
from engine.identity import links, staff
from engine.identity.budgets import wait_s
from engine.identity.ids import LinkId
from engine.identity.links import BAD_LINK, Link, LinkPurpose
from engine.identity.profiles import NO_EMAIL, Profile, verify_email
from engine.identity.staff import TOO_MANY_TRIES, TryRules
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from engine.kernel.refusals import STALE, Refusal
from storage.identity import IdentityStore
from storage.staff import StaffStore

_RACES_MAX = 8


class EmailVerification:
    """`wall` dates links, `clock` what leaves through the outbox; `key` makes the links."""

    def __init__(
        self,
        store: StaffStore,
        people: IdentityStore,
        *,
        wall: Clock,
        clock: Clock,
        chance: Chance,
        key: bytes,
        rules: TryRules,
    ) -> None:
        self._store, self._people = store, people
        self._wall, self._clock, self._chance = wall, clock, chance
        self._key, self._rules = key, rules

    async def ask(self, user_id: UserId, role: Role, *, place: str) -> Refusal | None:
        """Have a link sent to the e-mail of a profile, unless that was verified before."""
        profile = await self._people.find_profile(user_id, role)
        if profile is None or not profile.email or profile.is_email_verified:
            return NO_EMAIL()
        now = self._wall.now()
        hidden = hmac.new(self._key, profile.email.encode(), hashlib.sha256).hexdigest()
        charges = staff.mail_charges(hidden, place, self._rules, now=now)
        spent = await self._people.spend(charges, now=now)
        if spent is not None:
            return TOO_MANY_TRIES(retry_after_s=wait_s(spent, now=now))
        draft = Link(
            id=LinkId(new_id(self._wall, self._chance)),
            purpose=LinkPurpose.VERIFY_EMAIL,
            email=profile.email,
            language=profile.language,
            role=role,
            author=user_id,
        )
        link = links.send(draft, self._key, now=now)
        effects = (links.sending(link),)
        await self._store.save_staff(link=link, effects=effects, at=self._clock.now())
        return None

    async def verify(self, token: str) -> Profile | Refusal:
        """The profile whose e-mail is verified by a link; opening it again changes nothing."""
        link_id = links.id_in(token)
        link = None if link_id is None else await self._store.find_link(link_id)
        refusal = links.objection(link, token, LinkPurpose.VERIFY_EMAIL, self._wall.now())
        if refusal is not None or link is None or link.author is None or link.role is None:
            return BAD_LINK()
        for _ in range(_RACES_MAX):
            profile = await self._people.find_profile(link.author, link.role)
            if profile is None:
                return BAD_LINK()
            if profile.is_email_verified and profile.email == link.email:
                return profile
            verified = verify_email(profile, link.email)
            if isinstance(verified, Refusal):
                return verified
            if await self._people.save_profile(verified):
                return verified
        return STALE()
