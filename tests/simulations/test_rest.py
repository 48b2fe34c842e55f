"""A simulated phone on a line that loses answers: what it asks again is done once."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from simulations.rest import Account, Edge
from tests.api.town import Town, a_town


class ForgetfulLine(httpx2.AsyncHTTPTransport):
    """Carries every request, and loses the first answer of each path."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await super().handle_async_request(request)
        if request.url.path in self.lost:
            return answer
        self.lost.append(request.url.path)
        await answer.aclose()
        raise httpx2.ReadError("the line broke")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with a_town(tmp_path) as town:
        yield town


@pytest.fixture
async def edge(town: Town) -> AsyncIterator[Edge]:
    parts = town.parts
    edge = Edge(town.url, parts.settings.sms_log, clock=parts.clock, chance=random.Random(1))
    yield edge
    await edge.close()


async def test_a_log_in_whose_answers_were_lost_is_one_log_in(town: Town, edge: Edge) -> None:
    await edge.client.aclose()
    line = ForgetfulLine()
    edge.client = httpx2.AsyncClient(base_url=town.url, transport=line)
    account = Account(edge, phone=town.phone(), role="customer")
    await account.log_in()
    listed = await account.request("GET", "/v1/sessions")
    assert line.lost == ["/v1/auth/otp", "/v1/auth/token", "/v1/sessions"]
    assert len(listed.body["sessions"]) == 1


async def test_the_newest_text_counts(town: Town, edge: Edge) -> None:
    account = Account(edge, phone=town.phone(), role="customer")
    stale = town.parts.settings.sms_log
    with stale.open("a") as file:
        file.write(f'{{"phone":"{account.phone}","text":"#000000"}}\n')
    await account.log_in()
    assert account.token
