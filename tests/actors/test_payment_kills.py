"""Wherever the process dies: nothing is charged twice, nothing is lost, and the end is the same."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from actors.cash import HeldCash
from actors.checkout import Checkout
from actors.clock import SystemClock
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import AcceptOffer, GoOnDuty, ReportProgress
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CommandId, CourierId, UserId, ZoneId
from engine.kernel.messages import Caller, Envelope, Role
from engine.money.accounts import AccountKind
from engine.money.cash import DepositCash, Receipt
from engine.orders.grouping import group_of
from engine.orders.handover import HandoverTold
from engine.orders.messages import CancelOrder, CancelReason, PlaceOrder, PlaceOrders
from engine.payments.conversion import Rate
from engine.payments.gateways import GatewayName, Network, WalletPart
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from tests.actors.kills import Killed, Process
from tests.actors.paypal import BUYER, PAYPAL, at_paypal
from tests.actors.test_split import fill, left
from tests.actors.tills import MADA, VISA, Tills, some_tills
from tests.actors.worlds import OPERATOR
from tests.builders import CORNER, new_id

COURIER = CourierId(UserId(new_id()))
HIMSELF = Caller(user_id=COURIER, role=Role.COURIER)
ON_DUTY = GoOnDuty(
    courier_id=COURIER,
    zone_id=ZoneId(""),
    name="Salem",
    vehicle=VehicleKind.CAR,
    capacity_units=4,
    point=CORNER,
)
CENTS = Rate(37_500)
Ends = tuple[PaymentStatus, int, int, int, bool]
Step = Callable[[Process], Coroutine[Any, Any, object]]


class Story:
    """A payment from its beginning to its end, told to one process after the other."""

    def __init__(self, tills: Tills, wish: Checkout, dies_at: int | None) -> None:
        self.tills, self.wish = tills, wish
        self.process = Process(tills, dies_at)
        self.dead: Process | None = None

    @property
    def orders(self) -> tuple[PlaceOrder, ...]:
        """What is paid for."""
        if isinstance(self.wish.order, PlaceOrders):
            return self.wish.order.orders
        assert isinstance(self.wish.order, PlaceOrder)
        return (self.wish.order,)

    @property
    def order(self) -> PlaceOrder:
        """The one that is paid for."""
        (order,) = self.orders
        return order

    async def tell(self, step: Step) -> None:
        """A step; whoever asked asks again, with the same key, when he hears nothing."""
        try:
            await self.process.life.during(step(self.process))
        except Killed:
            self.dead, self.process = self.process, Process(self.tills)
            await step(self.process)

    async def settle(self) -> None:
        """Let time pass, pollers look and effects happen."""
        for _ in range(4):
            await self.tills.clock.move(40)
            await self.tell(lambda one: one.host.look())
            await self.tell(lambda one: one.drain())

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

    async def pick_up(self) -> None:
        """The courier comes and takes the gift."""
        tills, order_id = self.tills, self.order.order_id
        order = await tills.orders.find_order(order_id)
        while order is None or order.offer_id is None:
            await tills.clock.move(2)
            await SystemClock().sleep(2)
            order = await tills.orders.find_order(order_id)
        accept = AcceptOffer(courier_id=COURIER, offer_id=order.offer_id)
        await tills.send(accept, HIMSELF)
        await self.report(ProgressStep.REACHED_SHOP)
        await self.report(ProgressStep.PICKED_UP)

    async def deliver(self, cash_halalas: int = 0) -> None:
        """He brings it, perhaps for cash, and is free for the next one."""
        told = HandoverTold(cash_halalas=cash_halalas)
        await self.report(ProgressStep.REACHED_DOOR)
        await self.report(ProgressStep.DELIVERED, pin=self.order.pin, handover=told)

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

    async def report(self, step: ProgressStep, **fields: Any) -> None:
        order_id = self.order.order_id
        report = ReportProgress(courier_id=COURIER, order_id=order_id, step=step, **fields)
        await self.tills.send(report, HIMSELF)

    async def cancel(self, order: PlaceOrder) -> None:
        wish = CancelOrder(order_id=order.order_id, reason=CancelReason.OTHER)
        await self.tills.send(wish, self.tills.customer)

    async def refund(self, refund: Refund) -> None:
        payment = await self.payment()
        await self.tell(lambda one: one.host.refund(payment, refund))

    async def ends(self) -> Ends:
        if self.dead is not None:
            # What the dead had leased comes free again.
            await self.settle()
        payment = await self.payment()
        tills = self.tills
        till = tills.protocol.till.charges[payment.reference]
        moves = Counter(
            verb for verb, charge, _ in tills.protocol.till.moves if charge == payment.reference
        )
        told = CENTS.cents if payment.gateway is GatewayName.PAYPAL else int
        assert moves["capture"] <= 1, "charged twice"
        assert moves["refund"] <= len(payment.refunds), "given back twice"
        mine = payment.wallet or WalletPart(halalas=0)
        assert (till.captured, till.refunded) == (
            told(payment.captured_halalas - mine.captured_halalas),
            told(payment.refunded_halalas - mine.refunded_halalas),
        )
        assert payment.operation is None, "nobody would ever know"
        return (
            payment.status,
            payment.captured_halalas,
            payment.refunded_halalas,
            sum(moves.values()),
            payment.is_placed,
        )


Tale = Callable[[Story], Awaitable[None]]


async def captured_and_partly_refunded(story: Story) -> None:
    await story.pay()
    await story.pick_up()
    await story.settle()
    await story.deliver()
    await story.settle()
    refund = Refund(
        id=story.tills.new_id(),
        amount_halalas=400,
        reason=RefundReason.LATE,
        status=RefundStatus.DUE,
        asked_at=story.tills.clock.now(),
        asked_by=UserId(story.tills.new_id()),
    )
    await story.refund(refund)
    await story.settle()


async def cancelled(story: Story) -> None:
    await story.pay()
    for order in story.orders:
        await story.cancel(order)
        await story.settle()


CASH_ACCOUNTS = (
    AccountKind.COURIER_CASH,
    AccountKind.COURIER_DEBT,
    AccountKind.BANK,
    AccountKind.REVENUE,
    AccountKind.SHOP,
    AccountKind.VAT,
)


async def test_wherever_the_process_dies_cash_is_where_it_was_taken_to() -> None:
    """Taken at the door, paid in for a part, kept back of a payout for the rest."""
    async with some_tills() as tills:
        await tills.send(replace(ON_DUTY, zone_id=tills.zone_id), HIMSELF)

        async def balances() -> list[int]:
            is_his = {AccountKind.COURIER_CASH, AccountKind.COURIER_DEBT}
            return [
                await tills.balance(kind, COURIER if kind in is_his else "")
                for kind in CASH_ACCOUNTS
            ]

        async def told(dies_at: int | None) -> tuple[Story, list[int]]:
            before = await balances()
            story = Story(tills, await tills.cash_checkout(), dies_at)
            await story.pay()
            await story.pick_up()
            due = story.order.quote.total_halalas
            await story.deliver(cash_halalas=due)
            await story.settle()
            await story.pay_in(600)
            await story.keep_back(due)
            await story.settle()
            if story.dead is not None:
                await story.settle()
            payment = await story.payment()
            assert (payment.status, payment.captured_halalas) == (PaymentStatus.CAPTURED, due)
            courier = await tills.orders.find_courier(COURIER)
            assert courier is not None
            assert courier.cash_halalas == 0
            after = await balances()
            return story, [late - early for late, early in zip(after, before, strict=True)]

        alive, wanted = await told(None)
        due = alive.order.quote.total_halalas
        assert wanted[:3] == [0, -(due - 600), -600]
        assert sum(wanted) == 0
        points = len(alive.process.life.points)
        assert points > 30
        for dies_at in range(points):
            story, moved = await told(dies_at)
            assert story.dead is not None, alive.process.life.points[dies_at]
            assert moved == wanted, alive.process.life.points[dies_at]
            await story.dead.bury()
        await tills.must_add_up()


@pytest.mark.parametrize(
    ("number", "tale", "count", "status"),
    [
        (VISA, captured_and_partly_refunded, 1, PaymentStatus.CAPTURED),
        (VISA, cancelled, 1, PaymentStatus.VOIDED),
        (MADA, cancelled, 1, PaymentStatus.REFUNDED),
        (VISA, cancelled, 2, PaymentStatus.VOIDED),
        (MADA, cancelled, 2, PaymentStatus.REFUNDED),
    ],
)
async def test_wherever_the_process_dies_the_end_is_the_same(
    number: str, tale: Tale, count: int, status: PaymentStatus
) -> None:
    async with some_tills() as tills:
        await must_end_so(tills, await tills.checkout(number), tale, count, status)
        await tills.must_add_up()


@pytest.mark.parametrize(
    ("number", "tale", "status"),
    [
        (VISA, captured_and_partly_refunded, PaymentStatus.CAPTURED),
        (MADA, cancelled, PaymentStatus.REFUNDED),
    ],
)
async def test_so_it_is_when_the_wallet_pays_a_part(
    number: str, tale: Tale, status: PaymentStatus
) -> None:
    async with some_tills() as tills:
        await fill(tills, 300_000, 10_000_000)
        wish = await tills.checkout(number, wallet_halalas=700)
        await must_end_so(tills, wish, tale, 1, status)
        await tills.must_add_up()
        assert await tills.balance(AccountKind.GATEWAY, "wallet") == 0
        parts = [one.wallet for one in tills.store.payments() if one.wallet is not None]
        kept = sum(one.captured_halalas - one.refunded_halalas for one in parts)
        assert sum(await left(tills)) == 10_300_000 - kept


@pytest.mark.parametrize(
    ("tale", "status"),
    [
        (captured_and_partly_refunded, PaymentStatus.CAPTURED),
        (cancelled, PaymentStatus.VOIDED),
    ],
)
async def test_so_it_is_with_paypal(tale: Tale, status: PaymentStatus) -> None:
    async with some_tills() as tills, at_paypal(tills) as (gateway, protocol):
        tills.gateway, tills.protocol = gateway, protocol
        wish = replace(await tills.checkout(), network=Network.PAYPAL, source=PAYPAL)
        await must_end_so(tills, wish, tale, 1, status)
        assert (await tills.keeper.audit()).faults == []
        charges = protocol.till.charges.values()
        worth = sum(CENTS.worth(one.captured - one.refunded) for one in charges)
        assert await tills.balance(AccountKind.GATEWAY, "paypal") == -worth


async def must_end_so(
    tills: Tills, paying: Checkout, tale: Tale, count: int, status: PaymentStatus
) -> None:
    """The tale without a death, and with one at each point of it."""
    await tills.send(replace(ON_DUTY, zone_id=tills.zone_id), HIMSELF)

    async def told(dies_at: int | None) -> tuple[Story, Ends]:
        made = [await tills.placing() for _ in range(count)]
        together = PlaceOrders(zone_id=tills.zone_id, orders=group_of(made))
        order = made[0] if count == 1 else together
        wish = replace(paying, payment_id=tills.new_id(), order=order)
        story = Story(tills, wish, dies_at)
        await tale(story)
        return story, await story.ends()

    alive, wanted = await told(None)
    assert wanted[0] is status
    points = len(alive.process.life.points)
    assert points > 30
    for dies_at in range(points):
        story, ends = await told(dies_at)
        assert story.dead is not None, alive.process.life.points[dies_at]
        assert ends == wanted, alive.process.life.points[dies_at]
        await story.dead.bury()
    await tills.drain()
