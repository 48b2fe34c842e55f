"""A server that reads frames as ours does and answers them itself: what ours cannot be faster than.

The same uvicorn with the same settings, the same application framework, the same decoders.
"""

import socket
import sys

import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from actors.clock import SystemClock
from api.edge_settings import EdgeSettings
from api.server import listen_config
from api.sockets import server_frames
from api.sockets.frames import Ping, read_frame, read_positions
from api.sockets.server_frames import Pong


def make_app() -> FastAPI:
    """One route: positions are read and forgotten, a ping is answered."""
    app, clock = FastAPI(), SystemClock()

    @app.websocket("/v1/socket")
    async def serve(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                await _answer(socket, clock)
        except WebSocketDisconnect:
            return

    return app


async def _answer(socket: WebSocket, clock: SystemClock) -> None:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    data: str | bytes = message.get("text") or message.get("bytes") or b""
    if isinstance(data, bytes):
        for _ in read_positions(data):
            pass
    elif isinstance(read_frame(data), Ping):
        await socket.send_text(server_frames.spell(Pong(now=clock.now())).decode())


def main(listening_fd: str) -> None:
    """What `python -m api.commands.bare_edge FD` does."""
    server = uvicorn.Server(listen_config(make_app(), EdgeSettings()))
    server.run(sockets=[socket.socket(fileno=int(listening_fd))])


if __name__ == "__main__":
    main(*sys.argv[1:])
