"""What must hold of issued invoices, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest
from msgspec.structs import replace

from engine.invoices.buyer import Buyer
from engine.invoices.invoice import CREDIT_EXCEEDED, Chain, Draft, Invoice, InvoiceId
from engine.invoices.issue import issue
from engine.invoices.printing import awaited, begun
from engine.invoices.submission import (
    Remark,
    SubmissionStatus,
    Verdict,
    decided,
    opened,
    tried,
)
from engine.kernel.backoff import Backoff
from engine.kernel.ids import UserId
from engine.kernel.listing import one_of
from engine.kernel.pages import Wanted
from engine.kernel.refusals import Refusal
from storage.database import Database, connected
from storage.invoices import InvoiceStore, PostgresInvoices
from storage.memory import MemoryStore
from storage.memory_invoices import MemoryInvoices
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.store import Store
from tests.builders import new_id
from tests.engine.invoices.drafts import LINES, SELLER, STAMP, a_draft, a_note_on
from tests.storage.telling import a_told_story

UNIT = "HDY"


@pytest.fixture
async def postgres_invoices(
    database_settings: DatabaseSettings,
) -> AsyncIterator[PostgresInvoices]:
    database = await Database.open(database_settings)
    yield PostgresInvoices(database)
    await database.close()


@pytest.fixture
def invoices(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> InvoiceStore:
    if isinstance(store, MemoryStore):
        return MemoryInvoices()
    opened: PostgresInvoices = request.getfixturevalue("postgres_invoices")
    return opened


async def kept(invoices: InvoiceStore, draft: Draft) -> Invoice | Refusal:
    return await invoices.issue(UNIT, draft, lambda chain: issue(draft, chain, STAMP))


async def a_kept_one(store: Store, invoices: InvoiceStore) -> Invoice:
    order = (await a_told_story(store)).order
    made = await kept(invoices, a_draft(order_id=order.id))
    assert isinstance(made, Invoice)
    return made


async def test_it_is_found_as_it_was_issued(store: Store, invoices: InvoiceStore) -> None:
    one = await a_kept_one(store, invoices)
    assert await invoices.find(one.id) == one
    assert one.draft.order_id is not None
    assert await invoices.list_of(one.draft.order_id) == (one,)
    assert await invoices.find(replace(one, id=new_id()).id) is None
    assert await invoices.find_print(one.id) is None
    await invoices.save_print(one.id, b"first")
    await invoices.save_print(one.id, b"second")
    assert await invoices.find_print(one.id) == b"first"


async def test_whoever_issues_at_once_leaves_neither_a_gap_nor_a_fork(
    store: Store, invoices: InvoiceStore
) -> None:
    order = (await a_told_story(store)).order
    drafts = [a_draft(order_id=order.id) for _ in range(12)]
    # Each is asked for twice, as who got no answer does.
    made = await asyncio.gather(*(kept(invoices, one) for one in (*drafts, *drafts)))
    numbered = {one.counter: one for one in made if isinstance(one, Invoice)}
    assert sorted(numbered) == list(range(1, 13))
    chain = await invoices.list_chain(UNIT, after=0, limit=100)
    assert [one.counter for one in chain] == list(range(1, 13))
    for last, following in pairwise(chain):
        assert following.previous_hash == last.hash
    assert await invoices.list_chain(UNIT, after=10, limit=1) == (chain[10],)


async def test_what_fails_or_is_refused_uses_no_number(
    store: Store, invoices: InvoiceStore
) -> None:
    first = await a_kept_one(store, invoices)

    def breaks(_: Chain) -> Invoice:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await invoices.issue(UNIT, a_draft(order_id=first.draft.order_id), breaks)
    refused = await kept(invoices, a_note_on(first, lines=(*LINES, *LINES)))
    assert isinstance(refused, Refusal)
    second = await kept(invoices, a_draft(order_id=first.draft.order_id))
    assert isinstance(second, Invoice)
    assert second.counter == 2


async def test_credit_notes_at_once_never_credit_more_than_was_invoiced(
    store: Store, invoices: InvoiceStore
) -> None:
    first = await a_kept_one(store, invoices)
    notes = [a_note_on(first, lines=LINES[:1]) for _ in range(6)]
    made = await asyncio.gather(*(kept(invoices, one) for one in notes))
    # The first line is 241.00 of 271.70: there is room for it once.
    assert sum(isinstance(one, Invoice) for one in made) == 1
    codes = {one.code for one in made if isinstance(one, Refusal)}
    assert codes == {CREDIT_EXCEEDED.code}


async def test_what_is_for_no_order_is_found_by_its_cause(invoices: InvoiceStore) -> None:
    draft = a_draft(order_id=None)
    fee = await kept(invoices, draft)
    assert isinstance(fee, Invoice)
    assert await invoices.find(fee.id) == fee
    assert await invoices.find_caused([draft.cause, "none"]) == {draft.cause: fee}
    assert await invoices.find_caused([]) == {}
    assert set(await invoices.find_submissions([fee.id])) == {fee.id}


async def test_a_customer_buys_for_the_company_that_he_named_last(invoices: InvoiceStore) -> None:
    one, other = UserId(new_id()), UserId(new_id())
    first = Buyer(customer_id=one, party=SELLER, made_at=1)
    moved = Buyer(customer_id=one, party=replace(SELLER, city="جدة"), made_at=2)
    assert await invoices.find_buyer(one) is None
    for buyer in (first, moved):
        await invoices.save_buyer(buyer)
        assert await invoices.find_buyer(one) == buyer
    assert await invoices.find_buyer(other) is None
    await invoices.forget_buyer(other)
    assert await invoices.find_buyer(one) == moved
    await invoices.forget_buyer(one)
    assert await invoices.find_buyer(one) is None


async def test_units_count_for_themselves(store: Store, invoices: InvoiceStore) -> None:
    first = await a_kept_one(store, invoices)
    draft = a_draft(order_id=first.draft.order_id)
    other = await invoices.issue("ABC", draft, lambda chain: issue(draft, chain, STAMP))
    assert isinstance(other, Invoice)
    assert (other.number, other.counter) == ("ABC-00000001", 1)


async def test_the_database_itself_keeps_what_was_issued(
    postgres: PostgresStore, postgres_invoices: PostgresInvoices, dsn: str
) -> None:
    first = await a_kept_one(postgres, postgres_invoices)
    async with connected(dsn) as connection:
        for change in ("update invoices set state = state", "delete from invoices"):
            with pytest.raises(asyncpg.CheckViolationError, match="cannot be changed"):
                await connection.execute(change)
        skipping = """
            insert into invoices (state)
            select jsonb_set(jsonb_set(state, '{counter}', '3'), '{id}', to_jsonb($1::text))
            from invoices where id = $2
        """
        with pytest.raises(asyncpg.CheckViolationError, match="does not follow"):
            await connection.execute(skipping, new_id(), first.id)


async def test_the_database_takes_no_company_that_the_authority_would_refuse(
    postgres_invoices: PostgresInvoices,
) -> None:
    party = replace(SELLER, vat_number="411111111100003")
    with pytest.raises(asyncpg.CheckViolationError, match="invoice_buyers_vat_number"):
        await postgres_invoices.save_buyer(
            Buyer(customer_id=UserId(new_id()), party=party, made_at=1)
        )


async def test_what_is_issued_is_on_its_way_to_the_authority(
    store: Store, invoices: InvoiceStore
) -> None:
    first = await a_kept_one(store, invoices)
    again = await kept(invoices, first.draft)
    other = await a_kept_one(store, invoices)
    assert again == first
    now = other.draft.issued_at
    due = await invoices.list_due_submissions(now, limit=10)
    assert [one.id for one in due] == [first.id, other.id]
    assert (due[0], due[1]) == (opened(first), opened(other))
    assert await invoices.list_due_submissions(now, limit=1) == due[:1]
    assert await invoices.list_due_submissions(now - 1, limit=10) == ()
    assert await invoices.oldest_not_sent() == now
    trying = tried(due[0], Backoff(first_ms=1000, most_ms=1000), now=now)
    # Two try it at once: one of them does.
    assert [await invoices.save_submission(trying) for _ in range(2)] == [True, False]
    assert await invoices.list_due_submissions(now, limit=10) == due[1:]
    verdict = Verdict(
        status=SubmissionStatus.CLEARED,
        warnings=(Remark(code="BR-KSA-98", text="تأخر"),),
        cleared_xml="<فاتورة/>".encode(),
    )
    done = decided(trying, verdict, now=now)
    assert await invoices.save_submission(done)
    assert await invoices.find_submissions([first.id, InvoiceId(new_id())]) == {first.id: done}
    wanted = Wanted(limit=10, only=(one_of("status", "cleared"),))
    page = await invoices.list_submissions(wanted)
    assert page.rows == (replace(done, cleared_xml=b""),)


async def test_what_is_issued_is_due_to_be_printed_until_it_is(
    store: Store, invoices: InvoiceStore
) -> None:
    first, other = await a_kept_one(store, invoices), await a_kept_one(store, invoices)
    now = other.draft.issued_at
    due = await invoices.list_due_prints(now, limit=10)
    assert due == tuple(sorted((awaited(first), awaited(other)), key=lambda one: one.id))
    assert await invoices.list_due_prints(now, limit=1) == due[:1]
    assert await invoices.list_due_prints(now - 1, limit=10) == ()
    begun_ = begun(awaited(first), now=now)
    # Two begin it at once: one of them does.
    assert [await invoices.save_due_print(begun_) for _ in range(2)] == [True, False]
    assert await invoices.list_due_prints(now, limit=10) == (awaited(other),)
    assert await invoices.list_due_prints(begun_.due_at, limit=10) == (awaited(other), begun_)
    await invoices.save_print(first.id, b"%PDF-1")
    await invoices.save_print(first.id, b"%PDF-2")
    assert await invoices.find_print(first.id) == b"%PDF-1"
    # Whoever had begun it finds that it is done.
    assert not await invoices.save_due_print(begun(begun_, now=now))
    await invoices.drop_due_print(other.id)
    assert await invoices.list_due_prints(begun_.due_at, limit=10) == ()
    assert await invoices.find_print(other.id) is None
