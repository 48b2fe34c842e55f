"""Who loses an order and gets it again has missed nothing of what was his."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from msgspec.structs import replace

from actors.clock import SystemClock
from actors.settings import ClockSettings
from api.sockets.outgoing import Outgoing
from api.sockets.talks import Talks
from engine.chat.conversation import WriteMessage, message_id_of, write
from engine.chat.view import Talk
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.messages import Caller, Decision, Role
from engine.orders.order import Order, OrderStatus
from simulations.talk_page import TalkPage
from simulations.views import Frame
from storage.chat import Asked
from storage.memory import MemoryStore
from storage.memory_chat import MemoryChat
from storage.memory_uploads import MemoryUploads
from tests.builders import NOON
from tests.storage.telling import a_told_story

_frame = msgspec.json.Decoder(Frame)


class Changing(MemoryChat):
    """Says that nobody has the order while it is `lost`."""

    is_lost = False

    async def read(
        self, order_id: OrderId, *, since: int | None, courier_id: CourierId | None
    ) -> Talk | None:
        talk = await super().read(order_id, since=since, courier_id=courier_id)
        if talk is None or not self.is_lost:
            return talk
        return replace(talk, order=replace(talk.order, courier_id=None))


class Scene:
    """A courier's app that listens to the order which he carries."""

    def __init__(self, chat: Changing, order: Order, talks: Talks) -> None:
        assert order.courier_id is not None
        self.chat, self.order, self.talks = chat, order, talks
        self.courier = Caller(user_id=order.courier_id, role=Role.COURIER)
        self.channel = f"conversation:{order.id}"
        self.outgoing = Outgoing(1000, pytest.fail)
        self.page = TalkPage(order.id)

    async def write(self, text: str) -> None:
        wish = WriteMessage(
            id=message_id_of(self.courier.user_id, self.order.id, text),
            order_id=self.order.id,
            text=text,
        )
        asked = Asked(order_id=self.order.id, message_id=wish.id, author_id=self.courier.user_id)
        stored = await self.chat.turn(
            asked, lambda standing: write(standing, wish, self.courier, now=NOON), due_at=NOON
        )
        assert isinstance(stored, Decision)

    def listen(self) -> None:
        self.talks.subscribe(self.courier, self.channel, self.outgoing, self.page.bookmark)

    async def shown(self) -> list[str]:
        """All that the app shows once it was told of everything."""
        self.talks.look_again()
        for _ in range(20):
            await SystemClock().sleep(0)
        for frame in self.outgoing.take():
            self.page.take(_frame.decode(frame))
        assert self.page.faults == []
        return [one.text for one in self.page.messages.values()]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    store = MemoryStore()
    chat = Changing(store, MemoryUploads(), store.outbox)
    clock = SystemClock(ClockSettings(start_ms=NOON, started_ms=SystemClock().now()))
    talks = Talks(chat, clock, SystemClock(), at_once=4)
    running = asyncio.ensure_future(talks.run())
    order = (await a_told_story(store, OrderStatus.PICKED_UP)).order
    yield Scene(chat, order, talks)
    running.cancel()
    await asyncio.wait({running})


async def test_what_was_stored_just_before_he_lost_the_order_is_told_when_he_has_it_again(
    scene: Scene,
) -> None:
    scene.listen()
    await scene.write("First")
    assert await scene.shown() == ["First"]
    await scene.write("Second")
    scene.chat.is_lost = True
    assert await scene.shown() == ["First"]
    scene.chat.is_lost = False
    await scene.write("Third")
    assert await scene.shown() == ["First", "Second", "Third"]


async def test_who_comes_back_while_he_has_lost_it_is_told_afterwards_what_he_missed(
    scene: Scene,
) -> None:
    scene.listen()
    await scene.write("First")
    assert await scene.shown() == ["First"]
    scene.talks.unsubscribe(scene.channel, scene.outgoing)
    await scene.write("Second")
    scene.chat.is_lost = True
    scene.listen()
    assert await scene.shown() == ["First"]
    scene.chat.is_lost = False
    assert await scene.shown() == ["First", "Second"]


async def test_who_comes_for_the_first_time_when_he_has_lost_it_is_told_all_of_it_afterwards(
    scene: Scene,
) -> None:
    await scene.write("First")
    scene.chat.is_lost = True
    scene.listen()
    assert await scene.shown() == []
    scene.chat.is_lost = False
    assert await scene.shown() == ["First"]
