"""What must hold of stored payments, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from engine.kernel.filters import Condition, Operator
from engine.kernel.ids import OrderId, PaymentId, UserId
from engine.kernel.messages import Change, Decision
from engine.kernel.pages import Page, Wanted
from engine.money.transfers import EnterTransfer
from engine.payments import decide
from engine.payments.decide import Terms
from engine.payments.gateways import GatewayName, Network, Standing, Statement
from engine.payments.hearing import heard
from engine.payments.owed import Supplementing
from engine.payments.payment import Payment, PaymentStatus
from storage.database import Database
from storage.memory_outbox import MemoryOutbox
from storage.memory_payments import MemoryPayments
from storage.outbox import lease
from storage.payments import PaymentStore, PostgresPayments, change_of
from storage.settings import DatabaseSettings
from storage.store import OutboxRow
from tests.builders import NOON, a_placing, a_quote, a_zone, new_id

Made = tuple[PaymentStore, Any]


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "postgres"])
def made(request: pytest.FixtureRequest) -> Made:
    if request.param == "memory":
        outbox = MemoryOutbox()
        return MemoryPayments(outbox), outbox
    opened: Database = request.getfixturevalue("database")
    return PostgresPayments(opened), opened


async def promised(where: MemoryOutbox | Database) -> tuple[OutboxRow, ...]:
    if isinstance(where, Database):
        return await lease(where, limit=9, now=NOON, lease_until=NOON)
    return where.lease(limit=9, now=NOON, lease_until=NOON)


def begun(**fields: Any) -> Decision:
    zone = a_zone()
    quoted = a_quote(zone, customer_id=fields.pop("customer_id", new_id()))
    order = a_placing(zone, quoted=quoted, order_id=fields.pop("order_id", OrderId(new_id())))
    known = {
        "customer_id": UserId(quoted.customer_id),
        "gateway": GatewayName.MOYASAR,
        "network": Network.MADA,
        "now": NOON,
        "expires_at": quoted.valid_until,
    }
    return decide.begin(PaymentId(new_id()), order, **{**known, **fields})


def asked(payment: Payment) -> Decision:
    return decide.ask(payment, decide.taking(payment), now=NOON)


def captured(payment: Payment) -> Decision:
    said = Statement(
        reference=f"ref-{payment.id}",
        standing=Standing.CAPTURED,
        amount_halalas=payment.amount_halalas,
        currency="SAR",
        captured_halalas=payment.amount_halalas,
    )
    return heard(payment, said, terms=Terms(), now=NOON)


async def saved(store: PaymentStore, decision: Decision, **more: Any) -> Payment:
    assert await store.save(decision, at=NOON, **more)
    return change_of(decision).thing


async def test_what_is_saved_is_found_again(made: Made) -> None:
    store, where = made
    first = await saved(store, begun())
    unknown = await saved(store, asked(first))
    paid = await saved(store, captured(unknown))
    assert await store.find(first.id) == paid
    assert await store.find(PaymentId(new_id())) is None
    assert await store.find(PaymentId("no id")) is None
    assert await store.find_by_reference(GatewayName.MOYASAR, f"ref-{first.id}") == paid
    assert await store.find_by_reference(GatewayName.MOYASAR, "") is None
    assert await store.list_of_order(first.order_id) == (paid,)
    assert await store.list_of(first.customer_id, Wanted(limit=9)) == Page(rows=(paid,))
    types = [one.type for one in await store.list_events(first.id)]
    assert types == ["PaymentBegun", "GatewayAsked", "PaymentCaptured"]
    (row,) = await promised(where)
    assert isinstance(row.effect, EnterTransfer)
    assert row.effect.transfer.about == f"order:{first.order_id}"


async def test_what_was_taken_of_a_customer_is_found_by_its_orders(made: Made) -> None:
    store, _ = made
    sara, quoted = UserId(new_id()), replace(a_quote(a_zone()), valid_until=NOON + 1)
    first = await saved(store, begun(customer_id=sara))
    paid = await saved(store, captured(await saved(store, asked(first))))
    await saved(store, begun(customer_id=sara))
    other = await saved(store, begun())
    await saved(store, captured(await saved(store, asked(other))))
    assert await store.list_paid_orders_of(sara) == (paid.order_id,)
    due = Supplementing(
        order_id=OrderId(new_id()),
        zone_id=quoted.zone_id,
        first_payment_id=PaymentId(new_id()),
        halalas=500,
        is_due=True,
    )
    more = change_of(begun(customer_id=sara)).thing
    more = replace(more, supplement=due, order=None, amount_halalas=500, made_at=NOON + 1)
    later = await saved(store, Decision(changes=(Change(more, ()),)))
    later = await saved(store, captured(await saved(store, asked(later))))
    assert await store.list_paid_orders_of(sara) == (due.order_id, paid.order_id)
    assert await store.list_for(sara, [due.order_id, other.order_id]) == (later,)
    assert await store.list_for(sara, [paid.order_id, due.order_id]) == (paid, later)
    for_it = Wanted(limit=9, only=(Condition("order_id", Operator.IS, due.order_id),))
    assert await store.list_of(sara, for_it) == Page(rows=(later,))
    assert await store.list_all(for_it) == Page(rows=(later,))
    assert await store.list_paid_orders_of(UserId("nobody")) == ()
    assert await store.list_for(UserId(new_id()), [paid.order_id]) == ()


async def test_of_two_at_once_one_is_kept(made: Made) -> None:
    store, _ = made
    first = await saved(store, begun())
    kept = await asyncio.gather(*(store.save(asked(first), at=NOON) for _ in range(5)))
    assert sorted(kept) == [False, False, False, False, True]
    assert [one.version for one in await store.list_events(first.id)] == [1, 2]


async def test_a_notice_is_heard_once(made: Made) -> None:
    store, _ = made
    first = await saved(store, begun())
    second = await saved(store, decide.noticed(first, "n1", now=NOON), notice="moyasar:n1")
    again = decide.noticed(second, "n1", now=NOON)
    assert not await store.save(again, at=NOON, notice="moyasar:n1")
    assert await store.find(first.id) == second


async def test_an_order_is_paid_for_once(made: Made) -> None:
    store, _ = made
    order_id = OrderId(new_id())
    first = await saved(store, begun(order_id=order_id))
    assert not await store.save(begun(order_id=order_id), at=NOON)
    await saved(store, decide.give_up(first, now=NOON))
    second = await saved(store, begun(order_id=order_id))
    # The first one happened after all, so it is to be given back, and is in nobody's way.
    late = await saved(store, captured(await found(store, first)))
    assert (late.status, late.target_halalas) == (PaymentStatus.CAPTURED, 0)
    await saved(store, captured(await saved(store, asked(second))))


async def found(store: PaymentStore, payment: Payment) -> Payment:
    newest = await store.find(payment.id)
    assert newest is not None
    return newest


async def test_what_is_due_is_listed_longest_overdue_first(made: Made) -> None:
    store, _ = made
    first, second = (
        await saved(store, begun()),
        await saved(store, asked(await saved(store, begun()))),
    )
    assert first.due_at is not None
    assert second.due_at is not None
    assert await store.list_due(NOON, limit=9) == ()
    due = await store.list_due(NOON + 3_600_000, limit=9)
    assert {one.id for one in due} == {first.id, second.id}
    assert await store.list_due(NOON + 3_600_000, limit=1) == due[:1]
    done = await saved(store, decide.give_up(first, now=NOON))
    assert done.due_at is None
    assert await store.list_due(NOON + 3_600_000, limit=9) == (second,)


async def test_more_than_was_captured_is_never_kept_as_given_back(made: Made) -> None:
    store, _ = made
    paid = await saved(store, captured(await saved(store, asked(await saved(store, begun())))))
    too_much = replace(
        paid, version=paid.version + 1, refunded_halalas=paid.captured_halalas, credited_halalas=1
    )
    with pytest.raises(Exception, match=r"payments_returned|Payment"):
        await store.save(Decision(changes=(Change(too_much, ()),)), at=NOON)


async def test_everybodys_payments_are_found_as_they_are_asked_for(made: Made) -> None:
    store, _ = made
    customer = new_id()
    kept = [await saved(store, begun(customer_id=customer, now=NOON + at)) for at in (0, 1, 1, 5)]
    kept.append(await saved(store, captured(await saved(store, asked(kept[2])))))
    del kept[2]
    mine = Condition("customer_id", Operator.IS, customer)
    every, last = Wanted(limit=9, only=(mine,)), Wanted(limit=1, only=(mine,))
    newest_first = sorted(kept, key=lambda one: (one.made_at, one.id), reverse=True)
    assert list((await store.list_all(every)).rows) == newest_first
    page = await store.list_all(last)
    assert (page.rows, page.has_next) == ((newest_first[0],), True)
    reference = Condition("reference", Operator.IS, f"ref-{kept[-1].id}")
    found = await store.list_all(Wanted(limit=9, only=(mine, reference)))
    assert found.rows == (kept[-1],)
