"""A payment from its beginning to its end, told to one process after the other, by any gateway."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from actors.cash import HeldCash
from actors.checkout import Checkout
from actors.clock import SystemClock
from actors.gateways.wallet import Wallet
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import AcceptOffer, GoOnDuty, ReportProgress
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CommandId, CourierId, UserId, ZoneId
from engine.kernel.messages import Caller, Envelope, Role
from engine.money.accounts import AccountKind, account, kind_of
from engine.money.cash import DepositCash, Receipt
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.orders.grouping import group_of
from engine.orders.handover import HandoverTold
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrder, PlaceOrders
from engine.orders.order import Gift
from engine.payments.conversion import Rate
from engine.payments.dues import due_of
from engine.payments.gateways import GatewayName, Network, Source, SourceKind, WalletPart
from engine.payments.owed import Supplementing
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from tests.actors.kills import Killed, Life, Process, die_everywhere
from tests.actors.paypal import BUYER, PAYPAL, at_paypal
from tests.actors.stripe import at_stripe
from tests.actors.tills import MADA, VISA, Tills, some_tills
from tests.actors.worlds import OPERATOR
from tests.builders import CORNER, new_id

COURIER = CourierId(UserId(new_id()))
HIMSELF = Caller(user_id=COURIER, role=Role.COURIER)
CENTS = Rate(37_500)
# Where a payment can come from: a gateway, and whether it holds or charges.
BY = ("moyasar", "mada", "stripe", "paypal", "wallet", "cash")
_PURSE_HALALAS = 10_000_000
# What the dead had leased comes free, and what nobody has seen was not done.
UNTIL_KNOWN = 4
_ON_DUTY = GoOnDuty(
    courier_id=COURIER,
    zone_id=ZoneId(""),
    name="Salem",
    vehicle=VehicleKind.CAR,
    capacity_units=4,
    point=CORNER,
)
_NOBODY_HOME = (
    ProgressStep.REACHED_DOOR,
    ProgressStep.ATTEMPT_FAILED,
    ProgressStep.REACHED_DOOR,
    ProgressStep.ATTEMPT_FAILED,
    ProgressStep.RETURN_STARTED,
    ProgressStep.RETURNED,
)
Ends = tuple[PaymentStatus, int, int, bool, Counter[str], Counter[AccountKind]]
Step = Callable[[Process], Coroutine[Any, Any, object]]


@asynccontextmanager
async def paying_by(name: str) -> AsyncIterator[tuple[Tills, Checkout]]:
    """Tills with one gateway (see `BY`), a courier on duty, and a way to pay there."""
    async with some_tills() as tills:
        await tills.send(replace(_ON_DUTY, zone_id=tills.zone_id), HIMSELF)
        if name == "cash":
            yield tills, await tills.cash_checkout()
        elif name == "paypal":
            async with at_paypal(tills) as (gateway, protocol):
                yield tills, await _paid_there(tills, gateway, protocol, Network.PAYPAL, PAYPAL)
        elif name == "stripe":
            stripe, accounts = at_stripe(tills)
            source = Source(kind=SourceKind.TOKEN, value=accounts.till.tokenise(VISA)[0])
            yield tills, await _paid_there(tills, stripe, accounts, Network.VISA, source)
        elif name == "wallet":
            await fill_purse(tills)
            purse, source = Wallet(tills.keeper, tills.books), Source(kind=SourceKind.WALLET)
            yield tills, await _paid_there(tills, purse, None, Network.WALLET, source)
        else:
            yield tills, await tills.checkout({"moyasar": VISA, "mada": MADA}[name])


async def fill_purse(tills: Tills) -> None:
    """Put a lot into the customer's wallet."""
    mine = account(AccountKind.CUSTOMER_WALLET, tills.customer.user_id)
    transfer = Transfer(
        id=TransferId(tills.new_id()),
        reason=TransferReason.TOP_UP,
        legs=move({mine: _PURSE_HALALAS, account(AccountKind.BANK): -_PURSE_HALALAS}),
        effective_at=tills.clock.now(),
    )
    await tills.keeper.enter(transfer)


async def _paid_there(
    tills: Tills, gateway: Any, protocol: Any, network: Network, source: Source
) -> Checkout:
    tills.gateway, tills.protocol = gateway, protocol
    tills.host = tills.another_host()
    return replace(await tills.checkout(), network=network, source=source)


async def anew(tills: Tills, paying: Checkout, count: int = 1) -> Checkout:
    """Another payment of that kind, for so many new orders."""
    gift = Gift(description="Roses", message="مبروك", hide_price=False)
    made = [await tills.placing(gift=gift) for _ in range(count)]
    order = made[0] if count == 1 else PlaceOrders(zone_id=tills.zone_id, orders=group_of(made))
    return replace(paying, payment_id=tills.new_id(), order=order)


async def worth(tills: Tills) -> Counter[AccountKind]:
    """What all accounts of each kind have together, less what is still reserved."""
    found = Counter[AccountKind]()
    for name, balance in (await tills.books.list_balances(limit=10**9)).items():
        found[kind_of(name)] += balance.available
    return found


class Story:
    """A payment, told to one process after the other; the first dies at `dies_at`."""

    def __init__(self, tills: Tills, wish: Checkout, dies_at: int | None) -> None:
        self.tills, self.wish = tills, wish
        self.process = Process(tills, dies_at)
        self.life = self.process.life

    @property
    def orders(self) -> tuple[PlaceOrder, ...]:
        """What is paid for."""
        if isinstance(self.wish.order, PlaceOrders):
            return self.wish.order.orders
        assert isinstance(self.wish.order, PlaceOrder)
        return (self.wish.order,)

    async def tell(self, step: Step) -> None:
        """A step; whoever asked asks again, with the same key, when he hears nothing."""
        try:
            await self.process.life.during(step(self.process))
        except Killed:
            self.process.leave()
            self.process = Process(self.tills)
            await step(self.process)

    async def settle(self, least: int = 1) -> None:
        """Let time pass, pollers look and effects happen; after a death until all is known."""
        rounds = 0
        while rounds < (UNTIL_KNOWN if self.life.is_over else least):
            await self.tills.clock.move(40)
            await self.tell(lambda one: one.host.look())
            await self.tell(lambda one: one.drain())
            rounds += 1

    async def pay(self) -> None:
        await self.tell(lambda one: one.host.pay(self.wish))
        payment = await self.payment()
        if payment.status is PaymentStatus.CHALLENGED:
            await self.tills.confirm(payment, BUYER)
            await self.tell(lambda one: one.host.returned(payment))
        await self.settle()

    async def payment(self) -> Payment:
        found = await self.tills.store.find(self.wish.payment_id)
        assert found is not None
        return found

    async def pick_up(self, number: int = 0) -> None:
        """The courier comes and takes the first gift, or another one."""
        tills, order_id = self.tills, self.orders[number].order_id
        order = await tills.orders.find_order(order_id)
        while order is None or order.offer_id is None:
            await tills.clock.move(2)
            await SystemClock().sleep(2)
            order = await tills.orders.find_order(order_id)
        accept = AcceptOffer(courier_id=COURIER, offer_id=order.offer_id)
        await tills.send(accept, HIMSELF)
        await self.report(ProgressStep.REACHED_SHOP, number)
        await self.report(ProgressStep.PICKED_UP, number)

    async def deliver(self, number: int = 0, *, cash_halalas: int = 0) -> None:
        """He brings it, perhaps for cash, and is free for the next one."""
        told = HandoverTold(cash_halalas=cash_halalas)
        await self.report(ProgressStep.REACHED_DOOR, number)
        pin = self.orders[number].pin
        await self.report(ProgressStep.DELIVERED, number, pin=pin, handover=told)

    async def bring_back(self) -> None:
        """He finds nobody, twice, and the shop has it again: that costs more than was paid."""
        for step in _NOBODY_HOME:
            await self.report(step, reason="nobody_home")

    async def pay_in(self, halalas: int) -> None:
        """He hands in what he holds; the operator says it again when he hears nothing."""
        receipt = Receipt(self.tills.new_id())
        command = DepositCash(courier_id=COURIER, halalas=halalas, receipt=receipt)
        envelope = Envelope(
            id=CommandId(receipt),
            command=command,
            caller=OPERATOR,
            deadline=self.tills.clock.now() + 10**9,
        )
        await self.tell(lambda one: one.bus.execute(envelope))

    async def keep_back(self, halalas: int) -> None:
        """A payout takes what he holds from what he has earned."""
        cause, at = f"payout:{self.tills.new_id()}", self.tills.clock.now()

        def held(one: Process) -> HeldCash:
            clock = self.tills.clock
            return HeldCash(one.bus, one.store, one.keeper, clock=clock, patience_s=10**6)

        await self.tell(
            lambda one: held(one).keep_back(COURIER, cause=cause, halalas_max=halalas, at=at)
        )

    async def report(self, step: ProgressStep, number: int = 0, **fields: Any) -> None:
        order_id = self.orders[number].order_id
        report = ReportProgress(courier_id=COURIER, order_id=order_id, step=step, **fields)
        await self.tills.send(report, HIMSELF)

    async def cancel(self, order: PlaceOrder) -> None:
        wish = CancelOrder(order_id=order.order_id, reason=CancelReason.OTHER)
        await self.tills.send(wish, self.tills.customer)

    async def refund(self, halalas: int, reason: RefundReason = RefundReason.LATE) -> None:
        """An operator gives so much of the first order back."""
        payment = await self.payment()
        refund = a_refund(self.tills, payment, halalas, reason)
        await self.tell(lambda one: one.host.refund(payment, refund))

    async def due(self) -> Supplementing:
        """What is owed for the first order, which is over."""
        found = due_of(await self.payment(), self.orders[0].order_id)
        assert isinstance(found, Supplementing), found
        return found

    async def ends(self, before: Counter[AccountKind]) -> Ends:
        """How the payment and all books stand: what of it is compared with a life without death."""
        if self.life.is_over:
            # What the dead had leased comes free again.
            await self.settle()
        payment = await self.payment()
        assert payment.operation is None, "nobody would ever know"
        after = await worth(self.tills)
        after.subtract(before)
        moved = Counter({kind: amount for kind, amount in after.items() if amount})
        return (
            payment.status,
            payment.captured_halalas,
            payment.refunded_halalas,
            payment.is_placed,
            moves(self.tills, payment),
            moved,
        )


def a_refund(tills: Tills, payment: Payment, halalas: int, reason: RefundReason) -> Refund:
    """So much back to where it came from; of a group's payment, for its first order."""
    return Refund(
        id=tills.new_id(),
        amount_halalas=halalas,
        reason=reason,
        to=payment.goes_back_to,
        status=RefundStatus.DUE,
        asked_at=tills.clock.now(),
        asked_by=UserId(tills.new_id()),
        order_id=payment.shares[0].order_id if payment.shares else None,
    )


def moves(tills: Tills, payment: Payment) -> Counter[str]:
    """How often the gateway moved its money; it and we have the same amounts."""
    if payment.gateway in {GatewayName.WALLET, GatewayName.CASH}:
        return Counter()
    till = tills.protocol.till.charges[payment.reference]
    told = CENTS.cents if payment.gateway is GatewayName.PAYPAL else int
    mine = payment.wallet or WalletPart(halalas=0)
    assert (till.captured, till.refunded) == (
        told(payment.captured_halalas - mine.captured_halalas),
        told(payment.refunded_halalas - mine.refunded_halalas),
    )
    found = Counter(
        verb for verb, charge, _ in tills.protocol.till.moves if charge == payment.reference
    )
    assert found["capture"] <= 1, "charged twice"
    assert found["refund"] <= len(payment.refunds), "given back twice"
    return found


Tale = Callable[[Story], Awaitable[None]]


async def must_end_alike(tills: Tills, paying: Checkout, tale: Tale, count: int = 1) -> Ends:
    """The tale without a death, and with one at each point of it; how it ends."""

    async def told(dies_at: int | None) -> tuple[Life, Ends]:
        before = await worth(tills)
        story = Story(tills, await anew(tills, paying, count), dies_at)
        await tale(story)
        return story.life, await story.ends(before)

    ends = await die_everywhere(told, points=30)
    await tills.drain()
    assert (await tills.keeper.audit()).faults == []
    return ends
