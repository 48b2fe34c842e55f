"""What stands in for a cell of which only snapshots are asked."""

from collections.abc import Sequence

from engine.kernel.ids import CellId, CourierId
from engine.kernel.messages import Envelope
from storage.live import Fix
from storage.store import Answer


class OnlySnapshots:
    """Everything of `CellCalls` but `snapshots`, which each has of its own."""

    async def execute(self, cell: CellId, envelopes: Sequence[Envelope]) -> list[Answer]:
        raise NotImplementedError

    async def report_positions(
        self, cell: CellId, fixes: Sequence[tuple[CourierId, Fix]]
    ) -> Sequence[CourierId]:
        raise NotImplementedError

    async def health(self, cell: CellId) -> str:
        return "ok"
