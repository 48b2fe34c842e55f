"""People in PostgreSQL: what is personal is sealed in the row, and found by its blind index."""

from collections.abc import Sequence
from contextlib import suppress

from asyncpg import UniqueViolationError
from msgspec import Struct
from msgspec.structs import replace

from engine.audit.record import AuditRecord
from engine.identity.budgets import Charge
from engine.identity.login import Challenge, Purpose, User
from engine.identity.profiles import Profile
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from engine.kernel.timing import Instant
from storage.audit import save_records
from storage.database import Database, Session
from storage.gathering import Gathering
from storage.kinds import decode, encode, known
from storage.queries import queries
from storage.vault import Sealed, Vault

_RESEALED_AT_ONCE = 200


class _UserRow(Struct, frozen=True, kw_only=True):
    id: UserId
    created_at: Instant
    version: int
    moved_at: Instant
    phone_index: str
    previous_index: str | None
    key_id: str
    sealed: str


class _ProfileRow(Struct, frozen=True, kw_only=True):
    user_id: UserId
    role: Role
    version: int
    key_id: str
    sealed: str


class _OpenRow(Struct, frozen=True, kw_only=True):
    """A user who registered before phones were sealed has no key."""

    key_id: str = ""


class _Spent(Exception):
    """A budget is empty: what was taken out of the others goes back."""


class PostgresIdentity:
    """Satisfies `IdentityStore`; the pool is its caller's to close."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._users = Gathering(database, queries.find_users, self._opened_user)

    async def find_challenge(
        self, phone: str, purpose: Purpose = Purpose.LOG_IN
    ) -> Challenge | None:
        state = await self._database.value(
            queries.find_challenge, phone=self._vault.index(phone), purpose=purpose.value
        )
        return None if state is None else replace(decode(Challenge, state), phone=phone)

    async def save_challenge(self, challenge: Challenge) -> bool:
        hidden = replace(challenge, phone=self._vault.index(challenge.phone))
        return await self._database.run(queries.save_challenge, state=encode(hidden)) == 1

    async def spend(self, charges: Sequence[Charge], *, now: Instant) -> Charge | None:
        await self._database.run(queries.forget_tallies, now=now)
        paid: set[str] = set()
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
        return next((one for one in charges if one.key not in paid), None)

    async def give_back(self, keys: Sequence[str]) -> None:
        await self._database.run(queries.give_back_tallies, keys=list(keys))

    async def register(self, user: User) -> User:
        state = await self._database.value(queries.register_user, state=self._sealed_user(user))
        return self._opened_user(state)

    async def change_user(self, user: User, *, records: Sequence[AuditRecord] = ()) -> bool:
        try:
            # If the phone is taken meanwhile, this much is undone and no more.
            async with self._database.transaction() as session:
                changed = await session.run(
                    queries.change_user,
                    state=self._sealed_user(user),
                    user_id=user.id,
                    version=user.version,
                    phone_index=self._vault.index(user.phone),
                )
                if changed == 1:
                    await save_records(session, records)
        except UniqueViolationError:
            # Somebody took the phone between the look at it and the change.
            return False
        return changed == 1

    async def find_user_by_previous_phone(self, phone: str) -> User | None:
        state = await self._database.value(
            queries.find_user_by_previous_phone, previous_index=self._vault.index(phone)
        )
        return None if state is None else self._opened_user(state)

    async def find_user(self, user_id: UserId) -> User | None:
        return await self._users.find(user_id)

    async def find_profile(self, user_id: UserId, role: Role) -> Profile | None:
        state = await self._database.value(
            queries.find_profile, user_id=known(user_id), role=role.value
        )
        return None if state is None else self._opened_profile(state)

    async def save_profile(self, profile: Profile, *, records: Sequence[AuditRecord] = ()) -> bool:
        state = self._sealed_profile(profile)
        async with self._database.transaction() as session:
            is_saved = await session.run(queries.save_profile, state=state) == 1
            if is_saved:
                await save_records(session, records)
        return is_saved

    async def reseal(self) -> int:
        """Seal under the newest key whatever is under another, or none; how many rows that was."""
        count = 0
        while True:
            async with self._database.transaction() as session:
                found = await self._reseal_some(session)
            if not found:
                return count
            count += found

    async def _reseal_some(self, session: Session) -> int:
        chosen = {"key_id": self._vault.key_id, "limit": _RESEALED_AT_ONCE}
        users = await session.rows(queries.users_under_other_keys, **chosen)
        for row in users:
            user = self._opened_user(row["state"])
            await session.run(queries.reseal_user, state=self._sealed_user(user), user_id=user.id)
        profiles = await session.rows(queries.profiles_under_other_keys, **chosen)
        for row in profiles:
            profile = self._opened_profile(row["state"])
            await session.run(
                queries.reseal_profile,
                state=self._sealed_profile(profile),
                user_id=profile.user_id,
                role=profile.role.value,
            )
        return len(users) + len(profiles)

    def _sealed_user(self, user: User) -> bytes:
        sealed = self._vault.seal(encode(user), row=f"user:{user.id}")
        return encode(
            _UserRow(
                id=user.id,
                created_at=user.created_at,
                version=user.version,
                moved_at=user.moved_at,
                phone_index=self._vault.index(user.phone),
                previous_index=self._vault.index(user.previous_phone)
                if user.previous_phone
                else None,
                key_id=sealed.key_id,
                sealed=sealed.text,
            )
        )

    def _opened_user(self, state: bytes) -> User:
        if not decode(_OpenRow, state).key_id:
            return decode(User, state)
        row = decode(_UserRow, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        return decode(User, self._vault.open(sealed, row=f"user:{row.id}"))

    def _sealed_profile(self, profile: Profile) -> bytes:
        sealed = self._vault.seal(encode(profile), row=_row_of(profile.user_id, profile.role))
        return encode(
            _ProfileRow(
                user_id=profile.user_id,
                role=profile.role,
                version=profile.version,
                key_id=sealed.key_id,
                sealed=sealed.text,
            )
        )

    def _opened_profile(self, state: bytes) -> Profile:
        row = decode(_ProfileRow, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        return decode(Profile, self._vault.open(sealed, row=_row_of(row.user_id, row.role)))


def _row_of(user_id: UserId, role: Role) -> str:
    return f"profile:{user_id}:{role}"
