"""Looks after parameters that are in force on probation: reads what happened, and has a say."""

from actors.clock import Clock
from actors.holdings import Holdings
from engine.dispatch.outcomes import measure, outcome_of_order
from engine.geo.guard import Guard, GuardMetric, Measured, breach
from engine.geo.zone import RevertZoneParameters, Zone
from engine.kernel.ids import ZoneId
from engine.kernel.timing import SECOND_MS, Instant
from storage.store import Store, StoreUnavailable

CHECK_MS = 30 * SECOND_MS


class Guards:
    """Remembers nothing that storage does not know: after a restart it judges as before."""

    def __init__(self, store: Store, holdings: Holdings, clock: Clock) -> None:
        self._store = store
        self._holdings = holdings
        self._clock = clock

    async def check(self, zone: Zone) -> RevertZoneParameters | None:
        """Whether the parameters in force must go; nothing while storage does not answer."""
        guard, acts_since, now = zone.current.guard, zone.current.effective_at, self._clock.now()
        if guard is None or not zone.is_guarded(now):
            return None
        window_ms = guard.window_s * SECOND_MS
        try:
            since = max(acts_since, now - window_ms)
            after = await self._measured(zone.id, guard, since=since, until=now)
            before = None
            if guard.worse_by_percent is not None:
                before = await self._measured(
                    zone.id, guard, since=acts_since - window_ms, until=acts_since
                )
        except StoreUnavailable:
            return None
        found = breach(guard, after, before)
        if not found:
            return None
        return RevertZoneParameters(
            zone_id=zone.id, parameters_version=zone.parameters_version, breach=found
        )

    async def _measured(
        self, zone_id: ZoneId, guard: Guard, *, since: Instant, until: Instant
    ) -> Measured:
        """The guard's metric between two instants, of what is stored and what is open still."""
        if guard.metric is GuardMetric.OFFER_ACCEPTANCE_PERCENT:
            offers = await self._store.offer_outcomes(zone_id, since=since, until=until)
            return measure(guard, (), offers, since=since, until=until)
        # What ended after `until` may have waited long before it.
        is_waiting = guard.metric is GuardMetric.LONG_WAIT_PERCENT
        ended_until = self._clock.now() if is_waiting else until
        ended = await self._store.order_outcomes(zone_id, since=since, until=ended_until)
        still_open = [outcome_of_order(one) for one in self._holdings.open_orders(zone_id)]
        return measure(guard, (*ended, *still_open), (), since=since, until=until)
