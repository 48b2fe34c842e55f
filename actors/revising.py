"""Revising accepted trips until the pick-up, in the turns of everybody whom it touches."""

from collections.abc import Iterator, Mapping

from actors.clock import Clock
from actors.holdings import Holdings
from actors.live import Live
from engine.dispatch.revision import FirstTrip, first_trip, revise
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Decision

Trips = Mapping[CourierId, tuple[OrderId, ...]]


class Reviser:
    """Carries revisions out for one cell, where a zone allows them."""

    def __init__(self, *, live: Live, holdings: Holdings, clock: Clock) -> None:
        self._live = live
        self._holdings = holdings
        self._clock = clock

    async def revise(self, zone: Zone, trips: Trips) -> bool:
        """Give each courier these orders on his first trip, all of them or none.

        Whether the trips are now as wanted; they are not when the world has moved on.
        """
        if not zone.parameters.revise_until_pickup:
            return False

        def decide() -> Decision:
            now = self._clock.now()
            couriers, orders = self._holdings.couriers, self._holdings.orders
            apart_m = zone.parameters.shops_apart_m_max
            decision = revise(trips, couriers, orders, apart_m=apart_m, now=now)
            return decision or Decision()

        await self._live.turn(lambda: self._touched(trips), decide)
        return all(
            trip is not None and trip.order_ids == trips[courier_id]
            for courier_id, trip in self._first_trips(trips)
        )

    def _touched(self, trips: Trips) -> Iterator[str]:
        """The couriers, what they carry now, and what they shall carry."""
        for courier_id, trip in self._first_trips(trips):
            yield courier_id
            yield from trips[courier_id]
            yield from () if trip is None else trip.order_ids

    def _first_trips(self, trips: Trips) -> Iterator[tuple[CourierId, FirstTrip | None]]:
        for courier_id in trips:
            courier = self._holdings.couriers.get(courier_id)
            yield courier_id, None if courier is None else first_trip(courier)
