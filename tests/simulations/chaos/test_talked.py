"""What people were told of their conversations is held against the service: lies are found."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from engine.kernel.ids import OrderId
from simulations.app_socket import Socket
from simulations.chaos.talked import talked_otherwise
from simulations.diary import Diary
from simulations.rest import Account, Edge
from simulations.small_talk import SmallTalk
from simulations.views import Told
from simulations.witness import Chronicle, Said
from storage.memory_chat import MemoryChat
from tests.api.test_conversations import carried
from tests.api.town import OPERATOR, Person, a_town


@dataclass
class Talked:
    """Customer and courier have told each other three things each, and read them."""

    operator: Account
    chronicle: Chronicle
    chat: MemoryChat
    customer: SmallTalk
    courier: SmallTalk
    order_id: str

    async def found(self) -> list[str]:
        talks = [self.customer, self.courier]
        return await talked_otherwise(self.operator, talks, self.chronicle.answers)


def as_account(edge: Edge, person: Person, role: str) -> Account:
    account = Account(edge, phone=person.phone, role=role)
    account.token, account.user_id = person.token, person.user_id
    return account


@asynccontextmanager
async def at_the_edge(talk: SmallTalk) -> AsyncIterator[Socket]:
    socket = Socket(talk.account, Diary(), SystemChance())
    talk.use(socket)
    await socket.open()
    try:
        yield socket
    finally:
        await talk.end()
        await socket.close()


@pytest.fixture
async def talked(tmp_path: Path) -> AsyncIterator[Talked]:
    chronicle = Chronicle(tmp_path / "told.jsonl")
    async with a_town(tmp_path) as town:
        known = await carried(town)
        await known.phone.connection.close()
        edge = Edge(
            town.url,
            town.parts.settings.sms_log,
            clock=town.parts.clock,
            chance=random.Random(1),
            witness=chronicle,
        )
        operator = Account(edge, phone=OPERATOR, role="operator")
        await operator.log_in()
        customer, courier = (
            SmallTalk(as_account(edge, person, side), side, pause_s=(0.05, 0.2))
            for person, side in ((known.customer, "customer"), (known.courier, "courier"))
        )
        async with at_the_edge(customer), at_the_edge(courier), asyncio.timeout(30):
            for one in (customer, courier):
                one.begin(known.order_id)
            while len(chronicle.answers) < 6 or len(customer.pages[known.order_id].messages) < 6:
                await edge.clock.sleep(3_000)
        assert isinstance(town.parts.chat, MemoryChat)
        yield Talked(operator, chronicle, town.parts.chat, customer, courier, known.order_id)
        await edge.close()
        chronicle.close()


async def test_what_was_told_is_true_and_who_comes_back_hears_the_rest(talked: Talked) -> None:
    page = talked.customer.pages[talked.order_id]
    # The phone was switched off before it had heard of the last two.
    for missed in list(page.messages)[-2:]:
        del page.messages[missed]
    assert page.bookmark is not None
    last = max(one.number for one in page.messages.values())
    conversation = await talked.chat.read(OrderId(talked.order_id), since=None, courier_id=None)
    assert conversation is not None
    at = next(one.version for one in conversation.messages if one.number == last)
    page.bookmark = replace(page.bookmark, offset=at)
    assert await talked.found() == []
    assert len(page.messages) == 6


async def test_an_acknowledged_message_that_is_not_stored_is_found(talked: Talked) -> None:
    said = Said("message", "of-his-own", {"order_id": talked.order_id, "text": "never stored"})
    told = Told(body={"message_id": "m", "number": 7, "at": 0})
    talked.chronicle.answered(talked.customer.account.phone, said, told)
    (what,) = await talked.found()
    assert "was told that ('m', 7, 'never stored') is written" in what


async def test_a_message_that_was_shown_and_is_stored_otherwise_is_found(talked: Talked) -> None:
    page = talked.courier.pages[talked.order_id]
    first = next(iter(page.messages))
    page.messages[first] = replace(page.messages[first], text="something else")
    (what,) = await talked.found()
    assert "stored is otherwise" in what


async def test_a_hole_among_the_messages_is_found(talked: Talked) -> None:
    del talked.chat._messages[OrderId(talked.order_id)][2]
    found = await talked.found()
    assert f"conversation {talked.order_id} has the messages [1, 2, 4, 5, 6]" in found


async def test_a_closing_that_was_told_otherwise_is_found(
    talked: Talked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulations.chaos.talked._PATIENCE_S", 1.0)
    talked.customer.pages[talked.order_id].closes_at = 7
    wrong = {"order_id": talked.order_id, "is_open": True, "closes_at": 7}
    monkeypatch.setattr("engine.chat.view.state_view", lambda *_, **__: wrong)
    (what,) = await talked.found()
    assert "closes otherwise: (7, None)" in what


async def test_a_read_marker_that_is_lost_is_found(
    talked: Talked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulations.chaos.talked._PATIENCE_S", 1.0)
    talked.customer.has_read[talked.order_id] = 99
    (what,) = await talked.found()
    assert "has read 99" in what
