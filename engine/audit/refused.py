"""What was refused to whoever tried to get in, or to get at what he may not have."""

import hashlib
import hmac
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.identity.budgets import TOO_MANY_CODES, network_of
from engine.identity.links import BAD_LINK
from engine.identity.login import WRONG_CODE
from engine.identity.phone_change import PHONE_WAS_CHANGED
from engine.identity.profiles import NOT_VERIFIED, SUSPENDED
from engine.identity.sessions import SESSION_ENDED
from engine.identity.staff import TOO_MANY_TRIES, WRONG_CREDENTIALS, WRONG_PROOF
from engine.kernel.refusals import CATALOGUE, NOT_ALLOWED, Refusal, RefusalKind
from engine.kernel.timing import MINUTE_MS, Instant

KEYS_MAX: Final = 64
# How many minutes of the most different ones wait for a store that is away.
_WAITING_TO_KEYS: Final = 8
_HIDDEN_LETTERS: Final = 32
_LOG_IN: Final = frozenset(
    one.code
    for one in (
        WRONG_CODE,
        WRONG_CREDENTIALS,
        WRONG_PROOF,
        TOO_MANY_TRIES,
        TOO_MANY_CODES,
        BAD_LINK,
        SESSION_ENDED,
        SUSPENDED,
        NOT_VERIFIED,
        PHONE_WAS_CHANGED,
    )
)
# What the edge says of itself, by code: the rules do not know these.
_OF_THE_EDGE: Final = {"not_authenticated", "origin_not_allowed"}


class RefusedKind(StrEnum):
    """What was tried."""

    LOG_IN = "log_in"
    ACCESS = "access"


class RefusedTry(Struct, frozen=True, kw_only=True):
    """The same no, `count` times within one minute: to whom, from where, at which door.

    `route` is a method with the shape of an address, or `socket` with a kind of frame. `subject` is
    `user:id` of who is known, else `tried:` with a keyed hash of the phone or e-mail; `place` is a
    keyed hash of the network. Both are empty where too many different ones came in one minute.
    """

    id: str = ""
    kind: RefusedKind
    code: str
    route: str
    subject: str = ""
    place: str = ""
    count: int = 1
    first_at: Instant
    last_at: Instant


def kind_of(refusal: Refusal, *, is_named: bool = True) -> RefusedKind | None:
    """What a refusal says was tried; None for what tells of no trespass.

    `is_named` is whether something was asked for by its name: who has nothing of his own yet, and
    is told so, tried nothing.
    """
    declared = CATALOGUE[refusal.code]
    if refusal.code in _LOG_IN:
        return RefusedKind.LOG_IN
    is_elsewhere = is_named and declared.kind is RefusalKind.NOT_FOUND
    if refusal.code == NOT_ALLOWED.code or refusal.code in _OF_THE_EDGE or is_elsewhere:
        return RefusedKind.ACCESS
    return None


def hidden(key: bytes, what: str, text: str) -> str:
    """What stands in the place of a phone, an e-mail or a network: alike for the same."""
    made = hmac.new(key, f"{what}\x1f{text}".encode(), hashlib.sha256).hexdigest()
    return made[:_HIDDEN_LETTERS]


def hidden_place(key: bytes, address: str) -> str:
    """What stands in the place of the network that one subscriber has."""
    return hidden(key, "place", network_of(address)) if address else ""


class Tally:
    """Gathers refusals so that however many there are, few rows say so.

    The first of a kind in a minute is told at once, the rest of the minute as one when it is over.
    Of more than `keys_max` different ones in a minute, the rest are told without whom and whence.
    """

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._minute = 0
        self._told: set[tuple[str, ...]] = set()
        self._fresh: dict[tuple[int, tuple[str, ...]], RefusedTry] = {}
        self._more: dict[tuple[str, ...], RefusedTry] = {}

    def add(self, one: RefusedTry) -> bool:
        """Count it in; whether it is the first of its kind in this minute."""
        self._turn(one.last_at)
        key = _key(one)
        if key not in self._told and len(self._told) >= self._keys_max:
            one = _nobody(one)
            key = _key(one)
        if key in self._told:
            before = self._more.get(key)
            self._more[key] = one if before is None else _joined(before, one)
            return False
        self._told.add(key)
        self._keep(one)
        return True

    def take(self, now: Instant) -> tuple[RefusedTry, ...]:
        """What is to be told by now, which is then no longer here."""
        self._turn(now)
        taken, self._fresh = tuple(self._fresh.values()), {}
        return taken

    def finish(self) -> tuple[RefusedTry, ...]:
        """All of it, since nothing more will come."""
        self._settle()
        return self.take(self._minute * MINUTE_MS)

    def put_back(self, rows: tuple[RefusedTry, ...]) -> None:
        """What could not be told is told later."""
        for one in rows:
            self._keep(one)

    def _keep(self, one: RefusedTry) -> None:
        """Where a store has been away for long, what waits for it is told without the minute."""
        at = one.first_at // MINUTE_MS, _key(one)
        if at not in self._fresh and len(self._fresh) >= _WAITING_TO_KEYS * self._keys_max:
            one = _nobody(one)
            at = 0, _key(one)
        before = self._fresh.get(at)
        self._fresh[at] = one if before is None else _joined(before, one)

    def _turn(self, now: Instant) -> None:
        if now // MINUTE_MS > self._minute:
            self._settle()
            self._minute = now // MINUTE_MS

    def _settle(self) -> None:
        for one in self._more.values():
            self._keep(one)
        self._more, self._told = {}, set()


def _key(one: RefusedTry) -> tuple[str, ...]:
    return one.kind, one.code, one.route, one.subject, one.place


def _nobody(one: RefusedTry) -> RefusedTry:
    return replace(one, subject="", place="")


def _joined(before: RefusedTry, after: RefusedTry) -> RefusedTry:
    return replace(
        after,
        count=before.count + after.count,
        first_at=min(before.first_at, after.first_at),
        last_at=max(before.last_at, after.last_at),
    )
