"""Who knows stolen passwords, as a server on this machine that speaks the range protocol."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from argon2 import PasswordHasher

from actors.gateways.breaches import (
    BreachesUnavailable,
    NoBreaches,
    PwnedPasswords,
    open_breaches,
)
from actors.gateways.settings import BreachSettings
from actors.passwords import Passwords
from engine.identity.passwords import STOLEN_PASSWORD
from tests.listening import listening

STOLEN, NEW = "correct horse battery staple", "nine dates and a falcon"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


class Keeper:
    """Answers each request so, and remembers what it was asked."""

    def __init__(self, *lines: str, status: int = 200, is_silent: bool = False) -> None:
        self._body = "\r\n".join(lines).encode()
        self._status = status
        self._is_silent = is_silent
        self.asked: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            self.asked.append(head)
            if self._is_silent:
                await reader.read()
                return
            told = f"HTTP/1.1 {self._status} X\r\ncontent-length: {len(self._body)}\r\n\r\n"
            writer.write(told.encode() + self._body)
            await writer.drain()


@asynccontextmanager
async def asking(keeper: Keeper, timeout_s: float = 30) -> AsyncIterator[PwnedPasswords]:
    async with listening(keeper.answer) as where:
        settings = BreachSettings(url=f"http://{where}", timeout_s=timeout_s)
        async with open_breaches(settings) as breaches:
            assert isinstance(breaches, PwnedPasswords)
            yield breaches


async def test_a_stolen_password_is_known_by_a_part_of_its_digest() -> None:
    keeper = Keeper(f"{'0' * 35}:7", f"{digest(STOLEN)[5:]}:42", f"{digest(NEW)[5:]}:0")
    async with asking(keeper) as breaches:
        assert await breaches.holds(STOLEN)
        assert not await breaches.holds(NEW)
        assert not await breaches.holds("forty camels wait outside")
    first, *_ = keeper.asked
    assert first.startswith(f"GET /range/{digest(STOLEN)[:5]} ")
    assert "add-padding: true" in first.lower()
    assert digest(STOLEN)[5:] not in first.upper()


@pytest.mark.parametrize(
    "keeper",
    [Keeper(status=503), Keeper(is_silent=True), Keeper("0" * 1_000_000)],
    ids=["error", "silence", "too long"],
)
async def test_who_cannot_be_asked_stops_nobody(keeper: Keeper) -> None:
    async with asking(keeper, timeout_s=0.5) as breaches:
        with pytest.raises(BreachesUnavailable):
            await breaches.holds(STOLEN)
        assert await passwords(breaches).weakness(STOLEN, "a@example.com") is None


async def test_a_stolen_password_is_refused() -> None:
    async with asking(Keeper(f"{digest(STOLEN)[5:]}:1")) as breaches:
        refused = await passwords(breaches).weakness(STOLEN, "a@example.com")
    assert refused is not None
    assert refused.code == STOLEN_PASSWORD.code


async def test_a_password_that_is_weak_anyway_is_told_to_nobody() -> None:
    keeper = Keeper()
    async with asking(keeper) as breaches:
        assert await passwords(breaches).weakness("short", "a@example.com") is not None
    assert keeper.asked == []


async def test_nobody_is_asked_where_none_is_set() -> None:
    async with open_breaches(BreachSettings()) as breaches:
        assert isinstance(breaches, NoBreaches)
        assert not await breaches.holds(STOLEN)


def passwords(breaches: PwnedPasswords) -> Passwords:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return Passwords(quick, breaches, at_once=1, waiting_max=1)
