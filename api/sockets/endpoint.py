"""The socket's address."""

from typing import Final

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.sockets.connection import Connection, Desk

PATH: Final = "/v1/socket"


async def serve_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one phone; what is said is in docs/protocol.md section 6.

    It is no route: what stands before routes would cost every socket some kilobytes while it lives.
    """
    desk: Desk = scope["app"].state.desk
    await Connection(WebSocket(scope, receive, send), desk).serve()
