"""What must hold of every conversation, by a book-keeping of its own, checked as it happens."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from actors.clock import Clock
from engine.chat.conversation import (
    NOTICES_APART_MS,
    OPEN_AFTER_END_MS,
    ChatMessage,
    Conversation,
    Marker,
    MessageWritten,
    Standing,
    TellOfMessage,
)
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Caller, Decision, Role
from engine.kernel.refusals import Refusal
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.order import Order
from simulations.faults.journal import Journal
from simulations.faults.parts import Faulty
from simulations.talk_page import MessageShown
from simulations.views import Told
from storage.chat import Asked, Decide
from storage.memory_chat import MemoryChat
from storage.memory_outbox import MemoryOutbox
from storage.memory_uploads import MemoryUploads
from storage.store import Store, StoreUnavailable

# By how much two clocks may differ that note the same.
_CLOCKS_APART_MS: Final = 60 * SECOND_MS
_TURNS_REMEMBERED: Final = 32
_LATEST_LANDING_MS: Final = 20 * SECOND_MS


class ChatTruth:
    """Knows all messages, markers and text messages; `order` finds an order as stored."""

    def __init__(
        self, journal: Journal, order: Callable[[OrderId], Order | None], clock: Clock
    ) -> None:
        self._journal, self._order, self._clock = journal, order, clock
        # Who carried an order when its last turns were decided, and when that was.
        self._carried: dict[OrderId, deque[tuple[Instant, CourierId | None]]] = defaultdict(
            partial(deque, maxlen=_TURNS_REMEMBERED)
        )
        self._messages: dict[OrderId, list[ChatMessage]] = defaultdict(list)
        self._by_id: dict[str, ChatMessage] = {}
        self._markers: dict[tuple[OrderId, str], Marker] = {}
        self._notices: dict[tuple[OrderId, str], tuple[str, Instant]] = {}
        self._told: dict[tuple[str, str], Told] = {}
        self.effects: dict[str, TellOfMessage] = {}

    def part(self, order_id: OrderId, courier_id: CourierId | None) -> list[ChatMessage]:
        """The messages that somebody may see: a courier his own part, others (None) all."""
        every = self._messages.get(order_id, ())
        return [one for one in every if courier_id in {None, one.courier_id}]

    def marker(self, order_id: OrderId, reader: str) -> tuple[int, int]:
        """Up to which number a reader's phone has the messages, and he has read them."""
        known = self._markers.get((order_id, reader))
        return (known.delivered, known.read) if known else (0, 0)

    # What is stored

    def take(self, standing: Standing, decided: Decision) -> None:
        """A turn was stored."""
        order = standing.order
        self._carried[order.id].append((self._clock.now(), order.courier_id))
        for change in decided.changes:
            conversation: Conversation = change.thing
            for event in change.events:
                if isinstance(event, MessageWritten):
                    self._say(self._wrong_message(order, event.message))
            self._say(self._wrong_markers(conversation))
        for effect in decided.effects:
            assert isinstance(effect, TellOfMessage)
            if effect.id in self.effects:
                self._journal.violate(f"effect {effect.id} was promised twice")
            self.effects[effect.id] = effect

    def _wrong_message(self, order: Order, message: ChatMessage) -> Iterator[str]:
        self._journal.note(f"message {message.number} of {order.id[-6:]} by {message.side}")
        before = self._messages[order.id]
        name = f"message {message.number} of {order.id}"
        if message.number != len(before) + 1:
            yield f"{name} follows {len(before)}"
        if message.id in self._by_id:
            yield f"{name} was stored before, as {self._by_id[message.id]}"
        if message.courier_id != order.courier_id:
            yield f"{name} is told to {message.courier_id}, but {order.courier_id} has the order"
        if order.ended_at is not None and message.at >= order.ended_at + OPEN_AFTER_END_MS:
            yield f"{name} was written at {message.at}, the order ended at {order.ended_at}"
        before.append(message)
        self._by_id[message.id] = message

    def _wrong_markers(self, conversation: Conversation) -> Iterator[str]:
        for now in conversation.markers:
            key = (conversation.id, now.reader)
            before = self._markers.get(key, Marker(reader=now.reader))
            if now.delivered < before.delivered or now.read < before.read:
                yield f"the marker of {now.reader} in {conversation.id} went back to {now}"
            if not now.read <= now.delivered <= len(self._messages[conversation.id]):
                yield f"the marker of {now.reader} in {conversation.id} is {now}"
            self._markers[key] = now
            if now.noticed_by is not None and now.noticed_by != before.noticed_by:
                yield from self._wrong_notice(key, before, now)

    def _wrong_notice(self, key: tuple[OrderId, str], before: Marker, now: Marker) -> Iterator[str]:
        """A text message is decided on: for who has not got it, and was sent none lately."""
        assert now.noticed_by is not None
        assert now.noticed_at is not None
        effect = self.effects.get(now.noticed_by)
        if effect is None or (effect.order_id, effect.reader) != key:
            yield f"a text message leaves for {key} by {now.noticed_by}, which was not promised"
        elif before.delivered >= effect.number:
            yield f"a text message leaves for {key}, who has {before.delivered} messages"
        last = self._notices.get(key)
        if last is not None and now.noticed_at < last[1] + NOTICES_APART_MS:
            yield f"two text messages leave for {key}, at {last[1]} and {now.noticed_at}"
        self._notices[key] = (now.noticed_by, now.noticed_at)

    # What is told

    def answered(self, caller: Caller, frame: Mapping[str, str], told: Told) -> None:
        """Somebody's message was answered for good; the same one is always answered the same."""
        key = (caller.user_id, frame["id"])
        before = self._told.setdefault(key, told)
        if before != told:
            self._journal.violate(f"{frame} was answered {before} and {told}")
        stored = self._by_id.get(str(told.body.get("message_id")))
        if told.refused:
            self._say(self._wrong_refusal(caller, frame, told.refused))
        elif stored is None or (stored.number, stored.at, stored.text, stored.author_id) != (
            told.body["number"],
            told.body["at"],
            frame["text"],
            caller.user_id,
        ):
            self._journal.violate(f"{frame} was answered {told}, stored is {stored}")

    def _wrong_refusal(
        self, caller: Caller, frame: Mapping[str, str], refused: str
    ) -> Iterator[str]:
        stored = self._messages[OrderId(frame["order_id"])]
        said = [
            one for one in stored if (one.author_id, one.text) == (caller.user_id, frame["text"])
        ]
        if said:
            yield f"{frame} was refused with {refused}, but is stored: {said}"

    def shown(self, caller: Caller, order_id: OrderId, message: MessageShown) -> None:
        """Somebody's phone shows a message: it is stored so, and he may read it."""
        stored = self._by_id.get(message.message_id)
        if stored is None or (stored.order_id, stored.number, stored.text) != (
            order_id,
            message.number,
            message.text,
        ):
            self._journal.violate(f"{message} was shown, stored is {stored}")
            return
        order = self._order(order_id)
        match caller.role:
            case Role.CUSTOMER:
                is_his = order is not None and order.customer_id == caller.user_id
            case Role.COURIER:
                is_his = stored.courier_id == caller.user_id
            case _:
                is_his = True
        if not is_his:
            self._journal.violate(f"{caller} was shown {message} of order {order_id}")

    def settled(self, effect: TellOfMessage, *, is_texted: bool) -> None:
        """An effect is over: a text message left, or there was a reason for none."""
        now = self._clock.now()
        if is_texted or self.marker(effect.order_id, effect.reader)[0] >= effect.number:
            return
        order = self._order(effect.order_id)
        assert order is not None
        last = self._notices.get((effect.order_id, effect.reader))
        ended_at, latest = order.ended_at, now + _CLOCKS_APART_MS
        is_told_lately = last is not None and now < last[1] + NOTICES_APART_MS + _CLOCKS_APART_MS
        is_closed = ended_at is not None and latest >= ended_at + OPEN_AFTER_END_MS
        is_anothers = any(
            courier_id is None or effect.reader not in {"customer", f"courier:{courier_id}"}
            for at, courier_id in self._carried[order.id]
            if at >= now - _CLOCKS_APART_MS
        )
        if not (is_told_lately or is_closed or is_anothers):
            self._journal.violate(f"{effect} is over, and nobody was told")

    def _say(self, found: Iterator[str]) -> None:
        for what in found:
            self._journal.violate(what)


class CheckedChat(MemoryChat):
    """The twin of conversations that shows the truth every turn.

    `rows` are the locks that a transaction holds until it ends.
    """

    def __init__(self, orders: Store, outbox: MemoryOutbox, truth: ChatTruth) -> None:
        super().__init__(orders, MemoryUploads(), outbox)
        self._truth = truth
        self.rows: dict[OrderId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def turn(self, asked: Asked, decide: Decide, *, due_at: Instant) -> Decision | Refusal:
        """Decide and store it, and check what is stored now."""
        stood: list[Standing] = []

        def watched(standing: Standing) -> Decision | Refusal:
            stood.append(standing)
            return decide(standing)

        decided = await super().turn(asked, watched, due_at=due_at)
        if isinstance(decided, Decision):
            self._truth.take(stood[-1], decided)
        return decided


class FaultyChat(Faulty):
    """Satisfies `ChatStore` on top of another."""

    _store: CheckedChat

    async def turn(self, asked: Asked, decide: Decide, *, due_at: Instant) -> Decision | Refusal:
        """Decide and store it, or not, or later, and tell so, or not."""
        odds, misfortune = self._misfortune.odds, self._misfortune
        await misfortune.pause()
        await self._crash("before a turn")
        misfortune.store_answers("turn")
        row = self._store.rows[asked.order_id]
        await row.acquire()
        if misfortune.happens(odds.commit_late, "commit late", "of a conversation"):
            misfortune.begin(self._land_late(row, asked, decide, due_at))
            raise StoreUnavailable("the commit takes too long")
        try:
            decided = await self._store.turn(asked, decide, due_at=due_at)
        finally:
            row.release()
        await self._crash("after a turn")
        await misfortune.pause()
        if misfortune.happens(odds.commit_answer_lost, "commit's answer lost", "of a conversation"):
            raise StoreUnavailable("the connection broke")
        return decided

    async def _land_late(
        self, row: asyncio.Lock, asked: Asked, decide: Decide, due_at: Instant
    ) -> None:
        try:
            await self._misfortune.clock.sleep(self._misfortune.up_to(_LATEST_LANDING_MS))
            await self._store.turn(asked, decide, due_at=due_at)
        finally:
            row.release()
