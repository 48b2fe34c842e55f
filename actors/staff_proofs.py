"""The host of who is logged in and proves once more who he is, to change how he gets in."""

from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from actors.clock import Clock
from actors.passwords import Passwords
from engine.audit.record import Action, AuditRecord, acted_on_oneself
from engine.identity import second_factor, staff
from engine.identity.access_changes import AccessChange, telling
from engine.identity.budgets import wait_s
from engine.identity.staff import TOO_MANY_TRIES, WRONG_PROOF, StaffAccount, TryRules
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Effect
from engine.kernel.refusals import UNAVAILABLE, Refusal
from storage.identity import IdentityStore
from storage.staff import StaffStore

_RACES_MAX = 8


class NewPassword(Struct, frozen=True, kw_only=True):
    """What somebody shows to change his password, and the one that he chooses."""

    current: str
    code: str
    password: str


class StaffProofs:
    """`wall` is the real clock, `clock` that of the outbox."""

    def __init__(
        self,
        store: StaffStore,
        people: IdentityStore,
        passwords: Passwords,
        *,
        wall: Clock,
        clock: Clock,
        rules: TryRules,
    ) -> None:
        self._store = store
        self._people = people
        self._passwords = passwords
        self._wall = wall
        self._clock = clock
        self._rules = rules

    async def change_password(self, caller: Caller, wish: NewPassword) -> StaffAccount | Refusal:
        """Another password, by the old one and a code; other sessions are the caller's to end."""
        account = await self._store.find_account_of(caller.user_id)
        if account is None:
            return WRONG_PROOF()
        weak = await self._passwords.weakness(wish.password, account.email)
        if weak is not None:
            return weak
        return await self._paid(account, lambda: self._change(account, caller, wish))

    async def prove_code(self, user_id: UserId, code: str) -> StaffAccount | Refusal:
        """Whose account it is, by a code that is then worth nothing."""
        account = await self._store.find_account_of(user_id)
        if account is None:
            return WRONG_PROOF()
        return await self._paid(account, lambda: self._use(account, code, lambda one: one))

    async def _paid(
        self, account: StaffAccount, attempt: Callable[[], Awaitable[StaffAccount | Refusal]]
    ) -> StaffAccount | Refusal:
        """Every try is paid for before it is looked at; a right one is given back."""
        now = self._wall.now()
        charges = staff.proof_charges(account.user_id, self._rules, now=now)
        empty = await self._people.spend(charges, now=now)
        if empty is not None:
            return TOO_MANY_TRIES(retry_after_s=wait_s(empty, now))
        proven = await attempt()
        if not isinstance(proven, Refusal):
            await self._people.give_back([one.key for one in charges])
        return proven

    async def _change(
        self, account: StaffAccount, caller: Caller, wish: NewPassword
    ) -> StaffAccount | Refusal:
        is_right = await self._passwords.matches(account.password_hash, wish.current)
        if isinstance(is_right, Refusal):
            return is_right
        if not is_right:
            return WRONG_PROOF()
        hashed = await self._passwords.hash(wish.password)
        if isinstance(hashed, Refusal):
            return hashed
        record = acted_on_oneself(
            account.user_id,
            Action.CHANGE_PASSWORD,
            role=caller.role,
            place=caller.place,
            at=self._wall.now(),
        )
        told = telling(
            account.user_id, caller.role, AccessChange.PASSWORD_CHANGED, of=str(record.act.at)
        )
        return await self._use(
            account,
            wish.code,
            lambda one: replace(one, password_hash=hashed),
            effects=(told,),
            records=(record,),
        )

    async def _use(
        self,
        account: StaffAccount,
        code: str,
        change: Callable[[StaffAccount], StaffAccount],
        *,
        effects: tuple[Effect, ...] = (),
        records: tuple[AuditRecord, ...] = (),
    ) -> StaffAccount | Refusal:
        """The account after a code that is then worth nothing, stored with all that follows."""
        for _ in range(_RACES_MAX):
            proven = second_factor.proven(account, code, now=self._wall.now())
            if proven is None:
                return WRONG_PROOF()
            changed = change(proven)
            if await self._store.save_staff(
                account=changed, effects=effects, at=self._clock.now(), records=records
            ):
                return changed
            found = await self._store.find_account_of(account.user_id)
            if found is None or found.password_hash != account.password_hash:
                return WRONG_PROOF()
            account = found
        return UNAVAILABLE()
