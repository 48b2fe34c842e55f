"""What invoicing units have from the tax authority: keys and secrets, sealed."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from engine.audit.record import AuditRecord
from engine.invoices.onboarding import UnitCertificate
from storage.audit import save_records
from storage.database import Database
from storage.kinds import decode, encode
from storage.queries import queries
from storage.vault import Sealed, Vault


class UnitCertificateStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def find(self, unit: str, authority: str) -> UnitCertificate | None:
        """What a unit has there."""
        ...

    async def save(self, state: UnitCertificate, *, records: Sequence[AuditRecord] = ()) -> bool:
        """Keep it in the place of the version before; False when somebody else was quicker."""
        ...


class _Row(Struct, frozen=True, kw_only=True):
    unit: str
    authority: str
    version: int
    key_id: str
    sealed: str


class PostgresUnitCertificates:
    """Satisfies `UnitCertificateStore`; the pool is its caller's to close."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def is_there(self) -> bool:
        """Whether the schema is new enough: the doctor may come before its migrations."""
        found: bool = await self._database.value(queries.has_unit_certificates)
        return found

    async def find(self, unit: str, authority: str) -> UnitCertificate | None:
        state = await self._database.value(
            queries.find_unit_certificate, unit=unit, authority=authority
        )
        return None if state is None else self._opened(state)

    async def save(self, state: UnitCertificate, *, records: Sequence[AuditRecord] = ()) -> bool:
        async with self._database.transaction() as session:
            row = self._sealed(state)
            is_saved = await session.run(queries.save_unit_certificate, state=row) == 1
            if is_saved:
                await save_records(session, records)
        return is_saved

    async def reseal(self) -> int:
        """Seal under the newest key whatever is under another; how many rows that was."""
        async with self._database.transaction() as session:
            rows = await session.rows(
                queries.unit_certificates_under_other_keys, key_id=self._vault.key_id
            )
            for row in rows:
                found = self._opened(row["state"])
                await session.run(
                    queries.reseal_unit_certificate,
                    state=self._sealed(found),
                    unit=found.unit,
                    authority=found.authority,
                )
        return len(rows)

    def _sealed(self, state: UnitCertificate) -> bytes:
        sealed = self._vault.seal(encode(state), row=_name(state.unit, state.authority))
        return encode(
            _Row(
                unit=state.unit,
                authority=state.authority,
                version=state.version,
                key_id=sealed.key_id,
                sealed=sealed.text,
            )
        )

    def _opened(self, state: bytes) -> UnitCertificate:
        row = decode(_Row, state)
        sealed = Sealed(key_id=row.key_id, text=row.sealed)
        plain = self._vault.open(sealed, row=_name(row.unit, row.authority))
        return decode(UnitCertificate, plain)


def _name(unit: str, authority: str) -> str:
    return f"unit_certificate:{unit}:{authority}"
