"""Where couriers are paid, what is on its way there, and what is held for disputes."""

from collections.abc import Sequence
from typing import Final, Protocol

from asyncpg import UniqueViolationError
from msgspec import Struct

from engine.audit.record import AuditRecord
from engine.kernel.ids import CourierId
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import DISPUTES, PAYOUTS
from engine.payouts.dispute import Dispute, DisputeId
from engine.payouts.payout import BankAccount, BankAccountId, Payout, PayoutId, PayoutStatus
from storage.audit import save_records
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries
from storage.vault import Sealed, Vault

# While one of these is made no other is begun for the same courier.
BEING_MADE: Final = frozenset({PayoutStatus.NEW, PayoutStatus.RESERVED, PayoutStatus.UNKNOWN})
_RESEALED_AT_ONCE: Final = 200


class PayoutStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save_account(self, account: BankAccount) -> None:
        """Keep a bank account; from now on it is its courier's."""
        ...

    async def find_account(self, account_id: BankAccountId) -> BankAccount | None:
        """One by its id, also one that is not used any more."""
        ...

    async def account_of(self, courier_id: CourierId) -> BankAccount | None:
        """Where a courier is paid now."""
        ...

    async def save(self, payout: Payout) -> bool:
        """Keep it in the place of the version before.

        False when somebody else was quicker, or another one of the same courier is being made.
        """
        ...

    async def find(self, payout_id: PayoutId) -> Payout | None:
        """One by its id."""
        ...

    async def list_of(self, courier_id: CourierId, wanted: Wanted) -> Page[Payout]:
        """A page of a courier's, as `PAYOUTS` says."""
        ...

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payout, ...]:
        """Those with something to be done by now, the longest overdue first."""
        ...

    async def save_dispute(self, dispute: Dispute, *, records: Sequence[AuditRecord] = ()) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...

    async def find_dispute(self, dispute_id: DisputeId) -> Dispute | None:
        """One by its id."""
        ...

    async def list_disputes(self, wanted: Wanted) -> Page[Dispute]:
        """A page of them, as `DISPUTES` says."""
        ...

    async def list_due_disputes(self, now: Instant, *, limit: int) -> tuple[Dispute, ...]:
        """Those whose last change is to be entered in the ledger."""
        ...


class _AccountRow(Struct, frozen=True, kw_only=True):
    id: BankAccountId
    courier_id: CourierId
    made_at: Instant
    key_id: str
    sealed: str


class PostgresPayouts:
    """Satisfies `PayoutStore`; bank accounts are sealed, and the pool is its caller's to close."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def save_account(self, account: BankAccount) -> None:
        await self._database.run(queries.save_bank_account, state=self._sealed(account))

    async def find_account(self, account_id: BankAccountId) -> BankAccount | None:
        state = await self._database.value(
            queries.find_bank_account, bank_account_id=known(account_id)
        )
        return None if state is None else self._opened(state)

    async def account_of(self, courier_id: CourierId) -> BankAccount | None:
        state = await self._database.value(
            queries.newest_bank_account_of, courier_id=known(courier_id)
        )
        return None if state is None else self._opened(state)

    async def reseal(self) -> int:
        """Seal under the newest key whatever is under another; how many rows that was."""
        count, found = 0, _RESEALED_AT_ONCE
        while found == _RESEALED_AT_ONCE:
            async with self._database.transaction() as session:
                rows = await session.rows(
                    queries.bank_accounts_under_other_keys,
                    key_id=self._vault.key_id,
                    limit=_RESEALED_AT_ONCE,
                )
                for row in rows:
                    account = self._opened(row["state"])
                    await session.run(
                        queries.reseal_bank_account,
                        state=self._sealed(account),
                        bank_account_id=account.id,
                    )
            found = len(rows)
            count += found
        return count

    async def save(self, payout: Payout) -> bool:
        try:
            # In a transaction of its own, so that a collision undoes this much and no more.
            async with self._database.transaction() as session:
                count = await session.run(queries.save_payout, state=encode(payout))
        except UniqueViolationError:
            return False
        return count == 1

    async def find(self, payout_id: PayoutId) -> Payout | None:
        state = await self._database.value(queries.find_payout, payout_id=known(payout_id))
        return None if state is None else decode(Payout, state)

    async def list_of(self, courier_id: CourierId, wanted: Wanted) -> Page[Payout]:
        return await page_in(
            self._database,
            queries.list_payouts_of,
            PAYOUTS,
            wanted,
            lambda row: decode(Payout, row["state"]),
            courier_id=known(courier_id),
        )

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payout, ...]:
        rows = await self._database.rows(queries.list_due_payouts, now=now, limit=limit)
        return tuple(decode(Payout, row["state"]) for row in rows)

    async def save_dispute(self, dispute: Dispute, *, records: Sequence[AuditRecord] = ()) -> bool:
        async with self._database.transaction() as session:
            is_saved = await session.run(queries.save_dispute, state=encode(dispute)) == 1
            if is_saved:
                await save_records(session, records)
        return is_saved

    async def find_dispute(self, dispute_id: DisputeId) -> Dispute | None:
        state = await self._database.value(queries.find_dispute, dispute_id=known(dispute_id))
        return None if state is None else decode(Dispute, state)

    async def list_disputes(self, wanted: Wanted) -> Page[Dispute]:
        return await page_in(
            self._database,
            queries.list_disputes,
            DISPUTES,
            wanted,
            lambda row: decode(Dispute, row["state"]),
        )

    async def list_due_disputes(self, now: Instant, *, limit: int) -> tuple[Dispute, ...]:
        rows = await self._database.rows(queries.list_due_disputes, now=now, limit=limit)
        return tuple(decode(Dispute, row["state"]) for row in rows)

    def _sealed(self, account: BankAccount) -> bytes:
        sealed = self._vault.seal(encode(account), row=f"bank_account:{account.id}")
        return encode(
            _AccountRow(
                id=account.id,
                courier_id=account.courier_id,
                made_at=account.made_at,
                key_id=sealed.key_id,
                sealed=sealed.text,
            )
        )

    def _opened(self, state: bytes) -> BankAccount:
        row = decode(_AccountRow, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        return decode(BankAccount, self._vault.open(sealed, row=f"bank_account:{row.id}"))
