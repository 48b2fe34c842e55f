"""Chance: identifiers and numbers nobody can guess, or the same ones again from a seed."""

import random
import secrets
from typing import Protocol

from actors.clock import Clock
from engine.kernel.ids import uuid7


class Chance(Protocol):
    """Random bits."""

    def bits(self, count: int) -> int:
        """A number of `count` random bits."""
        ...

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        ...


class SystemChance:
    """The operating system's randomness."""

    def bits(self, count: int) -> int:
        """A number of `count` random bits."""
        return secrets.randbits(count)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return secrets.randbelow(limit)


class SeededChance:
    """The same numbers for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bits(self, count: int) -> int:
        """A number of `count` random bits."""
        return self._random.getrandbits(count)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return self._random.randrange(limit)


def new_id(clock: Clock, chance: Chance) -> str:
    """A UUIDv7 of now."""
    return uuid7(clock.now(), chance.bits(74))
