"""The in-memory twin of the kept answers."""

from engine.kernel.timing import Instant
from storage.kept_answers import KeptAnswer, Make, UnderWay


class MemoryKeptAnswers:
    """Satisfies `KeptAnswers`; what `make` did before it failed is not undone."""

    def __init__(self) -> None:
        self._kept: dict[str, KeptAnswer] = {}
        self._under_way: set[str] = set()

    async def once(self, answer_id: str, make: Make, *, now: Instant) -> KeptAnswer:
        if answer_id in self._under_way:
            raise UnderWay
        kept = self._kept.get(answer_id)
        if kept is not None and kept.expires_at > now:
            return kept
        self._under_way.add(answer_id)
        try:
            answer = await make()
        finally:
            self._under_way.discard(answer_id)
        self._kept = {one: told for one, told in self._kept.items() if told.expires_at > now}
        if answer.expires_at > now:
            self._kept[answer_id] = answer
        return answer
