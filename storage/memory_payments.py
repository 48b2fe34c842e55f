"""The in-memory twin of payments."""

from collections import defaultdict
from collections.abc import Sequence

from engine.kernel.ids import OrderId, PaymentId, UserId
from engine.kernel.messages import Decision
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import PAYMENT_SEARCH, PAYMENTS
from engine.payments.gateways import GatewayName
from engine.payments.payment import Payment, PaymentStatus
from storage.memory_outbox import MemoryOutbox
from storage.payments import OF_ORDER_MAX, PAID_ORDERS_MAX, PaymentEvent, change_of, told

_SPENT = frozenset({PaymentStatus.DECLINED, PaymentStatus.VOIDED, PaymentStatus.REFUNDED})


class MemoryPayments:
    """Satisfies `PaymentStore`; nothing in it waits. The outbox is that of the store beside it."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox
        self._kept: dict[PaymentId, Payment] = {}
        self._of_order: dict[OrderId, set[PaymentId]] = defaultdict(set)
        self._due: dict[PaymentId, Instant] = {}
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
        self._of_order[payment.order_id].add(payment.id)
        self._due.pop(payment.id, None)
        if payment.due_at is not None:
            self._due[payment.id] = payment.due_at
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
        mine = self._for_order(order_id)
        return tuple(sorted(mine, key=lambda one: (one.made_at, one.id))[:OF_ORDER_MAX])

    async def list_paid_orders_of(self, customer_id: UserId) -> tuple[OrderId, ...]:
        paid = dict[OrderId, Instant]()
        for one in self._kept.values():
            if one.customer_id == customer_id and one.captured_halalas:
                name = one.for_order_id
                paid[name] = max(one.made_at, paid.get(name, one.made_at))
        return tuple(sorted(paid, key=lambda one: (-paid[one], one))[:PAID_ORDERS_MAX])

    async def list_for(
        self, customer_id: UserId, order_ids: Sequence[OrderId]
    ) -> tuple[Payment, ...]:
        mine = (one for one in self._kept.values() if one.customer_id == customer_id)
        found = (one for one in mine if one.for_order_id in order_ids)
        return tuple(sorted(found, key=lambda one: (one.made_at, one.id)))

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[Payment]:
        mine = (one for one in self._kept.values() if one.customer_id == customer_id)
        return PAYMENTS.page(mine, wanted)

    async def list_all(self, wanted: Wanted) -> Page[Payment]:
        return PAYMENT_SEARCH.page(self._kept.values(), wanted)

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payment, ...]:
        due = sorted((at, one) for one, at in self._due.items() if at <= now)
        return tuple(self._kept[one] for _, one in due[:limit])

    async def list_events(self, payment_id: PaymentId) -> tuple[PaymentEvent, ...]:
        return tuple(self._events.get(payment_id, ()))

    def payments(self) -> tuple[Payment, ...]:
        """All of them, in the order in which they were made."""
        return tuple(self._kept.values())

    def _for_order(self, order_id: OrderId) -> list[Payment]:
        return [self._kept[one] for one in self._of_order.get(order_id, ())]

    def _is_paid_for(self, payment: Payment) -> bool:
        """Whether another payment may still take the money for the same order, or has."""
        others = self._for_order(payment.order_id)
        return _keeps(payment) and any(one.id != payment.id and _keeps(one) for one in others)


def _keeps(payment: Payment) -> bool:
    return payment.status not in _SPENT and payment.target_halalas != 0


def _check(payment: Payment) -> None:
    """What the database's constraints say."""
    returned = payment.refunded_halalas + payment.credited_halalas
    assert 0 <= returned <= payment.captured_halalas <= payment.amount_halalas, payment
