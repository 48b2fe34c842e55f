"""Who has which phone, and which log-in code is on its way to it: the port."""

from typing import Protocol

from engine.identity.login import Challenge, User
from engine.kernel.ids import UserId


class IdentityStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def find_challenge(self, phone: str) -> Challenge | None:
        """The last challenge of a phone."""
        ...

    async def save_challenge(self, challenge: Challenge) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def register(self, user: User) -> User:
        """The user who has this phone: this one, or the one who had it before."""
        ...

    async def find_user(self, user_id: UserId) -> User | None:
        """A user by his id."""
        ...
