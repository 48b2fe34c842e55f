"""What must hold of going back: to an earlier version by hand, and by a guard."""

from typing import Any

from msgspec.structs import replace

from engine.geo.bounds import differences
from engine.geo.dispatch_parameters import OfferMode
from engine.geo.guard import Guard, GuardMetric
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import Speeds, TravelProfile
from engine.geo.zone import (
    ChangeZoneParameters,
    GuardState,
    ParameterSet,
    RevertZoneParameters,
    Zone,
    ZoneParametersChanged,
    ZoneParametersInForce,
    ZoneParametersReverted,
    change_parameters,
    guard_state,
    put_in_force,
    revert,
)
from engine.kernel.ids import UserId
from engine.kernel.messages import SYSTEM_CALLER, Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, SECOND_MS, Instant
from tests.builders import NOON, a_zone, must, new_id

GUARD = Guard(metric=GuardMetric.LATE_PERCENT, bound=20.0, deadline_s=3600)


def turned(zone: Zone, *, at: Instant = NOON, now: Instant = NOON, **fields: Any) -> Zone:
    """The zone with another set, `parameters` in it."""
    command = ChangeZoneParameters(
        zone_id=zone.id,
        parameters=ZoneParameters(tick_s=fields.pop("tick_s", 5)),
        author=UserId(new_id()),
        reason="Eid",
        effective_at=at,
        after_version=zone.last_version,
        **fields,
    )
    (change,) = must(change_parameters(zone, command, now=now)).changes
    assert isinstance(change.thing, Zone)
    return change.thing


def reverting(zone: Zone, version: int | None = None) -> RevertZoneParameters:
    version = zone.parameters_version if version is None else version
    return RevertZoneParameters(zone_id=zone.id, parameters_version=version, breach="late")


def test_a_guard_gives_back_what_acted_before_as_a_new_version_of_the_systems() -> None:
    zone = turned(a_zone(), guard=GUARD)
    assert zone.is_guarded(NOON)
    (change,) = revert(zone, reverting(zone), now=NOON + SECOND_MS).changes
    back = change.thing
    assert isinstance(back, Zone)
    assert back.parameters == ZoneParameters()
    assert (back.parameters_version, back.last_version, back.version) == (3, 3, zone.version + 1)
    assert back.current.author == SYSTEM_CALLER.user_id
    assert (back.current.restores, back.current.reverts) == (1, 2)
    assert back.current.reason == "guard of version 2: late"
    assert back.current.guard is None
    assert not back.is_guarded(NOON + SECOND_MS)
    assert [type(one) for one in change.events] == [
        ZoneParametersReverted,
        ZoneParametersChanged,
        ZoneParametersInForce,
    ]


def test_a_guard_acts_once_and_only_on_what_is_in_force_and_within_its_time() -> None:
    zone = turned(a_zone(), guard=GUARD)
    late = NOON + GUARD.deadline_s * SECOND_MS + 1
    assert revert(zone, reverting(zone), now=late) == Decision()
    assert revert(zone, reverting(zone, version=1), now=NOON) == Decision()
    unguarded = turned(a_zone())
    assert revert(unguarded, reverting(unguarded), now=NOON) == Decision()
    superseded = turned(zone, tick_s=9)
    assert revert(superseded, reverting(zone), now=NOON) == Decision()
    back = revert(zone, reverting(zone), now=NOON).changes[0].thing
    assert revert(back, reverting(zone), now=NOON) == Decision()


def test_what_a_guard_falls_back_to_is_what_acted_not_what_was_written() -> None:
    zone = turned(a_zone(), at=NOON + HOUR_MS, tick_s=20)
    zone = turned(zone, tick_s=30, guard=GUARD)
    (change,) = revert(zone, reverting(zone), now=NOON).changes
    assert change.thing.current.restores == 1
    assert [one.version for one in change.thing.upcoming] == [2]


def test_of_two_sets_that_come_into_force_together_the_earlier_is_the_fallback() -> None:
    zone = turned(a_zone(), at=NOON + HOUR_MS, tick_s=20)
    zone = turned(zone, at=NOON + 2 * HOUR_MS, tick_s=30, guard=GUARD)
    zone = put_in_force(zone, now=NOON + 2 * HOUR_MS).changes[0].thing
    assert zone.fallback is not None
    assert zone.fallback.version == 2


def test_a_version_that_restores_another_names_it() -> None:
    zone = turned(turned(a_zone(), tick_s=30), tick_s=2, restores=1)
    assert (zone.current.restores, zone.current.version) == (1, 3)


def test_a_faulty_guard_changes_nothing() -> None:
    zone = a_zone()
    command = ChangeZoneParameters(
        zone_id=zone.id,
        parameters=ZoneParameters(),
        author=UserId(new_id()),
        reason="Eid",
        effective_at=NOON,
        after_version=1,
        guard=Guard(metric=GuardMetric.LATE_PERCENT),
    )
    assert change_parameters(zone, command, now=NOON) == Refusal(
        code="bad_parameters", detail={"faults": ["guard needs a bound or worse_by_percent"]}
    )


def test_what_became_of_a_guard_can_be_told() -> None:
    def states(zone: Zone, sets: list[ParameterSet], now: Instant) -> list[GuardState | None]:
        return [guard_state(zone, one, sets, now=now) for one in sets]

    first = a_zone()
    zone = turned(first, guard=GUARD)
    sets = [first.current, zone.current]
    assert states(zone, sets, NOON) == [None, GuardState.WATCHING]
    late = NOON + GUARD.deadline_s * SECOND_MS + 1
    assert states(zone, sets, late) == [None, GuardState.PASSED]
    back = revert(zone, reverting(zone), now=NOON).changes[0].thing
    assert states(back, [*sets, back.current], NOON) == [None, GuardState.REVERTED, None]
    other = turned(zone, tick_s=9)
    assert states(other, sets, NOON) == [None, GuardState.SUPERSEDED]
    waiting = turned(first, at=NOON + HOUR_MS, guard=GUARD)
    (upcoming,) = waiting.upcoming
    assert states(waiting, [upcoming], NOON) == [GuardState.UPCOMING]


def test_differences_name_what_was_turned_and_nothing_else() -> None:
    before = ZoneParameters()
    assert differences(before, before) == {}
    after = replace(
        before,
        tick_s=5,
        offer_mode=OfferMode.BROADCAST,
        travel=TravelProfile(detour=1.5, speeds_kmh=Speeds(car=25.0)),
    )
    assert differences(before, after) == {
        "tick_s": (2, 5),
        "offer_mode": ("direct", "broadcast"),
        "travel.detour": (1.35, 1.5),
        "travel.speeds_kmh.car": (30.0, 25.0),
    }
