"""What all gateways over HTTP have in common: a client that is closed at the end."""

import ssl
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Self

import httpx2


class HttpClient:
    """Speaks to one company at one address, past no proxy; nothing is repeated here.

    `wire` is what carries the requests, None for sockets.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        auth: tuple[str, str] | httpx2.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx2.AsyncClient(
            base_url=url,
            auth=auth,
            headers=headers,
            timeout=timeout_s,
            trust_env=False,
            verify=_authorities(),
            transport=wire,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: it takes longer than all else that a client is made of."""
    return httpx2.create_ssl_context(trust_env=False)
