"""The sender of prepared requests, on which the measuring of the API rests."""

import asyncio

from api.commands.bench_load import request, send_all
from tests.api.town import Town


async def test_every_request_is_sent_once_and_its_status_counted(town: Town) -> None:
    known = [request("GET", "/v1/clock", {}) for _ in range(9)]
    wrong = [request("POST", "/v1/quotes", {"content-type": "application/json"}, b"{}")] * 4
    load = await asyncio.to_thread(send_all, town.url, [*known, *wrong], 3)
    assert load.statuses == {200: 9, 401: 4}
    assert load.seconds > 0
