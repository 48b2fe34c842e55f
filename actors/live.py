"""The host of live things: decide, commit, apply, publish, in that order and only here."""

from collections.abc import Awaitable, Callable, Iterable

from msgspec.structs import replace

from actors.answers import answer_to
from actors.clock import Clock
from actors.holdings import Holdings
from actors.publisher import Publisher
from actors.turns import Turns
from engine.audit.commands import records_of
from engine.couriers.courier import Courier
from engine.geo.zone import CELLS_TAKEN, Zone
from engine.invoices.due import invoices_for
from engine.kernel.ids import CellId
from engine.kernel.messages import Decision, Effect, Envelope, Thing
from engine.kernel.refusals import DEADLINE_PASSED, KEY_REUSED, UNAVAILABLE, Refusal
from engine.loyalty.points import points_due
from engine.money.earnings import earnings_for
from engine.notices import notices_for
from engine.orders.order import Order
from engine.payments.settling import payments_for
from storage.live import ASK_ANEW, Publication
from storage.store import Answer, Commit, Outcome, Repeated, Stale, Store, Stored, StoreUnavailable

Keys = Callable[[], Iterable[str]]
Decide = Callable[[], Decision | Refusal]
Read = Callable[[], Awaitable[Refusal | None] | None]
Meet = Callable[[str], Awaitable[Refusal | None]]
OnceMore = Callable[[str], Awaitable[Decision | Refusal]]
# Somebody whose needs keep growing while he waits for his turn is asked to try again.
_TURN_TRIES = 8


class Live:
    """Carries decisions out for one cell.

    After a doubt (a commit whose outcome is unknown, a state that was not the stored one) it takes
    no turn until `trust` is called, and it begins with one: nothing was read yet. `doubted` hears
    of every new doubt; `applied` of every new state, `gone` of what another cell owns now.
    """

    def __init__(
        self,
        cell: CellId,
        *,
        store: Store,
        holdings: Holdings,
        publisher: Publisher,
        clock: Clock,
        applied: Callable[[Thing], None],
        gone: Callable[[Courier], None],
        doubted: Callable[[], None],
    ) -> None:
        self._cell = cell
        self._store = store
        self._holdings = holdings
        self._publisher = publisher
        self._clock = clock
        self._applied = applied
        self._gone = gone
        self._doubted = doubted
        self._in_doubt = True
        self.turns = Turns()

    @property
    def in_doubt(self) -> bool:
        """Whether memory may differ from what is stored."""
        return self._in_doubt

    def doubt(self) -> None:
        """Memory may differ from what is stored."""
        self._in_doubt = True
        self._doubted()

    def trust(self) -> None:
        """Everything was read anew."""
        self._in_doubt = False

    async def turn(
        self,
        keys: Keys,
        decide: Decide,
        envelope: Envelope | None = None,
        read: Read | None = None,
        meet: Meet | None = None,
    ) -> Answer | None:
        """Take the turn of the things that `keys` names, decide and carry out.

        `read` has nothing to wait for if all is held that the decision needs, else it fetches that,
        or refuses; `meet` fetches an order that stood where a new one was to be, so that it is
        decided once more. None without an envelope: nobody waits for an answer.
        """
        for _ in range(_TURN_TRIES):
            wanted = set(keys())
            async with self.turns.hold(wanted) as has_waited:
                refusal = self._not_now(envelope)
                if refusal is not None:
                    return _answer(envelope, refusal)
                if has_waited and not set(keys()) <= wanted:
                    continue
                reading = None if read is None else read()
                refusal = None if reading is None else await reading
                once_more = None if meet is None else _once_more(meet, decide)
                return await self._carry_out(refusal or decide(), envelope, once_more)
        return _answer(envelope, UNAVAILABLE())

    async def turn_alone(self, decide: Decide, envelope: Envelope) -> Answer:
        """Decide and carry out while nothing else in the cell has its turn."""
        async with self.turns.alone():
            answer = _answer(envelope, self._not_now(envelope))
            if answer is None or answer.refusal is None:
                answer = await self._carry_out(decide(), envelope)
        assert answer is not None
        return answer

    def _not_now(self, envelope: Envelope | None) -> Refusal | None:
        if envelope is not None and self._clock.now() > envelope.deadline:
            return DEADLINE_PASSED()
        return UNAVAILABLE() if self._in_doubt else None

    async def _carry_out(
        self,
        decision: Decision | Refusal,
        envelope: Envelope | None,
        once_more: OnceMore | None = None,
    ) -> Answer | None:
        if isinstance(decision, Refusal):
            return await self._unchanged(envelope, decision, {})
        if not decision.changes:
            return await self._unchanged(envelope, decision.refusal, decision.reply)
        if effects := _effects_of(decision):
            decision = replace(decision, effects=(*decision.effects, *effects))
        answer = _answer(envelope, decision.refusal, decision.reply)
        now = self._clock.now()
        commit = Commit(
            cell=self._cell,
            decision=decision,
            at=now,
            answer=answer,
            records=records_of(envelope, decision, at=now),
        )
        try:
            outcome = await self._store.commit(commit)
        except StoreUnavailable:
            self.doubt()
            return _answer(envelope, UNAVAILABLE())
        if isinstance(outcome, Stale) and once_more and _is_first(decision, outcome.thing):
            return await self._carry_out(await once_more(outcome.thing), envelope)
        return await self._conclude(decision, outcome, envelope, answer)

    async def _conclude(
        self,
        decision: Decision,
        outcome: Outcome,
        envelope: Envelope | None,
        answer: Answer | None,
    ) -> Answer | None:
        match outcome:
            case Stored():
                self._apply(decision)
                return answer
            case Repeated(stored):
                if await self._is_behind(decision):
                    self.doubt()
                return _same_question(envelope, stored)
            case Stale(thing):
                self.doubt()
                # Memory was wrong, not who asks: sent again, it is decided by what is stored.
                is_taken = thing.startswith("cell:")
                return _answer(envelope, CELLS_TAKEN() if is_taken else UNAVAILABLE())

    def _apply(self, decision: Decision) -> None:
        kept = [change for change in decision.changes if self._keeps(change.thing)]
        for change in kept:
            self._applied(change.thing)
            self.show(change.thing)
            if isinstance(change.thing, Order):
                self._show_list(change.thing)

    def adopt(self, thing: Thing) -> None:
        """Hold a stored state that another cell left to this one."""
        self._holdings.put(thing)
        self._applied(thing)
        self.show(thing)

    def _keeps(self, thing: Thing) -> bool:
        """Hold it, unless the decision gave it to another cell: then let it go."""
        if isinstance(thing, Zone) and thing.home not in {None, self._cell}:
            # All that lives in it went with it: what is left is read anew.
            self.doubt()
            return False
        if isinstance(thing, Courier) and thing.zone_id not in self._holdings.zones:
            self._holdings.let_go(thing)
            self._gone(thing)
            return False
        self._holdings.put(thing)
        return True

    def show(self, thing: Thing) -> None:
        """Tell the watchers of a thing how it stands."""
        shown = self._holdings.show(thing, now=self._clock.now())
        if shown is not None:
            self._publisher.publish(shown)

    def _show_list(self, order: Order) -> None:
        """Tell its customer that another list of orders is open now."""
        if order.version == 1 or not order.is_open:
            channel = f"orders:{order.customer_id}"
            anew = Publication(channel=channel, kind=ASK_ANEW, version=0, body={})
            self._publisher.publish(anew)

    async def _is_behind(self, decision: Decision) -> bool:
        """Whether storage knows more of these things than memory: a commit landed unnoticed."""
        try:
            for change in decision.changes:
                held, stored = self._holdings.find(change.thing), await self._find(change.thing)
                if stored is not None and (held is None or held.version < stored.version):
                    return True
        except StoreUnavailable:
            return True
        return False

    async def _find(self, thing: Thing) -> Thing | None:
        """The stored state; None for an ended order, which need not be held.

        Offers are not asked for: each of them changes together with its courier.
        """
        match thing:
            case Order():
                order = await self._store.find_order(thing.id)
                is_missed = order is None or order.is_open or self._holdings.find(order)
                return order if is_missed else None
            case Courier():
                return await self._store.find_courier(thing.id)
            case Zone():
                return await self._store.find_zone(thing.id)
            case _:
                return None

    async def _unchanged(
        self, envelope: Envelope | None, refusal: Refusal | None, reply: dict[str, object]
    ) -> Answer | None:
        """Nothing changes now; perhaps because this very command has changed it before."""
        if envelope is None:
            return None
        try:
            stored = await self._store.find_answer(envelope.id)
        except StoreUnavailable:
            return _answer(envelope, UNAVAILABLE())
        if stored is not None:
            return _same_question(envelope, stored)
        return _answer(envelope, refusal, reply)


def _once_more(meet: Meet, decide: Decide) -> OnceMore:
    async def decided(name: str) -> Decision | Refusal:
        return await meet(name) or decide()

    return decided


def _is_first(decision: Decision, name: str) -> bool:
    """Whether this is an order that the decision would have made."""
    things = (change.thing for change in decision.changes)
    return any(
        isinstance(one, Order) and one.version == 1 and name == f"order:{one.id}" for one in things
    )


def _effects_of(decision: Decision) -> tuple[Effect, ...]:
    """What follows from a decision outside of its cell."""
    earnings = earnings_for(decision)
    if not any(isinstance(one.thing, Order) for one in decision.changes):
        # Most commands are a courier's word about himself, and the other rules speak of orders.
        return earnings
    return (
        *notices_for(decision),
        *invoices_for(decision),
        *payments_for(decision),
        *earnings,
        *points_due(decision),
    )


def _answer(
    envelope: Envelope | None, refusal: Refusal | None, reply: dict[str, object] | None = None
) -> Answer | None:
    return None if envelope is None else answer_to(envelope, refusal, reply)


def _same_question(envelope: Envelope | None, stored: Answer) -> Answer | None:
    """The stored answer, unless the same id now asks for something else."""
    if envelope is not None and stored.fingerprint != envelope.fingerprint:
        return _answer(envelope, KEY_REUSED())
    return stored
