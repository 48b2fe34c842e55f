"""Who has which phone, and which log-in code is on its way to it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from engine.identity.budgets import Charge
from engine.identity.login import Challenge, Purpose, User
from engine.kernel.ids import UserId
from engine.kernel.timing import Instant
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.queries import queries


class IdentityStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def find_challenge(
        self, phone: str, purpose: Purpose = Purpose.LOG_IN
    ) -> Challenge | None:
        """The last challenge of a phone for a purpose."""
        ...

    async def save_challenge(self, challenge: Challenge) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def spend(self, charges: Sequence[Charge], *, now: Instant) -> Charge | None:
        """Take one out of each budget, or, when one is empty, none out of any: that one."""
        ...

    async def give_back(self, keys: Sequence[str]) -> None:
        """Put one back into each of these budgets that is still counted."""
        ...

    async def register(self, user: User) -> User:
        """The user who has this phone: this one, or the one who had it before."""
        ...

    async def find_user(self, user_id: UserId) -> User | None:
        """A user by his id."""
        ...


class _Spent(Exception):
    """A budget is empty: what was taken out of the others goes back."""


class PostgresIdentity:
    """Satisfies `IdentityStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_challenge(
        self, phone: str, purpose: Purpose = Purpose.LOG_IN
    ) -> Challenge | None:
        state = await self._database.value(
            queries.find_challenge, phone=phone, purpose=purpose.value
        )
        return None if state is None else decode(Challenge, state)

    async def save_challenge(self, challenge: Challenge) -> bool:
        return await self._database.run(queries.save_challenge, state=encode(challenge)) == 1

    async def spend(self, charges: Sequence[Charge], *, now: Instant) -> Charge | None:
        await self._database.run(queries.forget_tallies, now=now)
        with suppress(_Spent):
            async with self._database.transaction() as session:
                rows = await session.rows(
                    queries.spend_tallies,
                    keys=[one.key for one in charges],
                    maxima=[one.spent_max for one in charges],
                    expiries=[one.expires_at for one in charges],
                )
                paid = {row["key"] for row in rows}
                if len(paid) < len(charges):
                    raise _Spent
            return None
        return next(one for one in charges if one.key not in paid)

    async def give_back(self, keys: Sequence[str]) -> None:
        await self._database.run(queries.give_back_tallies, keys=list(keys))

    async def register(self, user: User) -> User:
        return decode(User, await self._database.value(queries.register_user, state=encode(user)))

    async def find_user(self, user_id: UserId) -> User | None:
        state = await self._database.value(queries.find_user, user_id=known(user_id))
        return None if state is None else decode(User, state)
