"""Bare servers in processes of their own, and the bare WebSocket server that one of them runs."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.server import ServerConnection, broadcast, serve

BARE_SOCKETS: Final = (sys.executable, "-m", "simulations.realtime.bare")


@dataclass(frozen=True, slots=True)
class Bare:
    """Where a bare server is."""

    host: str
    port: int
    pid: int

    @property
    def socket_url(self) -> str:
        """Its address."""
        return f"ws://{self.host}:{self.port}/v1/socket"


@contextmanager
def running(command: Sequence[str]) -> Iterator[Bare]:
    """A server that is handed a listening socket, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        host, port = listening.getsockname()[:2]
        process = subprocess.Popen(
            [*command, str(listening.fileno())], pass_fds=[listening.fileno()]
        )
        try:
            yield Bare(host, port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


async def serve_bare(listening: socket.socket) -> None:
    """Take any number of sockets; a message of one is passed on to all, as often as it says."""
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        connections.add(connection)
        try:
            async for message in connection:
                times, _, text = str(message).partition(" ")
                for _ in range(int(times)):
                    broadcast(connections, text)
        finally:
            connections.discard(connection)

    async with serve(handle, sock=listening, compression=None, ping_interval=None) as server:
        await server.serve_forever()


def main(listening_fd: str) -> None:
    """What `python -m simulations.realtime.bare FD` does."""
    asyncio.run(serve_bare(socket.socket(fileno=int(listening_fd))))


if __name__ == "__main__":
    main(*sys.argv[1:])
