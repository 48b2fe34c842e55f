"""A server of a few lines, for tests that speak a protocol to one."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def ended(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until it is."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def listening(answer: Answer, encrypted: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """`host:port` of a server that answers each connection so, and leaves none open."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            # Who connects and says nothing, or hangs up, is no fault.
            with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
                await answer(reader, writer)
        finally:
            await ended(writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=encrypted)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        server.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks)
