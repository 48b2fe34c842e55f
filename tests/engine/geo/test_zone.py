"""What must hold of a zone and of the parameter sets by which it is run."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.geo.parameters import ZoneParameters
from engine.geo.travel import TravelProfile
from engine.geo.zone import (
    ChangeZoneParameters,
    CreateZone,
    ParameterSet,
    Zone,
    ZoneCreated,
    ZoneParametersChanged,
    ZoneParametersInForce,
    change_parameters,
    create,
    put_in_force,
)
from engine.kernel.ids import UserId
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal
from engine.kernel.timing import HOUR_MS, Instant
from tests.builders import NOON, a_zone, must, new_id


def wanted(
    zone: Zone, *, at: Instant = NOON, after: int | None = None, **parameters: Any
) -> ChangeZoneParameters:
    return ChangeZoneParameters(
        zone_id=zone.id,
        parameters=ZoneParameters(**parameters),
        author=UserId(new_id()),
        reason="rain",
        effective_at=at,
        after_version=zone.last_version if after is None else after,
    )


def changed(zone: Zone, command: ChangeZoneParameters, *, now: Instant = NOON) -> Zone:
    (change,) = must(change_parameters(zone, command, now=now)).changes
    assert isinstance(change.thing, Zone)
    return change.thing


def in_force(zone: Zone, now: Instant) -> Zone:
    decision = put_in_force(zone, now=now)
    return decision.changes[0].thing if decision.changes else zone


def creating(zone: Zone, parameters: ZoneParameters) -> CreateZone:
    return CreateZone(
        zone_id=zone.id,
        name_en=zone.name_en,
        name_ar=zone.name_ar,
        anchor=zone.anchor,
        cells=zone.cells,
        parameters=parameters,
        author=UserId(new_id()),
    )


def test_a_new_zone_is_run_by_its_first_parameters_at_once() -> None:
    zone = a_zone()
    decision = must(create(creating(zone, ZoneParameters(tick_s=7)), now=NOON))
    (change,) = decision.changes
    assert change.thing.version == 1
    assert change.thing.parameters.tick_s == 7
    assert change.thing.parameters_version == change.thing.last_version == 1
    assert [type(one) for one in change.events] == [ZoneCreated, ZoneParametersChanged]
    assert decision.reply == {"zone_id": zone.id, "parameters_version": 1}


def test_a_zone_with_faulty_parameters_is_not_opened() -> None:
    faulty = ZoneParameters(tick_s=0, travel=TravelProfile(detour=0.5))
    refusal = create(creating(a_zone(), faulty), now=NOON)
    assert refusal == Refusal(
        code="bad_parameters",
        detail={"faults": ["tick_s must be 1 to 600", "travel.detour must be 1 to 5"]},
    )


def test_parameters_whose_time_has_come_act_at_once() -> None:
    zone = a_zone()
    for at in (NOON, NOON - HOUR_MS):
        decision = must(change_parameters(zone, wanted(zone, at=at, tick_s=9), now=NOON))
        (change,) = decision.changes
        assert change.thing.parameters.tick_s == 9
        assert change.thing.upcoming == ()
        assert change.thing.version == zone.version + 1
        assert change.thing.current.effective_at == NOON
        assert decision.reply["parameters_version"] == 2
        kinds = [type(one) for one in change.events]
        assert kinds == [ZoneParametersChanged, ZoneParametersInForce]


def test_parameters_of_later_wait_for_their_time() -> None:
    zone = changed(a_zone(), wanted(a_zone(), at=NOON + HOUR_MS, tick_s=9))
    assert zone.parameters.tick_s == 2
    assert zone.last_version == 2
    assert put_in_force(zone, now=NOON + HOUR_MS - 1) == Decision()
    (change,) = put_in_force(zone, now=NOON + HOUR_MS).changes
    assert change.thing.parameters.tick_s == 9
    assert change.thing.version == zone.version + 1
    assert change.events == (ZoneParametersInForce(at=NOON + HOUR_MS, parameters_version=2),)


def test_who_has_not_seen_the_last_version_is_refused() -> None:
    zone = changed(a_zone(), wanted(a_zone(), at=NOON + HOUR_MS))
    for seen in (0, 1, 3):
        refusal = change_parameters(zone, wanted(zone, after=seen), now=NOON)
        assert refusal == Refusal(code="stale_parameters", detail={"last_version": 2})


def test_faulty_parameters_change_nothing() -> None:
    zone = a_zone()
    refusal = change_parameters(zone, wanted(zone, offer_timeout_s=4), now=NOON)
    assert refusal == Refusal(
        code="bad_parameters", detail={"faults": ["offer_timeout_s must be 5 to 1800"]}
    )


def test_the_set_with_the_latest_time_acts_whatever_order_they_were_written_in() -> None:
    zone = a_zone()
    for hours in (3, 1, 2):
        zone = changed(zone, wanted(zone, at=NOON + hours * HOUR_MS, tick_s=10 + hours))
    late = in_force(zone, NOON + 5 * HOUR_MS)
    assert late.parameters.tick_s == 13
    assert late.upcoming == ()
    assert [in_force(zone, NOON + h * HOUR_MS).parameters.tick_s for h in (1, 2, 3)] == [11, 12, 13]


def test_of_two_sets_for_one_instant_the_later_written_acts() -> None:
    zone = changed(a_zone(), wanted(a_zone(), at=NOON + HOUR_MS, tick_s=11))
    zone = changed(zone, wanted(zone, at=NOON + HOUR_MS, tick_s=12))
    assert in_force(zone, NOON + HOUR_MS).parameters.tick_s == 12


def test_a_version_is_given_once_even_when_an_older_set_came_into_force_after_a_newer_one() -> None:
    zone = changed(a_zone(), wanted(a_zone(), at=NOON + HOUR_MS, tick_s=20))
    zone = changed(zone, wanted(zone, tick_s=30))
    assert zone.parameters_version == 3
    zone = in_force(zone, NOON + HOUR_MS)
    assert zone.parameters_version == 2
    assert zone.last_version == 3
    stale = change_parameters(zone, wanted(zone, after=2), now=NOON + HOUR_MS)
    assert stale == Refusal(code="stale_parameters", detail={"last_version": 3})
    assert changed(zone, wanted(zone), now=NOON + HOUR_MS).parameters_version == 4


@given(st.lists(st.tuples(st.integers(-2, 6), st.integers(0, 3)), max_size=8))
def test_versions_are_given_once_and_the_newest_past_set_acts(
    steps: list[tuple[int, int]],
) -> None:
    """Each step writes a set for `ahead` hours from now, then some hours pass."""
    zone, now = a_zone(), NOON
    written: list[ParameterSet] = [zone.current]
    for ahead, pass_h in steps:
        before = zone
        zone = changed(zone, wanted(zone, at=now + ahead * HOUR_MS), now=now)
        assert zone.version == before.version + 1
        written += [
            one for one in (zone.current, *zone.upcoming) if one.version == len(written) + 1
        ]
        now += pass_h * HOUR_MS
        zone = in_force(zone, now)
        assert in_force(zone, now) is zone
        assert zone.last_version == len(written)
        past = [one for one in written if one.effective_at <= now]
        assert zone.current == max(past, key=lambda one: (one.effective_at, one.version))
        assert set(zone.upcoming) == set(written) - set(past)
