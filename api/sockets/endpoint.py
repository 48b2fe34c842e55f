"""The socket's address, and from which web pages it may be opened."""

from typing import TYPE_CHECKING, Final

import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.errors import problem
from api.refusals import ORIGIN_NOT_ALLOWED
from api.refusing import note_refusal
from api.sockets.connection import Connection
from api.sockets.line import LINE
from api.sockets.wire import Wire

if TYPE_CHECKING:
    from api.sockets.desk import Desk

PATH: Final = "/v1/socket"


async def serve_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one phone; what is said is in docs/protocol.md section 6.

    It is no route: what stands before routes would cost every socket some kilobytes while it lives.
    """
    if await _is_let_in(scope, receive, send):
        desk: Desk = scope["app"].state.desk
        place = (scope.get("client") or ("",))[0]
        # Taken out, for the line has the scope.
        line = scope["extensions"].pop(LINE)
        await Connection(Wire(receive, send, line, place), desk).serve()


async def _is_let_in(scope: Scope, receive: Receive, send: Send) -> bool:
    """Whether who asks may go on; who may not has been told."""
    websocket = WebSocket(scope, receive, send)
    is_open = _is_open_to(websocket)
    if not is_open:
        note_refusal(websocket, ORIGIN_NOT_ALLOWED())
        await websocket.send_denial_response(problem(websocket, ORIGIN_NOT_ALLOWED()))
    return is_open


def _is_open_to(websocket: WebSocket) -> bool:
    """Whether whoever asks is no web page, or one that may call us: browsers name it, apps do not.

    CORS does not hold for sockets, so another site's page is told no here (RFC 6455 section 10.2).
    """
    origin = websocket.headers.get("origin")
    if origin is None or origin in websocket.app.state.settings.edge.cors_origins:
        return True
    structlog.get_logger(__name__).info("origin_refused", origin=origin[:100])
    return False
