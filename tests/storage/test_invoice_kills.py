"""Wherever a process dies while it issues, each invoice is there once, in a chain without a gap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count, pairwise
from typing import Any

from actors.chance import SystemChance
from actors.gateways.settings import OutboxSettings
from actors.invoicing import Invoicing
from actors.outbox import Handler, Outbox
from actors.print.invoice import InvoicePrinter
from actors.print.press import Press
from actors.printing import Printing
from engine.invoices.invoice import CreditRefund, Invoice, InvoiceKind, IssueInvoice
from engine.kernel.ids import EffectId, OrderId, UserId
from engine.kernel.messages import Caller, Decision, Effect, Role
from engine.orders.messages import SendSms
from engine.orders.order import Order, OrderStatus
from engine.pricing.lines import PriceLine
from storage.database import Database, Session
from storage.invoices import InvoiceStore, PostgresInvoices
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from tests.actors.kills import Killed, Life, Mortal, die_everywhere
from tests.actors.tills import HandClock
from tests.builders import a_story, new_id
from tests.engine.invoices.drafts import SELLER, STAMP
from tests.storage.telling import a_told_story, tell

OPERATOR = Caller(user_id=UserId(new_id()), role=Role.OPERATOR)
LINES = (PriceLine(name="ورد جوري", unit_halalas=100, includes_vat=True),)
REFUNDED = 200
TIMES = 100
PROCESSES = 4
PRINTER = InvoicePrinter()


class MortalDatabase(Mortal):
    """Whoever dies within a transaction has stored nothing of it."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MortalSession"]:
        await self._life.point("before a transaction")
        database: Any = self._inner
        try:
            async with database.transaction() as session:
                yield MortalSession(session, self._life)
                await self._life.point_in_turn("before the commit")
        except Killed:
            await asyncio.Event().wait()
        await self._life.point("after the commit")


class MortalSession:
    """A place to die before and after each statement of a transaction."""

    def __init__(self, session: Session, life: Life) -> None:
        self._session, self._life = session, life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._session, name)

        async def mortal(query: Any, **values: object) -> Any:
            await self._life.point_in_turn(f"before {query}")
            answer = await call(query, **values)
            await self._life.point_in_turn(f"after {query}")
            return answer

        return mortal


class Books:
    """What is stored; each unit begins a chain of its own."""

    def __init__(self, database: Database, store: PostgresStore) -> None:
        self.database, self.store, self.clock = database, store, HandClock()
        self.invoices = PostgresInvoices(database)

    async def owing(self) -> Order:
        """An order whose invoice is due, and a credit note for what was given back of it."""
        order = (await a_told_story(self.store, OrderStatus.DELIVERED)).order
        due = IssueInvoice(id=EffectId(new_id()), order_id=order.id)
        credit = CreditRefund(
            id=EffectId(new_id()),
            order_id=order.id,
            refund_id=new_id(),
            amount_halalas=REFUNDED,
            reason="ذابلة",
        )
        await tell(self.store, [Decision(effects=(credit, due))])
        return order

    async def chain(self, unit: str) -> tuple[Invoice, ...]:
        """What the unit has issued: each after the other, and each with its submission."""
        chain = await self.invoices.list_chain(unit, after=0, limit=999)
        assert [one.counter for one in chain] == list(range(1, len(chain) + 1))
        for last, following in pairwise(chain):
            assert following.previous_hash == last.hash
        assert len({one.draft.cause for one in chain}) == len(chain)
        submissions = await self.invoices.find_submissions(one.id for one in chain)
        assert set(submissions) == {one.id for one in chain}
        return chain


class Process:
    """Whoever issues for a unit on what is stored; it dies at a point, or never."""

    def __init__(self, books: Books, unit: str, dies_at: int | None = None) -> None:
        self.life = Life(dies_at)
        store: Any = Mortal(books.store, self.life)
        database: Any = MortalDatabase(books.database, self.life)
        invoices = PostgresInvoices(database)
        self.printing = a_printer(invoices, books.clock)
        self.invoicing = Invoicing(
            invoices,
            store,
            clock=books.clock,
            seller=SELLER,
            unit=unit,
            stamp=self._stamp,
        )
        handlers: dict[type[Effect], Handler] = {
            IssueInvoice: self.invoicing.on_effect,
            CreditRefund: self.invoicing.on_refund,
            SendSms: _nothing,
        }
        self.outbox = Outbox(
            store, handlers, OutboxSettings(at_once=1), clock=books.clock, chance=SystemChance()
        )

    async def _stamp(self) -> Any:
        await self.life.point("before the stamp")
        return STAMP

    async def drain(self) -> None:
        """Carry out what effects there are, until there are none."""
        while await self.outbox.drain():
            pass

    async def correct(self, order_id: OrderId, cause: str) -> bytes:
        """An operator's debit note under his key, and its PDF."""
        original, *_ = await self.invoicing._invoices.list_of(order_id)
        note = await self.invoicing.correct(
            original.id, InvoiceKind.DEBIT_NOTE, LINES, reason="x", cause=cause, by=OPERATOR
        )
        assert isinstance(note, Invoice)
        return await self.printing.pdf(note)


class PressAtHome(Press):
    """Prints without a child, which would cost each life half a second."""

    async def pdf(self, invoice: Invoice) -> bytes:
        return PRINTER.pdf(invoice)


def a_printer(invoices: InvoiceStore, clock: HandClock) -> Printing:
    """Of a unit that no authority knows."""
    return Printing(
        invoices, is_judged=_unknown, clock=clock, wall=clock, every_s=1, press=PressAtHome
    )


async def _unknown() -> bool:
    return False


async def _nothing(_: Effect) -> None:
    return


@asynccontextmanager
async def some_books(settings: DatabaseSettings) -> AsyncIterator[Books]:
    database, store = await Database.open(settings), await PostgresStore.open(settings)
    try:
        yield Books(database, store)
    finally:
        await store.close()
        await database.close()


async def test_wherever_a_process_dies_each_is_issued_once_and_follows_the_last(
    database_settings: DatabaseSettings,
) -> None:
    units = count(1)

    async with some_books(database_settings) as books:

        async def lived(dies_at: int | None) -> tuple[Life, object]:
            unit, cause = f"U{next(units)}", new_id()
            order = await books.owing()
            doomed = process = Process(books, unit, dies_at)
            for _ in range(4):
                await books.clock.move(40)
                try:
                    await process.life.during(process.drain())
                except Killed:
                    process = Process(books, unit)
            with suppress(Killed):
                await process.life.during(process.correct(order.id, cause))
            # Whoever has heard nothing asks again, and so does who has.
            pdf = await Process(books, unit).correct(order.id, cause)
            chain = await books.chain(unit)
            assert await books.invoices.find_print(chain[-1].id) == pdf
            assert chain[0].payable_halalas == order.total_halalas
            return doomed.life, [(one.draft.kind, one.payable_halalas) for one in chain]

        total = a_story(OrderStatus.DELIVERED).order.total_halalas
        assert await die_everywhere(lived, points=30) == [
            (InvoiceKind.INVOICE, total),
            (InvoiceKind.CREDIT_NOTE, REFUNDED),
            (InvoiceKind.DEBIT_NOTE, 100),
        ]


async def test_wherever_a_process_dies_each_pdf_is_made_in_the_background(
    database_settings: DatabaseSettings,
) -> None:
    async with some_books(database_settings) as books:

        async def lived(dies_at: int | None) -> tuple[Life, object]:
            unit = new_id()
            await books.owing()
            await books.clock.move(40)
            await Process(books, unit).drain()
            life = Life(dies_at)
            mortal: Any = Mortal(books.invoices, life)
            with suppress(Killed):
                await life.during(a_printer(mortal, books.clock).look())
            # What the dead one had begun is due again, for whoever looks after his lease.
            await books.clock.move(61)
            await a_printer(books.invoices, books.clock).look()
            issued = await books.chain(unit)
            prints = [await books.invoices.find_print(one.id) for one in issued]
            again = [PRINTER.pdf(one) for one in issued]
            assert await books.invoices.list_due_prints(books.clock.now(), limit=9) == ()
            return life, prints == again and len(prints)

        assert await die_everywhere(lived, points=20) == 2


async def test_a_hundred_at_once_are_one_invoice(database_settings: DatabaseSettings) -> None:
    async with some_books(database_settings) as books:
        order_id = (await a_told_story(books.store, OrderStatus.DELIVERED)).order.id
        due = IssueInvoice(id=EffectId(new_id()), order_id=order_id)
        processes = [Process(books, "HDY") for _ in range(PROCESSES)]
        await asyncio.gather(
            *(processes[one % PROCESSES].invoicing.on_effect(due) for one in range(TIMES))
        )
        (issued,) = await books.chain("HDY")
        assert issued.draft.order_id == order_id
