"""What the API costs beside bare FastAPI on the same worker: reading oneself, placing an order."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import Final, NamedTuple

import msgspec
import uvicorn
import uvloop
from fastapi import FastAPI
from msgspec.structs import replace
from pydantic import BaseModel, SecretStr
from rich.console import Console
from rich.progress import track
from rich.table import Table
from starlette.types import ASGIApp, Receive, Scope, Send

from actors.chance import new_id
from actors.clock import SystemClock
from actors.garbage import YOUNG_OF_SOCKETS, collect_seldom
from actors.settings import RuntimeKind, RuntimeSettings
from api.app import assemble
from api.bodies import OrderBody
from api.commands.bench_load import Load, request, send_all
from api.identity_settings import IdentitySettings
from api.limit_settings import LimitSettings
from api.parts import Parts
from api.server import listen_config, open_parts
from api.settings import Settings
from engine.kernel.ids import QuoteId
from engine.kernel.place import Point
from engine.orders.quote import Quote
from simulations.realtime.processes import usage
from simulations.rest import Account, Edge
from storage.bare_orders import bare_orders
from storage.migrate import migrate
from storage.servers import Servers, embedded_servers
from storage.settings import DatabaseSettings, DataSettings

OPERATOR: Final = "+966500000001"
CUSTOMER: Final = "+966550000001"
SHOP: Final = Point(lat=24.6900, lng=46.6850)
DOOR: Final = Point(lat=24.7100, lng=46.7000)
_BARE: Final = "/bare"
_CORNERS: Final = ((24.60, 46.55), (24.60, 46.82), (24.85, 46.82), (24.85, 46.55))
_ZONE: Final = {
    "name_en": "Bench",
    "name_ar": "قياس",
    "polygon": [{"lat": lat, "lng": lng} for lat, lng in _CORNERS],
    "resolution": 7,
    # What is measured is the placing, not the dispatch of a whole queue.
    "parameters": {"tick_s": 600},
}
_ENDS: Final = {"shop": msgspec.to_builtins(SHOP), "door": msgspec.to_builtins(DOOR)}
_ORDER: Final = {
    "gift": {"description": "Roses", "message": "مبروك"},
    "recipient": {"name": "Noura", "phone": "0501234567"},
    "shop": {**_ENDS["shop"], "name": "Flowers"},
    "door": {**_ENDS["door"], "address": "Building 7"},
}
_UNLIMITED: Final = LimitSettings(person_per_min=10**7, device_per_min=10**7, address_per_min=10**7)


class BareMe(BaseModel):
    """What the bare route answers: as many fields as ours."""

    user_id: str
    phone: str
    role: str


class Case(StrEnum):
    """What is asked for, of us and of the bare application."""

    CLOCK = "clock"
    ME = "me"
    ORDER = "order"


_TOLD: Final = {
    Case.CLOCK: "GET /v1/clock (counted for its person)",
    Case.ME: "GET /v1/me (a row is read and opened)",
    Case.ORDER: "POST /v1/orders (auth, validation, key, one commit)",
}


class Run(NamedTuple):
    """Seconds of the worker's and of PostgreSQL's processor for a request; requests a second."""

    worker_s: float
    database_s: float
    rate: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Every run of one case, of us and of the bare application."""

    case: Case
    ours: list[Run]
    bare: list[Run]

    def medians(self) -> tuple[Run, Run]:
        """Of ours and of the bare runs, each figure by itself."""
        ours, bare = (
            Run(*(median(each) for each in zip(*runs, strict=True)))
            for runs in (self.ours, self.bare)
        )
        return ours, bare


def run(cases: Sequence[Case], *, runs: int, count: int, connections: int) -> None:
    """Start a throw-away system and print the table; `only` of these cases, or all."""
    with embedded_servers(throwaway=True) as servers:
        asyncio.run(migrate(servers.postgres_dsn))
        settings = _settings(servers)
        # As a worker of the service is run.
        collect_seldom(young=YOUNG_OF_SOCKETS)
        found = uvloop.run(
            _measured(settings, cases, runs=runs, count=count, connections=connections)
        )
    table = Table("", "worker µs", "bare", "database µs", "bare", "/s", "bare", "by µs", "by /s")
    for one in found:
        ours, bare = one.medians()
        table.add_row(
            _TOLD[one.case],
            f"{ours.worker_s * 1e6:.0f}",
            f"{bare.worker_s * 1e6:.0f}",
            f"{ours.database_s * 1e6:.0f}",
            f"{bare.database_s * 1e6:.0f}",
            f"{ours.rate:.0f}",
            f"{bare.rate:.0f}",
            f"{bare.worker_s / ours.worker_s:.2f}",
            f"{ours.rate / bare.rate:.2f}",
        )
    Console().print(table)


def _settings(servers: Servers) -> Settings:
    plain = Settings()
    assert servers.folder is not None
    return plain.model_copy(
        update={
            "data": DataSettings(folder=servers.folder),
            "database": plain.database.model_copy(update={"dsn": SecretStr(servers.postgres_dsn)}),
            "redis": plain.redis.model_copy(update={"url": SecretStr(servers.redis_url)}),
            "runtime": RuntimeSettings(kind=RuntimeKind.LOCAL),
            "identity": IdentitySettings(operators=(OPERATOR,)),
            "limits": _UNLIMITED,
        }
    )


async def _measured(
    settings: Settings, cases: Sequence[Case], *, runs: int, count: int, connections: int
) -> list[Measured]:
    app = assemble(partial(open_parts, settings), settings)
    config = listen_config(app, settings.edge)
    async with _bare_app(settings.database) as bare:
        config.app, config.port, config.loop = _either(app, bare), 0, "none"
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await SystemClock().sleep(20)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            send = partial(_sent, pool, url, connections)
            place = await _opened(app.state.parts, url, settings)
            found = [
                await _alternating(case, *_prepares(place, case), send, runs=runs, count=count)
                for case in cases
            ]
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
    return found


Prepare = Callable[[int], Awaitable[list[bytes]]]
Sender = Callable[[Sequence[bytes]], "asyncio.Future[Load]"]


def _sent(
    pool: ProcessPoolExecutor, url: str, connections: int, requests: Sequence[bytes]
) -> "asyncio.Future[Load]":
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(pool, send_all, url, requests, connections)


async def _alternating(
    case: Case, ours: Prepare, bare: Prepare, send: Sender, *, runs: int, count: int
) -> Measured:
    told: dict[str, list[Run]] = {"ours": [], "bare": []}
    await _once(ours, send, count // 4)
    await _once(bare, send, count // 4)
    for _ in track(range(runs), description=case, transient=True):
        told["ours"].append(await _once(ours, send, count))
        told["bare"].append(await _once(bare, send, count))
    return Measured(case=case, ours=told["ours"], bare=told["bare"])


async def _once(prepare: Prepare, send: Sender, count: int) -> Run:
    requests = await prepare(count)
    began, database_began = time.process_time(), _database_s()
    load = await send(requests)
    spent_s, database_s = time.process_time() - began, _database_s() - database_began
    assert load.statuses.keys() <= {200, 201}, load.statuses
    return Run(spent_s / count, database_s / count, count / load.seconds)


def _database_s() -> float:
    """Seconds of the processor that PostgreSQL has used: its own, not the disk's."""
    return usage().cpu_s.get("database", 0.0)


def _either(ours: ASGIApp, bare: ASGIApp) -> ASGIApp:
    """Both applications behind one server; what lives as long as it does is ours."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        asked = bare if scope.get("path", "").startswith(_BARE) else ours
        await asked(scope, receive, send)

    return serve


@asynccontextmanager
async def _bare_app(settings: DatabaseSettings) -> AsyncIterator[FastAPI]:
    """FastAPI and asyncpg as their documents show them, nothing of ours but the body's type."""
    app = FastAPI(openapi_url=None)

    async with bare_orders(settings) as table:

        @app.get(f"{_BARE}/me")
        async def me() -> BareMe:
            return BareMe(user_id=CUSTOMER, phone=CUSTOMER, role="customer")

        @app.post(f"{_BARE}/orders", status_code=201)
        async def place(body: OrderBody) -> BareMe:
            await table.insert(body.quote_id, body.model_dump_json())
            return BareMe(user_id=body.quote_id, phone=body.recipient.name, role="customer")

        yield app


class _Place(msgspec.Struct, frozen=True):
    """Where requests are made for: who asks, and a quote of whose kind every order has one."""

    parts: Parts
    bearer: dict[str, str]
    quote: Quote

    def reads(self, path: str) -> Prepare:
        """The same question again and again."""

        async def prepare(count: int) -> list[bytes]:
            return [request("GET", path, self.bearer)] * count

        return prepare

    def orders(self, path: str) -> Prepare:
        """Orders, each under a key of its own."""

        async def prepare(count: int) -> list[bytes]:
            return [await self._order(path) for _ in range(count)]

        return prepare

    async def _order(self, path: str) -> bytes:
        parts = self.parts
        # A quote becomes one order.
        quote = replace(self.quote, id=QuoteId(new_id(parts.clock, parts.chance)))
        await parts.store.save_quote(quote)
        body = msgspec.json.encode({"quote_id": quote.id, **_ORDER})
        key = new_id(parts.clock, parts.chance)
        return request("POST", path, {**self.bearer, "idempotency-key": key}, body)


def _prepares(place: _Place, case: Case) -> tuple[Prepare, Prepare]:
    """Makers of our requests and of the bare ones."""
    match case:
        case Case.CLOCK:
            return place.reads("/v1/clock"), place.reads(f"{_BARE}/me")
        case Case.ME:
            return place.reads("/v1/me"), place.reads(f"{_BARE}/me")
        case Case.ORDER:
            return place.orders("/v1/orders"), place.orders(f"{_BARE}/orders")


async def _opened(parts: Parts, url: str, settings: Settings) -> _Place:
    """A zone, and a customer who has asked for a price."""
    luck = random.Random(1)  # noqa: S311 - pauses between tries
    edge = Edge(url, settings.sms_log, clock=SystemClock(), chance=luck)
    operator = Account(edge, phone=OPERATOR, role="operator")
    customer = Account(edge, phone=CUSTOMER, role="customer")
    await operator.log_in()
    await customer.log_in()
    await operator.request("POST", "/v1/zones", _ZONE, key=new_id(edge.clock, parts.chance))
    made = await customer.request("POST", "/v1/quotes", {**_ENDS, "preparation_s": 0})
    quote = await parts.store.find_quote(QuoteId(made.body["quote_id"]))
    assert quote is not None
    await edge.close()
    bearer = {"authorization": f"Bearer {customer.token}", "content-type": "application/json"}
    return _Place(parts, bearer, quote)
