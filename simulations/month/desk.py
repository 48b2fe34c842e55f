"""What people do about money after a day: tips, refunds, disputes, points, and odd webhooks."""

import random
from collections.abc import Iterable, Sequence
from typing import Final

from engine.kernel.ids import CommandId, CourierId, OrderId, UserId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS, SECOND_MS, Instant
from engine.loyalty.points import LEAST_REDEEMED, points_of
from engine.money.accounts import AccountKind, account
from engine.money.cash import DepositCash, Receipt
from engine.money.tips import tip
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.orders.order import Order, OrderStatus
from engine.payments.gateways import GatewayName
from engine.payments.payment import Payment, Refund, RefundReason, RefundStatus, RefundTo
from engine.payments.refunding import decide_refund, refundable_of
from engine.payouts.dispute import Dispute, DisputeId, DisputeStatus
from engine.payouts.payout import BankAccount, BankAccountId, PayoutKind
from simulations.door_bus import Lobby
from simulations.gateways.server import Webhook
from simulations.month.debtors import Debtors
from simulations.month.office import Office

OPERATOR: Final = Caller(user_id=UserId(derived_id("month operator")), role=Role.OPERATOR)
_APPROVER: Final = UserId(derived_id("month approver"))
# In how many of a hundred deliveries it happens.
_TIPPED: Final = 25
_REFUNDED: Final = ((5, RefundReason.GOODS), (3, RefundReason.LATE), (2, RefundReason.GOODWILL))
_BY_COURIER: Final = 2
_DISPUTED: Final = 2
_INSTANT: Final = 10
_PAYS_IN: Final = 60
_LATE_MS: Final = (1, 40)
_DISPUTE_DAYS: Final = 3
_OLD_POINTS: Final = 250


class Desk:
    """Operators, customers and couriers with their after-work."""

    def __init__(self, office: Office, *, seed: int) -> None:
        self._office, self._luck = office, random.Random(f"desk {seed}")
        self.done = office.done
        self.paid_in_halalas = 0
        self.debtors = Debtors(office, self.done, seed=seed)
        self._open: list[tuple[Instant, DisputeId]] = []

    async def run_post(self) -> None:
        """Bring webhooks until cancelled: late, twice, in whatever order."""
        while True:
            await self.post()
            await self._office.clock.sleep(self._luck.uniform(*_LATE_MS) * SECOND_MS)

    async def post(self) -> None:
        """Bring what lies there now."""
        server = self._office.server
        held, server.webhooks = server.webhooks, []
        self._luck.shuffle(held)
        for one in held:
            for _ in range(self._luck.choice((1, 1, 1, 2, 3))):
                await self._hear(one)

    async def open_books(self, customers: Iterable[UserId], couriers: Iterable[CourierId]) -> None:
        """Where couriers are paid, and points of a year ago, some of which expire this month."""
        now = self._office.clock.now()
        for number, courier_id in enumerate(couriers):
            await self._office.payout_store.save_account(_bank_account(courier_id, number, now))
        for number, user_id in enumerate(customers):
            at = now - 365 * DAY_MS + (number % 28) * DAY_MS
            await self._must_enter(_old_points(user_id, at))

    async def evening(self, order_ids: Sequence[str]) -> None:
        """What follows from a day's orders."""
        for order_id in order_ids:
            order = await self._office.stage.store.find_order(OrderId(order_id))
            assert order is not None, "what was ordered is stored"
            self.done[order.status.value] += 1
            if order.status is OrderStatus.DELIVERED:
                await self._look_back(order)
            elif order.status is OrderStatus.RETURNED:
                self._office.went_back[order.customer_id].append(order)
            await self.debtors.settle(order)
        await self._redeem(order_ids)
        await self._decide_disputes()

    async def pay_out_some(self, couriers: Sequence[CourierId]) -> None:
        """Who cannot wait for the end of the week."""
        for courier_id in couriers:
            if self._happens(_INSTANT):
                cause = f"instant {courier_id} {self._office.clock.now()}"
                found = await self._office.payouts.request(
                    courier_id, PayoutKind.INSTANT, None, cause=cause
                )
                self.done["instant_payouts"] += not isinstance(found, Refusal)

    async def take_cash(self, lobby: Lobby, couriers: Sequence[CourierId]) -> None:
        """Who holds cash pays it in, mostly: all of it or a part."""
        for courier_id in couriers:
            courier = await self._office.stage.store.find_courier(courier_id)
            held = 0 if courier is None else courier.cash_halalas
            if not held or not self._happens(_PAYS_IN):
                continue
            receipt = Receipt(f"{courier_id} {self._office.clock.now()}")
            halalas = held if self._happens(70) else self._luck.randint(1, held)
            command = DepositCash(courier_id=courier_id, halalas=halalas, receipt=receipt)
            command_id = CommandId(derived_id("month deposit", receipt))
            told = await lobby.execute(command, OPERATOR, command_id)
            assert not told.refused, told.refused
            self.paid_in_halalas += halalas
            self.done["deposits"] += 1

    async def _look_back(self, order: Order) -> None:
        if self._happens(_TIPPED):
            await self._tip(order)
        for share, reason in _REFUNDED:
            if self._happens(share):
                await self._refund(order, reason)
        if self._happens(_BY_COURIER):
            await self._refund(order, RefundReason.COURIER)
        if self._happens(_DISPUTED):
            await self._dispute(order)

    async def _tip(self, order: Order) -> None:
        halalas = self._luck.choice((500, 1_000, 2_000))
        made = tip(order, halalas, cause=order.id, now=self._office.clock.now())
        assert isinstance(made, Transfer), made
        found = await self._office.keeper.enter(made)
        self.done["tips_refused" if isinstance(found, Refusal) else "tips"] += 1

    async def _refund(self, order: Order, reason: RefundReason) -> None:
        payment = await self._payment_of(order)
        left = refundable_of(payment, order.id)
        amount = left if self._happens(30) else self._luck.randint(1, max(1, left))
        wish = Refund(
            id=derived_id("month refund", order.id, reason.value),
            amount_halalas=amount,
            reason=reason,
            to=self._luck.choice((payment.goes_back_to, RefundTo.WALLET)),
            status=RefundStatus.DUE,
            asked_at=self._office.clock.now(),
            asked_by=OPERATOR.user_id,
            note="a month",
            order_id=None if payment.share(order.id) is None else order.id,
            courier_id=order.courier_id if reason is RefundReason.COURIER else None,
        )
        if left <= 0:
            return
        made = await self._office.payments.refund(payment, wish)
        assert isinstance(made, Payment), made
        asked = made.refund(wish.id)
        if asked is not None and asked.status is RefundStatus.WAITS_FOR_APPROVAL:
            await self._approve(made, wish)
        self.done[f"refunds_{reason.value}"] += 1

    async def _approve(self, payment: Payment, wish: Refund) -> None:
        is_approved, now = self._happens(80), self._office.clock.now()
        self.done["refunds_judged"] += 1
        await self._office.payments.settle(
            payment,
            lambda one: decide_refund(one, wish.id, is_approved=is_approved, by=_APPROVER, now=now),
        )

    async def _dispute(self, order: Order) -> None:
        assert order.courier_id is not None, "what was delivered, was delivered by somebody"
        opened = await self._office.disputes.open(
            order.courier_id,
            order.id,
            self._luck.randint(500, 4_000),
            reason="the box was open",
            cause=f"month {order.id}",
            by=OPERATOR,
        )
        assert isinstance(opened, Dispute), opened
        self.done["disputes"] += 1
        self._open.append((self._office.clock.now() + _DISPUTE_DAYS * DAY_MS, opened.id))

    async def _decide_disputes(self) -> None:
        now = self._office.clock.now()
        ripe = [one for at, one in self._open if at <= now]
        self._open = [one for one in self._open if one[0] > now]
        for dispute_id in ripe:
            outcome = self._luck.choice((DisputeStatus.RELEASED, DisputeStatus.UPHELD))
            await self._office.disputes.close(dispute_id, outcome, reason="seen", by=OPERATOR)

    async def _redeem(self, order_ids: Sequence[str]) -> None:
        for order_id in order_ids[:: max(1, len(order_ids) // 3)]:
            order = await self._office.stage.store.find_order(OrderId(order_id))
            assert order is not None
            mine = await self._office.books.find_balance(points_of(order.customer_id))
            points = min(mine.available, 1_000)
            if points >= LEAST_REDEEMED:
                cause = f"month {order_id}"
                found = await self._office.loyalty.redeem(order.customer_id, points, cause=cause)
                self.done["redemptions"] += not isinstance(found, Refusal)

    async def _hear(self, webhook: Webhook) -> None:
        notice = await self._office.gateway.read_notice(webhook.headers, webhook.body)
        assert notice is not None, "the server knows our secret"
        self.done["webhooks"] += 1
        payment = await self._office.payments.hear(GatewayName.MOYASAR, notice)
        if payment is not None:
            await self._office.payments.advance(payment)

    async def _payment_of(self, order: Order) -> Payment:
        assert order.payment_id is not None, "every order of this month is paid for"
        found = await self._office.paid.find(order.payment_id)
        assert found is not None
        return found

    async def _must_enter(self, transfer: Transfer) -> None:
        entered = await self._office.keeper.enter(transfer)
        assert not isinstance(entered, Refusal), entered

    def _happens(self, percent: int) -> bool:
        return self._luck.random() * 100 < percent


def _bank_account(courier_id: CourierId, number: int, now: Instant) -> BankAccount:
    return BankAccount(
        id=BankAccountId(derived_id("month bank", courier_id)),
        courier_id=courier_id,
        iban="SA0380000000608010167519",
        holder_name="Salem",
        city="Riyadh",
        phone=f"+96650{number:07}",
        made_at=now,
    )


def _old_points(user_id: UserId, at: Instant) -> Transfer:
    """Points that became spendable at this instant, long ago."""
    issued = account(AccountKind.POINTS_ISSUED)
    return Transfer(
        id=TransferId(derived_id("month points", user_id)),
        reason=TransferReason.POINTS,
        legs=move({points_of(user_id): _OLD_POINTS, issued: -_OLD_POINTS}),
        effective_at=at,
        about=f"before:{user_id}",
    )
