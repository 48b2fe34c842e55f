"""What must hold of the couriers as columns: kept rows are as good as rows written anew."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.couriers.courier import Courier, Duty
from engine.couriers.fixes import Fix
from engine.dispatch.eta import walk
from engine.dispatch.muster import Muster
from engine.dispatch.pool import is_available
from engine.dispatch.roster import Roster
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, OfferId
from engine.kernel.place import Point
from engine.kernel.skills import Skill
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import OrderStatus
from tests.builders import DOOR, NOON, SHOP, a_courier, a_fix, a_story, a_zone, new_id

ZONE = a_zone()
COURIERS = [a_courier(zone=ZONE) for _ in range(6)]
ROUTE = a_story(OrderStatus.ASSIGNED, zone=ZONE).courier.route
fields = st.fixed_dictionaries(
    {},
    optional={
        "duty": st.sampled_from([Duty.ON, Duty.BREAK]),
        "offer_id": st.sampled_from([None, OfferId(new_id())]),
        "route": st.sampled_from([(), ROUTE]),
        "last_point": st.sampled_from([SHOP, DOOR]),
        "leaves_at": st.sampled_from([0, NOON - MINUTE_MS, NOON + MINUTE_MS]),
        "shift_ends_at": st.sampled_from([None, NOON, NOON + MINUTE_MS]),
        "vehicle": st.sampled_from(VehicleKind),
        "capacity_units": st.integers(1, 3),
        "skills": st.sampled_from([(), (Skill.COLD,), (Skill.COLD, Skill.HEAVY)]),
    },
)
fixes = st.one_of(
    st.none(),
    st.builds(
        a_fix,
        st.builds(Point, lat=st.floats(24, 25), lng=st.floats(46, 47)),
        st.sampled_from([NOON - 2 * MINUTE_MS, NOON]),
    ),
)
# Who is on duty in a tick, in what order, how he has changed, and where he was seen.
ticks = st.lists(
    st.tuples(st.permutations(range(6)), st.integers(0, 6), st.lists(fields), st.lists(fixes)),
    min_size=1,
    max_size=4,
)


def as_told(roster: Roster) -> dict[CourierId, tuple[object, ...]]:
    assert [one.id for one in roster.couriers] == roster.ids
    assert [roster.ids[at] for at in roster.by_id.tolist()] == sorted(roster.ids)
    rows = zip(*(column.tolist() for column in roster.columns.values()), strict=True)
    return dict(zip(roster.ids, rows, strict=True))


@given(ticks)
def test_rows_that_are_kept_say_what_rows_written_anew_would_say(drawn: list[Any]) -> None:
    couriers = dict(enumerate(COURIERS))
    seen: dict[CourierId, Fix] = {}
    kept = Roster()
    for order, count, changes, places in drawn:
        for at, changed in enumerate(changes[:6]):
            couriers[at] = replace(couriers[at], **changed)
        for one, place in zip(COURIERS, places, strict=False):
            seen.pop(one.id, None)
            seen.update({} if place is None else {one.id: place})
        here = [couriers[at] for at in order[:count]]
        kept.read(here, seen)
        anew = Roster()
        anew.read(here, seen)
        assert as_told(kept) == as_told(anew)
        assert kept.couriers == tuple(here)
        assert kept.fixes == [seen.get(one.id) for one in here]


def walked(courier: Courier, seen: Fix | None) -> tuple[object, ...]:
    way = walk(courier, seen, ZONE.parameters, now=NOON)
    return way.free_at, way.free_point.lat, way.free_point.lng


@given(st.lists(fields, min_size=6, max_size=6), st.lists(fixes, min_size=6, max_size=6))
def test_who_may_be_asked_stands_where_a_walk_along_his_route_takes_him(
    changes: list[dict[str, Any]], places: list[Fix | None]
) -> None:
    couriers = [replace(one, **how) for one, how in zip(COURIERS, changes, strict=True)]
    pairs = zip(couriers, places, strict=True)
    seen = {one.id: place for one, place in pairs if place is not None}
    roster = Roster()
    roster.read(couriers, seen)
    muster = Muster(roster, ZONE.parameters, NOON)
    muster.walk(muster.busy, {})
    free = sorted(
        (one for one in couriers if is_available(one, ZONE, NOON)), key=lambda one: one.id
    )
    assert muster.ids == tuple(one.id for one in free)
    columns = muster.free_at, muster.lat, muster.lng
    told = list(zip(*(column.tolist() for column in columns), strict=True))
    assert told == [walked(one, seen.get(one.id)) for one in free]


def test_what_happens_later_does_not_change_who_stood_where() -> None:
    roster = Roster()
    roster.read(COURIERS, {})
    muster = Muster(roster, ZONE.parameters, NOON)
    before = muster.ids, muster.lat.copy(), muster.free_s.copy()
    later = [replace(one, leaves_at=NOON + MINUTE_MS, last_point=DOOR) for one in COURIERS[1:]]
    roster.read(later, {COURIERS[1].id: a_fix(SHOP, NOON + SECOND_MS)})
    assert muster.ids == before[0]
    assert np.array_equal(muster.lat, before[1])
    assert np.array_equal(muster.free_s, before[2])
