"""The host of how operators and admins log in, and get a new password."""

import hashlib
import hmac

from msgspec import Struct
from msgspec.structs import replace

from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.passwords import Passwords
from engine.audit.record import Action, acted_on_oneself
from engine.identity import links, second_factor, staff
from engine.identity.access_changes import AccessChange, telling
from engine.identity.budgets import Charge, wait_s
from engine.identity.ids import LinkId
from engine.identity.links import BAD_LINK, Link, LinkPurpose
from engine.identity.profiles import Language, Profile, ProfileStatus
from engine.identity.staff import (
    DEVICE_NONCE_BYTES,
    TOO_MANY_TRIES,
    WRONG_CREDENTIALS,
    StaffAccount,
    TryRules,
)
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from engine.kernel.refusals import NOT_ALLOWED, STALE, UNAVAILABLE, Refusal
from storage.identity import IdentityStore
from storage.staff import StaffStore

_RACES_MAX = 8


class Try(Struct, frozen=True, kw_only=True):
    """A try to log in; `device` is what an earlier log-in gave, `place` the address it is from."""

    email: str
    password: str
    code: str
    role: Role
    device: str
    place: str


class LetIn(Struct, frozen=True, kw_only=True):
    """Who he is, and what his device shows at the next log-in."""

    profile: Profile
    device_token: str


class StaffLogIn:
    """`wall` dates everything but what leaves through the outbox, which `clock` does."""

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
        rules: TryRules,
    ) -> None:
        self._store = store
        self._people = people
        self._passwords = passwords
        self._wall = wall
        self._clock = clock
        self._chance = chance
        self._key = key
        self._rules = rules

    async def log_in(self, tried: Try) -> LetIn | Refusal:
        """Let somebody in by password and second factor, or say the same no to everybody.

        Every try is paid for before it is looked at, so that tries at once are counted, too; a
        right one is given back.
        """
        device = staff.read_device(tried.device, tried.email, self._key)
        charges = staff.login_charges(
            self._hidden(tried.email), tried.place, device, self._rules, now=self._wall.now()
        )
        refusal = await self._pay(charges)
        if refusal is not None:
            return refusal
        account = await self._prove(tried)
        if isinstance(account, Refusal):
            return account
        await self._people.give_back([one.key for one in charges])
        profile = await self._people.find_profile(account.user_id, tried.role)
        if profile is None or profile.status is not ProfileStatus.ACTIVE:
            return NOT_ALLOWED(role=tried.role.value)
        await self._record(account.user_id, tried, is_known=device is not None)
        return LetIn(profile=profile, device_token=self.device_token(tried.email))

    async def _record(self, user_id: UserId, tried: Try, *, is_known: bool) -> None:
        """Of a log-in from a device that was not here before its owner is told."""
        now = self._wall.now()
        record = acted_on_oneself(
            user_id, Action.LOG_IN, role=tried.role, place=tried.place, at=now
        )
        told = telling(user_id, tried.role, AccessChange.NEW_DEVICE, of=str(now))
        await self._store.save_staff(
            effects=() if is_known else (told,), at=self._clock.now(), records=(record,)
        )

    def device_token(self, email: str) -> str:
        """By this a device is known to have been let in to this account before."""
        nonce = self._chance.bits(DEVICE_NONCE_BYTES * 8).to_bytes(DEVICE_NONCE_BYTES, "big")
        return staff.spell_device(nonce, email, self._key)

    async def forget_password(
        self, email: str, language: Language, *, place: str
    ) -> Refusal | None:
        """Have a link sent; for an e-mail that is nobody's the same is done, but nothing sent."""
        now = self._wall.now()
        hidden = self._hidden(email)
        refusal = await self._pay(staff.mail_charges(hidden, place, self._rules, now=now))
        if refusal is not None:
            return refusal
        draft = Link(
            id=LinkId(new_id(self._wall, self._chance)),
            purpose=LinkPurpose.RESET_PASSWORD,
            email=email,
            language=language,
        )
        link = links.send(draft, self._key, now=now)
        effects = (links.sending(link),)
        await self._store.save_staff(link=link, effects=effects, at=self._clock.now())
        return None

    async def reset_password(
        self, token: str, password: str, *, place: str
    ) -> StaffAccount | Refusal:
        """Another password, by a link; his sessions are his caller's to end."""
        link_id = links.id_in(token)
        link = None if link_id is None else await self._store.find_link(link_id)
        now = self._wall.now()
        refusal = links.objection(link, token, LinkPurpose.RESET_PASSWORD, now)
        account = None if refusal or link is None else await self._store.find_account(link.email)
        if account is None or link is None:
            return BAD_LINK()
        weak = await self._passwords.weakness(password, account.email)
        if weak is not None:
            return weak
        hashed = await self._passwords.hash(password)
        if isinstance(hashed, Refusal):
            return hashed
        changed = replace(account, version=account.version + 1, password_hash=hashed)
        record = acted_on_oneself(
            account.user_id, Action.RESET_PASSWORD, role=None, place=place, at=now
        )
        told = telling(account.user_id, None, AccessChange.PASSWORD_CHANGED, of=link.id)
        is_kept = await self._store.save_staff(
            account=changed,
            link=links.use(link, now=now),
            effects=(told,),
            at=self._clock.now(),
            records=(record,),
        )
        return changed if is_kept else STALE()

    async def account_of(self, user_id: UserId) -> StaffAccount | None:
        """An account by its user."""
        return await self._store.find_account_of(user_id)

    async def _prove(self, tried: Try) -> StaffAccount | Refusal:
        """The account, if both factors are right; the second one is then used up."""
        account = await self._store.find_account(tried.email)
        stored = account.password_hash if account else None
        right = await self._passwords.matches(stored, tried.password)
        if isinstance(right, Refusal):
            return right
        for _ in range(_RACES_MAX):
            if account is None or not right or account.password_hash != stored:
                return WRONG_CREDENTIALS()
            proven = second_factor.proven(account, tried.code, now=self._wall.now())
            if proven is None:
                return WRONG_CREDENTIALS()
            proven = await self._hashed_as_today(proven, tried.password)
            if await self._store.save_staff(account=proven):
                return proven
            account = await self._store.find_account(tried.email)
        return UNAVAILABLE()

    async def _hashed_as_today(self, account: StaffAccount, password: str) -> StaffAccount:
        if not self._passwords.is_outdated(account.password_hash):
            return account
        hashed = await self._passwords.hash(password)
        return account if isinstance(hashed, Refusal) else replace(account, password_hash=hashed)

    async def _pay(self, charges: tuple[Charge, ...]) -> Refusal | None:
        now = self._wall.now()
        empty = await self._people.spend(charges, now=now)
        return None if empty is None else TOO_MANY_TRIES(retry_after_s=wait_s(empty, now))

    def _hidden(self, email: str) -> str:
        return hmac.new(self._key, email.encode(), hashlib.sha256).hexdigest()[:32]
