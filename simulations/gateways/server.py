"""The local payment server: HTTP on loopback, with silence and webhooks as bad as real ones."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx2
import msgspec
from msgspec import Struct

from simulations.gateways.cards import Silence

T = TypeVar("T")
_REASONS: Final = {200: "OK", 201: "Created", 204: "No Content", 303: "See Other"}
_BODY_MAX: Final = 1 << 20


class Request(Struct, frozen=True, kw_only=True):
    """What was asked; names of headers are in small letters."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def user(self) -> str:
        """Who asks, by Basic authentication."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return ""
        with suppress(ValueError):
            return base64.b64decode(value).decode().partition(":")[0]
        return ""

    def bearer(self) -> str:
        """Who asks, by a token."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return value if kind.lower() == "bearer" else ""

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty for none."""
        found = msgspec.json.decode(self.body) if self.body else {}
        return found if isinstance(found, dict) else {}


class Reply(Struct, frozen=True, kw_only=True):
    """What is answered: JSON, a page, or a CSV file."""

    status: int = 200
    body: Any = None
    page: str = ""
    sheet: str | None = None
    headers: dict[str, str] = {}


class Webhook(Struct, frozen=True, kw_only=True):
    """A notice on its way to the merchant."""

    url: str
    body: bytes
    headers: dict[str, str] = {}


Handler = Callable[[Request], Awaitable[Reply | None] | Reply | None]


class PaymentServer:
    """Serves any number of protocols, each a handler that answers what it knows.

    `silences` is what befalls the next requests whose path contains the key: the connection breaks
    before anything is done, or after; `faults` are statuses that are answered instead. Webhooks
    leave at once, or, with `holds_webhooks`, wait in `webhooks` to be delivered late, twice or in
    another order.
    """

    def __init__(self) -> None:
        self.url = ""
        self.silences: dict[str, list[Silence]] = {}
        self.faults: dict[str, list[int]] = {}
        self.webhooks: list[Webhook] = []
        self.holds_webhooks = False
        self.requests: list[Request] = []
        self._handlers: list[Handler] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}

    def serve(self, handler: Handler) -> None:
        """Answer with this one, too."""
        self._handlers.append(handler)

    def fall_silent(self, path: str, silence: Silence) -> None:
        """The next request for such a path is not answered."""
        self.silences.setdefault(path, []).append(silence)

    def fail(self, path: str, *statuses: int) -> None:
        """The next requests for such a path are answered with these, and not carried out."""
        self.faults.setdefault(path, []).extend(statuses)

    def notify(self, webhook: Webhook) -> None:
        """Tell the merchant."""
        if not webhook.url:
            return
        if self.holds_webhooks:
            self.webhooks.append(webhook)
            return
        task = asyncio.ensure_future(self._send(webhook))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def deliver(self, webhooks: Iterable[Webhook]) -> None:
        """Send these, one after the other."""
        for one in webhooks:
            await self._send(one)

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["PaymentServer"]:
        """Serve on loopback until the block ends."""
        listening = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            listening.close()
            connected = dict(self._connections)
            for writer in connected:
                writer.close()
            ending = (*self._sending, *(one for one in connected.values() if one))
            await asyncio.gather(*ending, return_exceptions=True)

    async def answer(self, request: Request) -> Reply | None:
        """What is answered; None when the connection breaks instead."""
        self.requests.append(request)
        fault = _next(self.faults, request)
        if fault is not None:
            return Reply(status=fault, body={"type": "api_error", "name": "api_error"})
        silence = _next(self.silences, request)
        if silence is Silence.BEFORE:
            return None
        reply = await self._answer(request)
        return None if silence is Silence.AFTER else reply

    async def _send(self, webhook: Webhook) -> None:
        headers = {"content-type": "application/json", **webhook.headers}
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as client:
            with suppress(httpx2.TransportError):
                await client.post(webhook.url, content=webhook.body, headers=headers)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = asyncio.current_task()
        try:
            while (request := await _read(reader)) is not None:
                reply = await self.answer(request)
                if reply is None:
                    return
                writer.write(_written(reply))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._connections.pop(writer, None)

    async def _answer(self, request: Request) -> Reply | None:
        for handler in self._handlers:
            found = handler(request)
            reply = await found if isinstance(found, Awaitable) else found
            if reply is not None:
                return reply if reply.status else None
        return Reply(status=404, body={"type": "not_found"})


SILENT: Final = Reply(status=0)


def _next(befalling: Mapping[str, list[T]], request: Request) -> T | None:
    """What befalls this request, once."""
    for part, waiting in befalling.items():
        if part in f"{request.method} {request.path}" and waiting:
            return waiting.pop(0)
    return None


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    length = min(int(headers.get("content-length", "0")), _BODY_MAX)
    address = urlsplit(target)
    return Request(
        method=method,
        path=address.path,
        query=dict(parse_qsl(address.query)),
        headers=headers,
        body=await reader.readexactly(length),
    )


def _written(reply: Reply) -> bytes:
    if reply.page:
        content, kind = reply.page.encode(), "text/html; charset=utf-8"
    elif reply.sheet is not None:
        content, kind = reply.sheet.encode(), "text/csv; charset=utf-8"
    else:
        content = b"" if reply.body is None else msgspec.json.encode(reply.body)
        kind = "application/json"
    headers: Mapping[str, str] = {
        "content-type": kind,
        "content-length": str(len(content)),
        **reply.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reason = _REASONS.get(reply.status, "X")
    return f"HTTP/1.1 {reply.status} {reason}\r\n{head}\r\n".encode() + content
