"""The one door: every command and every question to a live thing goes through here."""

from typing import Protocol

from engine.kernel.ids import CourierId
from engine.kernel.messages import Envelope
from storage.live import Fix, Publication
from storage.store import Answer


class Bus(Protocol):
    """Finds the cell that owns a thing and hands it what is asked."""

    async def execute(self, envelope: Envelope) -> Answer:
        """Carry a command out, once however often it is sent; the answer is stored with what it changed.

        Never raises for an expected failure: what is down or too slow is a refusal with the code
        `temporarily_unavailable` or `deadline_passed`, and may be sent again with the same id.
        """
        ...

    def report_position(self, courier_id: CourierId, fix: Fix) -> None:
        """Pass a position on; only the newest of a courier matters. Returns at once, may drop."""
        ...

    async def snapshot(self, channel: str) -> Publication | None:
        """What the watchers of a channel would be told now (`kind` is `state`), or None when there is no such thing.

        An ended order is answered from storage. Raises `CellUnavailable` when its cell does not answer.
        """
        ...


class CellUnavailable(Exception):
    """The cell is being restarted, or does not answer in time."""
