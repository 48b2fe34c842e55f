"""What quoting asks of a zone again and again: how it is tuned, and how late it was lately."""

from typing import Final

from actors.cached import Cached
from actors.clock import Clock
from engine.dispatch.punctuality import PUNCTUALITY_WINDOW_MS, punctuality_of
from engine.geo.zone import Zone
from engine.kernel.ids import ZoneId
from engine.kernel.timing import MINUTE_MS
from engine.orders.quote import Punctuality
from storage.store import Store

# What an operator changes is the price everywhere within a second, also where it was not told.
ZONE_KEPT_MS: Final = 500
_PUNCTUALITY_KEPT_MS: Final = MINUTE_MS


class QuotedZones:
    """One for a process. A zone is its cell's, and its punctuality follows from stored events."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._zones = Cached(store.find_zone, clock, ttl_ms=ZONE_KEPT_MS)
        self._punctualities = Cached(self._ask, clock, ttl_ms=_PUNCTUALITY_KEPT_MS)

    async def zone(self, zone_id: ZoneId) -> Zone | None:
        """The zone with its parameters, as it was within the last half second."""
        return await self._zones.get(zone_id)

    def changed(self, zone_id: ZoneId) -> None:
        """Through this process it was just changed."""
        self._zones.forget(zone_id)

    async def punctuality(self, zone_id: ZoneId) -> Punctuality | None:
        """Of the last three hours; None when nothing was delivered."""
        return await self._punctualities.get(zone_id)

    async def _ask(self, zone_id: ZoneId) -> Punctuality | None:
        now = self._clock.now()
        since = now - PUNCTUALITY_WINDOW_MS
        return punctuality_of(await self._store.order_outcomes(zone_id, since=since, until=now))
