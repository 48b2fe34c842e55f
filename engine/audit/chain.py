"""The chain of the audit log: each record is sealed with the hash of the one before.

Circumstances enter a hash only as a salted digest, so that they can be forgotten and the chain
still be verified. Who can rewrite the whole table can seal it anew: that is found by checkpoints,
which are ends of the chain that were noted elsewhere.
"""

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from engine.audit.record import Act

FAULTS_MAX = 100


class Head(Struct, frozen=True):
    """The end of the chain: the number and the hash of the last record."""

    number: int = 0
    hash: str = "0" * 64

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


class StoredRecord(Struct, frozen=True, kw_only=True):
    """A record as it lies in the store, believed by nobody yet.

    `entry` is the act as JSON; `salt` and `circumstances` are None when they were forgotten.
    """

    number: int
    entry: str
    salt: str | None
    circumstances: str | None
    digest: str
    hash: str

    @property
    def act(self) -> Act:
        """What it says was done."""
        return msgspec.json.decode(self.entry, type=Act)


def digest(salt: str, circumstances: str) -> str:
    """What stands for the circumstances in the chain."""
    return hashlib.sha256((salt + circumstances).encode()).hexdigest()


def seal(head: Head, digested: str, entry: str) -> Head:
    """The end of the chain after one more record."""
    number = head.number + 1
    sealed = "\n".join((head.hash, str(number), digested, entry))
    return Head(number, hashlib.sha256(sealed.encode()).hexdigest())


class ChainCheck:
    """Takes the records in their order; what is wrong stands in `faults`, the first hundred."""

    def __init__(self, checkpoints: Iterable[Head] = ()) -> None:
        self.head = Head()
        self.faults: list[str] = []
        # The end of a log that was still empty says nothing.
        self._checkpoints = {one for one in checkpoints if one.number > 0}

    def take(self, stored: StoredRecord) -> None:
        """The next record."""
        expected = seal(self.head, stored.digest, stored.entry)
        # What follows is judged by itself, so that one change is told as one.
        self.head = Head(stored.number, stored.hash)
        if self.head != expected:
            self._fault(f"record {stored.number} is not the one that was sealed in its place")
        if _is_falsified(stored):
            self._fault(f"record {stored.number} has other circumstances than were sealed")
        meant = {one for one in self._checkpoints if one.number == stored.number}
        if meant - {self.head}:
            self._fault(f"record {stored.number} is not the one of its checkpoint")
        self._checkpoints -= meant

    def finish(self, head: Head) -> None:
        """Compare the end with the stored head, and with checkpoints that were not met."""
        if head != self.head:
            self._fault(f"the log ends at {self.head.number}, its head says {head.number}")
        for number in sorted({one.number for one in self._checkpoints}):
            self._fault(f"record {number} has a checkpoint and is gone")

    def _fault(self, text: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(text)


def _is_falsified(stored: StoredRecord) -> bool:
    if stored.salt is None and stored.circumstances is None:
        return False
    return digest(stored.salt or "", stored.circumstances or "") != stored.digest
