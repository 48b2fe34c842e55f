"""What was spent of each quota, by all processes together: the port, and its in-memory twin."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from engine.kernel.rates import Quota, Standing, charge
from engine.kernel.timing import Instant

_KEPT_MAX: Final = 10_000


class Spending(Struct, frozen=True, kw_only=True):
    """So many units of the quota of one person, device or address."""

    key: str
    quota: Quota
    units: int


class Rates(Protocol):
    """Raises `LiveUnavailable` when it cannot be asked."""

    async def spend(self, spendings: Sequence[Spending]) -> tuple[Standing, ...]:
        """Charge all of them, or, when one is not allowed, none; how each of them stands."""
        ...


class MemoryRates:
    """Satisfies `Rates` within one process; `now` tells milliseconds."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._full_at_us: dict[str, int] = {}

    async def spend(self, spendings: Sequence[Spending]) -> tuple[Standing, ...]:
        now_us = self._now() * 1000
        if len(self._full_at_us) > _KEPT_MAX:
            self._full_at_us = {one: at for one, at in self._full_at_us.items() if at > now_us}
        told = [
            charge(self._full_at_us.get(one.key, 0), one.quota, one.units, now_us=now_us)
            for one in spendings
        ]
        if all(standing.is_allowed for _, standing in told):
            after = (full_at_us for full_at_us, _ in told)
            self._full_at_us |= dict(zip((one.key for one in spendings), after, strict=True))
        return tuple(standing for _, standing in told)
