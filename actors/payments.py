"""The host of payments: stores what it is about to ask, asks, and stores what it was told.

Wherever it dies, the stored payment says what is in doubt, and whoever looks next finds out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

import structlog
from msgspec import Struct

from actors.checkout import Checkout
from actors.clock import Clock
from actors.gateways.payments import (
    GatewayRejected,
    GatewayUncertain,
    Notice,
    PaymentGateway,
)
from actors.gateways.split import gateway_of
from actors.invoicing import vat_of
from actors.paid import Paid
from engine.kernel.ids import PaymentId
from engine.kernel.messages import Decision, Effect
from engine.kernel.refusals import CATALOGUE, UNAVAILABLE, Refusal, RefusalKind
from engine.kernel.timing import SECOND_MS, Instant
from engine.payments import decide, dues
from engine.payments.decide import Step, Terms
from engine.payments.gateways import (
    MATRIX,
    GatewayName,
    Network,
    Source,
    Statement,
    choose,
)
from engine.payments.hearing import heard
from engine.payments.messages import ORDER_PAID, SOURCE_REFUSED, FollowOrder
from engine.payments.payment import TAKING, Operation, Payment, PaymentStatus, Refund
from engine.payments.refunding import ask_refund
from engine.payments.settling import credit, follow
from storage.payments import PaymentStore, change_of
from storage.store import Store, StoreUnavailable

T = TypeVar("T")
Decide = Callable[[Payment], Decision | Refusal | None]
_STEPS_MAX: Final = 20
_TRIES_MAX: Final = 200
_AT_ONCE: Final = 20


class Policy(Struct, frozen=True, kw_only=True):
    """What the settings say: who takes what, by which terms, and how patient we are.

    Above `refund_limit_halalas` a refund needs somebody else's approval.
    """

    routes: Mapping[Network, GatewayName]
    terms: Terms = Terms()
    refund_limit_halalas: int = 50_000
    poll_s: float = 2.0


class Payments:
    """One for a process; any number of processes may work on the same payments.

    `clock` is that of orders and of the outbox, `wall` the real one, by which gateways live.
    """

    def __init__(
        self,
        store: PaymentStore,
        orders: Store,
        paid: Paid,
        gateways: Mapping[GatewayName, PaymentGateway],
        policy: Policy,
        *,
        clock: Clock,
        wall: Clock,
    ) -> None:
        self._store, self._orders, self._paid = store, orders, paid
        self._gateways, self._policy = gateways, policy
        self._clock, self._wall = clock, wall
        self._under_way: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("payments_wait", why=str(error))
            await self._wall.sleep(int(self._policy.poll_s * SECOND_MS))

    async def look(self) -> None:
        """Do what is due now; what fails is done at a later look and holds nothing else up."""
        due = await self._store.list_due(self._wall.now(), limit=_AT_ONCE)
        found = await asyncio.gather(*(self.advance(one) for one in due), return_exceptions=True)
        for payment, outcome in zip(due, found, strict=True):
            if isinstance(outcome, Exception):
                log = structlog.get_logger(__name__)
                log.warning("payment_failed", payment=payment.id, why=repr(outcome))

    async def pay(self, wish: Checkout) -> Payment | Refusal:
        """Pay for a quote and place its order; the same id again is the same payment.

        Goes on when whoever asked no longer waits.
        """
        return await self._to_the_end(self._pay(wish))

    async def returned(self, payment: Payment) -> Payment:
        """A customer is back from his bank; what he brings along is not believed."""
        return await self._to_the_end(self._ask_and_advance(payment))

    async def hear(self, gateway: GatewayName, notice: Notice) -> Payment | None:
        """A genuine webhook: whatever it is about is to be looked at; None when that is not ours.

        When this returns it cannot be lost. `advance` does the rest, at once or at the next look.
        """
        payment = await self._noticed(gateway, notice)
        while payment is not None:
            decision = decide.noticed(payment, notice.id, now=self._wall.now())
            if await self._save(decision, notice=notice.id):
                return change_of(decision).thing
            later = await self._store.find(payment.id)
            if later is None or later.version == payment.version:
                # Nobody was quicker, so it was heard before.
                return later
            payment = later
        return None

    async def on_effect(self, effect: Effect) -> None:
        """An order has come further; the same effect again finds nothing to do."""
        assert isinstance(effect, FollowOrder)
        if (lapsed := effect.lapse) is not None:
            now = self._wall.now()
            await self._settle(effect.payment_id, lambda one: dues.lapse(one, lapsed, now=now))
            return
        order = await self._orders.find_order(effect.order_id)
        assert order is not None, "an effect is stored with its order"
        vat = await vat_of(self._orders, order)
        await self._settle(
            effect.payment_id,
            lambda one: follow(one, order, terms=self.terms, now=self._wall.now(), vat_halalas=vat),
        )

    def begin(self, doing: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Have something go on although nobody waits for it; what fails is looked at again."""
        task = asyncio.ensure_future(doing)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    async def refund(self, payment: Payment, wish: Refund) -> Payment | Refusal:
        """Give so much back; the same id again is the same refund, however often and at once."""
        limit, now = self._policy.refund_limit_halalas, self._wall.now()
        return await self.settle(
            payment, lambda one: ask_refund(one, wish, limit_halalas=limit, now=now)
        )

    async def settle(self, payment: Payment, rule: Decide) -> Payment | Refusal:
        """Apply a rule, then do what follows from it, also when nobody waits any longer."""
        return await self._to_the_end(self._settle(payment.id, rule))

    async def find(self, payment_id: PaymentId) -> Payment:
        """One of them as it stands; what was begun is never forgotten."""
        found = await self._store.find(payment_id)
        assert found is not None, "a payment is never forgotten"
        return found

    @property
    def terms(self) -> Terms:
        """By what payments go here."""
        return self._policy.terms

    async def _settle(self, payment_id: PaymentId, rule: Decide) -> Payment | Refusal:
        changed = await self._change(payment_id, rule)
        return changed if isinstance(changed, Refusal) else await self.advance(changed)

    async def _change(self, payment_id: PaymentId, rule: Decide) -> Payment | Refusal:
        """The rule on the newest state, again when somebody else was quicker.

        What the rule leaves as it is, is given back so.
        """
        for _ in range(_TRIES_MAX):
            payment = await self.find(payment_id)
            decision = rule(payment)
            if decision is None:
                return payment
            if isinstance(decision, Refusal):
                return decision
            if await self._save(decision):
                return change_of(decision).thing
        raise StoreUnavailable(f"payment {payment_id} keeps changing")

    async def advance(self, payment: Payment) -> Payment:
        """Do what is next until it is somebody else's turn, or only time will tell."""
        for _ in range(_STEPS_MAX):
            step = decide.next_step(payment, now=self._wall.now())
            if step is None or not self._is_ready(payment, step):
                return payment
            payment = await self._do(step, payment)
        return payment

    async def _pay(self, wish: Checkout) -> Payment | Refusal:
        payment = await self._store.find(wish.payment_id)
        if payment is None:
            begun = await self._begin(wish)
            if isinstance(begun, Refusal):
                return begun
            payment = begun
        if payment.status is PaymentStatus.NEW:
            payment = await self._take(payment, wish.source)
        elif payment.operation is not None and payment.operation.kind in TAKING:
            payment = await self._take_up(payment, wish.source)
        return await self.advance(payment)

    async def _begin(self, wish: Checkout) -> Payment | Refusal:
        gateway = choose(wish.network, self._policy.routes)
        if isinstance(gateway, Refusal):
            return gateway
        refusal = decide.objection(wish.order, wish.network, gateway, wish.wallet_halalas)
        if refusal is not None:
            return refusal
        try:
            card = await self._gateways[gateway].describe(wish.source)
        except GatewayRejected:
            return SOURCE_REFUSED()
        except GatewayUncertain:
            return UNAVAILABLE()
        decision = decide.begin(
            wish.payment_id,
            wish.order,
            customer_id=wish.customer_id,
            gateway=gateway,
            # What the gateway says of the card counts, not what the app takes it for.
            network=(card and card.network) or wish.network,
            card=card,
            wallet_halalas=wish.wallet_halalas,
            now=self._wall.now(),
            expires_at=self._on_the_wall(decide.pay_by(wish.order, now=self._clock.now())),
        )
        if await self._save(decision):
            return change_of(decision).thing
        known = await self._store.find(wish.payment_id)
        return known or ORDER_PAID(order_id=change_of(decision).thing.order_id)

    async def _take(self, payment: Payment, source: Source) -> Payment:
        asked = await self._ask(payment, decide.taking(payment))
        if asked is None:
            return await self.find(payment.id)
        gateway = gateway_of(self._gateways, payment)
        return await self._told(asked, gateway.take(asked, source))

    async def _take_up(self, payment: Payment, source: Source) -> Payment:
        """The customer asks again while nobody knows what came of it.

        What the gateway has not seen may be sent to it once more only if it takes the same
        reference for the same charge.
        """
        gateway = gateway_of(self._gateways, payment)
        try:
            said = await gateway.find(payment)
        except GatewayUncertain:
            return payment
        if said is None and MATRIX[payment.gateway].idempotency:
            return await self._told(payment, gateway.take(payment, source))
        return await self._heard(payment, said)

    async def _do(self, step: Step, payment: Payment) -> Payment:
        match step:
            case Step.GIVE_UP:
                return await self._saved(payment, decide.give_up(payment, now=self._wall.now()))
            case Step.LOOK:
                return await self._look_at(payment)
            case Step.PLACE:
                return await self._place(payment)
            case Step.ASK:
                return await self._carry_out(payment)
            case Step.CREDIT:
                refund = decide.credit_due(payment)
                assert refund is not None
                return await self._saved(payment, credit(payment, refund, now=self._wall.now()))

    async def _carry_out(self, payment: Payment) -> Payment:
        due = decide.operation_due(payment, now=self._wall.now())
        assert due is not None
        asked = await self._ask(payment, due)
        if asked is None or asked.operation is None:
            return await self.find(payment.id)
        gateway = gateway_of(self._gateways, payment)
        return await self._told(asked, gateway.carry_out(asked, asked.operation))

    async def _told(self, payment: Payment, asking: Coroutine[Any, Any, Statement]) -> Payment:
        """What came of what the gateway is being asked for, as far as that is known."""
        try:
            said = await asking
        except GatewayUncertain as error:
            structlog.get_logger(__name__).warning(
                "payment_in_doubt", payment=payment.id, why=str(error)
            )
            return payment
        except GatewayRejected as error:
            structlog.get_logger(__name__).info(
                "payment_rejected", payment=payment.id, why=str(error)
            )
            return await self._look_at(payment, was_rejected=True)
        heard_of = await self._heard(payment, said)
        # Whoever looked meanwhile saw less than this answer says, so it is asked for once more.
        is_overtaken = heard_of.operation is not None and heard_of.version > payment.version + 1
        return await self._look_at(heard_of) if is_overtaken else heard_of

    async def _look_at(self, payment: Payment, *, was_rejected: bool = False) -> Payment:
        """Ask the gateway how it stands, by our reference."""
        try:
            said = await gateway_of(self._gateways, payment).find(payment)
        except GatewayUncertain as error:
            structlog.get_logger(__name__).warning(
                "gateway_silent", payment=payment.id, why=str(error)
            )
            return await self._saved(payment, decide.tried(payment, now=self._wall.now()))
        return await self._heard(payment, said, was_rejected=was_rejected)

    async def _heard(
        self, payment: Payment, said: Statement | None, *, was_rejected: bool = False
    ) -> Payment:
        decision = heard(
            payment,
            said,
            terms=self.terms,
            now=self._wall.now(),
            was_rejected=was_rejected,
        )
        return await self._saved(payment, decision)

    async def _place(self, payment: Payment) -> Payment:
        """Begin what is paid for; however often it is tried, it begins once."""
        refusal, now = await self._begun(payment), self._wall.now()
        if refusal is None:
            return await self._saved(payment, dues.placed(payment, terms=self.terms, now=now))
        if CATALOGUE[refusal.code].kind is RefusalKind.UNAVAILABLE:
            return await self._saved(payment, decide.tried(payment, now=now))
        return await self._saved(payment, decide.not_placed(payment, refusal.code, now=now))

    async def _begun(self, payment: Payment) -> Refusal | None:
        first_id = dues.first_of(payment)
        if first_id is None:
            return await self._paid.begin(payment)
        settled = await self._change(
            first_id, lambda first: dues.settle(first, payment, now=self._wall.now())
        )
        return settled if isinstance(settled, Refusal) else None

    async def _ask_and_advance(self, payment: Payment) -> Payment:
        if decide.next_step(payment, now=self._wall.now()) is Step.LOOK:
            payment = await self._look_at(payment)
        return await self.advance(payment)

    async def _ask(self, payment: Payment, operation: Operation) -> Payment | None:
        decision = decide.ask(payment, operation, now=self._wall.now())
        return change_of(decision).thing if await self._save(decision) else None

    async def _saved(self, payment: Payment, decision: Decision) -> Payment:
        """What was decided, or how the payment stands now when somebody else was quicker."""
        if await self._save(decision):
            return change_of(decision).thing
        return await self.find(payment.id)

    async def _save(self, decision: Decision, notice: str | None = None) -> bool:
        return await self._store.save(decision, at=self._clock.now(), notice=notice)

    async def _noticed(self, gateway: GatewayName, notice: Notice) -> Payment | None:
        if notice.payment_id is not None:
            return await self._store.find(notice.payment_id)
        return await self._store.find_by_reference(gateway, notice.reference)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            structlog.get_logger(__name__).warning("payment_failed", why=repr(error))

    def _is_ready(self, payment: Payment, step: Step) -> bool:
        is_due = payment.due_at is not None and payment.due_at <= self._wall.now()
        if step in {Step.LOOK, Step.GIVE_UP}:
            return is_due
        return is_due or payment.tries == 0

    def _on_the_wall(self, at: Instant) -> Instant:
        """When an instant of the system's clock comes, by the real one."""
        return self._wall.now() + int((at - self._clock.now()) / self._clock.speed)

    async def _to_the_end(self, doing: Coroutine[Any, Any, T]) -> T:
        return await asyncio.shield(self.begin(doing))
