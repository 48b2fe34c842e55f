"""The in-memory twin of the people and their log-in codes."""

from collections.abc import Sequence

from engine.audit.record import AuditRecord
from engine.identity.budgets import Charge
from engine.identity.login import Challenge, Purpose, User
from engine.identity.profiles import Profile
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from engine.kernel.timing import Instant
from storage.memory_audit import MemoryAudit


class MemoryIdentity:
    """Satisfies `IdentityStore`; nothing in it waits."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit or MemoryAudit()
        self._challenges: dict[tuple[str, Purpose], Challenge] = {}
        self._tallies: dict[str, tuple[int, Instant]] = {}
        self._profiles: dict[tuple[UserId, Role], Profile] = {}
        self._users: dict[UserId, User] = {}
        self._by_phone: dict[str, User] = {}

    async def find_challenge(
        self, phone: str, purpose: Purpose = Purpose.LOG_IN
    ) -> Challenge | None:
        return self._challenges.get((phone, purpose))

    async def save_challenge(self, challenge: Challenge) -> bool:
        key = (challenge.phone, challenge.purpose)
        last = self._challenges.get(key)
        if challenge.version != (last.version if last else 0) + 1:
            return False
        self._challenges[key] = challenge
        return True

    async def spend(self, charges: Sequence[Charge], *, now: Instant) -> Charge | None:
        self._tallies = {key: kept for key, kept in self._tallies.items() if kept[1] > now}
        for one in charges:
            if self._tallies.get(one.key, (0, 0))[0] >= one.spent_max:
                return one
        for one in charges:
            spent, _ = self._tallies.get(one.key, (0, 0))
            self._tallies[one.key] = (spent + 1, one.expires_at)
        return None

    async def give_back(self, keys: Sequence[str]) -> None:
        for key in keys:
            spent, expires_at = self._tallies.get(key, (0, 0))
            if spent:
                self._tallies[key] = (spent - 1, expires_at)

    async def register(self, user: User) -> User:
        known = self._by_phone.setdefault(user.phone, user)
        self._users.setdefault(known.id, known)
        return known

    async def find_profile(self, user_id: UserId, role: Role) -> Profile | None:
        return self._profiles.get((user_id, role))

    async def save_profile(self, profile: Profile, *, records: Sequence[AuditRecord] = ()) -> bool:
        key = (profile.user_id, profile.role)
        before = self._profiles.get(key)
        if profile.version != (before.version if before else 0) + 1:
            return False
        self._profiles[key] = profile
        self._audit.add(records)
        return True

    async def change_user(self, user: User, *, records: Sequence[AuditRecord] = ()) -> bool:
        before = self._users.get(user.id)
        if before is None or user.version != before.version + 1:
            return False
        if self._by_phone.get(user.phone, before).id != user.id:
            return False
        del self._by_phone[before.phone]
        self._users[user.id] = self._by_phone[user.phone] = user
        self._audit.add(records)
        return True

    async def find_user_by_previous_phone(self, phone: str) -> User | None:
        found = [one for one in self._users.values() if one.previous_phone == phone]
        return max(found, key=lambda one: one.moved_at, default=None)

    async def find_user(self, user_id: UserId) -> User | None:
        return self._users.get(user_id)

    def user_of(self, phone: str) -> UserId | None:
        """Whose account has this phone."""
        user = self._by_phone.get(phone)
        return None if user is None else user.id

    def forget(self, user_id: UserId) -> None:
        """Nobody is known by this id any more."""
        user = self._users.pop(user_id, None)
        if user is not None:
            self._by_phone.pop(user.phone, None)
        self._profiles = {key: one for key, one in self._profiles.items() if key[0] != user_id}
