"""The host of the audit log: verifies the whole chain, and notes its end where the log is not."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from actors.clock import Clock
from engine.audit.chain import ChainCheck, Head
from engine.kernel.timing import HOUR_MS
from storage.audit import AuditStore
from storage.store import StoreUnavailable

_CHECKPOINT_EVERY_MS: Final = HOUR_MS


class AuditKeeper:
    """`wall` is the real clock."""

    def __init__(self, store: AuditStore, *, wall: Clock) -> None:
        self._store = store
        self._wall = wall

    async def verify(
        self,
        checkpoints: Iterable[Head] = (),
        *,
        on_record: Callable[[int, int], None] | None = None,
    ) -> ChainCheck:
        """Compute every hash again, and compare with the checkpoints.

        `on_record` hears the number of a record and of the last one.
        """
        check = ChainCheck(checkpoints)
        async with self._store.books() as books:
            head = await books.head()
            async for stored in books.records():
                check.take(stored)
                if on_record is not None:
                    on_record(stored.number, head.number)
            check.finish(head)
        return check

    async def run(self) -> None:
        """Note the end of the chain in the process's own log every hour, until cancelled."""
        while True:
            await self.checkpoint()
            await self._wall.sleep(_CHECKPOINT_EVERY_MS)

    async def checkpoint(self) -> None:
        """Note the end of the chain once: who rewrites the log would have to rewrite this, too."""
        try:
            async with self._store.books() as books:
                head = await books.head()
        except StoreUnavailable as error:
            structlog.get_logger(__name__).warning("audit_head_not_noted", why=str(error))
            return
        structlog.get_logger(__name__).info("audit_checkpoint", checkpoint=str(head))
