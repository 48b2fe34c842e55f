"""The host of passwords: argon2id (RFC 9106), off the event loop, and few at once."""

import asyncio
from functools import cache

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from actors.gateways.breaches import Breaches, BreachesUnavailable
from engine.identity.passwords import STOLEN_PASSWORD, weakness
from engine.kernel.refusals import UNAVAILABLE, Refusal


class Passwords:
    """Each hash takes tens of milliseconds and many mebibytes: that is its purpose.

    So at most `at_once` are made at once, and when `waiting_max` wait, nobody else may.
    """

    def __init__(
        self, hasher: PasswordHasher, breaches: Breaches, *, at_once: int, waiting_max: int
    ) -> None:
        self._hasher = hasher
        self._breaches = breaches
        self._turns = asyncio.Semaphore(at_once)
        self._pending_max = at_once + waiting_max
        self._pending = 0
        # What is checked for who has no account, so that he waits as long.
        self._nobody = hasher.hash("nobody has this password")

    async def weakness(self, password: str, email: str) -> Refusal | None:
        """Why a password may not be taken; who cannot be asked of stolen ones stops nobody."""
        weak = weakness(password, email, common_passwords())
        if weak is not None:
            return weak
        try:
            is_stolen = await self._breaches.holds(password)
        except BreachesUnavailable as error:
            structlog.get_logger(__name__).warning("breaches_unavailable", why=str(error))
            return None
        return STOLEN_PASSWORD(pointer="/password") if is_stolen else None

    async def hash(self, password: str) -> str | Refusal:
        """What is stored in its place."""
        if self._pending >= self._pending_max:
            return UNAVAILABLE()
        self._pending += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(self._hasher.hash, password)
        finally:
            self._pending -= 1

    async def matches(self, stored: str | None, password: str) -> bool | Refusal:
        """Whether it is this one; without a stored one it is not, after the same time."""
        if self._pending >= self._pending_max:
            return UNAVAILABLE()
        self._pending += 1
        try:
            async with self._turns:
                right = await asyncio.to_thread(self._verify, stored or self._nobody, password)
        finally:
            self._pending -= 1
        return right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def common_passwords() -> frozenset[str]:
    """The thirty thousand passwords that are tried first, in lower case."""
    return frozenset(one.casefold() for one in FREQUENCY_LISTS["passwords"])
