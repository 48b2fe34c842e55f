"""The edge on a real port, around a system in memory, and people who talk to it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx2
import msgspec
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.cell import World
from actors.chance import SystemChance
from actors.clock import SystemClock
from actors.gateways.breaches import Breaches, NoBreaches
from actors.gateways.clamd import NoScanner, Scanner
from actors.gateways.mail import DevelopmentMail, SentMail
from actors.gateways.payments import PaymentGateway
from actors.gateways.payouts import PayoutGateway
from actors.gateways.settings import (
    MoyasarSettings,
    OutboxSettings,
    PaymentSettings,
    PayoutSettings,
    ScannerSettings,
)
from actors.gateways.sms import DevelopmentSms, SentSms
from actors.gateways.zatca import Zatca
from actors.local import LocalCells, local_bus
from actors.settings import ClockSettings, RuntimeKind, RuntimeSettings, UploadSettings
from actors.solver import stopped_watch
from actors.solving import LocalSolver
from api.admission import Admission
from api.app import create_app
from api.edge_settings import EdgeSettings
from api.gate import Gate
from api.identity_settings import IdentitySettings
from api.keys import KeyRing, make_keys
from api.limit_settings import LimitSettings
from api.parts import Parts
from api.server import EdgeServer, listen_config
from api.settings import Settings, WhatIfSettings
from api.unit_certificates import open_certificates
from engine.identity.ids import SessionId
from engine.identity.login import User
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.payments.gateways import GatewayName
from storage.drafts import MemoryDrafts
from storage.identity import IdentityStore
from storage.jobs import MemoryJobs
from storage.kept_answers import KeptAnswers
from storage.live import LiveStream
from storage.memory import MemoryStore
from storage.memory_chat import MemoryChat
from storage.memory_gift_links import MemoryGiftLinks
from storage.memory_identity import MemoryIdentity
from storage.memory_invoices import MemoryInvoices
from storage.memory_kept_answers import MemoryKeptAnswers
from storage.memory_ledger import MemoryLedger
from storage.memory_live import MemoryLive
from storage.memory_payments import MemoryPayments
from storage.memory_payouts import MemoryPayouts
from storage.memory_periods import MemoryPeriods
from storage.memory_privacy import MemoryPersonalData, MemoryPrivacy
from storage.memory_sessions import MemorySessions
from storage.memory_staff import MemoryStaff
from storage.memory_unit_certificates import MemoryUnitCertificates
from storage.memory_uploads import MemoryUploads
from storage.memory_what_ifs import MemoryWhatIfs
from storage.objects import Objects
from storage.rates import MemoryRates, Rates
from storage.refused_tries import MemoryRefusedTries
from storage.saved_methods import MemorySavedMethods
from storage.sessions import SessionStore
from storage.settings import DataSettings
from storage.settlements import MemorySettlements
from storage.sheets import MemorySheets
from storage.store import Store
from tests.builders import CORNER, DOOR, SHOP, new_id

if TYPE_CHECKING:
    from actors.sessions import Sessions
    from api.tokens import Tokens

OPERATOR: Final = "+966500000001"
SECOND_OPERATOR: Final = "+966500000002"
# Quick enough that nobody waits for a tick, slow enough that no offer expires by itself.
SPEED: Final = 60.0
PARAMETERS: Final = {
    "tick_s": 2,
    "commit_lead_s": 3600,
    "offer_timeout_s": 1800,
    "bundle_size_max": 1,
}
UNLIMITED: Final = LimitSettings(person_per_min=10**6, device_per_min=10**6, address_per_min=10**6)
_PATIENCE_S: Final = 30.0


class _InTest(EdgeServer):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave Ctrl-C to pytest."""
        yield


class Town:
    """What a test needs to know of the running edge."""

    def __init__(self, url: str, parts: Parts, cells: LocalCells, app: FastAPI) -> None:
        self.url, self.parts, self.cells, self.app = url, parts, cells, app
        # Nothing is encrypted here: no certificates are read for it.
        self.client = httpx2.AsyncClient(
            base_url=url, trust_env=False, verify=False, timeout=_PATIENCE_S
        )
        self.connections: list[ClientConnection] = []
        self.zone_id = ""
        self._numbers = iter(range(1_000_000))

    async def hung_up(self) -> None:
        """Return when every phone knows that the service has stopped."""
        for one in self.connections:
            # Whom nobody listens to any more hears nothing of it.
            if not one.transport.is_reading():
                one.transport.abort()
            await one.wait_closed()

    @property
    def gate(self) -> Gate:
        """Who is let in."""
        gate: Gate = self.app.state.gate
        return gate

    def key(self) -> str:
        return f"key-{next(self._numbers):06d}"

    def phone(self) -> str:
        return f"+96655{next(self._numbers):07d}"

    def texts(self) -> list[SentSms]:
        """Every text message so far."""
        lines = self.parts.settings.sms_log.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=SentSms) for line in lines]

    def mails(self) -> list[SentMail]:
        """Every e-mail so far."""
        file = self.parts.settings.mail_log
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [msgspec.json.decode(line, type=SentMail) for line in lines]

    def code(self, phone: str) -> str:
        """The last code that was sent to a phone, whatever was sent to it since."""
        texts = [one.text for one in self.texts() if one.phone == phone]
        return [found[1] for text in texts if (found := re.search(r"#(\d{6})$", text))][-1]

    async def log_in(self, role: str, phone: str | None = None, **more: str) -> "Person":
        phone = phone or self.phone()
        asked = await self.client.post("/v1/auth/otp", json={"phone": phone})
        assert asked.status_code == 202, asked.text
        wish = {"phone": phone, "code": self.code(phone), "role": role, **more}
        told = await self.client.post("/v1/auth/token", json=wish)
        assert told.status_code == 200, told.text
        body = told.json()
        return Person(self, phone, body)

    async def operator(self) -> "Person":
        return await self.log_in("operator", OPERATOR)

    async def admin(self) -> "Person":
        """Somebody who looks after operators; how he gets in is another test's story."""
        phone = self.phone()
        user = await self.parts.identity.register(
            User(id=UserId(new_id()), phone=phone, created_at=self.parts.wall.now())
        )
        caller = Caller(user_id=user.id, role=Role.ADMIN)
        sessions: Sessions = self.app.state.sessions
        tokens: Tokens = self.app.state.tokens
        session = (await sessions.begin(caller, device="", place="")).session
        token = tokens.issue(caller, session.id, now=self.parts.wall.now())
        told = {"access_token": token, "user_id": user.id, "session_id": session.id}
        return Person(self, phone, told)

    async def open_zone(self) -> None:
        """One zone around the shop and the door of the builders."""
        corners = [(24.60, 46.55), (24.60, 46.82), (24.85, 46.82), (24.85, 46.55)]
        body = {
            "name_en": "Olaya",
            "name_ar": "العليا",
            "polygon": [{"lat": lat, "lng": lng} for lat, lng in corners],
            "resolution": 7,
            "parameters": PARAMETERS,
        }
        made = await (await self.operator()).post("/v1/zones", body)
        assert made.status_code == 201, made.text
        self.zone_id = made.json()["zone_id"]

    async def courier(self) -> tuple["Person", "Socket"]:
        """A courier on duty with an open socket."""
        person = await self.log_in("courier")
        socket = await person.socket()
        reply = await socket.tell("duty", **ON_DUTY)
        assert reply == {"type": "reply", "id": reply["id"], "body": {"duty": "on"}}
        return person, socket


ON_DUTY: Final[dict[str, Any]] = {
    "duty": "on",
    "name": "Salem",
    "vehicle": "car",
    "capacity_units": 4,
    "lat": CORNER.lat,
    "lng": CORNER.lng,
}
QUOTE: Final[dict[str, Any]] = {
    "shop": {"lat": SHOP.lat, "lng": SHOP.lng},
    "door": {"lat": DOOR.lat, "lng": DOOR.lng},
    "preparation_s": 0,
}


def order_body(quote_id: str, **more: Any) -> dict[str, Any]:
    return {
        "quote_id": quote_id,
        "gift": {"description": "Roses", "message": "مبروك"},
        "recipient": {"name": "Noura", "phone": "0501234567"},
        "shop": {**QUOTE["shop"], "name": "Flowers"},
        "door": {**QUOTE["door"], "address": "Building 7"},
        **more,
    }


class Person:
    """Somebody with a token."""

    def __init__(self, town: Town, phone: str, told: dict[str, Any]) -> None:
        self.town, self.phone, self.told = town, phone, told
        self.token, self.user_id = str(told["access_token"]), str(told["user_id"])
        self.session_id = SessionId(told["session_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.town.client.get(path, headers={**self.headers, **headers})

    async def post(
        self, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        sent = {**self.headers, "Idempotency-Key": key or self.town.key(), **headers}
        return await self.town.client.post(path, json=body, headers=sent)

    async def put(self, path: str, body: object, **headers: str) -> httpx2.Response:
        return await self.town.client.put(path, json=body, headers={**self.headers, **headers})

    async def quote(self) -> str:
        made = await self.post("/v1/quotes", QUOTE)
        assert made.status_code == 201, made.text
        return str(made.json()["quote_id"])

    async def order(self) -> str:
        placed = await self.post("/v1/orders", order_body(await self.quote()))
        assert placed.status_code == 201, placed.text
        return str(placed.json()["order_id"])

    async def socket(self) -> "Socket":
        socket = await Socket.open(self.town)
        await socket.send({"type": "authenticate", "token": self.token})
        welcome = await socket.next("authenticated")
        assert welcome["user_id"] == self.user_id
        return socket


class Socket:
    """A phone's connection; frames that nobody asked for wait until somebody does."""

    def __init__(self, town: Town, connection: ClientConnection) -> None:
        self.town, self.connection = town, connection
        self._waiting: list[dict[str, Any]] = []

    @classmethod
    async def open(cls, town: Town) -> Self:
        url = f"ws{town.url.removeprefix('http')}/v1/socket"
        connection = await connect(url, compression=None, proxy=None, close_timeout=1)
        town.connections.append(connection)
        return cls(town, connection)

    async def send(self, frame: object) -> None:
        await self.connection.send(msgspec.json.encode(frame).decode())

    async def tell(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        command_id = fields.pop("id", None) or self.town.key()
        await self.send({"type": kind, "id": command_id, **fields})
        return await self.next("reply", "refused", id=command_id)

    async def next(self, *types: str, **fields: Any) -> dict[str, Any]:
        """The first frame of these types with these fields."""

        def fits(frame: dict[str, Any]) -> bool:
            return frame["type"] in types and all(frame.get(k) == v for k, v in fields.items())

        for index, frame in enumerate(self._waiting):
            if fits(frame):
                return self._waiting.pop(index)
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                frame = msgspec.json.decode(await self.connection.recv())
                if fits(frame):
                    return dict(frame)
                self._waiting.append(frame)

    def waiting(self, channel: str) -> list[dict[str, Any]]:
        """What came on a channel and nobody has asked for."""
        return [one for one in self._waiting if one.get("channel") == channel]

    async def until(self, channel: str, **fields: Any) -> dict[str, Any]:
        """The first view of a channel that shows these fields."""
        while True:
            frame = await self.next("snapshot", "update", channel=channel)
            body = frame["body"]
            if frame.get("kind", "state") == "state" and all(
                body.get(name) == value for name, value in fields.items()
            ):
                return dict(body)

    async def offer(self, courier: Person) -> dict[str, Any]:
        """The first view of the courier's work that has an offer in it."""
        while True:
            frame = await self.next("snapshot", "update", channel=f"courier:{courier.user_id}")
            if frame["body"]["offer"] is not None:
                return dict(frame["body"]["offer"])

    async def closed(self) -> int | None:
        """The code with which the other side closes."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while True:
                    await self.connection.recv()
        except ConnectionClosed:
            return self.connection.close_code


@asynccontextmanager
async def a_town(
    folder: Path,
    *,
    store: Store | None = None,
    parts_of: Callable[[Parts], Parts] = lambda parts: parts,
    live: LiveStream | None = None,
    sessions: SessionStore | None = None,
    identity: IdentityStore | None = None,
    kept_answers: KeptAnswers | None = None,
    what_ifs: MemoryWhatIfs | None = None,
    what_if: WhatIfSettings | None = None,
    rates: Rates | None = None,
    limits: LimitSettings | None = None,
    payout_gateway: PayoutGateway | None = None,
    scanner: Scanner | None = None,
    breaches: Breaches | None = None,
    scanning: ScannerSettings | None = None,
    uploads: UploadSettings | None = None,
    speed: float = SPEED,
    is_open: bool = True,
    verifies: bool = False,
    payments: PaymentSettings | None = None,
    gateways: Mapping[GatewayName, PaymentGateway] | None = None,
    **edge: Any,
) -> AsyncIterator[Town]:
    """The edge with one zone, served on a port of its own; `edge` changes its settings."""
    settings = Settings(
        data=DataSettings(folder=folder),
        identity=IdentitySettings(
            operators=(OPERATOR, SECOND_OPERATOR),
            verify_couriers=verifies,
            # As little work as argon2 allows: what a hash costs is measured elsewhere.
            password_kib=8,
            password_passes=1,
            password_lanes=1,
        ),
        edge=EdgeSettings(**edge),
        runtime=RuntimeSettings(kind=RuntimeKind.LOCAL),
        what_if=what_if or WhatIfSettings(),
        limits=limits or UNLIMITED,
        uploads=uploads or UploadSettings(),
        scanner=scanning or ScannerSettings(),
        payments=payments or PaymentSettings(),
        moyasar=MoyasarSettings(secret_key=SecretStr("sk_test_local")),
        # Nobody waits seconds for his mail or his money.
        outbox=OutboxSettings(poll_s=0.05),
        payouts=PayoutSettings(poll_s=0.05),
    )
    now = SystemClock().now()
    clock = SystemClock(ClockSettings(speed=speed, start_ms=now, started_ms=now))
    memory = store if isinstance(store, MemoryStore) else MemoryStore()
    store, stream = store or memory, live or MemoryLive()
    known = identity if isinstance(identity, MemoryIdentity) else MemoryIdentity(memory.audit)
    people = MemoryPersonalData(known)
    bus, cells = local_bus(
        World(
            store=store,
            live=stream,
            # Without a clock: a process that only just loads the search plans all the same.
            solver=LocalSolver(stopped_watch),
            clock=clock,
            chance=SystemChance(),
            settings=settings.runtime,
        )
    )
    keys = KeyRing(make_keys(SystemChance()))
    certificates = open_certificates(settings, MemoryUnitCertificates(memory.audit), keys)
    parts = Parts(
        bus=bus,
        admission=Admission(settings.limits),
        store=store,
        live=stream,
        identity=identity or known,
        sessions=sessions or MemorySessions(),
        what_ifs=what_ifs or MemoryWhatIfs(),
        sheets=MemorySheets(),
        invoices=(invoices := MemoryInvoices(memory.audit)),
        certificates=certificates,
        authority=Zatca(settings.zatca, certificates),
        gift_links=MemoryGiftLinks(memory.outbox),
        chat=MemoryChat(store, files := MemoryUploads(), memory.outbox),
        kept_answers=kept_answers or MemoryKeptAnswers(),
        rates=rates or MemoryRates(SystemClock().now),
        staff=MemoryStaff(memory.outbox, memory.audit),
        audit=memory.audit,
        refused_tries=MemoryRefusedTries(),
        settlements=MemorySettlements(memory.audit),
        settlement_sources=(),
        ledger=(ledger := MemoryLedger()),
        periods=MemoryPeriods(ledger, invoices, memory.audit),
        jobs=MemoryJobs(),
        privacy=MemoryPrivacy(memory.outbox, memory.audit),
        personal_data=people,
        retention=people,
        traces=MemoryLive(),
        payouts=MemoryPayouts(memory.audit),
        payout_gateway=payout_gateway,
        uploads=files,
        objects=Objects(settings.objects, settings.files_folder),
        scanner=scanner or NoScanner(),
        breaches=breaches or NoBreaches(),
        payments=MemoryPayments(memory.outbox),
        saved_methods=MemorySavedMethods(),
        drafts=MemoryDrafts(),
        gateways=gateways or {},
        sms=DevelopmentSms(settings.sms_log),
        mail=DevelopmentMail(settings.mail_log),
        clock=clock,
        wall=SystemClock(),
        chance=SystemChance(),
        keys=keys,
        settings=settings,
    )
    parts = parts_of(parts)
    app = create_app(parts)
    async with AsyncExitStack() as stopped, served(app, parts) as url:
        town = Town(url, parts, cells, app)
        stopped.push_async_callback(town.hung_up)
        try:
            if is_open:
                await town.open_zone()
            yield town
        finally:
            await town.client.aclose()
            await cells.close()


@asynccontextmanager
async def served(app: FastAPI, parts: Parts) -> AsyncIterator[str]:
    """The application on a port of its own."""
    config = listen_config(app, parts.settings.edge)
    config.host, config.port, config.loop = "127.0.0.1", 0, "none"
    server = _InTest(config, app)
    serving = asyncio.ensure_future(server.serve())
    while not server.started and not serving.done():
        await SystemClock().sleep(5)
    if serving.done():
        await serving
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await _ended(serving)


async def _ended(serving: asyncio.Future[None]) -> None:
    """Wait until it serves no more; what keeps it is shown."""
    await asyncio.wait({serving}, timeout=_PATIENCE_S)
    if not serving.done():
        for task in asyncio.all_tasks():
            task.print_stack()
        pytest.fail("The edge does not end: what still runs is shown above.")
    await serving
