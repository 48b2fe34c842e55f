"""The host of live things: decide, commit, apply, publish, in that order and only here."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from actors.clock import Clock
from actors.holdings import Holdings
from actors.publisher import Publisher
from actors.turns import Turns
from engine.kernel.ids import CellId
from engine.kernel.messages import Decision, Envelope, Thing
from engine.kernel.refusals import KEY_REUSED, STALE, UNAVAILABLE, Refusal
from engine.notices import notices_for
from storage.store import Answer, Commit, Repeated, Stale, Store, Stored, StoreUnavailable

Keys = Callable[[], Iterable[str]]
Decide = Callable[[], Decision | Refusal]
# Somebody whose needs keep growing while he waits for his turn is asked to try again.
_TURN_TRIES = 8


class Live:
    """Carries decisions out for one cell.

    After a doubt (a commit whose outcome is unknown, a state that was not the stored one) it takes
    no turn until `in_doubt` is cleared by a reload.
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
    ) -> None:
        self._cell = cell
        self._store = store
        self._holdings = holdings
        self._publisher = publisher
        self._clock = clock
        self._applied = applied
        self.turns = Turns()
        self.in_doubt = False

    async def turn(
        self, keys: Keys, decide: Decide, envelope: Envelope | None = None
    ) -> Answer | None:
        """Take the turn of the things that `keys` names, decide and carry out.

        None without an envelope: nobody waits for an answer.
        """
        for _ in range(_TURN_TRIES):
            wanted = set(keys())
            async with self.turns.hold(wanted):
                if self.in_doubt:
                    return _answer(envelope, UNAVAILABLE())
                if not set(keys()) <= wanted:
                    continue
                return await self._carry_out(decide(), envelope)
        return _answer(envelope, STALE())

    async def _carry_out(
        self, decision: Decision | Refusal, envelope: Envelope | None
    ) -> Answer | None:
        if isinstance(decision, Refusal):
            return await self._unchanged(envelope, decision, {})
        if not decision.changes:
            return await self._unchanged(envelope, decision.refusal, decision.reply)
        effects = (*decision.effects, *notices_for(decision))
        decision = replace(decision, effects=effects)
        answer = None
        if envelope is not None:
            answer = Answer(
                command_id=envelope.id,
                fingerprint=envelope.fingerprint,
                reply=decision.reply,
                refusal=decision.refusal,
            )
        commit = Commit(cell=self._cell, decision=decision, at=self._clock.now(), answer=answer)
        try:
            outcome = await self._store.commit(commit)
        except StoreUnavailable:
            self.in_doubt = True
            return _answer(envelope, UNAVAILABLE())
        match outcome:
            case Stored():
                self._apply(decision)
                return answer
            case Repeated(stored):
                return _same_question(envelope, stored)
            case Stale(thing):
                self.in_doubt = True
                return _answer(envelope, STALE(thing=thing))

    def _apply(self, decision: Decision) -> None:
        for change in decision.changes:
            self._holdings.put(change.thing)
        now = self._clock.now()
        for change in decision.changes:
            self._applied(change.thing)
            shown = self._holdings.show(change.thing, now=now)
            if shown is not None:
                self._publisher.publish(shown)

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


def _answer(
    envelope: Envelope | None, refusal: Refusal | None, reply: dict[str, object] | None = None
) -> Answer | None:
    if envelope is None:
        return None
    return Answer(
        command_id=envelope.id,
        fingerprint=envelope.fingerprint,
        reply=reply or {},
        refusal=refusal,
    )


def _same_question(envelope: Envelope | None, stored: Answer) -> Answer | None:
    """The stored answer, unless the same id now asks for something else."""
    if envelope is not None and stored.fingerprint != envelope.fingerprint:
        return _answer(envelope, KEY_REUSED())
    return stored
