"""A conversation: who may write and read about an order and when, and how far each has read."""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from engine.chat.words import QuickReplyCode, is_too_long, tidied
from engine.kernel.ids import CourierId, EffectId, OrderId, UserId, derived_id
from engine.kernel.messages import Caller, Change, Decision, Effect, Event, Role, Thing
from engine.kernel.refusals import KEY_REUSED, Refusal, RefusalKind, declare
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.uploads import UNKNOWN_UPLOAD, Upload, UploadId, UploadPurpose

MessageId = NewType("MessageId", str)
# Who reads: `customer`, `support`, or `courier:<id>`.
Reader = NewType("Reader", str)

OPEN_AFTER_END_MS: Final = 30 * MINUTE_MS
RATE_MS: Final = MINUTE_MS
WRITTEN_IN_RATE_MAX: Final = 20
MESSAGES_MAX: Final = 1_000
# So long a phone has to confirm a message before its owner is sent a text message about it.
NOTICE_AFTER_MS: Final = 20 * SECOND_MS
NOTICES_APART_MS: Final = 10 * MINUTE_MS


class Side(StrEnum):
    """As whom somebody writes."""

    CUSTOMER = "customer"
    COURIER = "courier"
    SUPPORT = "support"


class ChatMessage(Struct, frozen=True, kw_only=True):
    """What somebody wrote, once and for all.

    `number` counts the conversation's messages without a hole from 1; `version` is the version of
    the conversation that it came with. `courier_id` is who carried the order then: no other courier
    reads it. It has a text, a quick reply or an attachment.
    """

    id: MessageId
    order_id: OrderId
    number: int
    version: int
    side: Side
    author_id: UserId
    courier_id: CourierId
    text: str = ""
    quick_reply: QuickReplyCode | None = None
    attachment: UploadId | None = None
    at: Instant


class Marker(Struct, frozen=True, kw_only=True):
    """Up to which number a reader's phone has the messages, and up to which he has read them.

    `version` is the conversation's when it moved last; `noticed_at` when he was last sent a text
    message because his phone did not have them, `noticed_by` by which effect.
    """

    reader: Reader
    delivered: int = 0
    read: int = 0
    version: int = 0
    noticed_at: Instant | None = None
    noticed_by: EffectId | None = None


class Conversation(Thing, frozen=True, kw_only=True):
    """What is said about one order, by whom so ever; `id` is the order's."""

    id: OrderId
    last_number: int = 0
    markers: tuple[Marker, ...] = ()

    def marker(self, reader: Reader) -> Marker:
        """His, or one that has not moved yet."""
        known = (one for one in self.markers if one.reader == reader)
        return next(known, Marker(reader=reader))


class WriteMessage(Struct, frozen=True, kw_only=True):
    """What is to be written; the same id is the same message, however often it is sent."""

    id: MessageId
    order_id: OrderId
    text: str = ""
    quick_reply: QuickReplyCode | None = None
    attachment: UploadId | None = None


class MessageWritten(Event, frozen=True, kw_only=True, tag=True):
    """It stands in the conversation."""

    message: ChatMessage


class MarkerMoved(Event, frozen=True, kw_only=True, tag=True):
    """A reader's phone has more, or he has read more."""

    reader: Reader


class TellOfMessage(Effect, frozen=True, kw_only=True, tag=True):
    """See to it that a reader hears of a message, whose phone may not have it yet."""

    order_id: OrderId
    number: int
    reader: Reader


class Standing(Struct, frozen=True, kw_only=True):
    """What a message is decided by.

    `same` is the message that has its id already; `recent` counts what its author wrote within
    `RATE_MS`; `attachment` is the file that it names, if there is one.
    """

    order: Order
    conversation: Conversation
    same: ChatMessage | None = None
    recent: int = 0
    attachment: Upload | None = None


CONVERSATION_CLOSED = declare(
    "conversation_closed",
    RefusalKind.CONFLICT,
    en="Messages can be written while a courier has the order, and for half an hour afterwards.",
    ar="يمكن كتابة الرسائل ما دام الطلب مع المندوب، ولمدة نصف ساعة بعد ذلك.",
)
EMPTY_MESSAGE = declare(
    "empty_message",
    RefusalKind.INVALID,
    en="Write something, choose a quick reply, or attach a file.",
    ar="اكتب نصًا أو اختر ردًا سريعًا أو أرفق ملفًا.",
)
MESSAGE_TOO_LONG = declare(
    "message_too_long",
    RefusalKind.INVALID,
    en="A message has at most 1,000 characters. Send it in parts.",
    ar="لا تزيد الرسالة على 1000 حرف. أرسلها على أجزاء.",
)
TOO_MANY_MESSAGES = declare(
    "too_many_messages",
    RefusalKind.TOO_MANY,
    en="That were many messages in one minute. Try again in a moment.",
    ar="أرسلت رسائل كثيرة خلال دقيقة. حاول مرة أخرى بعد لحظات.",
)
CONVERSATION_FULL = declare(
    "conversation_full",
    RefusalKind.CONFLICT,
    en="This conversation has as many messages as it may have. Call support.",
    ar="بلغت هذه المحادثة أقصى عدد من الرسائل. اتصل بالدعم.",
)

_SIDES: Final = {
    Role.CUSTOMER: Side.CUSTOMER,
    Role.COURIER: Side.COURIER,
    Role.OPERATOR: Side.SUPPORT,
}


def message_id_of(author_id: UserId, order_id: str, key: str) -> MessageId:
    """The one message about an order that a key of its author's can become."""
    return MessageId(derived_id("chat message", author_id, order_id, key))


def worded(
    author_id: UserId,
    order_id: str,
    key: str,
    *,
    text: str,
    quick_reply: QuickReplyCode | None,
    attachment: str | None,
) -> WriteMessage:
    """What somebody asks to be written; by the same key it is the same, wherever he says it."""
    return WriteMessage(
        id=message_id_of(author_id, order_id, key),
        order_id=OrderId(order_id),
        text=text,
        quick_reply=quick_reply,
        attachment=None if attachment is None else UploadId(attachment),
    )


def courier_reader(courier_id: CourierId) -> Reader:
    """As whom a courier reads."""
    return Reader(f"{Side.COURIER.value}:{courier_id}")


def reader_of(caller: Caller) -> Reader:
    """As whom somebody reads who may converse."""
    if caller.role is Role.COURIER:
        return courier_reader(caller.user_id)
    return Reader(_SIDES[caller.role].value)


def leg_of(caller: Caller) -> CourierId | None:
    """Whose part of a conversation somebody sees: a courier his own, others (None) all of it."""
    return caller.user_id if caller.role is Role.COURIER else None


def closes_at(order: Order) -> Instant | None:
    """Until when messages can be written; None while nothing ends it, or nothing began."""
    return None if order.ended_at is None else order.ended_at + OPEN_AFTER_END_MS


def is_open(order: Order, now: Instant) -> bool:
    """Whether messages can be written: from a courier's yes until a while after its end."""
    end = closes_at(order)
    return order.courier_id is not None and (end is None or now < end)


def may_converse(order: Order, caller: Caller, now: Instant) -> bool:
    """Whether he may read: who carries it while it is open, the others for as long as it is kept.

    A recipient never does: of a surprise he would learn it.
    """
    return has_part(order, caller) and (caller.role is not Role.COURIER or is_open(order, now))


def has_part(order: Order, caller: Caller) -> bool:
    """Whether he is one of those who write to each other about it, open or not."""
    match caller.role:
        case Role.CUSTOMER:
            return order.customer_id == caller.user_id
        case Role.OPERATOR:
            return caller.may_act_in(order.zone_id)
        case Role.COURIER:
            return order.courier_id == caller.user_id
        case _:
            return False


def write(
    standing: Standing, command: WriteMessage, caller: Caller, *, now: Instant
) -> Decision | Refusal:
    """The next message; the same one again changes nothing and is answered the same."""
    order, conversation = standing.order, standing.conversation
    text = tidied(command.text)
    if standing.same is not None and standing.same.author_id == caller.user_id:
        same = standing.same
        said = (same.order_id, same.text, same.quick_reply, same.attachment)
        is_same = said == (command.order_id, text, command.quick_reply, command.attachment)
        return Decision(reply=reply_of(same)) if is_same else KEY_REUSED()
    if not has_part(order, caller):
        return UNKNOWN_ORDER(order_id=command.order_id)
    refusal = _objection(standing, command, caller, text, now)
    if refusal is not None:
        return refusal
    assert order.courier_id is not None, "an open conversation has a courier"
    version, number = conversation.version + 1, conversation.last_number + 1
    message = ChatMessage(
        id=command.id,
        order_id=order.id,
        number=number,
        version=version,
        side=_SIDES[caller.role],
        author_id=caller.user_id,
        courier_id=order.courier_id,
        text=text,
        quick_reply=command.quick_reply,
        attachment=command.attachment,
        at=now,
    )
    changed = replace(conversation, version=version, last_number=number)
    return Decision(
        changes=(Change(changed, (MessageWritten(at=now, message=message),)),),
        effects=_notices(order, message, reader_of(caller)),
        reply=reply_of(message),
    )


def reply_of(message: ChatMessage) -> dict[str, object]:
    """What its author is told."""
    return {"message_id": message.id, "number": message.number, "at": message.at}


def _objection(
    standing: Standing, command: WriteMessage, caller: Caller, text: str, now: Instant
) -> Refusal | None:
    if not is_open(standing.order, now):
        return CONVERSATION_CLOSED()
    if not (text or command.quick_reply or command.attachment):
        return EMPTY_MESSAGE()
    if is_too_long(text):
        return MESSAGE_TOO_LONG()
    if command.attachment is not None and not _is_his_file(standing, caller):
        return UNKNOWN_UPLOAD()
    if standing.recent >= WRITTEN_IN_RATE_MAX:
        return TOO_MANY_MESSAGES()
    if standing.conversation.last_number >= MESSAGES_MAX:
        return CONVERSATION_FULL()
    return None


def _is_his_file(standing: Standing, caller: Caller) -> bool:
    """Sent by himself, for a conversation, about this order: it goes when that goes."""
    file = standing.attachment
    return (
        file is not None
        and file.owner_id == caller.user_id
        and file.purpose is UploadPurpose.CHAT_ATTACHMENT
        and file.order_id == standing.order.id
    )


def _notices(order: Order, message: ChatMessage, author: Reader) -> tuple[Effect, ...]:
    """Customer and courier hear of it, but for who wrote it; support looks by itself."""
    readers = (Reader(Side.CUSTOMER.value), courier_reader(message.courier_id))
    return tuple(
        TellOfMessage(
            id=EffectId(derived_id("chat notice", message.id, reader)),
            order_id=order.id,
            number=message.number,
            reader=reader,
        )
        for reader in readers
        if reader != author
    )


def mark(
    conversation: Conversation, reader: Reader, *, delivered: int = 0, read: int = 0, now: Instant
) -> Decision:
    """Move a reader's marker forward, never back; whoever has read something has it."""
    before = conversation.marker(reader)
    read = max(before.read, min(read, conversation.last_number))
    delivered = max(before.delivered, read, min(delivered, conversation.last_number))
    if (delivered, read) == (before.delivered, before.read):
        return Decision()
    version = conversation.version + 1
    moved = replace(before, delivered=delivered, read=read, version=version)
    return _with_marker(conversation, moved, now)


def notice(standing: Standing, effect: TellOfMessage, *, now: Instant) -> Decision:
    """A text message, if his phone has not got it and he was sent none lately: `is_due`.

    Who sends it is noted first, so that of several messages at once one is told; the same effect
    once more is due as before, for nobody knows whether it was sent.
    """
    order, conversation = standing.order, standing.conversation
    marker = conversation.marker(effect.reader)
    is_his = effect.reader == Side.CUSTOMER.value or (
        order.courier_id is not None and effect.reader == courier_reader(order.courier_id)
    )
    if not is_his or marker.delivered >= effect.number or not is_open(order, now):
        return Decision()
    if marker.noticed_by == effect.id:
        return Decision(reply={"is_due": True})
    if marker.noticed_at is not None and now < marker.noticed_at + NOTICES_APART_MS:
        return Decision()
    noticed = replace(marker, noticed_at=now, noticed_by=effect.id)
    decided = _with_marker(conversation, noticed, now)
    return replace(decided, reply={"is_due": True})


def _with_marker(conversation: Conversation, marker: Marker, now: Instant) -> Decision:
    others = tuple(one for one in conversation.markers if one.reader != marker.reader)
    changed = replace(conversation, version=conversation.version + 1, markers=(*others, marker))
    return Decision(changes=(Change(changed, (MarkerMoved(at=now, reader=marker.reader),)),))
