"""What is answered about conversations."""

from typing import Any, Final

from msgspec import to_builtins

from api.answer import Answer, PageAnswer
from api.file_links import upload_shown
from api.parts import Parts
from api.upload_answers import UploadShown
from engine.chat.conversation import ChatMessage, Conversation
from engine.chat.view import marker_view, message_view, state_view
from engine.chat.words import QUICK_REPLIES
from engine.kernel.timing import Instant
from engine.orders.order import Order


class QuickReplyShown(Answer):
    """A sentence that is sent with one tap, in both languages."""

    code: str
    en: str
    ar: str


class MarkerShown(Answer):
    """Up to which number a side's phone has the messages, and up to which they were read."""

    side: str
    courier_id: str | None
    delivered: int
    read: int


class ConversationShown(Answer):
    """Whether messages can be written, how far each side has come, and what can be tapped."""

    order_id: str
    is_open: bool
    closes_at: int | None
    last_number: int
    markers: list[MarkerShown]
    quick_replies: list[QuickReplyShown]


class MessageShown(Answer):
    """A message; `attachment` can be seen at its address for a while."""

    message_id: str
    number: int
    side: str
    courier_id: str
    text: str
    quick_reply: QuickReplyShown | None
    attachment: UploadShown | None
    at: int


class MessagesPage(PageAnswer):
    """A page of messages."""

    messages: list[MessageShown]


class MessageWrittenAnswer(Answer):
    """The message stands in the conversation, under this number."""

    message_id: str
    number: int
    at: int


_QUICK_REPLIES: Final = [to_builtins(one) for one in QUICK_REPLIES.values()]


def conversation_shown(order: Order, conversation: Conversation, *, now: Instant) -> dict[str, Any]:
    """How a conversation stands."""
    return {
        **state_view(order, now=now),
        "last_number": conversation.last_number,
        "markers": [marker_view(one) for one in conversation.markers],
        "quick_replies": _QUICK_REPLIES,
    }


async def message_shown(parts: Parts, message: ChatMessage) -> dict[str, Any]:
    """A message with the address of what is attached to it."""
    file = None if message.attachment is None else await parts.uploads.find(message.attachment)
    return {
        **message_view(message),
        "attachment": None if file is None else upload_shown(parts, file),
    }
