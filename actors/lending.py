"""A cell's part in loans: what its zones want after each tick, and whom they lend when asked."""

from actors.clock import Clock
from actors.holdings import Holdings
from actors.live import Live
from actors.telemetry import Telemetry
from engine.couriers.handing_over import lend
from engine.couriers.messages import LendCouriers
from engine.dispatch.loans import Need, need_of, spared
from engine.geo.zone import Zone
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Decision, Envelope
from engine.kernel.refusals import ELSEWHERE, Refusal
from storage.store import Answer


class Lending:
    """Who is lent is let go in one commit, as whoever crosses a border."""

    def __init__(self, live: Live, holdings: Holdings, telemetry: Telemetry, clock: Clock) -> None:
        self._live = live
        self._holdings = holdings
        self._telemetry = telemetry
        self._clock = clock
        self._needs: dict[ZoneId, Need] = {}

    def note(self, zone: Zone) -> None:
        """A tick is over: what waits now found nobody."""
        self._needs.pop(zone.id, None)
        if zone.parameters.loan_couriers_max == 0:
            return
        borrowed = sum(one.loan is not None for one in self._holdings.on_duty(zone.id))
        waiting = self._holdings.waiting(zone.id)
        need = need_of(zone, waiting, borrowed, now=self._clock.now())
        if need is not None:
            self._needs[zone.id] = need

    def need(self, zone_id: ZoneId) -> Need | None:
        """What the zone wanted after its last tick."""
        return self._needs.get(zone_id)

    async def give(self, command: LendCouriers, envelope: Envelope) -> Answer:
        """Lend whom the zone can spare; the reply names them."""
        zone, now = self._holdings.zones.get(command.zone_id), self._clock.now()
        points = {}
        if zone is not None:
            points = spared(
                zone,
                self._holdings.on_duty(zone.id),
                len(self._holdings.waiting(zone.id)),
                command,
                seen=self._telemetry.fixes(),
                now=now,
            )

        def decide() -> Decision | Refusal:
            if command.zone_id not in self._holdings.zones:
                return ELSEWHERE()
            chosen = self._holdings.couriers_of(points)
            return lend(chosen, command, points=points, now=self._clock.now())

        answer = await self._live.turn(lambda: points, decide, envelope)
        assert answer is not None
        return answer
