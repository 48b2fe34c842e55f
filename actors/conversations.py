"""Conversations as they happen: written once, told to who listens, by text to who does not."""

from typing import Final

import structlog

from actors.clock import Clock
from actors.gateways.sms import SmsGateway
from engine.chat.conversation import (
    NOTICE_AFTER_MS,
    RATE_MS,
    Reader,
    Side,
    Standing,
    TellOfMessage,
    WriteMessage,
    is_open,
    mark,
    may_converse,
    notice,
    reader_of,
    write,
)
from engine.chat.notices import notice_text
from engine.identity.profiles import Language
from engine.kernel.ids import OrderId, UserId
from engine.kernel.messages import Caller, Decision, Effect, Role
from engine.kernel.refusals import UNAVAILABLE, Refusal
from engine.kernel.timing import SECOND_MS, Instant
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from storage.chat import Asked, ChatStore, Decide
from storage.identity import IdentityStore
from storage.live import EDGE, Batch, LiveStream, LiveUnavailable, Publication
from storage.store import Store, StoreUnavailable

# The kinds of what is told: that something is stored, which each listener reads, and that somebody
# types, which is kept nowhere.
CHANGED: Final = "conversation_changed"
TYPING: Final = "typing"
# An app says again every few seconds that somebody types; who does not has stopped.
TYPING_LASTS_MS: Final = 6 * SECOND_MS


class Conversations:
    """The one door to conversations: decide, commit, and then tell everybody to look.

    What is told names the conversation alone, so that it may be lost, doubled or come late.
    """

    def __init__(
        self,
        chat: ChatStore,
        orders: Store,
        identity: IdentityStore,
        *,
        live: LiveStream,
        sms: SmsGateway,
        clock: Clock,
    ) -> None:
        self._chat, self._orders, self._identity = chat, orders, identity
        self._live, self._sms, self._clock = live, sms, clock

    async def write(self, caller: Caller, command: WriteMessage) -> dict[str, object] | Refusal:
        """Store a message, once however often it is sent; what its author is told of it."""
        now = self._clock.now()
        asked = Asked(
            order_id=command.order_id,
            message_id=command.id,
            author_id=caller.user_id,
            since=now - RATE_MS,
            attachment=command.attachment,
        )
        decided = await self._turn(asked, lambda one: write(one, command, caller, now=now), now)
        return decided if isinstance(decided, Refusal) else decided.reply

    async def mark(
        self, caller: Caller, order_id: OrderId, *, delivered: int = 0, read: int = 0
    ) -> Refusal | None:
        """Note how far somebody's phone has the messages, and how far he has read them."""
        now = self._clock.now()

        def decide(standing: Standing) -> Decision | Refusal:
            if not may_converse(standing.order, caller, now):
                return UNKNOWN_ORDER(order_id=order_id)
            reader = reader_of(caller)
            return mark(standing.conversation, reader, delivered=delivered, read=read, now=now)

        decided = await self._turn(Asked(order_id=order_id), decide, now)
        return decided if isinstance(decided, Refusal) else None

    async def find_order(self, caller: Caller, order_id: OrderId) -> Order | Refusal:
        """The order, if he may read what is said about it."""
        try:
            order = await self._orders.find_order(order_id)
        except StoreUnavailable:
            return UNAVAILABLE()
        if order is None or not may_converse(order, caller, self._clock.now()):
            return UNKNOWN_ORDER(order_id=order_id)
        return order

    async def say_typing(self, caller: Caller, order_id: OrderId) -> Refusal | None:
        """Tell whoever listens that somebody types; a lost word is no loss."""
        order = await self.find_order(caller, order_id)
        if isinstance(order, Refusal):
            return order
        now = self._clock.now()
        if is_open(order, now):
            body = {
                "reader": reader_of(caller),
                "until": now + TYPING_LASTS_MS,
                "courier_id": order.courier_id,
            }
            await self._tell(order_id, TYPING, body)
        return None

    async def on_effect(self, effect: Effect) -> None:
        """Tell everybody once more, and send a text message to who still has not got it."""
        assert isinstance(effect, TellOfMessage)
        await self._tell(effect.order_id, CHANGED, {})
        now = self._clock.now()
        decided = await self._chat.turn(
            Asked(order_id=effect.order_id), lambda one: notice(one, effect, now=now), due_at=now
        )
        order = await self._orders.find_order(effect.order_id)
        if isinstance(decided, Decision) and decided.reply and order is not None:
            await self._text(order, effect)

    async def _text(self, order: Order, effect: TellOfMessage) -> None:
        user_id, role = _whom(order, effect.reader)
        user = await self._identity.find_user(user_id)
        if user is None:
            return
        profile = await self._identity.find_profile(user_id, role)
        language = Language.ARABIC if profile is None else profile.language
        await self._sms.send(user.phone, notice_text(order, language), effect.id)

    async def _turn(self, asked: Asked, decide: Decide, now: Instant) -> Decision | Refusal:
        try:
            decided = await self._chat.turn(asked, decide, due_at=now + NOTICE_AFTER_MS)
        except StoreUnavailable:
            # Perhaps it is stored: then the same again is answered, and everybody looks by then.
            return UNAVAILABLE()
        if isinstance(decided, Decision) and (decided.changes or decided.reply):
            await self._tell(asked.order_id, CHANGED, {})
        return decided

    async def _tell(self, order_id: OrderId, kind: str, body: dict[str, object]) -> None:
        told = Publication(channel=channel_of(order_id), kind=kind, version=0, body=body)
        batch = Batch(
            cell=EDGE,
            incarnation=order_id,
            sequence=1,
            at=self._clock.now(),
            publications=(told,),
        )
        try:
            await self._live.publish(batch)
        except LiveUnavailable:
            # Whoever reads the stream sees that it is away, and looks every second.
            structlog.get_logger(__name__).info("conversation_not_told", order_id=order_id)


def channel_of(order_id: OrderId) -> str:
    """What the watchers of a conversation listen to."""
    return f"conversation:{order_id}"


def _whom(order: Order, reader: Reader) -> tuple[UserId, Role]:
    side, _, courier_id = reader.partition(":")
    if side == Side.COURIER.value:
        return UserId(courier_id), Role.COURIER
    return order.customer_id, Role.CUSTOMER
