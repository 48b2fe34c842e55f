"""The outbox of the in-memory store."""

from collections.abc import Sequence

from engine.kernel.ids import EffectId
from engine.kernel.messages import Effect
from engine.kernel.timing import Instant
from storage.store import OutboxRow, Stale


class _Waiting:
    __slots__ = ("attempts", "due_at", "effect", "made_at")

    def __init__(self, effect: Effect, at: Instant) -> None:
        self.effect, self.made_at, self.due_at, self.attempts = effect, at, at, 0


class MemoryOutbox:
    """Effects that have not happened yet, and the ids of those that have."""

    def __init__(self) -> None:
        self._waiting: dict[EffectId, _Waiting] = {}
        self._done: set[EffectId] = set()

    def check(self, effects: Sequence[Effect]) -> Stale | None:
        """Whether an effect is there already."""
        for one in effects:
            if one.id in self._waiting or one.id in self._done:
                return Stale(f"effect:{one.id}")
        return None

    def add(self, effects: Sequence[Effect], at: Instant) -> None:
        for one in effects:
            self._waiting[one.id] = _Waiting(one, at)

    def lease(self, *, limit: int, now: Instant, lease_until: Instant) -> tuple[OutboxRow, ...]:
        due = [one for one in self._waiting.values() if one.due_at <= now]
        due.sort(key=lambda one: (one.due_at, one.effect.id))
        taken = sorted(due[:limit], key=lambda one: (one.made_at, one.effect.id))
        for one in taken:
            one.due_at = lease_until
            one.attempts += 1
        return tuple(OutboxRow(effect=one.effect, attempts=one.attempts) for one in taken)

    def finish(self, effect_id: EffectId) -> None:
        if self._waiting.pop(effect_id, None) is not None:
            self._done.add(effect_id)

    def postpone(self, effect_id: EffectId, *, until: Instant) -> None:
        if effect_id in self._waiting:
            self._waiting[effect_id].due_at = until
