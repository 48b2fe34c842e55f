"""Commands, events, effects, and the decision that joins them."""

from enum import StrEnum
from typing import Any, Generic, TypeVar

from msgspec import Struct

from engine.kernel.ids import CommandId, EffectId, UserId, ZoneId
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant


class Role(StrEnum):
    """Who somebody is to us; one person may hold several, a caller acts in one."""

    CUSTOMER = "customer"
    COURIER = "courier"
    OPERATOR = "operator"
    ADMIN = "admin"
    SYSTEM = "system"


class Caller(Struct, frozen=True, kw_only=True):
    """Who sends a command, as the edge has established it.

    `zones` are those to which an operator is limited; None is every zone. `place` is the address
    from which somebody in charge calls.
    """

    user_id: UserId
    role: Role
    zones: tuple[ZoneId, ...] | None = None
    place: str = ""

    def may_act_in(self, zone_id: ZoneId) -> bool:
        """Whether this zone is one of his."""
        return self.zones is None or zone_id in self.zones


SYSTEM_CALLER = Caller(user_id=UserId("00000000-0000-0000-0000-000000000000"), role=Role.SYSTEM)


class Command(Struct, frozen=True, kw_only=True, tag=True):
    """A wish to change something, in the imperative."""


class Event(Struct, frozen=True, kw_only=True, tag=True):
    """A fact: `at` is the server's clock, `device_at` the phone's, where a phone reported it."""

    at: Instant
    device_at: Instant | None = None


class Effect(Struct, frozen=True, kw_only=True, tag=True):
    """Something to do in the outside world, at least once; `id` is its idempotency key."""

    id: EffectId


class Thing(Struct, frozen=True, kw_only=True):
    """Anything with a version; every stored change raises it by one, and 1 is the first."""

    version: int = 0


T = TypeVar("T", bound=Thing)


class Change(Struct, Generic[T], frozen=True):
    """A thing as it will be (its version already raised) and the events that made it so."""

    thing: T
    events: tuple[Event, ...]


class Decision(Struct, frozen=True, kw_only=True):
    """All that one command changes, stored together or not at all.

    `reply` is what its sender is told.
    With a `refusal` the sender is told no, and yet something changed (a wrong PIN is counted).
    """

    changes: tuple[Change[Any], ...] = ()
    effects: tuple[Effect, ...] = ()
    reply: dict[str, Any] = {}
    refusal: Refusal | None = None


class Envelope(Struct, frozen=True, kw_only=True):
    """A command on its way: its id makes a repetition harmless, its deadline makes waiting finite.

    `fingerprint` is a digest of what was asked; the same id with another fingerprint is refused.
    """

    id: CommandId
    command: Command
    caller: Caller
    deadline: Instant
    fingerprint: str = ""
