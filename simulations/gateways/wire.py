"""A wire to the local payment server without sockets: for virtual time, in which nothing waits."""

from urllib.parse import parse_qsl

import httpx2
import msgspec

from simulations.gateways.server import PaymentServer, Reply, Request


class Wire(httpx2.AsyncBaseTransport):
    """Carries what a gateway's client asks straight to the server's protocols."""

    def __init__(self, server: PaymentServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The server's answer; a connection that breaks raises as a broken socket does."""
        asked = Request(
            method=request.method,
            path=request.url.path,
            query=dict(parse_qsl(request.url.query.decode())),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        reply = await self._server.answer(asked)
        if reply is None:
            raise httpx2.ReadError("the connection broke", request=request)
        return _response(reply)


def _response(reply: Reply) -> httpx2.Response:
    content = reply.page.encode()
    if not reply.page and reply.body is not None:
        content = msgspec.json.encode(reply.body)
    return httpx2.Response(reply.status, headers=reply.headers, content=content)
