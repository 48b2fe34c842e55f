"""A host of payments between real cells, stores in memory, and a payment server on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from msgspec.structs import replace
from pydantic import SecretStr

from actors.bus import Bus
from actors.cell import World
from actors.chance import SeededChance, new_id
from actors.checkout import Checkout
from actors.gateways.cash import Cash
from actors.gateways.moyasar import Moyasar
from actors.gateways.payments import Notice, PaymentGateway
from actors.gateways.settings import MoyasarSettings, OutboxSettings
from actors.gateways.wallet import Wallet
from actors.ledger import LedgerKeeper
from actors.local import local_bus
from actors.outbox import Outbox
from actors.paid import Paid
from actors.payments import Payments, Policy
from actors.settings import RuntimeSettings
from actors.solver import stopped_watch
from actors.solving import LocalSolver
from engine.geo.cells import cell_at, disk
from engine.geo.zone import CreateZone
from engine.invoices.invoice import CreditRefund, IssueInvoice
from engine.kernel.ids import CommandId, OrderId, PaymentId, UserId, ZoneId
from engine.kernel.messages import Caller, Command, Effect, Envelope, Role
from engine.kernel.timing import SECOND_MS
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import EnterTransfer
from engine.orders.messages import PlaceOrder, SendSms
from engine.orders.order import Gift, Order
from engine.payments.gateways import GatewayName, Network, Source, SourceKind
from engine.payments.messages import FollowOrder, ReleaseWallet, TakePointsBack
from engine.payments.payment import Payment
from simulations.gateways.moyasar import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    MoyasarProtocol,
)
from simulations.gateways.server import PaymentServer
from storage.memory import MemoryStore
from storage.memory_gift_links import MemoryGiftLinks
from storage.memory_ledger import MemoryLedger
from storage.memory_live import MemoryLive
from storage.memory_payments import MemoryPayments
from tests.actors.worlds import OPERATOR, QUICK
from tests.builders import NOON, SHOP, a_placing, a_quote

VISA, MADA = "4111111111111111", "4201320111111010"
SECURE, SECURE_MADA = "4000000000003220", "4201320000013020"
BROKE, MUTE, DEAF = "4201320000311101", "4000000000000119", "4000000000000127"


class HandClock:
    """A clock that a test moves."""

    speed = 1.0

    def __init__(self) -> None:
        self._now = NOON
        self._moved = asyncio.Condition()

    def now(self) -> int:
        return self._now

    async def sleep(self, ms: float) -> None:
        until = self._now + ms
        async with self._moved:
            await self._moved.wait_for(lambda: self._now >= until)

    async def move(self, seconds: float) -> None:
        async with self._moved:
            self._now += int(seconds * SECOND_MS)
            self._moved.notify_all()


class Tills:
    """What a test needs to know of payments at work."""

    def __init__(
        self, server: PaymentServer, protocol: MoyasarProtocol, gateway: PaymentGateway
    ) -> None:
        self.server, self.gateway = server, gateway
        self.protocol: Any = protocol
        self.clock, self.chance = HandClock(), SeededChance(5)
        self.orders, self.books = MemoryStore(), MemoryLedger()
        self.store = MemoryPayments(self.orders.outbox)
        self.gift_links = MemoryGiftLinks(self.orders.outbox)
        self.keeper = LedgerKeeper(self.books, wall=self.clock)
        world = World(
            store=self.orders,
            live=MemoryLive(),
            solver=LocalSolver(stopped_watch),
            clock=self.clock,
            chance=self.chance,
            settings=RuntimeSettings(),
        )
        self.bus, self.cells = local_bus(world)
        self.zone_id = ZoneId(self.new_id())
        self.customer = Caller(user_id=UserId(self.new_id()), role=Role.CUSTOMER)
        self.host = self.another_host()
        self.http = httpx2.AsyncClient(
            base_url=server.url, trust_env=False, verify=False, timeout=20
        )

    def another_host(self, **other: Any) -> Payments:
        """The host of another process, on the same stores."""
        parts: dict[str, Any] = {"store": self.store, "bus": self.bus, "gateway": self.gateway}
        parts["gateways"] = {
            self.gateway.name: other.get("gateway", self.gateway),
            GatewayName.CASH: Cash(),
            GatewayName.WALLET: Wallet(other.get("keeper", self.keeper), self.books),
        }
        parts["routes"] = {
            **dict.fromkeys(Network, self.gateway.name),
            Network.WALLET: GatewayName.WALLET,
            Network.CASH: GatewayName.CASH,
        }
        parts["refund_limit_halalas"] = 50_000
        parts.update(other)
        return Payments(
            parts["store"],
            self.orders,
            Paid(parts["bus"], self.gift_links, clock=self.clock, patience_s=10),
            parts["gateways"],
            Policy(
                routes=parts["routes"],
                refund_limit_halalas=parts["refund_limit_halalas"],
            ),
            clock=self.clock,
            wall=self.clock,
        )

    def new_id(self) -> str:
        return new_id(self.clock, self.chance)

    async def send(self, command: Command, caller: Caller, *, by: Bus | None = None) -> None:
        answer = await (by or self.bus).execute(
            Envelope(
                id=CommandId(self.new_id()),
                command=command,
                caller=caller,
                deadline=self.clock.now() + 10 * SECOND_MS,
            )
        )
        assert answer.refusal is None, answer.refusal

    async def open(self) -> None:
        anchor = cell_at(SHOP, 8)
        await self.send(
            CreateZone(
                zone_id=self.zone_id,
                name_en="Olaya",
                name_ar="العليا",
                anchor=anchor,
                cells=tuple(sorted(disk(anchor, 6))),
                parameters=replace(QUICK, offer_timeout_s=1800, cash_order_halalas_max=50_000),
                author=OPERATOR.user_id,
            ),
            OPERATOR,
        )

    async def token(self, number: str) -> str:
        """What the gateway's form in the app makes of a card."""
        card = {"name": "Sara", "number": number, "month": "12", "year": "2030", "cvc": "123"}
        made = await self.http.post("/v1/tokens", json=card, auth=(PUBLISHABLE_KEY, ""))
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def placing(self, **fields: Any) -> PlaceOrder:
        zone = await self.orders.find_zone(self.zone_id)
        assert zone is not None
        quoted = a_quote(
            zone, customer_id=self.customer.user_id, preparation_s=0, at=self.clock.now()
        )
        return a_placing(zone, quoted=quoted, order_id=OrderId(self.new_id()), **fields)

    async def cash_checkout(self) -> Checkout:
        """An order that is to be paid for at the door."""
        return Checkout(
            payment_id=PaymentId(self.new_id()),
            customer_id=self.customer.user_id,
            order=await self.placing(gift=Gift(description="Roses", hide_price=False)),
            network=Network.CASH,
            source=Source(kind=SourceKind.CASH),
        )

    async def checkout(self, number: str = VISA, **fields: Any) -> Checkout:
        known = {
            "payment_id": PaymentId(self.new_id()),
            "customer_id": self.customer.user_id,
            "order": fields.pop("order", None) or await self.placing(),
            "network": Network.VISA,
            "source": Source(kind=SourceKind.TOKEN, value=await self.token(number)),
        }
        return Checkout(**{**known, **fields})

    async def paid(self, number: str = VISA) -> Payment:
        found = await self.host.pay(await self.checkout(number))
        assert isinstance(found, Payment), found
        return found

    async def newest(self, payment: Payment) -> Payment:
        found = await self.store.find(payment.id)
        assert found is not None
        return found

    async def order_of(self, payment: Payment) -> Order | None:
        return await self.orders.find_order(payment.order_id)

    async def confirm(self, payment: Payment, answer: str = "yes") -> None:
        """What the customer does on his bank's page."""
        await self.http.post(payment.challenge_url, data={"answer": answer})

    async def wait(self, seconds: float, host: Payments | None = None) -> None:
        """Let time pass, then let the poller look."""
        await self.clock.move(seconds)
        await (host or self.host).look()

    async def drain(self) -> None:
        """Let all effects happen."""
        outbox = Outbox(
            self.orders,
            {
                EnterTransfer: self.keeper.on_effect,
                FollowOrder: self.host.on_effect,
                SendSms: _nothing,
                IssueInvoice: _nothing,
                CreditRefund: _nothing,
                TakePointsBack: _nothing,
                ReleaseWallet: Wallet(self.keeper, self.books).on_effect,
            },
            OutboxSettings(retry_s=0.001, retry_s_max=0.001),
            clock=self.clock,
            chance=self.chance,
        )
        idle = 0
        while idle < 3:
            idle = 0 if await outbox.drain() else idle + 1
            await self.clock.move(0.002)

    async def balance(self, kind: AccountKind, owner: str = "") -> int:
        found = await self.books.find_balance(AccountId(account(kind, owner)))
        return found.posted

    async def must_add_up(self) -> None:
        """The ledger balances, and knows exactly what the gateway has of ours."""
        assert (await self.keeper.audit()).faults == []
        assert await self.balance(AccountKind.GATEWAY, "moyasar") == -self.protocol.till.kept()

    async def notices(self) -> list[Notice]:
        """The webhooks that were held back, as they are read."""
        read = self.gateway.read_notice
        found = [await read(one.headers, one.body) for one in self.server.webhooks]
        return [one for one in found if one is not None]


async def _nothing(_: Effect) -> None:
    return


@asynccontextmanager
async def some_tills() -> AsyncIterator[Tills]:
    server = PaymentServer()
    server.holds_webhooks = True
    async with server.running():
        protocol = MoyasarProtocol(server, webhook_url="http://held.example/")
        settings = MoyasarSettings(
            url=server.url,
            secret_key=SecretStr(SECRET_KEY),
            webhook_secret=SecretStr(WEBHOOK_SECRET),
        )
        async with Moyasar(
            settings, return_url="https://hadiyati.example/v1/payments", timeout_s=20
        ) as gateway:
            tills = Tills(server, protocol, gateway)
            await tills.open()
            try:
                yield tills
            finally:
                await tills.http.aclose()
                await tills.cells.close()
