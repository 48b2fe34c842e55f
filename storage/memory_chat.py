"""The in-memory twin of conversations."""

from collections import defaultdict
from collections.abc import Iterable

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
from engine.uploads import UploadId
from storage.chat import MISSED_MAX, NEWEST, Asked, Decide
from storage.memory_outbox import MemoryOutbox
from storage.store import Store
from storage.uploads import UploadStore


class MemoryChat:
    """Satisfies `ChatStore`; orders, files and the outbox are those of the stores beside it."""

    def __init__(self, orders: Store, uploads: UploadStore, outbox: MemoryOutbox) -> None:
        self._orders, self._uploads, self._outbox = orders, uploads, outbox
        self._conversations: dict[OrderId, Conversation] = {}
        self._messages: dict[OrderId, list[ChatMessage]] = defaultdict(list)
        self._by_id: dict[MessageId, ChatMessage] = {}

    async def turn(self, asked: Asked, decide: Decide, *, due_at: Instant) -> Decision | Refusal:
        file = None if asked.attachment is None else await self._uploads.find(asked.attachment)
        order = await self._orders.find_order(asked.order_id)
        if order is None:
            return UNKNOWN_ORDER(order_id=asked.order_id)
        # From here on nothing waits, so nobody else decides meanwhile.
        standing = Standing(
            order=order,
            conversation=self._conversation(order.id),
            same=None if asked.message_id is None else self._by_id.get(asked.message_id),
            recent=self._count(order.id, asked.author_id, asked.since),
            attachment=file,
        )
        decided = decide(standing)
        if isinstance(decided, Decision):
            self._keep(decided)
            self._outbox.add(decided.effects, due_at)
        return decided

    async def read(
        self, order_id: OrderId, *, since: int | None, courier_id: CourierId | None
    ) -> Talk | None:
        order = await self._orders.find_order(order_id)
        if order is None:
            return None
        found = [one for one in self._part(order_id, courier_id) if one.version > (since or 0)]
        limit = NEWEST if since is None else MISSED_MAX
        return Talk(
            order=order,
            conversation=self._conversation(order_id),
            messages=tuple(found[-limit:] if since is None else found[:limit]),
            is_complete=len(found) <= limit,
        )

    async def list_of(
        self, order_id: OrderId, courier_id: CourierId | None, wanted: Wanted
    ) -> Page[ChatMessage]:
        return CHAT_MESSAGES.page(self._part(order_id, courier_id), wanted)

    async def is_attached(
        self, order_id: OrderId, upload_id: UploadId, courier_id: CourierId | None
    ) -> bool:
        return any(one.attachment == upload_id for one in self._part(order_id, courier_id))

    def _conversation(self, order_id: OrderId) -> Conversation:
        return self._conversations.get(order_id, Conversation(id=order_id))

    def _part(self, order_id: OrderId, courier_id: CourierId | None) -> Iterable[ChatMessage]:
        every = self._messages.get(order_id, ())
        return (one for one in every if courier_id in {None, one.courier_id})

    def _count(self, order_id: OrderId, author_id: UserId | None, since: Instant) -> int:
        every = self._messages.get(order_id, ())
        return sum(one.author_id == author_id and one.at > since for one in every)

    def _keep(self, decided: Decision) -> None:
        for change in decided.changes:
            before = self._conversation(change.thing.id)
            assert change.thing.version == before.version + 1, "conversations_next_version"
            self._conversations[change.thing.id] = change.thing
            for event in change.events:
                if isinstance(event, MessageWritten):
                    self._messages[change.thing.id].append(event.message)
                    self._by_id[event.message.id] = event.message
