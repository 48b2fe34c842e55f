"""The in-memory twin of the people and their log-in codes."""

from engine.identity.login import Challenge, User
from engine.kernel.ids import UserId


class MemoryIdentity:
    """Satisfies `IdentityStore`; nothing in it waits."""

    def __init__(self) -> None:
        self._challenges: dict[str, Challenge] = {}
        self._users: dict[UserId, User] = {}
        self._by_phone: dict[str, User] = {}

    async def find_challenge(self, phone: str) -> Challenge | None:
        return self._challenges.get(phone)

    async def save_challenge(self, challenge: Challenge) -> bool:
        last = self._challenges.get(challenge.phone)
        if challenge.version != (last.version if last else 0) + 1:
            return False
        self._challenges[challenge.phone] = challenge
        return True

    async def register(self, user: User) -> User:
        known = self._by_phone.setdefault(user.phone, user)
        self._users.setdefault(known.id, known)
        return known

    async def find_user(self, user_id: UserId) -> User | None:
        return self._users.get(user_id)
