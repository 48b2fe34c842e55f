"""Payments: each in its present state, with all that happened to it."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from asyncpg import UniqueViolationError
from msgspec import Struct

from engine.kernel.ids import OrderId, PaymentId, UserId
from engine.kernel.messages import Change, Decision, Event
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import PAYMENT_SEARCH, PAYMENTS
from engine.payments.gateways import GatewayName
from engine.payments.payment import Payment
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries

OF_ORDER_MAX: Final = 100
PAID_ORDERS_MAX: Final = 10_000


class PaymentEvent(Struct, frozen=True, kw_only=True):
    """One line of a payment's history; `data` is the event's own fields."""

    version: int
    type: str
    at: Instant
    data: dict[str, Any]


class PaymentStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(self, decision: Decision, *, at: Instant, notice: str | None = None) -> bool:
        """Keep a payment with its events and the effects promised `at`, or nothing of it.

        False when somebody else was quicker, when its order is being paid for by another one, or
        when the `notice` because of which it was decided was heard before.
        """
        ...

    async def find(self, payment_id: PaymentId) -> Payment | None:
        """One of them by its id."""
        ...

    async def find_by_reference(self, gateway: GatewayName, reference: str) -> Payment | None:
        """The one that a gateway knows under this name of its own."""
        ...

    async def list_of_order(self, order_id: OrderId) -> tuple[Payment, ...]:
        """An order's, in the order in which they were made; at most `OF_ORDER_MAX`."""
        ...

    async def list_paid_orders_of(self, customer_id: UserId) -> tuple[OrderId, ...]:
        """For which orders or groups anything was ever taken, `PAID_ORDERS_MAX` of the newest."""
        ...

    async def list_for(
        self, customer_id: UserId, order_ids: Sequence[OrderId]
    ) -> tuple[Payment, ...]:
        """A customer's for these orders or groups, supplements and what was owed with them."""
        ...

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[Payment]:
        """A page of a customer's, as `PAYMENTS` says."""
        ...

    async def list_all(self, wanted: Wanted) -> Page[Payment]:
        """A page of everybody's, as `PAYMENT_SEARCH` says."""
        ...

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payment, ...]:
        """Those with something to be done by now, the longest overdue first."""
        ...

    async def list_events(self, payment_id: PaymentId) -> tuple[PaymentEvent, ...]:
        """All that happened to one, oldest first."""
        ...


class _Overtaken(Exception):
    """Somebody else was quicker: nothing of it is kept."""


class PostgresPayments:
    """Satisfies `PaymentStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, decision: Decision, *, at: Instant, notice: str | None = None) -> bool:
        change = change_of(decision)
        try:
            async with self._database.transaction() as session:
                await self._save(session, change, at=at, notice=notice)
                for effect in decision.effects:
                    await session.run(queries.promise_effect, effect=encode(effect), at=at)
        except (_Overtaken, UniqueViolationError):
            return False
        return True

    async def _save(
        self, session: Session, change: Change[Payment], *, at: Instant, notice: str | None
    ) -> None:
        payment = change.thing
        kept = await session.run(queries.save_payment, state=encode(payment), due_at=payment.due_at)
        if kept != 1:
            raise _Overtaken
        await session.run(
            queries.add_payment_events,
            payment_id=payment.id,
            version=payment.version,
            events=[encode(one) for one in change.events],
        )
        if notice is None:
            return
        heard = await session.run(
            queries.add_payment_notice, notice_id=notice, payment_id=payment.id, at=at
        )
        if heard != 1:
            raise _Overtaken

    async def find(self, payment_id: PaymentId) -> Payment | None:
        state = await self._database.value(queries.find_payment, payment_id=known(payment_id))
        return None if state is None else decode(Payment, state)

    async def find_by_reference(self, gateway: GatewayName, reference: str) -> Payment | None:
        state = await self._database.value(
            queries.find_payment_by_reference, gateway=gateway.value, reference=reference
        )
        return None if state is None else decode(Payment, state)

    async def list_of_order(self, order_id: OrderId) -> tuple[Payment, ...]:
        rows = await self._database.rows(
            queries.list_payments_of_order, order_id=known(order_id), limit=OF_ORDER_MAX
        )
        return tuple(decode(Payment, row["state"]) for row in rows)

    async def list_paid_orders_of(self, customer_id: UserId) -> tuple[OrderId, ...]:
        rows = await self._database.rows(
            queries.list_paid_orders_of, customer_id=known(customer_id), limit=PAID_ORDERS_MAX
        )
        return tuple(OrderId(row["order_id"]) for row in rows)

    async def list_for(
        self, customer_id: UserId, order_ids: Sequence[OrderId]
    ) -> tuple[Payment, ...]:
        rows = await self._database.rows(
            queries.list_payments_for, customer_id=known(customer_id), order_ids=list(order_ids)
        )
        return tuple(decode(Payment, row["state"]) for row in rows)

    async def list_of(self, customer_id: UserId, wanted: Wanted) -> Page[Payment]:
        return await page_in(
            self._database,
            queries.list_payments_of,
            PAYMENTS,
            wanted,
            lambda row: decode(Payment, row["state"]),
            customer_id=known(customer_id),
        )

    async def list_all(self, wanted: Wanted) -> Page[Payment]:
        return await page_in(
            self._database,
            queries.list_payments,
            PAYMENT_SEARCH,
            wanted,
            lambda row: decode(Payment, row["state"]),
        )

    async def list_due(self, now: Instant, *, limit: int) -> tuple[Payment, ...]:
        rows = await self._database.rows(queries.list_due_payments, now=now, limit=limit)
        return tuple(decode(Payment, row["state"]) for row in rows)

    async def list_events(self, payment_id: PaymentId) -> tuple[PaymentEvent, ...]:
        rows = await self._database.rows(queries.list_payment_events, payment_id=known(payment_id))
        return tuple(told(row["version"], row["event"]) for row in rows)


def change_of(decision: Decision) -> Change[Payment]:
    """The one payment that a decision about payments changes."""
    (change,) = decision.changes
    assert isinstance(change.thing, Payment)
    return change


def told(version: int, event: Event | bytes | memoryview) -> PaymentEvent:
    """An event as a line of history."""
    state = encode(event) if isinstance(event, Event) else event
    data: dict[str, Any] = msgspec.json.decode(state)
    kind, at = data.pop("type"), data.pop("at")
    data.pop("device_at", None)
    return PaymentEvent(version=version, type=kind, at=at, data=data)
