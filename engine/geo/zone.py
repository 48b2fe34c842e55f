"""A delivery zone: the cells it covers and the parameters by which it is run."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.geo.bounds import faults_in
from engine.geo.guard import Guard, faults_in_guard
from engine.geo.parameters import ZoneParameters
from engine.kernel.ids import CellId, UserId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Change, Command, Decision, Event, Thing
from engine.kernel.place import Point
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant


class ParameterSet(Struct, frozen=True, kw_only=True):
    """One version of a zone's parameters, with who wanted it, why, and from when.

    `restores` is the earlier version whose parameters these are again, `reverts` the one that a
    guard took back for them; `guard` says when they are to be taken back themselves.
    """

    version: int
    author: UserId
    reason: str
    effective_at: Instant
    parameters: ZoneParameters
    restores: int | None = None
    reverts: int | None = None
    guard: Guard | None = None


class GuardState(StrEnum):
    """What became of the guard of a parameter set."""

    UPCOMING = "upcoming"
    WATCHING = "watching"
    PASSED = "passed"
    REVERTED = "reverted"
    SUPERSEDED = "superseded"


class Zone(Thing, frozen=True, kw_only=True):
    """`anchor` decides which actor runs it; `upcoming` are parameter sets of a later time.

    `last_version` is the highest version given so far; the one in force may be older. `fallback` is
    the set that acted before the one in force. `home` is the cell to which it was moved, if it was.
    `shops` are where gifts are fetched, as far as it was told, also where nobody ordered yet.
    """

    id: ZoneId
    name_en: str
    name_ar: str
    anchor: CellId
    cells: tuple[CellId, ...]
    current: ParameterSet
    upcoming: tuple[ParameterSet, ...] = ()
    fallback: ParameterSet | None = None
    last_version: int = 1
    home: CellId | None = None
    shops: tuple[Point, ...] = ()

    @property
    def parameters(self) -> ZoneParameters:
        """What the zone is run by now."""
        return self.current.parameters

    @property
    def parameters_version(self) -> int:
        """The version in force."""
        return self.current.version

    def is_guarded(self, now: Instant) -> bool:
        """Whether the parameters in force may still be taken back by their guard."""
        guard = self.current.guard
        return (
            guard is not None
            and self.fallback is not None
            and guard.is_due(self.current.effective_at, now)
        )


def guard_state(
    zone: Zone, one: ParameterSet, sets: Sequence[ParameterSet], *, now: Instant
) -> GuardState | None:
    """What became of the guard of one of a zone's parameter sets, if it has one."""
    if one.guard is None:
        return None
    if any(other.reverts == one.version for other in sets):
        return GuardState.REVERTED
    if one.version == zone.parameters_version:
        return GuardState.WATCHING if zone.is_guarded(now) else GuardState.PASSED
    is_waiting = any(other.version == one.version for other in zone.upcoming)
    return GuardState.UPCOMING if is_waiting else GuardState.SUPERSEDED


class CreateZone(Command, frozen=True, kw_only=True, tag=True):
    """Open a zone over cells of one resolution."""

    zone_id: ZoneId
    name_en: str
    name_ar: str
    anchor: CellId
    cells: tuple[CellId, ...]
    parameters: ZoneParameters
    author: UserId


class ChangeZoneParameters(Command, frozen=True, kw_only=True, tag=True):
    """Give a zone new parameters, or those of an earlier version again, from `effective_at` on.

    `after_version` is the last version that their author saw.
    """

    zone_id: ZoneId
    parameters: ZoneParameters
    author: UserId
    reason: str
    effective_at: Instant
    after_version: int
    restores: int | None = None
    guard: Guard | None = None


class PutParametersInForce(Command, frozen=True, kw_only=True, tag=True):
    """The time of an upcoming parameter set has come."""

    zone_id: ZoneId


class RevertZoneParameters(Command, frozen=True, kw_only=True, tag=True):
    """The guard of the parameters in force has seen enough; `breach` says what."""

    zone_id: ZoneId
    parameters_version: int
    breach: str


class ZoneCreated(Event, frozen=True, kw_only=True, tag=True):
    """A zone was opened."""


class ZoneParametersChanged(Event, frozen=True, kw_only=True, tag=True):
    """A parameter set was accepted; it acts from its effective time."""

    parameter_set: ParameterSet


class ZoneParametersInForce(Event, frozen=True, kw_only=True, tag=True):
    """A parameter set began to act."""

    parameters_version: int


class ZoneParametersReverted(Event, frozen=True, kw_only=True, tag=True):
    """A guard took a parameter set back."""

    parameters_version: int
    breach: str


UNKNOWN_ZONE = declare(
    "unknown_zone",
    RefusalKind.NOT_FOUND,
    en="There is no such zone.",
    ar="لا توجد منطقة بهذا الرقم.",
)
ZONE_EXISTS = declare(
    "zone_exists",
    RefusalKind.CONFLICT,
    en="A zone with this id already exists.",
    ar="توجد منطقة بهذا الرقم مسبقًا.",
)
CELLS_TAKEN = declare(
    "cells_taken",
    RefusalKind.CONFLICT,
    en="Some of these cells belong to another zone already.",
    ar="بعض هذه الخلايا تتبع منطقة أخرى.",
)
OUTSIDE_ZONES = declare(
    "outside_zones",
    RefusalKind.INVALID,
    en="This place lies outside every delivery zone.",
    ar="هذا الموقع خارج جميع مناطق التوصيل.",
)
UNKNOWN_VERSION = declare(
    "unknown_parameters_version",
    RefusalKind.NOT_FOUND,
    en="This zone never had parameters of that version.",
    ar="لم تكن لهذه المنطقة معاملات بهذا الإصدار.",
)
BAD_PARAMETERS = declare(
    "bad_parameters",
    RefusalKind.INVALID,
    en="Some zone parameters are out of bounds.",
    ar="بعض معاملات المنطقة خارج الحدود المسموحة.",
)
STALE_PARAMETERS = declare(
    "stale_parameters",
    RefusalKind.CONFLICT,
    en="Somebody changed the parameters meanwhile. Look at the last version first.",
    ar="غيّر شخص آخر المعاملات. اطّلع على آخر نسخة أولًا.",
)


def create(command: CreateZone, *, now: Instant) -> Decision | Refusal:
    """A new zone with its first parameter set in force at once."""
    faults = faults_in(command.parameters)
    if faults:
        return BAD_PARAMETERS(faults=faults)
    first = ParameterSet(
        version=1,
        author=command.author,
        reason="created",
        effective_at=now,
        parameters=command.parameters,
    )
    zone = Zone(
        version=1,
        id=command.zone_id,
        name_en=command.name_en,
        name_ar=command.name_ar,
        anchor=command.anchor,
        cells=command.cells,
        current=first,
    )
    events = (ZoneCreated(at=now), ZoneParametersChanged(at=now, parameter_set=first))
    return Decision(
        changes=(Change(zone, events),), reply={"zone_id": zone.id, "parameters_version": 1}
    )


def change_parameters(
    zone: Zone, command: ChangeZoneParameters, *, now: Instant
) -> Decision | Refusal:
    """Accept a parameter set: in force at once when its time is now or past, else upcoming."""
    faults = [*faults_in(command.parameters), *faults_in_guard(command.guard)]
    if faults:
        return BAD_PARAMETERS(faults=faults)
    if command.after_version != zone.last_version:
        return STALE_PARAMETERS(last_version=zone.last_version)
    new = ParameterSet(
        version=zone.last_version + 1,
        author=command.author,
        reason=command.reason,
        effective_at=max(command.effective_at, now),
        parameters=command.parameters,
        restores=command.restores,
        guard=command.guard,
    )
    changed = ZoneParametersChanged(at=now, parameter_set=new)
    reply = {"zone_id": zone.id, "parameters_version": new.version}
    waiting = replace(
        zone,
        version=zone.version + 1,
        upcoming=(*zone.upcoming, new),
        last_version=new.version,
    )
    if new.effective_at > now:
        return Decision(changes=(Change(waiting, (changed,)),), reply=reply)
    acting, in_force = _in_force(waiting, now)
    return Decision(changes=(Change(acting, (changed, *in_force)),), reply=reply)


def put_in_force(zone: Zone, *, now: Instant) -> Decision:
    """Let every upcoming set whose time has come act, in order; nothing when none has."""
    acting, events = _in_force(zone, now)
    if not events:
        return Decision()
    return Decision(changes=(Change(replace(acting, version=zone.version + 1), events),))


def revert(zone: Zone, command: RevertZoneParameters, *, now: Instant) -> Decision:
    """Let the parameters act again that acted before, as a new version of the system's.

    Nothing when others are in force meanwhile, or the guard's time is over.
    """
    before = zone.fallback
    is_meant = command.parameters_version == zone.parameters_version and zone.is_guarded(now)
    if before is None or not is_meant:
        return Decision()
    restored = ParameterSet(
        version=zone.last_version + 1,
        author=SYSTEM_CALLER.user_id,
        reason=f"guard of version {zone.parameters_version}: {command.breach}",
        effective_at=now,
        parameters=before.parameters,
        restores=before.version,
        reverts=zone.parameters_version,
    )
    events = (
        ZoneParametersReverted(
            at=now, parameters_version=zone.parameters_version, breach=command.breach
        ),
        ZoneParametersChanged(at=now, parameter_set=restored),
        ZoneParametersInForce(at=now, parameters_version=restored.version),
    )
    reverted = replace(
        zone,
        version=zone.version + 1,
        current=restored,
        fallback=zone.current,
        last_version=restored.version,
    )
    return Decision(changes=(Change(reverted, events),))


def _in_force(zone: Zone, now: Instant) -> tuple[Zone, tuple[Event, ...]]:
    due = sorted(
        (one for one in zone.upcoming if one.effective_at <= now),
        key=lambda one: (one.effective_at, one.version),
    )
    if not due:
        return zone, ()
    rest = tuple(one for one in zone.upcoming if one.effective_at > now)
    events = tuple(ZoneParametersInForce(at=now, parameters_version=one.version) for one in due)
    acted = due[-2] if len(due) > 1 else zone.current
    return replace(zone, current=due[-1], fallback=acted, upcoming=rest), events
