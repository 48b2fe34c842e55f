"""Sets of passwords that were stolen elsewhere: whoever speaks the range protocol, as HIBP does."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import httpx2

from actors.gateways.http_client import HttpClient
from actors.gateways.settings import BreachSettings

_PREFIX: Final = 5
# The largest ranges have some two thousand lines of forty characters.
_BYTES_MAX: Final = 512 * 1024


class BreachesUnavailable(Exception):
    """Who keeps the sets is away, too slow, or says something else."""


class Breaches(Protocol):
    """Knows which passwords were stolen."""

    async def holds(self, password: str) -> bool:
        """Whether it was among those; raises `BreachesUnavailable`."""
        ...


class NoBreaches:
    """Where nobody is set who knows of any."""

    async def holds(self, password: str) -> bool:
        del password
        return False


class PwnedPasswords(HttpClient):
    """Asks by the first five digits of the password's SHA-1 (Pwned Passwords API, version 3).

    What is asked tells nobody the password, and padding hides how much is answered.
    """

    def __init__(self, settings: BreachSettings) -> None:
        super().__init__(
            settings.url, timeout_s=settings.timeout_s, headers={"add-padding": "true"}
        )

    async def holds(self, password: str) -> bool:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            told = await self._range(digest[:_PREFIX])
        except httpx2.HTTPError as error:
            raise BreachesUnavailable(type(error).__name__) from error
        return any(_counts(line, digest[_PREFIX:]) for line in told.splitlines())

    async def _range(self, prefix: str) -> str:
        async with self._client.stream("GET", f"/range/{prefix}") as answer:
            if answer.status_code != httpx2.codes.OK:
                raise BreachesUnavailable(f"status {answer.status_code}")
            told = b""
            async for piece in answer.aiter_bytes():
                told += piece
                if len(told) > _BYTES_MAX:
                    raise BreachesUnavailable("too long")
        return told.decode(errors="replace")


def _counts(line: str, suffix: str) -> bool:
    """Whether the line is of this digest; lines that pad are of a count of 0."""
    found, _, count = line.strip().partition(":")
    return found.upper() == suffix and count.strip() != "0"


@asynccontextmanager
async def open_breaches(settings: BreachSettings) -> AsyncIterator[Breaches]:
    """As the settings say."""
    if not settings.url:
        yield NoBreaches()
        return
    async with PwnedPasswords(settings) as breaches:
        yield breaches
