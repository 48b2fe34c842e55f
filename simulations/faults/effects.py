"""The process that carries effects out, and the outside world that counts them."""

import asyncio
from collections import Counter

from actors.bus import Bus
from actors.chance import SeededChance
from actors.gateways.settings import OutboxSettings
from actors.outbox import Handler, Outbox
from engine.invoices.invoice import IssueInvoice
from engine.kernel.messages import Effect
from engine.kernel.ownership import TellOwner
from engine.money.transfers import EnterTransfer
from engine.orders.messages import SendSms
from simulations.faults.misfortune import Misfortune
from storage.store import Store

_RESTART_MS = 2_000
_PATIENCE_MS = 10_000


class Effects:
    """Runs an outbox that fails, dies and comes back; knows how often each effect reached us.

    It is also the gateway by which text messages leave.
    """

    def __init__(self, store: Store, misfortune: Misfortune, *, bus: Bus, seed: int) -> None:
        self._store, self._misfortune, self._bus = store, misfortune, bus
        self._chance = SeededChance(seed)
        self._died = asyncio.Event()
        self.handlers: dict[type[Effect], Handler] = {
            **dict.fromkeys((SendSms, IssueInvoice, EnterTransfer), self._reach_outside),
            TellOwner: self._tell_owner,
        }
        self.happened: Counter[str] = Counter()

    async def run(self) -> None:
        """Drain until cancelled, one life of the process after the other."""
        while True:
            self._died.clear()
            outbox = Outbox(
                self._store,
                self.handlers,
                OutboxSettings(poll_s=5),
                clock=self._misfortune.clock,
                chance=self._chance,
            )
            life = asyncio.ensure_future(outbox.run())
            death = asyncio.ensure_future(self._died.wait())
            try:
                await asyncio.wait({life, death}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                life.cancel()
                death.cancel()
                await asyncio.gather(life, death, return_exceptions=True)
            await self._misfortune.clock.sleep(_RESTART_MS)

    async def _tell_owner(self, effect: Effect) -> None:
        deadline = self._misfortune.clock.now() + _PATIENCE_MS
        await self._bus.tell_owner(effect, deadline=deadline)
        await self._reach_outside(effect)

    async def _reach_outside(self, effect: Effect) -> None:
        await self.send("", "", effect.id)

    async def send(self, phone: str, text: str, key: str) -> None:  # noqa: ARG002 - what counts is
        """Something leaves under this key, perhaps again."""
        odds = self._misfortune.odds
        await self._misfortune.pause()
        if self._misfortune.happens(odds.effect_fails, "effect fails", key):
            raise ConnectionError("the gateway does not answer")
        self.happened[key] += 1
        if self._misfortune.happens(odds.effect_crash, "outbox dies", key):
            self._died.set()
            await asyncio.Event().wait()
