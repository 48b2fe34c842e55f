"""A payout provider that speaks Moyasar's protocol on a port of its own, and misbehaves when told.

What an amount ends with says what becomes of a payout: see `FATES`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actors.clock import SystemClock
from engine.kernel.ids import derived_id
from engine.kernel.timing import Instant
from tests.builders import NOON

# Halalas of the amount: what is answered, what the payout becomes, and whether it is done at all.
FATES: Final = {
    1: "rejected",
    2: "lost before it was done",
    3: "done, and the answer lost",
    4: "failed later",
    5: "returned later",
    6: "another amount",
    7: "busy",
}
PAGE: Final = 2


class HandClock:
    """Stands still until somebody turns it."""

    speed = 1.0

    def __init__(self, at: Instant = NOON) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    async def sleep(self, ms: float) -> None:
        self.at += int(ms)


class Bank:
    """All payouts that were asked for, by the number that the other side gave them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.is_away = False
        self.end = asyncio.Event()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/payouts", self._create, methods=["POST"]),
                Route("/v1/payouts", self._list, methods=["GET"]),
                Route("/v1/payouts/{payout_id}", self._fetch, methods=["GET"]),
            ]
        )

    def become(self, status: str) -> None:
        """What the bank has done with everything that is under way."""
        for one in self.kept.values():
            one["status"] = status

    async def _create(self, request: Request) -> Response:
        body = msgspec.json.decode(await request.body())
        number, fate = body["sequence_number"], FATES.get(body["amount"] % 10, "")
        assert body["source_id"] == "account-1"
        assert len(number) == 16
        self.asked.append(number)
        if fate == "rejected":
            return JSONResponse({"type": "invalid_request_error"}, 400)
        if fate == "busy" or self.is_away:
            return JSONResponse({"type": "api_error"}, 503)
        if fate != "lost before it was done":
            self._keep(body, fate)
        if fate in {"lost before it was done", "done, and the answer lost"}:
            # Neither a status nor a body: the other side waits until it has had enough.
            await self.end.wait()
        return JSONResponse(self.kept[number], 201)

    def _keep(self, body: dict[str, Any], fate: str) -> None:
        number = body["sequence_number"]
        assert number not in self.kept, "a payout was asked for twice"
        status = {"failed later": "queued"}.get(fate, "initiated")
        amount = body["amount"] + (100 if fate == "another amount" else 0)
        told = {"id": derived_id("bank", number), "status": status, "currency": "SAR"}
        self.kept[number] = {**body, **told, "amount": amount, "failure_reason": None}

    async def _list(self, request: Request) -> Response:
        if self.is_away:
            return JSONResponse({"type": "api_error"}, 503)
        page = int(request.query_params["page"])
        kept = list(self.kept.values())
        shown = kept[(page - 1) * PAGE : page * PAGE]
        following = page + 1 if page * PAGE < len(kept) else None
        return JSONResponse({"payouts": shown, "meta": {"next_page": following}})

    async def _fetch(self, request: Request) -> Response:
        name = request.path_params["payout_id"]
        found = [one for one in self.kept.values() if one["id"] == name]
        if self.is_away or not found:
            return JSONResponse({"type": "api_error"}, 503 if self.is_away else 404)
        return JSONResponse(found[0])


@asynccontextmanager
async def a_bank() -> AsyncIterator[tuple[Bank, str]]:
    """The provider and its address."""
    bank = Bank()
    config = uvicorn.Config(bank.app(), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started and not serving.done():
        await SystemClock().sleep(5)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield bank, f"http://127.0.0.1:{port}"
    finally:
        bank.end.set()
        server.should_exit = server.force_exit = True
        await serving
