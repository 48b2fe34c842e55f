"""The gateways that are asked for what they settled."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from actors.clock import SystemClock
from actors.gateways.moyasar_settlements import MoyasarSettlements
from actors.gateways.paypal_transactions import PayPalTransactions
from actors.gateways.settlements import SettlementSource
from api.settings import Settings
from engine.payments.gateways import GatewayName


@asynccontextmanager
async def open_settlement_sources(settings: Settings) -> AsyncIterator[Sequence[SettlementSource]]:
    """As many as the settings name."""
    asked, wall = settings.books.fetch_settlements, SystemClock()
    timeout_s = settings.payments.timeout_s
    async with AsyncExitStack() as stack:
        found = list[SettlementSource]()
        if GatewayName.MOYASAR in asked:
            moyasar = MoyasarSettlements(settings.moyasar, timeout_s=timeout_s, wall=wall)
            found.append(await stack.enter_async_context(moyasar))
        if GatewayName.STRIPE in asked:
            # Its SDK takes long to load.
            from actors.gateways.stripe_reports import StripeReports  # noqa: PLC0415

            stripe = StripeReports(settings.stripe, timeout_s=timeout_s, wall=wall)
            found.append(await stack.enter_async_context(stripe))
        if GatewayName.PAYPAL in asked:
            paypal = PayPalTransactions(settings.paypal, timeout_s=timeout_s, wall=wall)
            found.append(await stack.enter_async_context(paypal))
        yield found
