"""The socket's address."""

from fastapi import APIRouter, WebSocket

from api.sockets.connection import Connection, Desk

router = APIRouter()


@router.websocket("/v1/socket")
async def serve_socket(socket: WebSocket) -> None:
    """Serve one phone; what is said is in docs/protocol.md section 6."""
    desk: Desk = socket.app.state.desk
    await Connection(socket, desk).serve()
