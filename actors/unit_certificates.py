"""What our unit signs with and is known by now: what was onboarded, else what is set."""

from collections.abc import Callable

from actors.stamp import stamp_of
from engine.invoices.invoice import Stamp
from engine.invoices.onboarding import Certified, Csid
from storage.unit_certificates import UnitCertificateStore


class UnitCertificates:
    """One for a process: a certificate that came meanwhile is in force at the next question.

    `stamp` and `known_by` are of the settings.
    """

    def __init__(
        self,
        store: UnitCertificateStore,
        *,
        unit: str,
        authority: str,
        stamp: Callable[[], Stamp],
        known_by: Csid | None = None,
    ) -> None:
        self._store, self._unit, self._authority = store, unit, authority
        self._stamp, self._known_by = stamp, known_by
        self._made: tuple[Csid, Stamp] | None = None

    async def stamp(self) -> Stamp:
        """With what the next document is signed."""
        found = await self._certified()
        if found is None:
            return self._stamp()
        if self._made is None or self._made[0] != found.csid:
            self._made = found.csid, stamp_of(found.private_key, found.csid)
        return self._made[1]

    async def csid(self) -> Csid | None:
        """See `KnownBy.csid`."""
        found = await self._certified()
        return self._known_by if found is None else found.csid

    async def _certified(self) -> Certified | None:
        state = await self._store.find(self._unit, self._authority)
        return None if state is None else state.certified
