"""The in-memory twin of payments."""

from engine.kernel.ids import OrderId, PaymentId, UserId
from engine.kernel.messages import Decision
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import PAYMENTS
from engine.payments.gateways import GatewayName
from engine.payments.payment import Payment, PaymentStatus
from storage.memory_outbox import MemoryOutbox
from storage.payments import OF_ORDER_MAX, PaymentEvent, change_of, told

_SPENT = frozenset({PaymentStatus.DECLINED, PaymentStatus.VOIDED, PaymentStatus.REFUNDED})


class MemoryPayments:
    """Satisfies `PaymentStore`; nothing in it waits. The outbox is that of the store beside it."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox
        self._kept: dict[PaymentId, Payment] = {}
        self._events: dict[PaymentId, list[PaymentEvent]] = {}
        self._notices: set[str] = set()

    async def save(self, decision: Decision, *, at: Instant, notice: str | None = None) -> bool:
        change = change_of(decision)
        payment = change.thing
        _check(payment)
        last = self._kept.get(payment.id)
        is_next = payment.version == (last.version if last else 0) + 1
        if not is_next or notice in self._notices or self._is_paid_for(payment):
            return False
        self._kept[payment.id] = payment
        lines = self._events.setdefault(payment.id, [])
        lines.extend(told(payment.version, one) for one in change.events)
        if notice is not None:
            self._notices.add(notice)
        self._outbox.add(decision.effects, at)
        return True

    async def find(self, payment_id: PaymentId) -> Payment | None:
        return self._kept.get(payment_id)

    async def find_by_reference(self, gateway: GatewayName, reference: str) -> Payment | None:
        wanted = (gateway, reference)
        mine = (one for one in self._kept.values() if (one.gateway, one.reference) == wanted)
        return next(mine, None)

    async def list_of_order(self, order_id: OrderId) -> tuple[Payment, ...]:
        mine = [one for one in self._kept.values() if one.order_id == order_id]
        return tuple(sorted(mine, key=lambda one: (one.made_at, one.id))[:OF_ORDER_MAX])

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[Payment]:
        mine = (one for one in self._kept.values() if one.customer_id == customer_id)
        return PAYMENTS.page(mine, wanted)

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payment, ...]:
        due = [
            (one.due_at, one.id, one)
            for one in self._kept.values()
            if one.due_at is not None and one.due_at <= now
        ]
        return tuple(one for *_, one in sorted(due, key=lambda row: row[:2])[:limit])

    async def list_events(self, payment_id: PaymentId) -> tuple[PaymentEvent, ...]:
        return tuple(self._events.get(payment_id, ()))

    def _is_paid_for(self, payment: Payment) -> bool:
        """Whether another payment may still take the money for the same order, or has."""
        others = (one for one in self._kept.values() if one.order_id == payment.order_id)
        return _keeps(payment) and any(one.id != payment.id and _keeps(one) for one in others)


def _keeps(payment: Payment) -> bool:
    return payment.status not in _SPENT and payment.target_halalas != 0


def _check(payment: Payment) -> None:
    """What the database's constraints say."""
    returned = payment.refunded_halalas + payment.credited_halalas
    assert 0 <= returned <= payment.captured_halalas <= payment.amount_halalas, payment
