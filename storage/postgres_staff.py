"""Accounts and links in PostgreSQL: sealed in their rows, accounts found by a blind index."""

from collections.abc import Sequence

from asyncpg import UniqueViolationError
from msgspec import Struct

from engine.audit.record import AuditRecord
from engine.identity.ids import LinkId
from engine.identity.links import Link, LinkPurpose
from engine.identity.staff import StaffAccount
from engine.kernel.ids import UserId
from engine.kernel.messages import Effect
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import INVITATIONS
from storage.audit import save_records
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries
from storage.vault import Sealed, Vault

_RESEALED_AT_ONCE = 200


class _AccountRow(Struct, frozen=True, kw_only=True):
    user_id: UserId
    version: int
    email_index: str
    key_id: str
    sealed: str


class _LinkRow(Struct, frozen=True, kw_only=True):
    id: LinkId
    version: int
    purpose: LinkPurpose
    is_settled: bool
    sent_at: Instant
    expires_at: Instant
    key_id: str
    sealed: str


class _Overtaken(Exception):
    """Somebody else was quicker: nothing of it is kept."""


class PostgresStaff:
    """Satisfies `StaffStore`; the pool is its caller's to close."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def find_account(self, email: str) -> StaffAccount | None:
        state = await self._database.value(
            queries.find_staff_account, email_index=self._vault.index(email)
        )
        return None if state is None else self._opened_account(state)

    async def find_account_of(self, user_id: UserId) -> StaffAccount | None:
        state = await self._database.value(queries.find_staff_account_of, user_id=known(user_id))
        return None if state is None else self._opened_account(state)

    async def find_link(self, link_id: LinkId) -> Link | None:
        state = await self._database.value(queries.find_link, link_id=known(link_id))
        return None if state is None else self._opened_link(state)

    async def list_links(self, purpose: LinkPurpose, wanted: Wanted, *, now: Instant) -> Page[Link]:
        return await page_in(
            self._database,
            queries.list_links,
            INVITATIONS,
            wanted,
            lambda row: self._opened_link(row["state"]),
            purpose=purpose.value,
            now=now,
        )

    async def save_staff(
        self,
        *,
        account: StaffAccount | None = None,
        link: Link | None = None,
        effects: Sequence[Effect] = (),
        at: Instant = 0,
        records: Sequence[AuditRecord] = (),
    ) -> bool:
        try:
            async with self._database.transaction() as session:
                if account is not None:
                    await self._save_account(session, account)
                if link is not None:
                    await self._save_link(session, link)
                for effect in effects:
                    await session.run(queries.promise_effect, effect=encode(effect), at=at)
                await save_records(session, records)
        except (_Overtaken, UniqueViolationError):
            return False
        return True

    async def reseal(self) -> int:
        """Seal accounts under the newest key; links do not live long enough to need it."""
        count = 0
        while True:
            async with self._database.transaction() as session:
                rows = await session.rows(
                    queries.staff_under_other_keys,
                    key_id=self._vault.key_id,
                    limit=_RESEALED_AT_ONCE,
                )
                for row in rows:
                    account = self._opened_account(row["state"])
                    await session.run(
                        queries.reseal_staff,
                        state=self._sealed_account(account),
                        user_id=account.user_id,
                    )
            if not rows:
                return count
            count += len(rows)

    async def _save_account(self, session: Session, account: StaffAccount) -> None:
        state = self._sealed_account(account)
        if await session.run(queries.save_staff_account, state=state) != 1:
            raise _Overtaken

    async def _save_link(self, session: Session, link: Link) -> None:
        sealed = self._vault.seal(encode(link), row=f"link:{link.id}")
        row = _LinkRow(
            id=link.id,
            version=link.version,
            purpose=link.purpose,
            is_settled=link.used_at is not None or link.revoked_at is not None,
            sent_at=link.sent_at,
            expires_at=link.expires_at,
            key_id=sealed.key_id,
            sealed=sealed.text,
        )
        await session.run(queries.forget_links, now=link.sent_at)
        if await session.run(queries.save_link, state=encode(row)) != 1:
            raise _Overtaken

    def _sealed_account(self, account: StaffAccount) -> bytes:
        sealed = self._vault.seal(encode(account), row=f"staff:{account.user_id}")
        return encode(
            _AccountRow(
                user_id=account.user_id,
                version=account.version,
                email_index=self._vault.index(account.email),
                key_id=sealed.key_id,
                sealed=sealed.text,
            )
        )

    def _opened_account(self, state: bytes) -> StaffAccount:
        row = decode(_AccountRow, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        return decode(StaffAccount, self._vault.open(sealed, row=f"staff:{row.user_id}"))

    def _opened_link(self, state: bytes) -> Link:
        row = decode(_LinkRow, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        return decode(Link, self._vault.open(sealed, row=f"link:{row.id}"))
