"""The in-memory twin of what invoicing units have from the tax authority."""

from collections.abc import Sequence

from engine.audit.record import AuditRecord
from engine.invoices.onboarding import UnitCertificate
from storage.memory_audit import MemoryAudit


class MemoryUnitCertificates:
    """Satisfies `UnitCertificateStore`; nothing in it waits."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit or MemoryAudit()
        self._states: dict[tuple[str, str], UnitCertificate] = {}

    async def find(self, unit: str, authority: str) -> UnitCertificate | None:
        return self._states.get((unit, authority))

    async def save(self, state: UnitCertificate, *, records: Sequence[AuditRecord] = ()) -> bool:
        key = state.unit, state.authority
        before = self._states.get(key)
        is_next = before is None or state.version == before.version + 1
        if is_next:
            self._states[key] = state
            self._audit.add(records)
        return is_next
