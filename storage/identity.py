"""Who has which phone, and which log-in code is on its way to it."""

from typing import Protocol

from engine.identity.login import Challenge, User
from engine.kernel.ids import UserId
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


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


class PostgresIdentity:
    """Satisfies `IdentityStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_challenge(self, phone: str) -> Challenge | None:
        state = await self._database.value(queries.find_challenge, phone=phone)
        return None if state is None else decode(Challenge, state)

    async def save_challenge(self, challenge: Challenge) -> bool:
        return await self._database.run(queries.save_challenge, state=encode(challenge)) == 1

    async def register(self, user: User) -> User:
        return decode(User, await self._database.value(queries.register_user, state=encode(user)))

    async def find_user(self, user_id: UserId) -> User | None:
        state = await self._database.value(queries.find_user, user_id=known(user_id))
        return None if state is None else decode(User, state)
