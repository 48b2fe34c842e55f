"""What moves money in the service, over stores in memory and the local payment server."""

import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import httpx2

from actors.cash import HeldCash
from actors.disputes import Disputes
from actors.gateways.cash import Cash
from actors.gateways.moyasar import Moyasar
from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.gateways.settings import MoyasarSettings, OutboxSettings, PayoutSettings
from actors.gateways.wallet import Wallet
from actors.invoicing import Invoicing
from actors.ledger import LedgerKeeper
from actors.loyalty import Loyalty
from actors.outbox import Outbox
from actors.paid import Paid
from actors.payments import Payments, Policy
from actors.payouts import Payouts
from actors.reconciling import Reconciling
from actors.stamp import own_stamp
from actors.unit_certificates import UnitCertificates
from engine.invoices.invoice import CreditRefund, IssueInvoice, Party
from engine.kernel.messages import Effect
from engine.kernel.ownership import TellOwner
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.money.transfers import EnterTransfer
from engine.orders.messages import SendSms
from engine.payments.decide import Terms
from engine.payments.gateways import GatewayName, Network
from engine.payments.messages import FollowOrder, ReleaseWallet, TakePointsBack
from engine.payouts.decide import PayoutTerms
from simulations.gateways.moyasar import SECRET_KEY, WEBHOOK_SECRET, MoyasarProtocol
from simulations.gateways.payouts import SECRET_KEY as PAYOUT_KEY
from simulations.gateways.payouts import SOURCE_ID, Fate, PayoutProtocol
from simulations.gateways.server import PaymentServer
from simulations.gateways.wire import Wire
from simulations.stage import Stage
from storage.memory_gift_links import MemoryGiftLinks
from storage.memory_invoices import MemoryInvoices
from storage.memory_ledger import MemoryLedger
from storage.memory_payments import MemoryPayments
from storage.memory_payouts import MemoryPayouts
from storage.memory_periods import MemoryPeriods
from storage.memory_unit_certificates import MemoryUnitCertificates

if TYPE_CHECKING:
    from engine.kernel.ids import UserId
    from engine.orders.order import Order

UNIT: Final = "MONTH"
_URL: Final = "http://payments.example"
_SELLER: Final = Party(
    name_ar="هديتي",
    name_en="Hadiyati",
    vat_number="300000000000003",
    registration="1010000000",
    street="شارع العليا",
    building="7000",
    district="العليا",
    city="الرياض",
    postal_code="12211",
)
# Whoever pays out has bad days: one payout in so many ends so.
_FATES: Final = ((Fate.FAILED, 0.04), (Fate.RETURNED, 0.03), (Fate.LOST_AFTER, 0.03))
_REFUND_LIMIT: Final = 30_000
_COMMISSION_PERCENT: Final = 15
_POLL_S: Final = 10
_PATIENCE_S: Final = 10
_ROUTES: Final = {
    **dict.fromkeys(Network, GatewayName.MOYASAR),
    Network.WALLET: GatewayName.WALLET,
    Network.CASH: GatewayName.CASH,
}


class Office:
    """The hosts of money as an edge worker has them.

    `done` counts what people did, and `went_back` has the gifts that each customer's shops have
    again.
    """

    def __init__(self, stage: Stage, *, seed: int) -> None:
        self.stage, self.clock = stage, stage.clock
        self.chance = random.Random(f"office {seed}")
        self.books, self.invoices = MemoryLedger(), MemoryInvoices()
        self.done: Counter[str] = Counter()
        self.went_back: defaultdict[UserId, list[Order]] = defaultdict(list)
        self.paid, self.payout_store = MemoryPayments(stage.store.outbox), MemoryPayouts()
        self.periods = MemoryPeriods(self.books, self.invoices)
        self.server = PaymentServer()
        self.server.url, self.server.holds_webhooks = _URL, True
        self.cards = MoyasarProtocol(self.server, webhook_url=f"{_URL}/held")
        self.bank = PayoutProtocol(self.server, fate=lambda number: _fate(number, seed))
        wire = Wire(self.server)
        self.http = httpx2.AsyncClient(base_url=_URL, transport=wire, trust_env=False)
        self.keeper = LedgerKeeper(self.books, wall=self.clock)
        self.gateway = Moyasar(
            MoyasarSettings.model_validate(
                {"url": _URL, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
            ),
            return_url=f"{_URL}/v1/payments",
            timeout_s=20,
            wire=wire,
        )
        self.gift_links = MemoryGiftLinks(stage.store.outbox)
        self.payments = Payments(
            self.paid,
            stage.store,
            Paid(stage.bus, self.gift_links, clock=self.clock, patience_s=_PATIENCE_S),
            {
                GatewayName.MOYASAR: self.gateway,
                GatewayName.WALLET: Wallet(self.keeper, self.books),
                GatewayName.CASH: Cash(),
            },
            Policy(
                routes=_ROUTES,
                terms=Terms(commission_percent=_COMMISSION_PERCENT),
                refund_limit_halalas=_REFUND_LIMIT,
                poll_s=_POLL_S,
            ),
            clock=self.clock,
            wall=self.clock,
        )
        self.disputes = Disputes(self.payout_store, self.keeper, self.books, wall=self.clock)
        self.loyalty = Loyalty(self.keeper, self.books, stage.store, clock=self.clock)
        self.reconciling = Reconciling(self.keeper, self.books, wall=self.clock)
        self.invoicing = Invoicing(
            self.invoices,
            stage.store,
            clock=self.clock,
            seller=_SELLER,
            unit=UNIT,
            stamp=UnitCertificates(
                MemoryUnitCertificates(),
                unit=UNIT,
                authority="",
                stamp=lambda: own_stamp(b"a month", UNIT),
            ).stamp,
        )
        self.payouts = self._payouts(wire)
        self.outbox = self._outbox()

    async def settle(self) -> None:
        """Let everything that is under way come to its end."""
        idle = 0
        while idle < _QUIET_LOOKS:
            await self.payments.look()
            idle = 0 if await self.outbox.drain() else idle + 1
            await self.clock.sleep(_SETTLING_MS)

    def _payouts(self, wire: Wire) -> Payouts:
        return Payouts(
            self.payout_store,
            self.keeper,
            self.books,
            MoyasarPayouts(
                PayoutSettings.model_validate(
                    {"url": _URL, "api_key": PAYOUT_KEY, "source_id": SOURCE_ID}
                ),
                wire=wire,
            ),
            HeldCash(
                self.stage.bus,
                self.stage.store,
                self.keeper,
                clock=self.clock,
                patience_s=_PATIENCE_S,
            ),
            invoicing=self.invoicing,
            wall=self.clock,
            terms=PayoutTerms(),
        )

    def _outbox(self) -> Outbox:
        return Outbox(
            self.stage.store,
            {
                SendSms: _nothing,
                IssueInvoice: self.invoicing.on_effect,
                CreditRefund: self.invoicing.on_refund,
                EnterTransfer: self.keeper.on_effect,
                FollowOrder: self.payments.on_effect,
                TakePointsBack: self.loyalty.on_effect,
                ReleaseWallet: Wallet(self.keeper, self.books).on_effect,
                TellOwner: self._tell_owner,
            },
            OutboxSettings(poll_s=_POLL_S),
            clock=self.clock,
            chance=self.stage.chance,
        )

    async def _tell_owner(self, effect: Effect) -> None:
        await self.stage.bus.tell_owner(effect, deadline=self.clock.now() + MINUTE_MS)


_QUIET_LOOKS: Final = 30
_SETTLING_MS: Final = 20 * SECOND_MS


def _fate(number: str, seed: int) -> Fate:
    """The same payout always has the same."""
    luck = random.Random(f"{seed} {number}").random()
    for fate, share in _FATES:
        if luck < share:
            return fate
        luck -= share
    return Fate.PAID


async def _nothing(_: Effect) -> None:
    return
