"""What customer, courier and support write to each other about an order."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from actors.conversations import Conversations
from api.bodies import Body, Storable
from api.chat_answers import (
    ConversationShown,
    MessagesPage,
    MessageWrittenAnswer,
    conversation_shown,
    message_shown,
)
from api.deps import IdText, Key, PartsDep, PathId, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from api.list_queries import CHAT_MESSAGES
from api.paging import Paging, listed
from api.parts import Parts
from api.refusals import INVALID_REQUEST
from engine.chat.conversation import (
    CONVERSATION_CLOSED,
    CONVERSATION_FULL,
    EMPTY_MESSAGE,
    MESSAGE_TOO_LONG,
    TOO_MANY_MESSAGES,
    leg_of,
    worded,
)
from engine.chat.words import TEXT_CODE_POINTS_MAX, QuickReplyCode
from engine.identity.access import Permission
from engine.kernel.ids import OrderId
from engine.kernel.messages import Caller
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order
from engine.uploads import UNKNOWN_UPLOAD

router = APIRouter(prefix="/v1", tags=["chat"])
Conversing = Annotated[Caller, granted(Permission.CONVERSE)]
_READ: Final = (*WITH_TOKEN, *WITH_STORE, UNKNOWN_ORDER)


class MessageBody(Body):
    """A text, a quick reply, a file of `POST /v1/uploads`, or several of them."""

    text: Annotated[str, StringConstraints(max_length=TEXT_CODE_POINTS_MAX), Storable] = ""
    quick_reply: Annotated[QuickReplyCode | None, Field(strict=False)] = None
    attachment: IdText | None = None


class ReadBody(Body):
    """Up to which number the caller has read."""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]


@router.get(
    "/orders/{order_id}/conversation",
    responses=answers(200, ConversationShown, *_READ, INVALID_REQUEST),
)
async def show_conversation(
    order_id: PathId, caller: Conversing, request: Request, parts: PartsDep
) -> Json:
    """Whether messages can be written about an order, and how far each side has read."""
    await _readable(request, caller, order_id)
    return await _conversation(parts, order_id)


@router.get(
    "/orders/{order_id}/messages",
    responses=answers(200, MessagesPage, *_READ, INVALID_REQUEST),
)
async def list_messages(
    order_id: PathId,
    caller: Conversing,
    request: Request,
    parts: PartsDep,
    *,
    paging: Annotated[Paging, listed(CHAT_MESSAGES)],
) -> Json:
    """The newest first; a courier sees what was written while he had the order."""
    order = await _readable(request, caller, order_id)
    page = await parts.chat.list_of(order.id, leg_of(caller), paging.wanted)
    shown = [await message_shown(parts, one) for one in page.rows]
    return paging.answer(page, "messages", shown)


@router.post(
    "/orders/{order_id}/messages",
    status_code=201,
    responses=answers(
        201,
        MessageWrittenAnswer,
        *WITH_BODY,
        *_READ,
        KEY_REUSED,
        CONVERSATION_CLOSED,
        CONVERSATION_FULL,
        EMPTY_MESSAGE,
        MESSAGE_TOO_LONG,
        TOO_MANY_MESSAGES,
        UNKNOWN_UPLOAD,
    ),
)
async def write_message(
    order_id: PathId, body: MessageBody, key: Key, caller: Conversing, request: Request
) -> Json:
    """Write to whoever has to do with an order; the same key is the same message."""
    command = worded(
        caller.user_id,
        order_id,
        key,
        text=body.text,
        quick_reply=body.quick_reply,
        attachment=body.attachment,
    )
    written = await _door(request).write(caller, command)
    if isinstance(written, Refusal):
        raise Refused(written)
    return Json(written, 201)


@router.put(
    "/orders/{order_id}/read-marker",
    responses=answers(200, ConversationShown, *WITH_BODY, *_READ),
)
async def mark_read(
    order_id: PathId, body: ReadBody, caller: Conversing, request: Request, parts: PartsDep
) -> Json:
    """Everything up to this number was read; it never goes back."""
    refusal = await _door(request).mark(caller, OrderId(order_id), read=body.number)
    if refusal is not None:
        raise Refused(refusal)
    return await _conversation(parts, order_id)


def _door(request: Request) -> Conversations:
    conversations: Conversations = request.app.state.desk.conversations
    return conversations


async def _readable(request: Request, caller: Caller, order_id: str) -> Order:
    order = await _door(request).find_order(caller, OrderId(order_id))
    if isinstance(order, Refusal):
        raise Refused(order)
    return order


async def _conversation(parts: Parts, order_id: str) -> Json:
    talk = await parts.chat.read(OrderId(order_id), since=0, courier_id=None)
    if talk is None:
        raise Refused(UNKNOWN_ORDER(order_id=order_id))
    return Json(conversation_shown(talk.order, talk.conversation, now=parts.clock.now()))
