"""Conversations: one writer at a time for each, its messages and markers in one transaction."""

from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from engine.chat.conversation import (
    ChatMessage,
    Conversation,
    MessageId,
    MessageWritten,
    Standing,
)
from engine.chat.view import Talk
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.messages import Decision
from engine.kernel.pages import Page, Wanted
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.listings import CHAT_MESSAGES
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.uploads import Upload, UploadId
from storage.database import Database, Session
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries

# So much is told at once of what somebody missed; who missed more begins with the newest.
MISSED_MAX: Final = 200
NEWEST: Final = 50


class Asked(Struct, frozen=True, kw_only=True):
    """What a decision about a conversation looks at; `since` is from when an author is counted."""

    order_id: OrderId
    message_id: MessageId | None = None
    author_id: UserId | None = None
    since: Instant = 0
    attachment: UploadId | None = None


Decide = Callable[[Standing], Decision | Refusal]


class ChatStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def turn(self, asked: Asked, decide: Decide, *, due_at: Instant) -> Decision | Refusal:
        """Decide while nobody else does in this conversation, and store what was decided.

        Its effects are promised with it, to happen from `due_at` on. A decision without a change
        stores nothing. Of an order that there is not it is not asked.
        """
        ...

    async def read(
        self, order_id: OrderId, *, since: int | None, courier_id: CourierId | None
    ) -> Talk | None:
        """The messages of after a version, at most `MISSED_MAX`, or (None) the newest `NEWEST`.

        Of a courier's part alone, if one is named. None when there is no such order.
        """
        ...

    async def list_of(
        self, order_id: OrderId, courier_id: CourierId | None, wanted: Wanted
    ) -> Page[ChatMessage]:
        """A page of the messages, as `CHAT_MESSAGES` says, or of a courier's part of them."""
        ...

    async def is_attached(
        self, order_id: OrderId, upload_id: UploadId, courier_id: CourierId | None
    ) -> bool:
        """Whether a message, or one of a courier's part, came with this file."""
        ...


class PostgresChat:
    """Satisfies `ChatStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def turn(self, asked: Asked, decide: Decide, *, due_at: Instant) -> Decision | Refusal:
        async with self._database.transaction() as session:
            found = await session.rows(queries.find_conversation, order_id=known(asked.order_id))
            if not found:
                return UNKNOWN_ORDER(order_id=asked.order_id)
            decided = decide(await _standing(session, asked))
            if isinstance(decided, Decision):
                await _save(session, asked.order_id, decided, due_at)
        return decided

    async def read(
        self, order_id: OrderId, *, since: int | None, courier_id: CourierId | None
    ) -> Talk | None:
        limit = NEWEST if since is None else MISSED_MAX
        scope = {"order_id": known(order_id), "courier_id": courier_id, "limit": limit + 1}
        async with self._database.snapshot() as session:
            found = await session.rows(queries.find_conversation, order_id=known(order_id))
            if not found:
                return None
            if since is None:
                rows = await session.rows(queries.newest_chat_messages, **scope)
            else:
                rows = await session.rows(queries.chat_messages_since, **scope, since=since)
        messages = [decode(ChatMessage, row["state"]) for row in rows[:limit]]
        state = found[0]["state"]
        return Talk(
            order=decode(Order, found[0]["order_state"]),
            conversation=(
                Conversation(id=order_id) if state is None else decode(Conversation, state)
            ),
            messages=tuple(sorted(messages, key=_number)),
            is_complete=len(rows) <= limit,
        )

    async def list_of(
        self, order_id: OrderId, courier_id: CourierId | None, wanted: Wanted
    ) -> Page[ChatMessage]:
        return await page_in(
            self._database,
            queries.list_chat_messages,
            CHAT_MESSAGES,
            wanted,
            lambda row: decode(ChatMessage, row["state"]),
            order_id=known(order_id),
            courier_id=courier_id,
        )

    async def is_attached(
        self, order_id: OrderId, upload_id: UploadId, courier_id: CourierId | None
    ) -> bool:
        found: bool = await self._database.value(
            queries.is_attached,
            order_id=known(order_id),
            upload_id=upload_id,
            courier_id=courier_id,
        )
        return found


async def _standing(session: Session, asked: Asked) -> Standing:
    """What is known once the conversation is ours alone; the order is read after that, too."""
    begun = Conversation(id=asked.order_id)
    state = await session.value(queries.begin_conversation, state=encode(begun))
    (found,) = await session.rows(queries.find_conversation, order_id=asked.order_id)
    same, recent, attachment = None, 0, None
    if asked.message_id is not None:
        same = await session.value(queries.find_chat_message, message_id=asked.message_id)
        recent = await session.value(
            queries.count_chat_messages_of,
            author_id=asked.author_id,
            order_id=asked.order_id,
            since=asked.since,
        )
    if asked.attachment is not None:
        attachment = await session.value(queries.find_upload, upload_id=known(asked.attachment))
    return Standing(
        order=decode(Order, found["order_state"]),
        conversation=decode(Conversation, state),
        same=None if same is None else decode(ChatMessage, same),
        recent=recent,
        attachment=None if attachment is None else decode(Upload, attachment),
    )


async def _save(session: Session, order_id: OrderId, decided: Decision, due_at: Instant) -> None:
    for change in decided.changes:
        written = [
            encode(event.message) for event in change.events if isinstance(event, MessageWritten)
        ]
        if written:
            await session.run(queries.save_chat_messages, states=written)
        await session.run(queries.save_conversation, state=encode(change.thing), order_id=order_id)
    for effect in decided.effects:
        await session.run(queries.promise_effect, effect=encode(effect), at=due_at)


def _number(message: ChatMessage) -> int:
    return message.number
