"""What must hold of conversations, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from engine.chat.conversation import (
    ChatMessage,
    MessageWritten,
    Side,
    Standing,
    TellOfMessage,
    WriteMessage,
    mark,
    message_id_of,
    reader_of,
    write,
)
from engine.chat.view import Talk
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Caller, Change, Decision, Role
from engine.kernel.pages import Wanted
from engine.kernel.refusals import Refusal
from engine.listings import CHAT_MESSAGES
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order, OrderStatus
from engine.uploads import UploadPurpose
from storage.chat import MISSED_MAX, NEWEST, Asked, ChatStore, PostgresChat
from storage.database import Database
from storage.memory import MemoryStore
from storage.memory_chat import MemoryChat
from storage.memory_uploads import MemoryUploads
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.uploads import PostgresUploads, UploadStore
from tests.builders import NOON, new_id
from tests.engine.chat.test_conversation import a_file, customer_of
from tests.storage.telling import a_told_story
from tests.storage.walking import keeps_its_word
from tests.wire import Wire

DUE = NOON + 20_000


class Desk:
    """A store of conversations and what stands beside it."""

    def __init__(
        self, chat: ChatStore, store: MemoryStore | PostgresStore, files: UploadStore
    ) -> None:
        self.chat, self.store, self.files = chat, store, files

    async def order(self) -> Order:
        return (await a_told_story(self.store, OrderStatus.PICKED_UP)).order

    async def write(
        self, order: Order, text: str, *, key: str | None = None, at: int = NOON, **more: Any
    ) -> Decision | Refusal:
        caller = customer_of(order)
        wish = WriteMessage(
            id=message_id_of(caller.user_id, order.id, key or text),
            order_id=order.id,
            text=text,
            **more,
        )
        asked = Asked(
            order_id=order.id,
            message_id=wish.id,
            author_id=caller.user_id,
            attachment=wish.attachment,
        )
        # How much one may write is the rule's business.
        decide = partial(self._decide, wish=wish, caller=caller, at=at)
        return await self.chat.turn(asked, decide, due_at=DUE)

    @staticmethod
    def _decide(
        standing: Standing, wish: WriteMessage, caller: Caller, at: int
    ) -> Decision | Refusal:
        return write(replace(standing, recent=0), wish, caller, now=at)

    async def talk(
        self, order: Order, since: int | None = None, courier_id: CourierId | None = None
    ) -> Talk:
        talk = await self.chat.read(order.id, since=since, courier_id=courier_id)
        assert talk is not None
        return talk

    async def texts(self, order: Order, since: int | None = None) -> list[str]:
        return [one.text for one in (await self.talk(order, since)).messages]


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def desk(store: MemoryStore | PostgresStore, request: pytest.FixtureRequest) -> Desk:
    if isinstance(store, MemoryStore):
        files = MemoryUploads()
        return Desk(MemoryChat(store, files, store.outbox), store, files)
    database: Database = request.getfixturevalue("database")
    return Desk(PostgresChat(database), store, PostgresUploads(database))


async def test_messages_are_read_in_their_order_with_what_was_missed(desk: Desk) -> None:
    order = await desk.order()
    empty = await desk.talk(order)
    assert (empty.order.id, empty.conversation.version, empty.messages) == (order.id, 0, ())
    for text in ("a", "b", "c"):
        assert isinstance(await desk.write(order, text), Decision)
    talk = await desk.talk(order)
    assert [(one.number, one.text) for one in talk.messages] == [(1, "a"), (2, "b"), (3, "c")]
    assert (talk.conversation.version, talk.conversation.last_number) == (3, 3)
    assert await desk.texts(order, since=1) == ["b", "c"]
    assert await desk.texts(order, since=3) == []


async def test_an_order_that_there_is_not_has_no_conversation(desk: Desk) -> None:
    nowhere = OrderId(new_id())
    assert await desk.chat.read(nowhere, since=None, courier_id=None) is None
    asked = Asked(order_id=nowhere)
    answer = await desk.chat.turn(asked, lambda _: Decision(), due_at=DUE)
    assert answer == UNKNOWN_ORDER(order_id=nowhere)


async def test_a_message_that_is_sent_at_once_several_times_stands_there_once(desk: Desk) -> None:
    order = await desk.order()
    sent = [desk.write(order, "hello", key="one") for _ in range(8)]
    decided = [one for one in await asyncio.gather(*sent) if isinstance(one, Decision)]
    assert len(decided) == 8
    assert sum(bool(one.changes) for one in decided) == 1
    assert len({str(one.reply) for one in decided}) == 1
    assert await desk.texts(order) == ["hello"]


async def test_many_at_once_are_numbered_without_a_hole(desk: Desk) -> None:
    order = await desk.order()
    await asyncio.gather(*(desk.write(order, f"{n}") for n in range(24)))
    talk = await desk.talk(order)
    assert [one.number for one in talk.messages] == list(range(1, 25))
    assert talk.conversation.version == 24


async def test_a_decision_that_fails_leaves_nothing(desk: Desk) -> None:
    order = await desk.order()
    await desk.write(order, "kept")

    def fails(_: Standing) -> Decision:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await desk.chat.turn(Asked(order_id=order.id), fails, due_at=DUE)
    assert await desk.texts(order) == ["kept"]
    assert isinstance(await desk.write(order, "next"), Decision)


async def test_what_is_to_be_told_waits_for_its_time(desk: Desk) -> None:
    order = await desk.order()
    await desk.write(order, "hello")
    lease = partial(desk.store.lease_effects, limit=10)
    before = await lease(now=DUE - 1, lease_until=DUE)
    assert not [one for one in before if isinstance(one.effect, TellOfMessage)]
    due = await lease(now=DUE, lease_until=DUE + 1)
    found = [one.effect for one in due if isinstance(one.effect, TellOfMessage)]
    assert [(one.order_id, one.number, one.reader) for one in found] == [
        (order.id, 1, f"courier:{order.courier_id}")
    ]


async def test_a_marker_is_kept_with_its_version(desk: Desk) -> None:
    order = await desk.order()
    await desk.write(order, "hello")
    reader = reader_of(Caller(user_id=CourierId(str(order.courier_id)), role=Role.COURIER))
    for _ in range(2):
        await desk.chat.turn(
            Asked(order_id=order.id),
            lambda one: mark(one.conversation, reader, read=1, now=NOON),
            due_at=DUE,
        )
    conversation = (await desk.talk(order)).conversation
    assert conversation.version == 2
    assert (conversation.marker(reader).read, conversation.marker(reader).version) == (1, 2)


async def test_a_courier_reads_his_own_part(desk: Desk) -> None:
    order = await desk.order()
    await desk.write(order, "to the first")
    other = CourierId(new_id())

    def by_another(standing: Standing) -> Decision:
        """As the rule would decide after the order went to another courier."""
        version = standing.conversation.version + 1
        message = ChatMessage(
            id=message_id_of(order.customer_id, order.id, "later"),
            order_id=order.id,
            number=version,
            version=version,
            side=Side.CUSTOMER,
            author_id=order.customer_id,
            courier_id=other,
            text="to the second",
            at=NOON,
        )
        changed = replace(standing.conversation, version=version, last_number=version)
        return Decision(changes=(Change(changed, (MessageWritten(at=NOON, message=message),)),))

    await desk.chat.turn(Asked(order_id=order.id), by_another, due_at=DUE)
    for courier_id, texts in (
        (None, ["to the first", "to the second"]),
        (order.courier_id, ["to the first"]),
        (other, ["to the second"]),
    ):
        for since in (None, 0):
            talk = await desk.talk(order, since, courier_id)
            assert [one.text for one in talk.messages] == texts
        page = await desk.chat.list_of(order.id, courier_id, Wanted(limit=10))
        assert [one.text for one in page.rows] == texts[::-1]


async def test_who_missed_very_much_is_told_so(desk: Desk) -> None:
    order = await desk.order()
    for n in range(MISSED_MAX + 1):
        await desk.write(order, f"{n}")
    assert not (await desk.talk(order, since=0)).is_complete
    assert (await desk.talk(order, since=1)).is_complete
    newest = await desk.talk(order)
    assert not newest.is_complete
    assert newest.messages[0].number == MISSED_MAX + 2 - NEWEST
    assert newest.messages[-1].number == MISSED_MAX + 1


async def test_a_list_keeps_its_word(desk: Desk) -> None:
    order = await desk.order()
    for n in range(7):
        await desk.write(order, f"{n}")
    rows = (await desk.talk(order)).messages
    await keeps_its_word(CHAT_MESSAGES, rows, partial(desk.chat.list_of, order.id, None))


async def test_a_file_is_known_by_the_message_that_it_came_with(desk: Desk) -> None:
    order = await desk.order()
    file, other = a_file(order), a_file(order, purpose=UploadPurpose.PROOF_PHOTO)
    for one in (file, other):
        await desk.files.save(one)
    assert not await desk.chat.is_attached(order.id, file.id, None)
    assert isinstance(await desk.write(order, "see", attachment=file.id), Decision)
    assert isinstance(await desk.write(order, "this", attachment=other.id), Refusal)
    assert await desk.chat.is_attached(order.id, file.id, None)
    assert await desk.chat.is_attached(order.id, file.id, order.courier_id)
    assert not await desk.chat.is_attached(order.id, file.id, CourierId(new_id()))


async def test_what_was_said_cannot_be_changed(desk: Desk, request: pytest.FixtureRequest) -> None:
    if isinstance(desk.store, MemoryStore):
        return
    await desk.write(await desk.order(), "hello")
    database: Database = request.getfixturevalue("database")
    async with database.session() as session:
        with pytest.raises(asyncpg.CheckViolationError, match="kept"):
            await session.connection.execute(
                'update chat_messages set state = state || \'{"text": "other"}\''
            )


async def test_a_message_takes_two_round_trips_and_a_reading_one(
    dsn: str, postgres: PostgresStore
) -> None:
    async with Wire.to(dsn) as wire:
        database = await Database.open(DatabaseSettings(dsn=SecretStr(wire.url), pool_max=1))
        desk = Desk(PostgresChat(database), postgres, PostgresUploads(database))
        order = await desk.order()
        await desk.write(order, "a")
        assert await desk.texts(order, since=0) == ["a"]
        asked = wire.requests
        await desk.write(order, "b")
        assert wire.requests == asked + 2
        assert await desk.texts(order, since=1) == ["b"]
        assert wire.requests == asked + 3
        await database.close()
