"""Idle couriers are sent once a tick: before the offers to planned trips, after them to wait."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from actors.clock import Clock
from actors.holdings import Holdings
from actors.live import Live
from actors.telemetry import Telemetry
from engine.couriers.courier import Courier
from engine.couriers.prepositioning import arrival_at_wait, send_to_wait
from engine.dispatch.demand import Forecast
from engine.dispatch.muster import Muster
from engine.dispatch.pool import is_available
from engine.dispatch.prepositioning import (
    WaitingPlaces,
    WaitMove,
    freed_by,
    moves_ahead,
    trips_ahead,
)
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Decision
from engine.kernel.timing import Instant
from engine.orders.order import Order
from optimizer.problem import Plan, Route


class Prepositioning:
    """Of one cell's zones; without a forecast nobody is sent."""

    def __init__(
        self, *, live: Live, holdings: Holdings, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._live = live
        self._holdings = holdings
        self._telemetry = telemetry
        self._clock = clock

    async def send_ahead(
        self,
        zone: Zone,
        forecast: Forecast | None,
        plan: Plan,
        orders: Mapping[OrderId, Order],
        *,
        planned_at: Instant,
    ) -> set[CourierId]:
        """Send who goes nearer to the shop of the first trip that he is planned; who was sent."""
        if zone.parameters.leave_early_s == 0 or forecast is None:
            return set()
        seen, now = self._telemetry.fixes(), self._clock.now()
        ahead = trips_ahead(plan, orders, self._holdings.couriers, now=planned_at)
        moves = moves_ahead(zone, ahead, forecast, seen=seen, now=now)
        sent = await asyncio.gather(*(self._send(one) for one in moves))
        return {one.courier_id for one, is_sent in zip(moves, sent, strict=True) if is_sent}

    async def send(
        self,
        zone: Zone,
        forecast: Forecast | None,
        muster: Muster,
        routes: Sequence[Route],
        *,
        planned_at: Instant,
    ) -> int:
        """Send who should wait elsewhere; how many were sent.

        `muster` is of this tick, `routes` are of the last plan.
        """
        if zone.parameters.wait_moves_max == 0 or forecast is None:
            return 0
        now, holdings = self._clock.now(), self._holdings
        later = freed_by(routes, zone, holdings.orders, holdings.couriers, planned_at=planned_at)
        has_plans = {one.courier.id for one in later}
        free = [one for one in self._still_free(zone, muster, now) if one.id not in has_plans]
        await self._clock.sleep(0)
        seen = self._telemetry.fixes()
        places = WaitingPlaces(zone, free, later, forecast, seen=seen, now=now)
        for _ in places.foreseen():
            await self._clock.sleep(0)
        return sum(await asyncio.gather(*(self._send(one) for one in places.moves())))

    def _still_free(self, zone: Zone, muster: Muster, now: Instant) -> Iterator[Courier]:
        """Whoever has not changed since he was mustered need not be looked at again."""
        for mustered in muster.couriers():
            courier = self._holdings.couriers.get(mustered.id)
            if courier is mustered or (courier is not None and is_available(courier, zone, now)):
                yield courier

    async def _send(self, move: WaitMove) -> bool:
        """Send one courier if he is still idle; whether he was sent."""

        def decide() -> Decision:
            courier = self._holdings.couriers.get(move.courier_id)
            decision = courier and send_to_wait(
                courier,
                move.point,
                origin=move.origin,
                arrives_at=move.arrives_at,
                now=self._clock.now(),
            )
            return decision or Decision()

        await self._live.turn(lambda: (move.courier_id,), decide)
        courier = self._holdings.couriers.get(move.courier_id)
        return courier is not None and arrival_at_wait(courier) == move.arrives_at
