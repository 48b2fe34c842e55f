"""What readers are shown of a conversation: sides, never who writes for support or how to call."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, to_builtins

from engine.chat.conversation import (
    ChatMessage,
    Conversation,
    Marker,
    closes_at,
    has_part,
    is_open,
)
from engine.chat.words import QUICK_REPLIES
from engine.kernel.messages import Caller
from engine.kernel.timing import Instant
from engine.orders.order import Order


class Talk(Struct, frozen=True, kw_only=True):
    """A conversation as it stood at one moment, with some of its messages in their order.

    `is_complete` says that they are all that was asked for.
    """

    order: Order
    conversation: Conversation
    messages: tuple[ChatMessage, ...] = ()
    is_complete: bool = True


def message_view(message: ChatMessage) -> dict[str, Any]:
    """A message; of one that was erased only that it was there."""
    known = message.quick_reply and QUICK_REPLIES[message.quick_reply]
    return {
        "message_id": message.id,
        "number": message.number,
        "side": message.side.value,
        "courier_id": message.courier_id,
        "text": message.text,
        "quick_reply": known and to_builtins(known),
        "attachment": message.attachment,
        "at": message.at,
    }


def marker_view(marker: Marker) -> dict[str, Any]:
    """How far a side has come; of couriers each has a marker of his own."""
    side, _, courier_id = marker.reader.partition(":")
    return {
        "side": side,
        "courier_id": courier_id or None,
        "delivered": marker.delivered,
        "read": marker.read,
    }


def state_view(order: Order, *, now: Instant) -> dict[str, Any]:
    """Whether messages can be written, and until when."""
    return {
        "order_id": order.id,
        "is_open": is_open(order, now),
        "closes_at": closes_at(order),
    }


def availability_view(order: Order, caller: Caller, *, now: Instant) -> dict[str, Any]:
    """The same as one reader has it: to who has lost the order it is closed, and nothing more."""
    if has_part(order, caller):
        return state_view(order, now=now)
    return {"order_id": order.id, "is_open": False, "closes_at": None}


def talk_view(
    talk: Talk, messages: Iterable[ChatMessage], *, since: int = 0, now: Instant
) -> dict[str, Any]:
    """These messages, and the markers that moved after a version."""
    moved = (one for one in talk.conversation.markers if one.version > since)
    return {
        **state_view(talk.order, now=now),
        "messages": [message_view(one) for one in messages],
        "markers": [marker_view(one) for one in moved],
    }
