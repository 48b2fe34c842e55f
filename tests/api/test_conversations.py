"""Customer, courier and support talk about an order over real sockets, and over REST."""

from typing import Any

import pytest

from engine.chat.conversation import NOTICE_AFTER_MS, OPEN_AFTER_END_MS
from engine.kernel.ids import OrderId
from tests.api.town import ON_DUTY, Person, Socket, Town
from tests.builders import new_id


class Chat:
    """An order that a courier carries, its customer and the courier with open sockets."""

    def __init__(
        self, town: Town, customer: Person, courier: Person, phone: Socket, order_id: str
    ) -> None:
        self.town, self.customer, self.courier = town, customer, courier
        self.phone, self.order_id = phone, order_id
        self.channel = f"conversation:{order_id}"
        self.path = f"/v1/orders/{order_id}"

    async def listens(self, socket: Socket, bookmark: object = None) -> dict[str, Any]:
        """Subscribe; the first frame."""
        await socket.send({"type": "subscribe", "channel": self.channel, "bookmark": bookmark})
        return await socket.next("snapshot", "resumed", channel=self.channel)

    async def writes(self, socket: Socket, text: str, **more: Any) -> dict[str, Any]:
        return await socket.tell("message", order_id=self.order_id, text=text, **more)

    async def hears(self, socket: Socket, count: int) -> list[str]:
        """The next messages that a socket is told, whatever frames they come in."""
        texts: list[str] = []
        while len(texts) < count:
            frame = await socket.next("update", channel=self.channel, kind="state")
            texts += [one["text"] for one in frame["body"]["messages"]]
        return texts

    async def available(self, socket: Socket) -> tuple[bool, int | None]:
        """What a socket is told next of whether messages can be written, and until when."""
        frame = await socket.next("update", channel=self.channel, kind="availability")
        assert (frame["version"], frame["bookmark"]) == (0, None)
        assert frame["body"]["order_id"] == self.order_id
        return frame["body"]["is_open"], frame["body"]["closes_at"]

    async def shown(self, person: Person) -> list[str]:
        told = await person.get(f"{self.path}/messages")
        assert told.status_code == 200, told.text
        return [one["text"] for one in told.json()["messages"]]


async def carried(town: Town) -> Chat:
    customer = await town.log_in("customer")
    courier, phone = await town.courier()
    order_id = await customer.order()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    return Chat(town, customer, courier, phone, order_id)


@pytest.fixture
async def chat(town: Town) -> Chat:
    return await carried(town)


def with_receipts(token: str, channels: dict[str, Any]) -> dict[str, Any]:
    return {"type": "authenticate", "token": token, "channels": channels, "receipts": True}


async def test_they_talk_and_each_message_is_heard_once_in_its_order(chat: Chat) -> None:
    customer = await chat.customer.socket()
    empty = await chat.listens(customer)
    assert empty["body"]["messages"] == []
    assert empty["body"]["is_open"]
    assert empty["bookmark"] == {"epoch": "kept", "offset": 0}
    await chat.listens(chat.phone)
    for number, (socket, text) in enumerate(
        [(customer, "Where are you?"), (chat.phone, "At the shop"), (customer, "Thank you 🌹")], 1
    ):
        reply = await chat.writes(socket, text)
        assert (reply["type"], reply["body"]["number"]) == ("reply", number)
    expected = ["Where are you?", "At the shop", "Thank you 🌹"]
    assert await chat.hears(customer, 3) == expected
    assert await chat.hears(chat.phone, 3) == expected
    assert await chat.shown(chat.customer) == expected[::-1]
    assert await chat.shown(chat.courier) == expected[::-1]


async def test_what_one_socket_sends_stands_in_the_order_in_which_it_was_sent(chat: Chat) -> None:
    customer = await chat.customer.socket()
    texts = [f"{n}" for n in range(12)]
    for n, text in enumerate(texts):
        wish = {"id": f"many-{n:04d}", "order_id": chat.order_id, "text": text}
        await customer.send({"type": "message", **wish})
    for n in range(12):
        reply = await customer.next("reply", "refused", id=f"many-{n:04d}")
        assert reply["body"]["number"] == n + 1
    assert await chat.shown(chat.customer) == texts[::-1]


async def test_who_was_away_is_told_what_he_missed_and_nothing_twice(chat: Chat) -> None:
    customer = await chat.customer.socket()
    await chat.listens(customer)
    await chat.writes(chat.phone, "one")
    update = await customer.next("update", channel=chat.channel)
    mark = update["bookmark"]
    await customer.connection.close()
    for text in ("two", "three"):
        await chat.writes(chat.phone, text)
    back = await chat.customer.socket()
    resumed = await chat.listens(back, mark)
    assert (resumed["type"], resumed["recovered"]) == ("resumed", True)
    missed = [one["text"] for frame in resumed["updates"] for one in frame["body"]["messages"]]
    assert missed == ["two", "three"]
    again = await chat.listens(back, resumed["bookmark"])
    assert again["updates"] == []
    await chat.writes(chat.phone, "four")
    assert await chat.hears(back, 1) == ["four"]
    odd = await chat.listens(back, {"epoch": "another", "offset": 3})
    assert (odd["type"], len(odd["body"]["messages"])) == ("snapshot", 4)
    future = await chat.listens(back, {"epoch": "kept", "offset": 999})
    assert (future["type"], len(future["body"]["messages"])) == ("snapshot", 4)


async def test_a_message_sent_again_over_whatever_way_is_the_same_message(chat: Chat) -> None:
    customer = await chat.customer.socket()
    first = await chat.writes(customer, "hello", id="one-message")
    assert await chat.writes(customer, "hello", id="one-message") == first
    other = await chat.customer.socket()
    assert await chat.writes(other, "hello", id="one-message") == first
    posted = await chat.customer.post(f"{chat.path}/messages", {"text": "hello"}, key="one-message")
    assert (posted.status_code, posted.json()) == (201, first["body"])
    odd = await chat.writes(customer, "something else", id="one-message")
    assert odd["code"] == "idempotency_key_reused"
    assert await chat.shown(chat.courier) == ["hello"]


async def test_critical_frames_are_repeated_until_confirmed_and_say_delivered_then(
    chat: Chat,
) -> None:
    customer = await Socket.open(chat.town)
    await customer.send(with_receipts(chat.customer.token, {chat.channel: None}))
    first = await customer.next("snapshot", channel=chat.channel)
    await customer.send(
        {"type": "received", "channel": chat.channel, "bookmark": first["bookmark"]}
    )
    await chat.listens(chat.phone)
    await chat.writes(chat.phone, "I am at the door")
    told = await customer.next("update", channel=chat.channel)
    assert await customer.next("update", channel=chat.channel) == told
    await customer.send({"type": "received", "channel": chat.channel, "bookmark": told["bookmark"]})
    await chat.hears(chat.phone, 1)
    moved = await chat.phone.next("update", channel=chat.channel)
    assert moved["body"]["messages"] == []
    customers = {"side": "customer", "courier_id": None}
    assert moved["body"]["markers"] == [{**customers, "delivered": 1, "read": 0}]
    await customer.send({"type": "read", "order_id": chat.order_id, "number": 1})
    moved = await chat.phone.next("update", channel=chat.channel)
    assert moved["body"]["markers"] == [{**customers, "delivered": 1, "read": 1}]


async def test_a_receipt_that_was_lost_with_the_line_is_made_good_by_coming_back(
    chat: Chat,
) -> None:
    customer = await chat.customer.socket()
    await chat.listens(customer)
    await chat.writes(chat.phone, "hello")
    told = await customer.next("update", channel=chat.channel)
    await customer.connection.close()
    back = await Socket.open(chat.town)
    await back.send(with_receipts(chat.customer.token, {chat.channel: told["bookmark"]}))
    resumed = await back.next("resumed", channel=chat.channel)
    await chat.listens(chat.phone)
    confirmed = {"channel": chat.channel, "bookmark": resumed["bookmark"]}
    await back.send({"type": "received", **confirmed})
    moved = await chat.phone.next("update", channel=chat.channel)
    assert moved["body"]["markers"][0]["delivered"] == 1


async def test_typing_is_shown_to_the_others_and_kept_nowhere(chat: Chat) -> None:
    customer = await chat.customer.socket()
    before = await chat.listens(customer)
    await chat.listens(chat.phone)
    await chat.phone.send({"type": "typing", "order_id": chat.order_id})
    typing = await customer.next("update", channel=chat.channel, kind="typing")
    assert (typing["version"], typing["bookmark"]) == (0, None)
    assert typing["body"]["side"] == "courier"
    assert typing["body"]["until"] > 0
    again = await chat.listens(customer, before["bookmark"])
    assert again["updates"] == []
    await chat.writes(chat.phone, "done")
    assert await chat.hears(customer, 1) == ["done"]


async def test_support_takes_part_and_is_told_everything(chat: Chat) -> None:
    operator = await chat.town.operator()
    socket = await operator.socket()
    customer = await chat.customer.socket()
    await chat.writes(customer, "Nobody comes")
    assert (await chat.listens(socket))["body"]["messages"][0]["text"] == "Nobody comes"
    await chat.listens(customer)
    await chat.writes(socket, "", quick_reply="thanks")
    frame = await customer.next("update", channel=chat.channel)
    (message,) = frame["body"]["messages"]
    assert message["side"] == "support"
    assert message["quick_reply"] == {"code": "thanks", "en": "Thank you.", "ar": "شكرًا لك."}
    assert operator.user_id not in str(frame)


async def test_strangers_hear_and_say_nothing(chat: Chat) -> None:
    town = chat.town
    others = [await town.log_in("customer"), await town.log_in("courier"), await town.admin()]
    for person in others:
        socket = await person.socket()
        await socket.send({"type": "subscribe", "channel": chat.channel})
        told = await socket.next("error", channel=chat.channel)
        assert told["code"] in {"no_such_channel", "not_allowed"}
        refused = await chat.writes(socket, "let me in")
        assert refused["code"] in {"unknown_order", "not_allowed"}
        await socket.send({"type": "read", "order_id": chat.order_id, "number": 1})
        assert (await socket.next("error"))["code"] in {"unknown_order", "not_allowed"}
        status = {(await person.get(f"{chat.path}/{one}")).status_code for one in WAYS}
        assert status <= {403, 404}
    assert await chat.shown(chat.customer) == []


WAYS = ("messages", "conversation")


async def test_a_new_courier_sees_nothing_of_what_was_said_to_the_former_one(chat: Chat) -> None:
    customer = await chat.customer.socket()
    await chat.listens(customer)
    await chat.listens(chat.phone)
    await chat.writes(customer, "to the first")
    await chat.hears(chat.phone, 1)
    operator = await chat.town.operator()
    taken = await operator.post(f"{chat.path}/unassign", {"reason": "flat tyre"})
    assert taken.status_code == 200, taken.text
    closed = await chat.writes(customer, "anybody?")
    assert closed["code"] == "conversation_closed"
    assert (await chat.courier.get(f"{chat.path}/messages")).status_code == 404
    await chat.phone.tell("duty", duty="off")
    second = await chat.town.log_in("courier")
    phone = await second.socket()
    await phone.tell("duty", **ON_DUTY)
    offer = await phone.offer(second)
    await phone.tell("accept", offer_id=offer["offer_id"])
    assert (await chat.listens(phone))["body"]["messages"] == []
    await chat.writes(customer, "to the second")
    assert await chat.hears(phone, 1) == ["to the second"]
    assert await chat.shown(second) == ["to the second"]
    assert await chat.shown(chat.customer) == ["to the second", "to the first"]
    await customer.send({"type": "typing", "order_id": chat.order_id})
    await phone.next("update", channel=chat.channel, kind="typing")
    # The former one still listens and is told nothing more, not even that somebody types.
    await chat.phone.send({"type": "ping"})
    await chat.phone.next("pong")
    later = chat.phone.waiting(chat.channel)
    assert not [one for one in later if "second" in str(one) or one.get("kind") == "typing"]


async def test_who_listens_is_told_that_it_opens_and_when_it_closes(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await customer.order()
    courier, phone = await town.courier()
    chat = Chat(town, customer, courier, phone, order_id)
    socket = await customer.socket()
    early = await chat.listens(socket)
    assert (early["body"]["is_open"], early["body"]["closes_at"]) == (False, None)
    assert (await chat.writes(socket, "anybody?"))["code"] == "conversation_closed"
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    assert await chat.available(socket) == (True, None)
    assert (await chat.listens(phone))["body"]["is_open"]
    mark = early["bookmark"]
    for step in ("reached_shop", "picked_up", "reached_door", "delivered"):
        pin = (await customer.get(chat.path)).json()["pin"]
        at_door = {"pin": pin} if step == "delivered" else {}
        told = await phone.tell("progress", order_id=order_id, step=step, **at_door)
        assert told["type"] == "reply", told
    order = await town.parts.store.find_order(OrderId(order_id))
    assert order is not None
    assert order.ended_at is not None
    closing = (True, order.ended_at + OPEN_AFTER_END_MS)
    # To each once, however often the order changed on its way.
    for one in (socket, phone):
        assert await chat.available(one) == closing
        await one.send({"type": "ping"})
        await one.next("pong")
        assert not [x for x in one.waiting(chat.channel) if x.get("kind") == "availability"]
    # Who comes back has missed no message, but perhaps that.
    back = await customer.socket()
    assert (await chat.listens(back, mark))["updates"] == []
    assert await chat.available(back) == closing
    shown = (await customer.get(f"{chat.path}/conversation")).json()
    assert (shown["is_open"], shown["closes_at"]) == closing


async def test_who_has_lost_the_order_is_told_that_it_is_closed_to_him(chat: Chat) -> None:
    customer = await chat.customer.socket()
    for one in (customer, chat.phone):
        await chat.listens(one)
    operator = await chat.town.operator()
    taken = await operator.post(f"{chat.path}/unassign", {"reason": "flat tyre"})
    assert taken.status_code == 200, taken.text
    for one in (customer, chat.phone):
        assert await chat.available(one) == (False, None)


async def test_it_is_said_over_rest_and_listed_a_page_at_a_time(chat: Chat) -> None:
    for n in range(5):
        made = await chat.courier.post(f"{chat.path}/messages", {"text": f"{n}"})
        assert made.status_code == 201, made.text
    page = (await chat.customer.get(f"{chat.path}/messages?limit=2")).json()
    assert [one["number"] for one in page["messages"]] == [5, 4]
    older = await chat.customer.get(f"{chat.path}/messages?limit=2&cursor={page['next']}")
    assert [one["number"] for one in older.json()["messages"]] == [3, 2]
    put = await chat.customer.put(f"{chat.path}/read-marker", {"number": 99})
    assert put.json()["markers"] == [
        {"side": "customer", "courier_id": None, "delivered": 5, "read": 5}
    ]
    shown = (await chat.courier.get(f"{chat.path}/conversation")).json()
    assert (shown["is_open"], shown["last_number"]) == (True, 5)
    assert {"code": "yes", "en": "Yes.", "ar": "نعم."} in shown["quick_replies"]
    empty = await chat.customer.post(f"{chat.path}/messages", {"text": " "})
    assert (empty.status_code, empty.json()["code"]) == (422, "empty_message")
    nowhere = await chat.customer.post(f"/v1/orders/{new_id()}/messages", {"text": "x"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unknown_order")


async def test_who_has_no_socket_gets_one_text_in_his_language(chat: Chat) -> None:
    town = chat.town
    english = await town.client.patch(
        "/v1/profile", json={"language": "en"}, headers={**chat.customer.headers, "If-Match": '"1"'}
    )
    assert english.status_code == 200, english.text
    for text in ("one", "two", "three"):
        await chat.writes(chat.phone, text)

    async def told() -> list[str]:
        texts = [one.text for one in town.texts() if one.phone == chat.customer.phone]
        return [one for one in texts if "message" in one]

    while not await told():
        await town.parts.wall.sleep(50)
    await town.parts.clock.sleep(NOTICE_AFTER_MS)
    (only,) = await told()
    assert only.startswith("You have a new message about order ")


async def test_the_stored_conversation_outlives_the_stream(chat: Chat) -> None:
    customer = await chat.customer.socket()
    await chat.listens(customer)
    await chat.writes(chat.phone, "kept")
    talk = await chat.town.parts.chat.read(OrderId(chat.order_id), since=0, courier_id=None)
    assert talk is not None
    assert [one.text for one in talk.messages] == ["kept"]
    assert await chat.hears(customer, 1) == ["kept"]
