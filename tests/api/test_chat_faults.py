"""Whatever is lost on the way, each message is stored once, and heard once by who listens."""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from actors.conversations import CHANGED
from api.parts import Parts
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from storage.chat import Asked, ChatStore, Decide
from storage.live import Batch
from storage.memory_live import MemoryLive
from storage.store import StoreUnavailable
from tests.api.test_conversations import Chat, carried, with_receipts
from tests.api.town import Socket, a_town


class LosesWords(MemoryLive):
    """A stream on which nobody hears that a conversation changed, while `loses`."""

    def __init__(self) -> None:
        super().__init__()
        self.loses = False
        self.lost = 0

    async def publish(self, batch: Batch) -> None:
        if self.loses and any(one.kind == CHANGED for one in batch.publications):
            self.lost += 1
            return
        await super().publish(batch)


class LosesAnswers:
    """A store that keeps what it is told, and whose answer is lost now and then."""

    def __init__(self, chat: ChatStore) -> None:
        self._chat = chat
        self.lose_next = 0
        self.refuse_next = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chat, name)

    async def turn(self, asked: Asked, decide: Decide, *, due_at: Instant) -> Decision | Refusal:
        if self.refuse_next:
            self.refuse_next -= 1
            raise StoreUnavailable("it is away")
        decided = await self._chat.turn(asked, decide, due_at=due_at)
        if self.lose_next:
            self.lose_next -= 1
            raise StoreUnavailable("the answer was lost")
        return decided


async def test_who_dies_before_he_tells_is_told_for(tmp_path: Path) -> None:
    live = LosesWords()
    async with a_town(tmp_path, live=live) as town:
        chat = await carried(town)
        customer = await chat.customer.socket()
        await chat.listens(customer)
        live.loses = True
        await chat.writes(chat.phone, "nobody said that I am here")
        assert live.lost == 1
        live.loses = False
        assert await chat.hears(customer, 1) == ["nobody said that I am here"]


async def test_a_message_whose_answer_was_lost_is_sent_again_and_stands_once(
    tmp_path: Path,
) -> None:
    stores: list[LosesAnswers] = []

    def shaky(parts: Parts) -> Parts:
        stores.append(LosesAnswers(parts.chat))
        return replace(parts, chat=stores[0])

    async with a_town(tmp_path, parts_of=shaky) as town:
        chat = await carried(town)
        customer = await chat.customer.socket()
        await chat.listens(customer)
        stores[0].lose_next = 1
        lost = await chat.writes(chat.phone, "once", id="the-message")
        assert lost["code"] == "temporarily_unavailable"
        again = await chat.writes(chat.phone, "once", id="the-message")
        assert again["body"]["number"] == 1
        await chat.writes(chat.phone, "twice")
        assert await chat.hears(customer, 2) == ["once", "twice"]
        assert await chat.shown(chat.customer) == ["twice", "once"]


async def test_what_a_phone_confirms_while_the_database_is_away_is_known_when_it_is_back(
    tmp_path: Path,
) -> None:
    stores: list[LosesAnswers] = []

    def shaky(parts: Parts) -> Parts:
        stores.append(LosesAnswers(parts.chat))
        return replace(parts, chat=stores[0])

    async with a_town(tmp_path, parts_of=shaky) as town:
        chat = await carried(town)
        customer = await Socket.open(town)
        await customer.send(with_receipts(chat.customer.token, {chat.channel: None}))
        await customer.next("snapshot", channel=chat.channel)
        await chat.listens(chat.phone)
        await chat.writes(chat.phone, "I am at the door")
        told = await customer.next("update", channel=chat.channel)
        stores[0].refuse_next = 2
        receipt = {"type": "received", "channel": chat.channel, "bookmark": told["bookmark"]}
        await customer.send(receipt)
        await chat.hears(chat.phone, 1)
        moved = await chat.phone.next("update", channel=chat.channel)
        assert moved["body"]["markers"][0]["delivered"] == 1
        assert stores[0].refuse_next == 0


class Listener:
    """A phone that is cut off and comes back from its bookmark, and keeps what it was told."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._socket: Socket | None = None
        self._mark: dict[str, Any] | None = None
        self.heard: list[tuple[int, str]] = []

    async def come(self) -> None:
        self._socket = await self._chat.customer.socket()
        frame = await self._chat.listens(self._socket, self._mark)
        for one in frame.get("updates", (frame,)):
            self._take(one)
        self._mark = frame["bookmark"]

    async def go(self) -> None:
        assert self._socket is not None
        # Whatever it was told and has not read is lost with the line.
        self._socket.connection.transport.abort()

    async def hear_until(self, number: int) -> None:
        assert self._socket is not None
        while not self.heard or self.heard[-1][0] < number:
            frame = await self._socket.next("update", channel=self._chat.channel, kind="state")
            self._take(frame)
            self._mark = frame["bookmark"]

    def _take(self, frame: dict[str, Any]) -> None:
        self.heard += [(one["number"], one["text"]) for one in frame["body"]["messages"]]


@pytest.mark.parametrize("seed", range(4))
async def test_on_a_bad_line_each_message_is_heard_once_in_its_order(
    tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    live = LosesWords()
    async with a_town(tmp_path, live=live) as town:
        chat = await carried(town)
        operator = await (await town.operator()).socket()
        listener = Listener(chat)
        await listener.come()
        for number in range(1, 16):
            live.loses = random.random() < 0.3
            if random.random() < 0.4:
                await listener.go()
                await chat.writes(random.choice((chat.phone, operator)), f"{number}")
                await listener.come()
            else:
                await chat.writes(random.choice((chat.phone, operator)), f"{number}")
            if random.random() < 0.3:
                live.loses = False
                await listener.hear_until(number)
        live.loses = False
        await listener.hear_until(15)
        assert listener.heard == [(n, f"{n}") for n in range(1, 16)]


async def test_two_phones_write_at_once_and_both_hear_the_same(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        chat = await carried(town)
        customer = await chat.customer.socket()
        for socket in (customer, chat.phone):
            await chat.listens(socket)

        async def write(socket: Socket, name: str) -> None:
            for n in range(10):
                assert (await chat.writes(socket, f"{name}{n}"))["type"] == "reply"

        await asyncio.gather(write(customer, "a"), write(chat.phone, "b"))
        heard = await chat.hears(customer, 20)
        assert await chat.hears(chat.phone, 20) == heard
        assert [one for one in heard if one.startswith("a")] == [f"a{n}" for n in range(10)]
        assert (await chat.shown(chat.customer))[::-1] == heard
