"""What must hold of the last hours of a zone, in memory and in PostgreSQL."""

import pytest
from msgspec.structs import replace

from engine.couriers import duty
from engine.kernel.ids import ZoneId
from engine.kernel.timing import HOUR_MS, MINUTE_MS
from engine.orders.order import Window
from storage.recent import entered_at
from storage.store import Store, TrailFix
from tests.builders import NOON, a_courier, a_placing, a_quote, must, new_id, placed, take_break
from tests.storage.telling import a_staffed_zone, first, tell


async def test_orders_come_by_the_time_from_which_a_courier_is_sought(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    other, _ = await a_staffed_zone(store)
    orders = []
    for minutes in (50, 10, 10, 30, -1, 60):
        at = NOON + minutes * MINUTE_MS
        orders.append(placed(zone, a_placing(zone, quoted=a_quote(zone, at=at)), at=at))
    window = Window(start=NOON + 3 * HOUR_MS, end=NOON + 4 * HOUR_MS)
    later = placed(zone, a_placing(zone, window=window))
    elsewhere = placed(other, a_placing(other))
    await tell(store, [*orders, later, elsewhere])
    mine = sorted(
        (one.changes[0].thing for one in orders), key=lambda one: (one.placed_at, one.id)
    )[1:-1]
    until = NOON + HOUR_MS
    assert await store.list_orders_in(zone.id, since=NOON, until=until, limit=9) == tuple(mine)
    pages = await store.list_orders_in(zone.id, since=NOON, until=until, limit=2)
    last = (entered_at(pages[-1]), pages[-1].id)
    pages += await store.list_orders_in(zone.id, since=NOON, until=until, limit=9, after=last)
    assert pages == tuple(mine)
    scheduled = later.changes[0].thing
    assert scheduled.release_at is not None
    assert await store.list_orders_in(
        zone.id, since=scheduled.release_at, until=scheduled.release_at + 1, limit=9
    ) == (scheduled,)
    assert await store.list_orders_in(ZoneId("no id"), since=0, until=until, limit=9) == ()


async def test_couriers_come_with_what_they_said_about_duty(store: Store) -> None:
    zone, working = await a_staffed_zone(store)
    await a_staffed_zone(store)
    resting, gone, long_gone = (a_courier(zone=zone) for _ in range(3))
    await tell(store, [first(one) for one in (resting, gone, long_gone)])
    pause = must(take_break(resting, now=NOON + 5))
    leaving, left = duty.go_off(gone, now=NOON + 9), duty.go_off(long_gone, now=NOON - 1)
    await tell(store, [pause, leaving, left])
    found = await store.list_duties(zone.id, since=NOON, until=NOON + 10)
    assert {one.courier.id: one.changes for one in found} == {
        working.id: (),
        resting.id: ((NOON + 5, "BreakTaken"),),
        gone.id: ((NOON + 9, "WentOffDuty"),),
    }
    assert [one.courier.id for one in found] == sorted(one.courier.id for one in found)
    assert {one.courier for one in found} >= {working, pause.changes[0].thing}
    early = await store.list_duties(zone.id, since=NOON, until=NOON + 9)
    assert gone.id not in {one.courier.id for one in early}


@pytest.mark.parametrize(("since", "found"), [(0, 1), (1, 1), (2, 4), (5, None)])
async def test_the_first_fix_after_an_instant_is_found(
    store: Store, since: int, found: int | None
) -> None:
    _, courier = await a_staffed_zone(store)

    def fix(at: int) -> TrailFix:
        return TrailFix(courier_id=courier.id, at=NOON + at, lat=24, lng=46, accuracy_m=at)

    await store.save_trail([fix(4), fix(1)])
    await store.save_trail([replace(fix(1), courier_id=new_id())])
    asked = [("no id", NOON), (courier.id, NOON + since)]
    expected = None if found is None else fix(found)
    assert await store.first_fixes(asked) == (None, expected)  # type: ignore[arg-type]
    assert await store.first_fixes([]) == ()
