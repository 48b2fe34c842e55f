"""What pays couriers out, and holds what is disputed, as long as the application lives."""

import structlog
from fastapi import FastAPI

from actors.cash import HeldCash
from actors.disputes import Disputes
from actors.ledger import LedgerKeeper
from actors.payouts import Payouts
from api.parts import Parts
from engine.kernel.timing import SECOND_MS
from engine.payouts.decide import PayoutTerms
from storage.store import StoreUnavailable


class PayoutWatch:
    """Looks again and again what is due; without a provider only disputes are looked after."""

    def __init__(self, parts: Parts, payouts: Payouts | None, disputes: Disputes) -> None:
        self._settings, self._wall = parts.settings.payouts, parts.wall
        self._payouts, self._disputes = payouts, disputes

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._look()
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("payouts_wait", why=str(error))
            await self._wall.sleep(self._settings.poll_s * SECOND_MS)

    async def _look(self) -> None:
        await self._disputes.look()
        if self._payouts is not None:
            await self._payouts.look()


def open_payouts(app: FastAPI, parts: Parts, ledger: LedgerKeeper) -> PayoutWatch:
    """Hand the hosts to the routes; returns what looks after them."""
    settings = parts.settings.payouts
    disputes = Disputes(parts.payouts, ledger, parts.ledger, wall=parts.wall)
    terms = PayoutTerms(
        least_halalas=settings.least_halalas,
        instant_fee_halalas=settings.instant_fee_halalas,
        settle_s=settings.settle_s,
    )
    payouts = None
    if parts.payout_gateway is not None:
        cash = HeldCash(
            parts.bus,
            parts.store,
            ledger,
            clock=parts.clock,
            patience_s=parts.settings.runtime.command_timeout_s,
        )
        payouts = Payouts(
            parts.payouts,
            ledger,
            parts.ledger,
            parts.payout_gateway,
            cash,
            invoicing=app.state.invoicing,
            wall=parts.wall,
            terms=terms,
        )
    app.state.payouts, app.state.disputes = payouts, disputes
    return PayoutWatch(parts, payouts, disputes)
