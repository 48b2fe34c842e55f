"""Who may write and read about an order and when, and how far each has read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.chat.conversation import (
    CONVERSATION_CLOSED,
    CONVERSATION_FULL,
    EMPTY_MESSAGE,
    MESSAGE_TOO_LONG,
    MESSAGES_MAX,
    NOTICES_APART_MS,
    OPEN_AFTER_END_MS,
    TOO_MANY_MESSAGES,
    WRITTEN_IN_RATE_MAX,
    ChatMessage,
    Conversation,
    MessageWritten,
    Reader,
    Standing,
    TellOfMessage,
    WriteMessage,
    closes_at,
    courier_reader,
    is_open,
    mark,
    may_converse,
    message_id_of,
    notice,
    reader_of,
    write,
)
from engine.chat.notices import notice_text
from engine.chat.view import Talk, availability_view, talk_view
from engine.chat.words import QuickReplyCode
from engine.identity.profiles import Language
from engine.kernel.ids import CourierId, EffectId, UserId, ZoneId
from engine.kernel.messages import Caller, Decision, Role
from engine.kernel.refusals import KEY_REUSED, Declared, Refusal
from engine.orders.messages import UNKNOWN_ORDER
from engine.orders.order import Order, OrderStatus
from engine.uploads import UNKNOWN_UPLOAD, MediaType, Upload, UploadId, UploadPurpose
from tests.builders import NOON, a_story, an_order, must, new_id

S = OrderStatus


def customer_of(order: Order) -> Caller:
    return Caller(user_id=order.customer_id, role=Role.CUSTOMER)


def courier_of(order: Order) -> Caller:
    assert order.courier_id is not None
    return Caller(user_id=order.courier_id, role=Role.COURIER)


OPERATOR = Caller(user_id=UserId(new_id()), role=Role.OPERATOR)


def a_carried_order(status: OrderStatus = S.PICKED_UP) -> Order:
    order: Order = an_order(status)
    return order


def a_wish(order: Order, text: str = "hello", key: str = "key", **more: Any) -> WriteMessage:
    author = more.pop("author", order.customer_id)
    return WriteMessage(
        id=message_id_of(author, order.id, key), order_id=order.id, text=text, **more
    )


def standing(order: Order, **more: Any) -> Standing:
    return Standing(**{"order": order, "conversation": Conversation(id=order.id), **more})


def written(decision: Decision | Refusal) -> tuple[Conversation, ChatMessage]:
    (change,) = must(decision).changes
    (event,) = change.events
    assert isinstance(event, MessageWritten)
    return change.thing, event.message


def is_refused(answer: object, declared: Declared) -> bool:
    return isinstance(answer, Refusal) and answer.code == declared.code


def test_customer_courier_and_support_write_while_a_courier_has_the_order() -> None:
    order = a_carried_order()
    for caller, side in (
        (customer_of(order), "customer"),
        (courier_of(order), "courier"),
        (OPERATOR, "support"),
    ):
        conversation, message = written(
            write(standing(order), a_wish(order, author=caller.user_id), caller, now=NOON)
        )
        assert (conversation.version, conversation.last_number) == (1, 1)
        assert (message.number, message.version, message.side.value) == (1, 1, side)
        assert message.courier_id == order.courier_id


@pytest.mark.parametrize("status", [S.WAITING, S.SCHEDULED, S.OFFERED, S.CANCELLED])
def test_nobody_writes_before_a_courier_has_it(status: OrderStatus) -> None:
    order = an_order(status)
    answer = write(standing(order), a_wish(order), customer_of(order), now=NOON)
    assert is_refused(answer, CONVERSATION_CLOSED)


@pytest.mark.parametrize("status", [S.DELIVERED, S.RETURNED])
def test_it_closes_half_an_hour_after_the_end(status: OrderStatus) -> None:
    order = a_carried_order(status)
    end = closes_at(order)
    assert order.ended_at is not None
    assert end == order.ended_at + OPEN_AFTER_END_MS
    assert is_open(order, end - 1)
    assert not is_open(order, end)
    for caller in (customer_of(order), courier_of(order), OPERATOR):
        wish = a_wish(order, author=caller.user_id)
        assert is_refused(write(standing(order), wish, caller, now=end), CONVERSATION_CLOSED)
    assert may_converse(order, customer_of(order), end)
    assert not may_converse(order, courier_of(order), end)


def test_others_know_nothing_of_it() -> None:
    order = a_carried_order()
    others = (
        Caller(user_id=UserId(new_id()), role=Role.CUSTOMER),
        Caller(user_id=CourierId(new_id()), role=Role.COURIER),
        Caller(user_id=UserId(new_id()), role=Role.ADMIN),
        Caller(user_id=UserId(new_id()), role=Role.OPERATOR, zones=(ZoneId(new_id()),)),
        # The same person in another role has no part in it either.
        Caller(user_id=order.customer_id, role=Role.COURIER),
    )
    for one in others:
        assert not may_converse(order, one, NOON)
    for one in (*others[:2], *others[3:]):
        answer = write(standing(order), a_wish(order, author=one.user_id), one, now=NOON)
        assert is_refused(answer, UNKNOWN_ORDER)


def test_a_courier_who_lost_the_order_neither_writes_nor_reads() -> None:
    order = a_carried_order()
    former, now_other = courier_of(order), replace(order, courier_id=CourierId(new_id()))
    assert may_converse(order, former, NOON)
    assert not may_converse(now_other, former, NOON)
    assert availability_view(order, former, now=NOON)["is_open"]
    ended = replace(now_other, ended_at=NOON)
    told = {"order_id": order.id, "is_open": False, "closes_at": None}
    assert availability_view(ended, former, now=NOON) == told
    assert availability_view(ended, customer_of(ended), now=NOON)["closes_at"] is not None


def test_the_same_id_is_the_same_message_and_answered_the_same() -> None:
    order = a_carried_order()
    customer = customer_of(order)
    first = write(standing(order), a_wish(order), customer, now=NOON)
    conversation, message = written(first)
    again = standing(order, conversation=conversation, same=message, recent=99)
    repeated = must(write(again, a_wish(order), customer, now=NOON + 10**9))
    assert repeated.changes == ()
    assert repeated.effects == ()
    assert repeated.reply == must(first).reply
    assert is_refused(write(again, a_wish(order, "other"), customer, now=NOON), KEY_REUSED)


def test_what_cannot_be_a_message_is_refused() -> None:
    order = a_carried_order()
    customer = customer_of(order)
    full = Conversation(id=order.id, version=MESSAGES_MAX, last_number=MESSAGES_MAX)
    for wish, more, declared in (
        (a_wish(order, " \u200f\n"), {}, EMPTY_MESSAGE),
        (a_wish(order, "x" * 1001), {}, MESSAGE_TOO_LONG),
        (a_wish(order), {"recent": WRITTEN_IN_RATE_MAX}, TOO_MANY_MESSAGES),
        (a_wish(order), {"conversation": full}, CONVERSATION_FULL),
        (a_wish(order, attachment=UploadId(new_id())), {}, UNKNOWN_UPLOAD),
    ):
        assert is_refused(write(standing(order, **more), wish, customer, now=NOON), declared)
    tapped = a_wish(order, "", quick_reply=QuickReplyCode.THANKS)
    assert written(write(standing(order), tapped, customer, now=NOON))[1].text == ""


def a_file(order: Order, **fields: Any) -> Upload:
    known = {
        "id": UploadId(new_id()),
        "owner_id": order.customer_id,
        "purpose": UploadPurpose.CHAT_ATTACHMENT,
        "order_id": order.id,
        "media_type": MediaType.JPEG,
        "size_bytes": 1,
        "width": 1,
        "height": 1,
        "sent_digest": "0" * 64,
        "is_scanned": True,
        "made_at": NOON,
    }
    return Upload(**{**known, **fields})


def test_a_file_is_his_own_and_of_this_order() -> None:
    order = a_carried_order()
    fine = a_file(order)
    wish = a_wish(order, "", attachment=fine.id)
    customer = customer_of(order)
    message = written(write(standing(order, attachment=fine), wish, customer, now=NOON))[1]
    assert message.attachment == fine.id
    for odd in (
        a_file(order, owner_id=UserId(new_id())),
        a_file(order, purpose=UploadPurpose.PROOF_PHOTO),
        a_file(order, order_id=None),
    ):
        answer = write(standing(order, attachment=odd), wish, customer, now=NOON)
        assert is_refused(answer, UNKNOWN_UPLOAD)


def test_the_other_side_is_told_and_support_looks_by_itself() -> None:
    order = a_carried_order()
    assert order.courier_id is not None
    both = {"customer", f"courier:{order.courier_id}"}
    for caller in (customer_of(order), courier_of(order), OPERATOR):
        wish = a_wish(order, author=caller.user_id)
        effects = must(write(standing(order), wish, caller, now=NOON)).effects
        assert all(isinstance(one, TellOfMessage) for one in effects)
        assert {one.reader for one in effects if isinstance(one, TellOfMessage)} == both - {
            reader_of(caller)
        }


def test_a_text_message_is_due_while_the_phone_has_not_got_it_and_not_again_soon() -> None:
    order = a_carried_order()
    assert order.courier_id is not None
    conversation, message = written(
        write(standing(order), a_wish(order), customer_of(order), now=NOON)
    )
    reader = courier_reader(order.courier_id)
    effect = TellOfMessage(
        id=EffectId(new_id()), order_id=order.id, number=message.number, reader=reader
    )
    another = replace(effect, id=EffectId(new_id()))
    first = notice(standing(order, conversation=conversation), effect, now=NOON)
    assert first.reply == {"is_due": True}
    told = standing(order, conversation=first.changes[0].thing)
    assert notice(told, effect, now=NOON + 1) == Decision(reply={"is_due": True})
    assert notice(told, another, now=NOON + 1) == Decision()
    assert notice(told, another, now=NOON + NOTICES_APART_MS).reply == {"is_due": True}
    (has,) = mark(conversation, reader, delivered=1, now=NOON).changes
    assert notice(standing(order, conversation=has.thing), effect, now=NOON) == Decision()
    other = replace(order, courier_id=CourierId(new_id()))
    assert notice(standing(other, conversation=conversation), effect, now=NOON) == Decision()


def test_a_notice_says_nothing_of_the_message_in_either_language() -> None:
    order = a_carried_order()
    for language in Language:
        text = notice_text(order, language)
        assert order.code in text
        assert order.recipient.name not in text
        assert text.isascii() is (language is Language.ENGLISH)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=12))
def test_markers_only_move_forward_and_never_beyond_what_there_is(
    said: list[tuple[int, int]],
) -> None:
    conversation = Conversation(id=a_story(S.ASSIGNED).orders[0].id, version=9, last_number=9)
    reader, before = Reader("customer"), (0, 0)
    for delivered, read in said:
        decided = mark(conversation, reader, delivered=delivered, read=read, now=NOON)
        for change in decided.changes:
            assert change.thing.version == conversation.version + 1
            conversation = change.thing
        marker = conversation.marker(reader)
        after = (marker.delivered, marker.read)
        assert after >= before
        assert marker.read <= marker.delivered <= conversation.last_number
        assert bool(decided.changes) is (after != before)
        before = after


def test_readers_are_shown_sides_and_only_what_moved() -> None:
    order = a_carried_order()
    conversation, message = written(
        write(standing(order), a_wish(order), customer_of(order), now=NOON)
    )
    (moved,) = mark(conversation, Reader("support"), read=1, now=NOON).changes
    talk = Talk(order=order, conversation=moved.thing, messages=(message,))
    shown = talk_view(talk, talk.messages, now=NOON)
    assert shown["messages"][0]["side"] == "customer"
    assert order.customer_id not in str(shown)
    assert shown["markers"] == [{"side": "support", "courier_id": None, "delivered": 1, "read": 1}]
    assert talk_view(talk, (), since=2, now=NOON)["markers"] == []
