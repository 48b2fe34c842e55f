"""Where couriers are, on its way out of a cell: to customers, to a restarted cell, into storage."""

from collections.abc import Sequence
from typing import Final

from actors.clock import Clock
from actors.holdings import Holdings
from actors.publisher import Publisher
from actors.slices import slices
from actors.telemetry import Telemetry
from engine.couriers.courier import Courier
from engine.couriers.geofence import Crossing, Geofence, Stay, observe
from engine.kernel.ids import CellId, CourierId
from engine.kernel.place import Point
from storage.live import Fix, LiveStream, LiveUnavailable, Publication
from storage.store import Store, StoreUnavailable

# Each is a millisecond or less, between which the cell hears positions and commands.
_SHOWN_AT_ONCE: Final = 50
_KEPT_AT_ONCE: Final = 250


class Positions:
    """The positions of one cell's couriers: telemetry, never an event, never a commit."""

    def __init__(
        self,
        cell: CellId,
        *,
        holdings: Holdings,
        telemetry: Telemetry,
        publisher: Publisher,
        store: Store,
        live: LiveStream,
        clock: Clock,
    ) -> None:
        self._cell = cell
        self._holdings = holdings
        self._telemetry = telemetry
        self._publisher = publisher
        self._store = store
        self._live = live
        self._clock = clock
        self._stays: dict[CourierId, tuple[Point, Stay | None, Fix]] = {}

    def report(self, fixes: Sequence[tuple[CourierId, Fix]]) -> list[CourierId]:
        """Take the newest positions of couriers; whose were not taken, for he is not on duty here.

        Where somebody is off duty is his own.
        """
        now = self._clock.now()
        strangers = self._telemetry.report(fixes, expected=self._holdings.is_on_duty, now=now)
        taken_at = self._clock.now()
        for _, fix in fixes:
            self._telemetry.ages.add(taken_at - fix.at)
        return strangers

    async def show(self) -> None:
        """Show customers where their couriers are, and when they come to a stop and leave it."""
        before, self._stays = self._stays, {}
        on_their_way = [one.id for one in self._holdings.couriers.values() if one.route]
        for some in slices(on_their_way, _SHOWN_AT_ONCE):
            await self._clock.sleep(0)
            for courier in self._holdings.couriers_of(some):
                fix = self._telemetry.fix(courier.id) if courier.route else None
                if fix is not None:
                    self._show(courier, fix)
                    self._mind_stop(courier, fix, before.get(courier.id))

    def _mind_stop(
        self, courier: Courier, fix: Fix, before: tuple[Point, Stay | None, Fix] | None
    ) -> None:
        stop = courier.route[0]
        _, stay, last = before if before and before[0] == stop.point else (None, None, None)
        crossings: tuple[Crossing, ...] = ()
        if last is None or last.at < fix.at:
            stay, crossings = observe(Geofence(centre=stop.point), stay, last, fix)
        self._stays[courier.id] = (stop.point, stay, fix)
        for crossing in crossings[-1:]:
            body = {
                "courier_id": courier.id,
                "stop": stop.kind.value,
                "event": crossing.event.value,
                "at": crossing.at,
            }
            for order_id in stop.orders:
                self._publisher.publish(
                    Publication(channel=f"order:{order_id}", kind="stop", version=0, body=body)
                )

    def _show(self, courier: Courier, fix: Fix) -> None:
        for order in self._holdings.orders_of(courier.orders):
            body = {
                "courier_id": courier.id,
                "lat": fix.lat,
                "lng": fix.lng,
                "at": fix.at,
                "eta": self._holdings.eta_of(order, courier, now=self._clock.now()),
            }
            self._publisher.publish(
                Publication(channel=f"order:{order.id}", kind="position", version=0, body=body)
            )

    async def keep(self) -> None:
        """Remember positions where a restarted cell finds them, the sampled trail in storage."""
        moved, trail = self._telemetry.take_moved(), self._telemetry.take_trail()
        try:
            for some in slices(moved.items(), _KEPT_AT_ONCE):
                await self._live.save_fixes(self._cell, dict(some))
            for sampled in slices(trail, _KEPT_AT_ONCE):
                await self._store.save_trail(sampled)
        except (LiveUnavailable, StoreUnavailable):
            # Positions are telemetry: the next ones are better than these.
            return

    async def recall(self) -> None:
        """Find the last positions again after a restart."""
        self._telemetry.restore(await self._kept(self._cell))

    async def recall_from(self, before: CellId) -> None:
        """Find those of couriers who are on duty here and were in another cell before."""
        self._telemetry.restore(await self._kept(before))
        self._telemetry.forget_all_but(self._holdings.is_on_duty)

    async def _kept(self, cell: CellId) -> dict[CourierId, Fix]:
        try:
            if fixes := await self._live.load_fixes(cell):
                return fixes
        except LiveUnavailable:
            # The sampled trail is older, and better than nothing.
            pass
        try:
            trail = await self._store.last_fixes(self._cell)
        except StoreUnavailable:
            return {}
        return {
            one.courier_id: Fix(lat=one.lat, lng=one.lng, at=one.at, accuracy_m=one.accuracy_m)
            for one in trail
        }
