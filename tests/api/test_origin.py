"""Another site's page cannot open the socket in somebody's browser."""

import json
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.api.town import Town, a_town

SHOP = Origin("https://shop.example")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", "https://shop.example:8443", "null"]
)
async def test_a_page_of_another_site_is_refused_before_it_is_connected(
    tmp_path: Path, origin: str
) -> None:
    async with a_town(tmp_path, cors_origins=(SHOP,), is_open=False) as town:
        with pytest.raises(InvalidStatus) as refused:
            async with open_from(town, Origin(origin)):
                pass
    told = msgspec.json.decode(refused.value.response.body)
    assert (refused.value.response.status_code, told["code"]) == (403, "origin_not_allowed")
    assert refused.value.response.headers["content-type"] == "application/problem+json"


async def test_an_app_and_a_page_of_ours_are_let_in_and_still_asked_for_a_token(
    tmp_path: Path,
) -> None:
    async with a_town(tmp_path, cors_origins=(SHOP,), is_open=False) as town:
        customer = await town.log_in("customer")
        for origin in (None, SHOP):
            assert await first_word(town, origin, customer.token) == "authenticated"
            with pytest.raises(ConnectionClosed) as closed:
                await first_word(town, origin, "no token")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


async def first_word(town: Town, origin: Origin | None, token: str) -> str:
    async with open_from(town, origin) as socket:
        await socket.send(json.dumps({"type": "authenticate", "token": token}))
        return str(msgspec.json.decode(await socket.recv())["type"])


def open_from(town: Town, origin: Origin | None) -> connect:
    url = f"ws{town.url.removeprefix('http')}/v1/socket"
    return connect(url, origin=origin, compression=None, proxy=None, close_timeout=1)
