"""Conversations: each changes one version after another, with its messages and markers."""

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
from storage.database import Database
from storage.kinds import decode, encode, known
from storage.listed import page_in
from storage.queries import queries
from storage.store import StoreUnavailable

# So much is told at once of what somebody missed; who missed more begins with the newest.
MISSED_MAX: Final = 200
NEWEST: Final = 50
# Of those who write at once one succeeds with each try.
_TRIES_MAX: Final = 100


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
        """Decide by what stands, and store what was decided if that still stands; else once more.

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
        for _ in range(_TRIES_MAX):
            standing = await self._standing(asked)
            if standing is None:
                return UNKNOWN_ORDER(order_id=asked.order_id)
            decided = decide(standing)
            if isinstance(decided, Refusal) or not decided.changes:
                return decided
            if await self._is_saved(decided, due_at):
                return decided
        raise StoreUnavailable(f"others wrote about order {asked.order_id} all the time")

    async def read(
        self, order_id: OrderId, *, since: int | None, courier_id: CourierId | None
    ) -> Talk | None:
        limit = NEWEST if since is None else MISSED_MAX
        scope = {"order_id": known(order_id), "courier_id": courier_id, "limit": limit + 1}
        if since is None:
            rows = await self._database.rows(queries.conversation_newest, **scope)
        else:
            rows = await self._database.rows(queries.conversation_since, **scope, since=since)
        if not rows:
            return None
        (found,) = rows
        messages = [decode(ChatMessage, one) for one in found["messages"][:limit]]
        return Talk(
            order=decode(Order, found["order_state"]),
            conversation=_conversation(order_id, found["state"]),
            messages=tuple(sorted(messages, key=_number)),
            is_complete=len(found["messages"]) <= limit,
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

    async def _standing(self, asked: Asked) -> Standing | None:
        """What is known now; None of an order that there is not."""
        rows = await self._database.rows(
            queries.conversation_standing,
            order_id=known(asked.order_id),
            message_id=asked.message_id,
            author_id=asked.author_id,
            since=asked.since,
            upload_id=None if asked.attachment is None else known(asked.attachment),
        )
        if not rows:
            return None
        (found,) = rows
        same, attachment = found["same"], found["attachment"]
        return Standing(
            order=decode(Order, found["order_state"]),
            conversation=_conversation(asked.order_id, found["state"]),
            same=None if same is None else decode(ChatMessage, same),
            recent=found["recent"],
            attachment=None if attachment is None else decode(Upload, attachment),
        )

    async def _is_saved(self, decided: Decision, due_at: Instant) -> bool:
        """Whether it was stored: not if somebody else was quicker."""
        (change,) = decided.changes
        written = (one.message for one in change.events if isinstance(one, MessageWritten))
        saved: bool = await self._database.value(
            queries.save_conversation,
            state=encode(change.thing),
            order_id=change.thing.id,
            version=change.thing.version,
            messages=[encode(one) for one in written],
            effects=[encode(one) for one in decided.effects],
            due_at=due_at,
        )
        return saved


def _conversation(order_id: OrderId, state: bytes | None) -> Conversation:
    return Conversation(id=order_id) if state is None else decode(Conversation, state)


def _number(message: ChatMessage) -> int:
    return message.number
