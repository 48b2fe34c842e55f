"""Bugs to be planted on purpose: each is a mistake that somebody could make in the actors."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

import pytest
from msgspec.structs import replace

import engine.dispatch.offers
from actors.answers import answer_to
from actors.bus import Bus
from actors.cell import Cell
from actors.deadlines import Deadlines
from actors.live import Live
from actors.outbox import Outbox
from actors.publisher import Publisher
from engine.couriers.courier import Courier
from engine.couriers.messages import HandOver
from engine.dispatch.offer import Offer
from engine.geo.zone import Zone
from engine.kernel.ids import CommandId, derived_id
from engine.kernel.messages import Decision, Thing
from simulations.faults.truth import CheckedStore
from storage.live import LiveUnavailable
from storage.memory_tables import Tables
from storage.store import CellContents, Commit, Stale, Stored, StoreUnavailable
from tests.simulations.faults.planted_chat import PLANTED_IN_CHAT

Plant = Callable[[pytest.MonkeyPatch], None]


def _published_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    carry_out = Live._carry_out

    async def hasty(self: Live, decision: Any, envelope: Any) -> Any:
        for change in getattr(decision, "changes", ()):
            self.show(change.thing)
        return await carry_out(self, decision, envelope)

    patch.setattr(Live, "_carry_out", hasty)


def _no_version_check(patch: pytest.MonkeyPatch) -> None:
    def check(_self: Tables, _commit: Commit) -> None:
        return None

    patch.setattr(Tables, "check", check)


def _after_a_reading(patch: pytest.MonkeyPatch, forgotten: type[Thing]) -> None:
    """The reading arms everything but one kind of thing."""
    reload, arm = Cell._reload, Deadlines.arm
    reading: set[int] = set()

    async def reloading(self: Cell) -> None:
        reading.add(id(self._deadlines))
        try:
            await reload(self)
        finally:
            reading.discard(id(self._deadlines))

    def forgetful(self: Deadlines, thing: Thing) -> None:
        if id(self) not in reading or not isinstance(thing, forgotten):
            arm(self, thing)

    patch.setattr(Cell, "_reload", reloading)
    patch.setattr(Deadlines, "arm", forgetful)


def _offer_timers_forgotten(patch: pytest.MonkeyPatch) -> None:
    _after_a_reading(patch, Offer)


def _ticks_forgotten(patch: pytest.MonkeyPatch) -> None:
    _after_a_reading(patch, Zone)


def _open_offers_not_read(patch: pytest.MonkeyPatch) -> None:
    load = CheckedStore.load_cell

    async def without_offers(self: CheckedStore, cell: Any) -> CellContents:
        return replace(await load(self, cell), offers=())

    patch.setattr(CheckedStore, "load_cell", without_offers)


def _answer_not_stored(patch: pytest.MonkeyPatch) -> None:
    commit = CheckedStore.commit

    async def without_answer(self: CheckedStore, one: Commit) -> Any:
        return await commit(self, replace(one, answer=None))

    patch.setattr(CheckedStore, "commit", without_answer)


def _no_doubt(patch: pytest.MonkeyPatch) -> None:
    """A commit whose outcome nobody knows is taken for one that failed."""
    patch.setattr(Live, "doubt", lambda _self: None)


def _stale_taken_for_stored(patch: pytest.MonkeyPatch) -> None:
    commit = CheckedStore.commit

    async def optimistic(self: CheckedStore, one: Commit) -> Any:
        outcome = await commit(self, one)
        return Stored() if isinstance(outcome, Stale) else outcome

    patch.setattr(CheckedStore, "commit", optimistic)


def _unknown_taken_for_stored(patch: pytest.MonkeyPatch) -> None:
    """A commit that got no answer is told as if it had succeeded."""
    carry_out = Live._carry_out

    async def optimistic(self: Live, decision: Any, envelope: Any) -> Any:
        store = self._store
        commit: Callable[[Commit], Awaitable[Any]] = store.commit

        class Hopeful:
            async def commit(self, one: Commit) -> Any:
                try:
                    return await commit(one)
                except StoreUnavailable:
                    return Stored()

            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

        self._store = Hopeful()
        try:
            return await carry_out(self, decision, envelope)
        finally:
            self._store = store

    patch.setattr(Live, "_carry_out", optimistic)


def _effect_finished_first(patch: pytest.MonkeyPatch) -> None:
    handle = Outbox._handle

    async def hasty(self: Outbox, row: Any) -> None:
        await self._store.finish_effect(row.effect.id, now=self._clock.now())
        await handle(self, row)

    patch.setattr(Outbox, "_handle", hasty)


def _lost_batch_leaves_no_gap(patch: pytest.MonkeyPatch) -> None:
    async def run(self: Publisher) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            try:
                await self._live.publish(self._next_batch())
            except LiveUnavailable:
                self._sequence -= 1

    patch.setattr(Publisher, "run", run)


def _repeated_under_a_new_id(patch: pytest.MonkeyPatch) -> None:
    execute = Bus.execute
    tries: list[int] = []

    @wraps(execute)
    async def forgetful(self: Bus, envelope: Any) -> Any:
        tries.append(1)
        another = CommandId(derived_id("try", envelope.id, str(len(tries))))
        return await execute(self, replace(envelope, id=another))

    patch.setattr(Bus, "execute", forgetful)


def _closed_offer_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine.dispatch.offers, "_not_open", lambda *_: None)


def _owner_does_not_let_go(patch: pytest.MonkeyPatch) -> None:
    """Who was handed over to another cell stays in the memory of his own."""
    keeps = Live._keeps

    def keeping(self: Live, thing: Thing) -> bool:
        if isinstance(thing, Courier):
            self._holdings.put(thing)
            return True
        return keeps(self, thing)

    patch.setattr(Live, "_keeps", keeping)


def _let_go_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """A hand-over is acknowledged, and he is let go, whatever becomes of its commit."""
    turn = Live.turn

    async def hasty(
        self: Live, keys: Any, decide: Any, envelope: Any = None, read: Any = None
    ) -> Any:
        if envelope is None or not isinstance(envelope.command, HandOver):
            return await turn(self, keys, decide, envelope, read)
        decision = decide()
        if isinstance(decision, Decision):
            for change in decision.changes:
                self._keeps(change.thing)
            begun.append(asyncio.ensure_future(self._carry_out(decision, envelope)))
            return answer_to(envelope, None, decision.reply)
        return answer_to(envelope, decision)

    begun: list[Any] = []
    patch.setattr(Live, "turn", hasty)


def _orders_forgotten_at_a_move(patch: pytest.MonkeyPatch) -> None:
    """The orders of a zone are looked for in the cell of its anchor, wherever it was moved."""
    load = CheckedStore.load_cell

    async def forgetful(self: CheckedStore, cell: Any) -> CellContents:
        found = await load(self, cell)
        moved = {one.id for one in found.zones if one.home is not None}
        return replace(found, orders=tuple(one for one in found.orders if one.zone_id not in moved))

    patch.setattr(CheckedStore, "load_cell", forgetful)


def _stray_positions_dropped(patch: pytest.MonkeyPatch) -> None:
    """An edge goes on sending the positions of somebody to the cell that he has left."""
    patch.setattr(Bus, "_follow", lambda *_: None)


def _loans_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A cell does not mind when those whom it has borrowed must go back."""
    arm = Deadlines.arm

    def forgetful(self: Deadlines, thing: Thing) -> None:
        arm(self, thing)
        if isinstance(thing, Courier) and thing.loan is not None:
            self._timers.cancel(f"loan:{thing.id}")

    patch.setattr(Deadlines, "arm", forgetful)


def _lent_without_letting_go(patch: pytest.MonkeyPatch) -> None:
    """Who is lent stays in the memory of the zone that lent him, which goes on asking him."""
    keeps = Live._keeps

    def keeping(self: Live, thing: Thing) -> bool:
        if isinstance(thing, Courier) and thing.loan is not None:
            self._holdings.put(replace(thing, zone_id=thing.loan.home_zone_id))
            return True
        return keeps(self, thing)

    patch.setattr(Live, "_keeps", keeping)


PLANTED: Final[Mapping[str, Plant]] = {
    "published before the commit": _published_before_the_commit,
    "no version check": _no_version_check,
    "offer timers not set again after a restart": _offer_timers_forgotten,
    "ticks not set again after a restart": _ticks_forgotten,
    "open offers not read after a restart": _open_offers_not_read,
    "answer not stored with its commit": _answer_not_stored,
    "no doubt after a lost answer of a commit": _no_doubt,
    "stale commit taken for stored": _stale_taken_for_stored,
    "unknown commit taken for stored": _unknown_taken_for_stored,
    "effect finished before it happens": _effect_finished_first,
    "lost batch leaves no gap": _lost_batch_leaves_no_gap,
    "repetition under a new id": _repeated_under_a_new_id,
    "closed offer accepted": _closed_offer_accepted,
    "owner does not let go": _owner_does_not_let_go,
    "hand-over acknowledged before its commit": _let_go_before_the_commit,
    "orders forgotten when a zone moves": _orders_forgotten_at_a_move,
    "positions sent to the former owner are dropped": _stray_positions_dropped,
    "loans are not minded": _loans_forgotten,
    "lent without being let go": _lent_without_letting_go,
    **PLANTED_IN_CHAT,
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The bug of this name, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        PLANTED[name](patch)
        yield
