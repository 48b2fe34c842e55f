"""Prepared requests sent as fast as they are answered, over a few connections, from a process."""

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct


class Load(Struct, frozen=True, kw_only=True):
    """How long it took in seconds, and how many of each status came back."""

    seconds: float
    statuses: dict[int, int]


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    told = {"host": "bench", "content-length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def send_all(url: str, requests: Sequence[bytes], connections: int) -> Load:
    """For a process of its own."""
    return asyncio.run(_send_all(url, requests, connections))


async def _send_all(url: str, requests: Sequence[bytes], connections: int) -> Load:
    place = urlsplit(url)
    streams = [
        await asyncio.open_connection(place.hostname, place.port) for _ in range(connections)
    ]
    left, statuses = iter(requests), dict[int, int]()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for message in left:
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            statuses[status] = statuses.get(status, 0) + 1
            await reader.readexactly(_length(head))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(*stream) for stream in streams))
    return Load(seconds=time.perf_counter() - began, statuses=statuses)


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at : head.index(b"\r\n", at)])
