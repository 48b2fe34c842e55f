"""How late each zone was lately, looked up at most once a minute."""

from typing import Final

from actors.clock import Clock
from engine.dispatch.punctuality import PUNCTUALITY_WINDOW_MS, punctuality_of
from engine.kernel.ids import ZoneId
from engine.kernel.timing import MINUTE_MS, Instant
from engine.orders.quote import Punctuality
from storage.store import Store

_KEEP_MS: Final = MINUTE_MS


class ZonesPunctuality:
    """One for a process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[ZoneId, tuple[Instant, Punctuality | None]] = {}

    async def of(self, zone_id: ZoneId) -> Punctuality | None:
        """Of the last three hours; None when nothing was delivered."""
        now = self._clock.now()
        looked_at, punctuality = self._known.get(zone_id, (None, None))
        if looked_at is not None and now < looked_at + _KEEP_MS:
            return punctuality
        since = now - PUNCTUALITY_WINDOW_MS
        punctuality = punctuality_of(
            await self._store.order_outcomes(zone_id, since=since, until=now)
        )
        self._known[zone_id] = now, punctuality
        return punctuality
