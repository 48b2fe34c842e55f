"""The one door: every command and every question to a live thing goes through here."""

from typing import Protocol

from actors.address import AddressBook
from engine.couriers.messages import UNKNOWN_COURIER
from engine.dispatch.view import order_view
from engine.geo.zone import UNKNOWN_ZONE
from engine.identity.access import may_send
from engine.kernel.ids import CellId, CourierId, OrderId
from engine.kernel.messages import Envelope
from engine.kernel.refusals import NOT_ALLOWED, UNAVAILABLE, Refusal
from engine.orders.messages import UNKNOWN_ORDER
from storage.live import Fix, Publication
from storage.store import Answer, Store, StoreUnavailable

_UNKNOWN = {"order": UNKNOWN_ORDER, "courier": UNKNOWN_COURIER, "zone": UNKNOWN_ZONE}
_NOT_HERE = {UNKNOWN_ORDER.code, UNKNOWN_COURIER.code}


class CellUnavailable(Exception):
    """The cell is being restarted, or does not answer in time."""


class Cells(Protocol):
    """How cells are reached: in this process, or as Ray actors."""

    async def execute(self, cell: CellId, envelope: Envelope) -> Answer:
        """Have a cell carry out a command; raises CellUnavailable."""
        ...

    def report_position(self, cell: CellId, courier_id: CourierId, fix: Fix) -> None:
        """Pass a position on with the next call."""
        ...

    async def snapshot(self, cell: CellId, channel: str) -> Publication | None:
        """Ask a cell for a channel's present state; raises CellUnavailable."""
        ...

    async def health(self, cell: CellId) -> str:
        """`ok` or what is wrong; raises CellUnavailable."""
        ...


class Bus:
    """Finds the cell that owns a thing and hands it what is asked."""

    def __init__(self, store: Store, cells: Cells, placement_resolution: int) -> None:
        self._store = store
        self._cells = cells
        self._addresses = AddressBook(store, placement_resolution)

    async def execute(self, envelope: Envelope) -> Answer:
        """Carry a command out, once however often it is sent.

        The answer is stored with what it changed. Never raises for an expected failure: what is
        down or too slow is a refusal with the code `temporarily_unavailable` or `deadline_passed`,
        and may be sent again with the same id.
        """
        if not may_send(envelope.caller, envelope.command):
            return _refused(envelope, NOT_ALLOWED())
        try:
            answer = await self._at_its_cell(envelope)
            moved = answer.refusal is not None and answer.refusal.code in _NOT_HERE
            if moved and self._addresses.forget(envelope.command):
                answer = await self._at_its_cell(envelope)
        except (StoreUnavailable, CellUnavailable):
            return _refused(envelope, UNAVAILABLE())
        return answer

    async def _at_its_cell(self, envelope: Envelope) -> Answer:
        cell = await self._addresses.cell_for(envelope.command)
        if cell is None:
            return _refused(envelope, _unknown(envelope))
        return await self._cells.execute(cell, envelope)

    def report_position(self, courier_id: CourierId, fix: Fix) -> None:
        """Pass a position on; only the newest of a courier matters.

        Dropped until he is known to be on duty.
        """
        cell = self._addresses.known("courier", courier_id)
        if cell is not None:
            self._cells.report_position(cell, courier_id, fix)

    async def snapshot(self, channel: str) -> Publication | None:
        """What the watchers of a channel would be told now, or None when there is no such thing.

        Its `kind` is `state`. An ended order is answered from storage. Raises `CellUnavailable`
        when its cell, or storage, does not answer.
        """
        kind, _, key = channel.partition(":")
        try:
            cell = await self._addresses.cell_of(kind, key)
            if cell is None:
                return None
            shown = await self._cells.snapshot(cell, channel)
            if shown is None and kind == "order":
                return await self._ended(channel, OrderId(key))
        except StoreUnavailable as error:
            raise CellUnavailable(str(error)) from error
        return shown

    async def _ended(self, channel: str, order_id: OrderId) -> Publication | None:
        order = await self._store.find_order(order_id)
        if order is None:
            return None
        courier = order.courier_id and await self._store.find_courier(order.courier_id)
        body = order_view(order, courier or None, eta=None)
        return Publication(channel=channel, kind="state", version=order.version, body=body)

    async def health(self) -> dict[str, str]:
        """Every cell that has a zone, with `ok` or what is wrong; raises StoreUnavailable."""
        found: dict[str, str] = {}
        for cell in await self._store.list_cells():
            try:
                found[cell] = await self._cells.health(cell)
            except CellUnavailable as error:
                found[cell] = str(error) or "does not answer"
        return found


def _refused(envelope: Envelope, refusal: Refusal) -> Answer:
    return Answer(command_id=envelope.id, fingerprint=envelope.fingerprint, refusal=refusal)


def _unknown(envelope: Envelope) -> Refusal:
    command = envelope.command
    if hasattr(command, "zone_id"):
        return UNKNOWN_ZONE()
    return UNKNOWN_COURIER() if hasattr(command, "courier_id") else UNKNOWN_ORDER()
