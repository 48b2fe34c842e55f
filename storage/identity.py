"""Who has which phone, what he tells of himself, and which code is on its way: the port."""

from collections.abc import Sequence
from typing import Protocol

from engine.audit.record import AuditRecord
from engine.identity.budgets import Charge
from engine.identity.login import Challenge, Purpose, User
from engine.identity.profiles import Profile
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from engine.kernel.timing import Instant


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

    async def find_profile(self, user_id: UserId, role: Role) -> Profile | None:
        """What somebody told of himself in a role."""
        ...

    async def save_profile(self, profile: Profile, *, records: Sequence[AuditRecord] = ()) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker.

        The records go into the audit log with it, or not at all.
        """
        ...

    async def change_user(self, user: User, *, records: Sequence[AuditRecord] = ()) -> bool:
        """Keep him in the place of the version before.

        False when somebody else was quicker, or has this phone. The records go into the audit log
        with it, or not at all.
        """
        ...

    async def find_user_by_previous_phone(self, phone: str) -> User | None:
        """Who had this phone before the one that he has; of several the last who left it."""
        ...

    async def find_user(self, user_id: UserId) -> User | None:
        """A user by his id."""
        ...
