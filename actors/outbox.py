"""The way out: effects taken on lease, carried out at least once, put off when that fails."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from actors.chance import Chance
from actors.clock import Clock, rest
from actors.gateways.settings import OutboxSettings
from engine.kernel.backoff import Backoff
from engine.kernel.messages import Effect
from engine.kernel.timing import SECOND_MS
from storage.store import OutboxRow, Store, StoreUnavailable

Handler = Callable[[Effect], Awaitable[None]]
# Who takes longer is stopped before another process may take the same effect.
_OF_THE_LEASE = 0.8


class Outbox:
    """Any number of processes may drain one store: a lease keeps each effect with one of them.

    A handler gets the effect, whose id is the key under which the other side may notice a
    repetition; whatever it raises means that it is tried again later.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[type[Effect], Handler],
        settings: OutboxSettings,
        *,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._backoff = Backoff(
            first_ms=self._ms(settings.retry_s), most_ms=self._ms(settings.retry_s_max)
        )
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do: do not wait for the next look."""
        self._woken.set()

    async def run(self) -> None:
        """Drain until cancelled."""
        while True:
            try:
                count = await self.drain()
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("outbox_waits", why=str(error))
                count = 0
            if count < self._settings.at_once:
                await self._rest()

    async def drain(self) -> int:
        """Take what is due, as much as is handled at once; how much that was."""
        now = self._clock.now()
        rows = await self._store.lease_effects(
            limit=self._settings.at_once,
            now=now,
            lease_until=now + self._ms(self._settings.lease_s),
        )
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(self._settle(row))
        return len(rows)

    async def _settle(self, row: OutboxRow) -> None:
        try:
            await self._handle(row)
        except StoreUnavailable as error:
            # Nobody knows what came of it: the lease ends, and it is done again.
            structlog.get_logger(__name__).warning("effect_in_doubt", why=str(error))

    async def _handle(self, row: OutboxRow) -> None:
        effect = row.effect
        log = structlog.get_logger(__name__)
        try:
            async with asyncio.timeout(self._settings.lease_s * _OF_THE_LEASE):
                await self._handlers[type(effect)](effect)
        except Exception as error:  # noqa: BLE001 - a gateway may raise anything; the effect stays
            log.warning("effect_failed", id=effect.id, attempts=row.attempts, why=repr(error))
            await self._store.postpone_effect(
                effect.id, until=self._clock.now() + self._back_off_ms(row), error=repr(error)[:500]
            )
        else:
            await self._store.finish_effect(effect.id, now=self._clock.now())

    def _back_off_ms(self, row: OutboxRow) -> int:
        """A random part of a bound that doubles with every attempt ("full jitter")."""
        return self._chance.below(self._backoff.wait_ms(row.attempts - 1) + 1)

    def _ms(self, real_s: float) -> int:
        return int(real_s * SECOND_MS * self._clock.speed)

    async def _rest(self) -> None:
        await rest(self._clock, self._ms(self._settings.poll_s), self._woken)
