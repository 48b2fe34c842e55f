"""The one door: every command and every question to a live thing goes through here."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol

from msgspec import convert, to_builtins

from actors.address import AddressBook, destination, subject
from actors.answers import answer_to
from actors.hand_overs import come_over, is_held_elsewhere, settle_in, tell_owner
from engine.couriers.courier import Courier, Duty
from engine.couriers.messages import UNKNOWN_COURIER
from engine.dispatch.loans import Need
from engine.dispatch.view import order_view, work_view
from engine.dispatch.waiting import Wait
from engine.geo.moving import MoveZone
from engine.geo.zone import UNKNOWN_ZONE, Zone
from engine.identity.access import may_send
from engine.kernel.ids import CellId, CourierId, OrderId, UserId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Command, Effect, Envelope
from engine.kernel.refusals import ELSEWHERE, NOT_ALLOWED, UNAVAILABLE
from engine.kernel.timing import Instant
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.orders.surge import NO_SURGE_PERCENT, Pressure
from storage.live import Bookmark, Fix, Publication
from storage.store import Answer, Store, StoreUnavailable

AT_REST: Final = "at_rest"
# A thing that moves more often than this while one command looks for it is asked for later.
_FOLLOWED_MAX: Final = 3
_UNKNOWN = {"order": UNKNOWN_ORDER, "courier": UNKNOWN_COURIER, "zone": UNKNOWN_ZONE}
# Hears of a position whose courier is not on duty in the cell that it was passed to.
Astray = Callable[[CourierId, Fix], None]


class CellUnavailable(Exception):
    """The cell is being restarted, or does not answer in time."""


class Begun(NamedTuple):
    """A command on its way to the cell that was remembered."""

    envelope: Envelope
    cell: CellId
    answered: asyncio.Future[Answer]


class Cells(Protocol):
    """How cells are reached: in this process, or as Ray actors."""

    def execute(self, cell: CellId, envelope: Envelope) -> Awaitable[Answer]:
        """Have a cell carry out a command; raises CellUnavailable."""
        ...

    def report_position(
        self, cell: CellId, courier_id: CourierId, fix: Fix, astray: Astray
    ) -> None:
        """Pass a position on with the next call; whose it was not, `astray` hears."""
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
        self._following: set[asyncio.Task[None]] = set()

    async def execute(self, envelope: Envelope) -> Answer:
        """Carry a command out, once however often it is sent.

        The answer is stored with what it changed. Never raises for an expected failure: what is
        down or too slow is a refusal with the code `temporarily_unavailable` or `deadline_passed`,
        and may be sent again with the same id.
        """
        if not may_send(envelope.caller, envelope.command):
            return answer_to(envelope, NOT_ALLOWED())
        answer = await self._ask(envelope)
        await settle_in(envelope, answer, self._ask_once_more)
        return answer

    def begin(self, envelope: Envelope) -> Begun | None:
        """Ask the cell that is remembered for a command, without a task of its own.

        None if there is none, or more is to be done than to ask: then `execute` does it.
        """
        command = envelope.command
        cell = self._addresses.known_for(command)
        if cell is None or isinstance(command, MoveZone) or not may_send(envelope.caller, command):
            return None
        answered = asyncio.ensure_future(self._cells.execute(cell, envelope))
        return Begun(envelope, cell, answered)

    def settled(self, begun: Begun) -> Answer | None:
        """The answer to what was begun and is done; None if it takes `execute` to find it."""
        envelope = begun.envelope
        try:
            answer = begun.answered.result()
        except (StoreUnavailable, CellUnavailable):
            return answer_to(envelope, UNAVAILABLE())
        if answer.refusal is None:
            self._addresses.remember(subject(envelope.command), begun.cell)
            return answer
        return None if _is_elsewhere(answer) or is_held_elsewhere(envelope, answer) else answer

    async def by_clock(self, envelope: Envelope) -> Answer:
        """Carry out what nobody may send; otherwise as `execute`."""
        assert envelope.caller == SYSTEM_CALLER, "people use execute"
        return await self._ask(envelope)

    async def tell_owner(self, effect: Effect, *, deadline: Instant) -> None:
        """Tell the cell that owns something now; raises `OwnerNotTold`.

        It is looked up anew: the cell that is remembered may not have heard yet that it let go.
        """
        await tell_owner(effect, self._ask_once_more, deadline=deadline)

    async def _ask(self, envelope: Envelope) -> Answer:
        answer = await self._wherever_it_is(envelope)
        if is_held_elsewhere(envelope, answer):
            return await come_over(envelope, answer, self._ask_once_more)
        return answer

    async def _ask_once_more(self, envelope: Envelope) -> Answer:
        """As `_ask`, but nobody is handed over twice for one command."""
        self._forget(envelope.command)
        return await self._wherever_it_is(envelope)

    def _forget(self, command: Command) -> None:
        """Forget where a command goes and whom it changes."""
        for name in {subject(command), destination(command)}:
            self._addresses.forget(name)

    async def _wherever_it_is(self, envelope: Envelope) -> Answer:
        """Ask the cell that has it, and the next one when it moved meanwhile."""
        with suppress(StoreUnavailable, CellUnavailable):
            for _ in range(_FOLLOWED_MAX):
                answer = await self._at_its_cell(envelope)
                if not _is_elsewhere(answer):
                    return answer
                self._forget(envelope.command)
        return answer_to(envelope, UNAVAILABLE())

    async def _at_its_cell(self, envelope: Envelope) -> Answer:
        cell = await self._addresses.cell_for(envelope.command)
        if cell is None:
            kind, _, _ = destination(envelope.command).partition(":")
            return answer_to(envelope, _UNKNOWN[kind]())
        answer = await self._cells.execute(cell, envelope)
        if answer.refusal is None:
            self._addresses.remember(subject(envelope.command), cell)
        return answer

    def known_cell(self, name: str) -> CellId | None:
        """The cell of something (`kind:id`), as far as it is remembered here."""
        return self._addresses.known(name)

    def report_position(self, courier_id: CourierId, fix: Fix) -> None:
        """Pass a position on; only the newest of a courier matters.

        Dropped until he is known to be on duty. One that reaches a cell which he has left is passed
        on once; while he is on his way from one cell to another it is lost.
        """
        cell = self._addresses.known(f"courier:{courier_id}")
        if cell is not None:
            self._cells.report_position(cell, courier_id, fix, self._follow)

    def hears_of(self, courier_id: CourierId) -> bool:
        """Whether positions of his are passed on."""
        return self._addresses.known(f"courier:{courier_id}") is not None

    def _follow(self, courier_id: CourierId, fix: Fix) -> None:
        """He was handed over, or went off duty: look where he is now."""
        name = f"courier:{courier_id}"
        former = self._addresses.known(name)
        if former is not None:
            self._addresses.forget(name)
            task = asyncio.ensure_future(self._report_where_he_is(courier_id, fix, former))
            self._following.add(task)
            task.add_done_callback(self._following.discard)

    async def _report_where_he_is(self, courier_id: CourierId, fix: Fix, former: CellId) -> None:
        name = f"courier:{courier_id}"
        try:
            courier = await self._store.find_courier(courier_id)
            if courier is None or courier.duty is Duty.OFF:
                # Nothing is passed on until he is known to work again.
                return
            cell = await self._addresses.cell_of(name)
        except StoreUnavailable:
            # His next position comes back from there again.
            if self._addresses.known(name) is None:
                self._addresses.remember(name, former)
            return
        if cell is not None:
            self._cells.report_position(cell, courier_id, fix, _lose)

    async def snapshot(self, channel: str) -> Publication | None:
        """What the watchers of a channel would be told now, or None when there is no such thing.

        Its `kind` is `state`. What its cell does not hold, an ended order or a courier off duty, is
        answered from storage. Raises `CellUnavailable` when its cell, or storage, does not answer.
        """
        try:
            shown = await self._shown_by_its_cell(channel)
            if shown is None and self._addresses.forget(channel):
                shown = await self._shown_by_its_cell(channel)
            return shown or await self._at_rest(channel)
        except StoreUnavailable as error:
            raise CellUnavailable(str(error)) from error

    async def pressure(self, zone: Zone) -> Pressure | None:
        """How hard a zone is pressed; a zone that cannot be asked makes nothing dearer."""
        if zone.parameters.surge_max_percent == NO_SURGE_PERCENT:
            return None
        try:
            shown = await self.snapshot(f"pressure:{zone.id}")
        except CellUnavailable:
            return None
        return None if shown is None else convert(shown.body, Pressure)

    async def need(self, zone_id: ZoneId) -> Need | None:
        """What a zone wants from its neighbours after its last tick; raises `CellUnavailable`."""
        shown = await self.snapshot(f"need:{zone_id}")
        return None if shown is None else convert(shown.body, Need)

    async def why_it_waits(self, order_id: OrderId) -> Wait | None:
        """Why an order waits, as its zone's last tick saw it; raises `CellUnavailable`."""
        shown = await self.snapshot(f"wait:{order_id}")
        return None if shown is None else convert(shown.body, Wait)

    async def _shown_by_its_cell(self, channel: str) -> Publication | None:
        cell = await self._addresses.cell_of(channel)
        return None if cell is None else await self._cells.snapshot(cell, channel)

    async def _at_rest(self, channel: str) -> Publication | None:
        kind, _, key = channel.partition(":")
        match kind:
            case "order":
                order = await self._store.find_order(OrderId(key))
                return None if order is None else await self._order_at_rest(order)
            case "courier":
                courier = await self._store.find_courier(CourierId(key))
                return None if courier is None else _courier_at_rest(courier)
            case "orders":
                return await self._open_orders(channel, UserId(key))
            case _:
                return None

    async def _open_orders(self, channel: str, customer_id: UserId) -> Publication:
        """Those of a customer's newest orders that are open, from storage: no cell has them all."""
        body = {"orders": to_builtins(await self._store.open_orders_of(customer_id))}
        return Publication(channel=channel, kind="state", version=0, body=body)

    async def _order_at_rest(self, order: Order) -> Publication:
        courier = order.courier_id and await self._store.find_courier(order.courier_id)
        body = order_view(order, courier or None, eta=None)
        return _at_rest(f"order:{order.id}", order.version, body)

    async def health(self) -> dict[str, str]:
        """Every cell that has a zone, with `ok` or what is wrong; raises StoreUnavailable."""
        found: dict[str, str] = {}
        for cell in await self._store.list_cells():
            try:
                found[cell] = await self._cells.health(cell)
            except CellUnavailable as error:
                found[cell] = str(error) or "does not answer"
        return found


def _is_elsewhere(answer: Answer) -> bool:
    """Whether the cell that was asked has let go of what the command speaks of."""
    return answer.refusal is not None and answer.refusal.code == ELSEWHERE.code


def _lose(_courier_id: CourierId, _fix: Fix) -> None:
    """He is on his way to a cell that has not heard of it; his next position may find him there.

    He is not forgotten: who stands about says nothing for a long time by which he would be found.
    """


def _courier_at_rest(courier: Courier) -> Publication:
    if courier.duty is not Duty.OFF:
        raise CellUnavailable(f"courier {courier.id} is on his way from one cell to another")
    return _at_rest(f"courier:{courier.id}", courier.version, work_view(courier, None, {}))


def _at_rest(channel: str, version: int, body: dict[str, Any]) -> Publication:
    """What no cell tells any more: its version is all that it needs as a bookmark."""
    return Publication(
        channel=channel,
        kind="state",
        version=version,
        body=body,
        bookmark=Bookmark(epoch=AT_REST, offset=version),
    )
