"""What a process may still spend of each quota: bought from the common account a few at a time."""

from collections.abc import Sequence
from typing import Final

import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.clock import Clock
from engine.kernel.rates import Quota, Standing
from engine.kernel.timing import SECOND_MS, Instant
from storage.live import LiveUnavailable
from storage.rates import MemoryRates, Rates, Spending

# So much of a quota a process buys at once: a twentieth is lost at most when it is not used up.
_PART: Final = 20
_BOUGHT_FOR_MS: Final = 10 * SECOND_MS
_PURSES_MAX: Final = 50_000
# Nobody is asked again at once who has not answered.
_AWAY_MS: Final = SECOND_MS


class Due(Struct, frozen=True, kw_only=True):
    """What one request owes to one quota."""

    key: str
    quota: Quota
    units: int


class _Purse(Struct):
    left: int
    until: Instant
    standing: Standing

    def take(self, units: int) -> Standing:
        self.left -= units
        return Standing(
            is_allowed=True,
            remaining=self.standing.remaining + self.left,
            full_in_us=self.standing.full_in_us,
        )


class Allowance:
    """Counts with all other processes; while that cannot be, with itself alone."""

    def __init__(self, rates: Rates, wall: Clock) -> None:
        self._rates = rates
        self._alone = MemoryRates(wall.now)
        self._wall = wall
        self._purses: dict[str, _Purse] = {}
        self._away_until: Instant = 0

    async def spend(self, dues: Sequence[Due], *, fails_open: bool) -> tuple[Standing, ...] | None:
        """How each quota stands; None when nobody can count and that is not good enough."""
        now = self._wall.now()
        if (told := self._taken(dues, now)) is not None:
            return told
        if now >= self._away_until:
            try:
                return await self._buy(dues, now)
            except LiveUnavailable as error:
                self._away_until = self._wall.now() + _AWAY_MS
                structlog.get_logger(__name__).warning("nobody_counts", why=str(error))
        return await self._alone.spend(_spendings(dues)) if fails_open else None

    def _taken(self, dues: Sequence[Due], now: Instant) -> tuple[Standing, ...] | None:
        """None when one of the purses does not hold enough; then nothing is taken of any."""
        paying = [(self._purses.get(one.key), one.units) for one in dues]
        told = []
        for purse, units in paying:
            if purse is None or purse.until <= now or purse.left < units:
                return None
        for purse, units in paying:
            assert purse is not None
            told.append(purse.take(units))
        return tuple(told)

    async def _buy(self, dues: Sequence[Due], now: Instant) -> tuple[Standing, ...]:
        parts = [replace(one, units=max(one.units, one.quota.units // _PART)) for one in dues]
        told = await self._rates.spend(_spendings(parts))
        if not all(one.is_allowed for one in told):
            # The last few are counted one by one.
            return await self._rates.spend(_spendings(dues))
        if len(self._purses) >= _PURSES_MAX:
            self._purses = {one: each for one, each in self._purses.items() if each.until > now}
        for part, standing in zip(parts, told, strict=True):
            self._purses[part.key] = _Purse(
                left=part.units, until=now + _BOUGHT_FOR_MS, standing=standing
            )
        return tuple(self._purses[one.key].take(one.units) for one in dues)


def _spendings(dues: Sequence[Due]) -> list[Spending]:
    return [Spending(key=one.key, quota=one.quota, units=one.units) for one in dues]
