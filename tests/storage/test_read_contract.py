"""What must hold of everything that is read from a store."""

import asyncio
import math
from functools import partial
from typing import cast

import pytest
from msgspec.structs import replace

from engine.couriers import duty
from engine.couriers.courier import ProgressStep
from engine.dispatch.cancellation import cancel
from engine.dispatch.offer import OfferStatus
from engine.geo.parameters import ZoneParameters
from engine.geo.zone import (
    ChangeZoneParameters,
    CreateZone,
    change_parameters,
    create,
    put_in_force,
)
from engine.kernel.ids import CellId, OrderId, UserId, ZoneId
from engine.kernel.listing import one_of
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import MINUTE_MS
from engine.listings import ORDERS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Gift, Order, OrderStatus, Recipient
from storage.store import (
    NEWEST_ORDERS,
    CellContents,
    OpenOrder,
    Store,
    StoredEvent,
    TrailFix,
)
from tests.builders import (
    NOON,
    a_courier,
    a_placing,
    a_quote,
    a_story,
    a_zone,
    must,
    new_id,
    placed,
    take_break,
)
from tests.builders import (
    customer as by_customer,
)
from tests.storage.telling import CELL, OTHER_CELL, a_staffed_zone, a_told_story, first, tell
from tests.storage.walking import keeps_its_word

S, P = OrderStatus, ProgressStep
UNKNOWN = "01890abc-0000-7000-8000-00000000000d"


@pytest.mark.parametrize("status", [one for one in OrderStatus if one is not S.PLACED])
async def test_a_thing_comes_back_as_it_was_stored(store: Store, status: OrderStatus) -> None:
    story = await a_told_story(store, status)
    assert await store.find_order(story.order.id) == story.order
    assert await store.find_courier(story.courier.id) == story.courier
    assert await store.find_zone(story.zone.id) == story.zone


@pytest.mark.parametrize("status", [one for one in OrderStatus if one is not S.PLACED])
async def test_a_cell_finds_what_is_open_and_nothing_else(
    store: Store, status: OrderStatus
) -> None:
    story = await a_told_story(store, status, orders=2)
    open_orders = [one for one in story.orders if one.is_open]
    offers = [story.offer] if story._offer_id else []
    assert await store.load_cell(CELL) == CellContents(
        zones=(story.zone,),
        orders=tuple(sorted(open_orders, key=lambda one: one.id)),
        couriers=(story.courier,),
        offers=tuple(one for one in offers if one.status is OfferStatus.OPEN),
    )
    assert await store.load_cell(OTHER_CELL) == CellContents()


async def test_a_courier_who_went_off_duty_is_not_loaded_but_found(store: Store) -> None:
    _, courier = await a_staffed_zone(store)
    gone = duty.go_off(courier, now=NOON)
    await tell(store, [gone])
    assert (await store.load_cell(CELL)).couriers == ()
    assert await store.find_courier(courier.id) == gone.changes[0].thing
    assert await store.cell_of_courier(courier.id) == CELL


async def test_texts_of_every_kind_survive(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    command = a_placing(
        zone,
        gift=Gift(description='"quoted" \\ back', message="كل عام وأنت بخير 🎁\n\t\u200f'; --"),
        recipient=Recipient(name="نورة", phone="+966501234567"),
    )
    decision = placed(zone, command)
    await tell(store, [decision])
    assert await store.find_order(command.order_id) == decision.changes[0].thing


async def test_numbers_survive_to_the_last_bit(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    point = replace(courier.last_point, lat=math.nextafter(24.7, 25), lng=1 / 3)
    parked = replace(courier, version=2, last_point=point, free_since=NOON + 1)
    await tell(store, [first(parked)])
    assert await store.find_courier(courier.id) == parked
    quote = replace(a_quote(zone), total_halalas=2**53 + 1, distance_m=0)
    await store.save_quote(quote)
    assert await store.find_quote(quote.id) == quote


@pytest.mark.parametrize("identifier", [UNKNOWN, "", "no uuid", "'", "\u0000", UNKNOWN.upper()])
async def test_what_nobody_stored_is_not_found(store: Store, identifier: str) -> None:
    await a_told_story(store, S.ASSIGNED)
    assert await store.find_order(OrderId(identifier)) is None
    assert await store.find_courier(UserId(identifier)) is None
    assert await store.find_zone(ZoneId(identifier)) is None
    assert await store.find_quote(identifier) is None  # type: ignore[arg-type]
    assert await store.find_answer(identifier) is None  # type: ignore[arg-type]
    assert await store.cell_of_order(OrderId(identifier)) is None
    assert await store.cell_of_courier(UserId(identifier)) is None
    assert await store.cell_of_zone(ZoneId(identifier)) is None
    assert await store.list_offers_for(OrderId(identifier)) == ()
    assert await store.list_events(identifier) == ()
    assert await store.list_parameter_sets(ZoneId(identifier)) == ()
    assert await store.list_orders_of(UserId(identifier), Wanted(limit=5)) == Page()
    assert await store.open_orders_of(UserId(identifier)) == ()


async def test_the_history_of_an_order_tells_every_step(store: Store) -> None:
    story = await a_told_story(store, S.DELIVERED)
    told = await store.list_events(story.order.id)
    lines = story.lines[story.order.id]
    assert [(one.type, one.version) for one in told] == [
        (type(line.event).__name__, line.version) for line in lines
    ]
    assert told[0] == StoredEvent(
        thing_kind="order",
        thing_id=story.order.id,
        version=1,
        position=0,
        type="OrderPlaced",
        at=NOON,
        device_at=None,
        data={},
    )
    assert told[1].position == 1
    assert told[-1].data == {"proof": "pin", "cash_halalas": 0}


async def test_an_event_keeps_both_clocks_and_its_own_fields(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.ASSIGNED, zone=zone, courier=courier)
    must(story.report(P.REACHED_SHOP, device_at=NOON - 1_234))
    await tell(store, story.decisions)
    reached = (await store.list_events(story.order.id))[-1]
    assert (reached.at, reached.device_at) == (NOON, NOON - 1_234)
    offered = (await store.list_events(story.offer.id))[0]
    assert offered.type == "OfferMade"
    assert offered.thing_kind == "offer"
    assert offered.data == {
        "courier_id": courier.id,
        "others": [],
        "order_ids": [story.order.id],
        "expires_at": story.offer.expires_at,
    }


async def test_a_customers_orders_come_newest_first_in_pages(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    customer = new_id()
    decisions = []
    for minutes in (3, 1, 2, 2, 5, 4, 2):
        at = NOON + minutes * MINUTE_MS
        quoted = a_quote(zone, customer_id=customer, at=at)
        decisions.append(placed(zone, a_placing(zone, quoted=quoted), at=at))
    decisions.append(placed(zone, a_placing(zone)))
    await tell(store, decisions)
    mine = [one.changes[0].thing for one in decisions[:-1]]
    await keeps_its_word(ORDERS, mine, partial(store.list_orders_of, UserId(customer)))
    ended = Wanted(limit=9, only=(one_of("status", "delivered", "cancelled"),))
    assert await store.list_orders_of(UserId(customer), ended) == Page()


async def test_the_last_page_says_that_it_is_the_last(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    customer = new_id()
    orders = [placed(zone, a_placing(zone, quoted=a_quote(zone, customer_id=customer)))] * 1
    await tell(store, orders)
    page = await store.list_orders_of(UserId(customer), Wanted(limit=1))
    assert (len(page.rows), page.has_next, page.has_previous) == (1, False, False)


async def test_of_a_customers_newest_orders_those_that_are_open_are_told(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    customer, other = UserId(new_id()), UserId(new_id())
    orders: list[Order] = []
    for number in range(NEWEST_ORDERS + 2):
        at = NOON + number // 2 * MINUTE_MS
        quoted = a_quote(zone, customer_id=customer, at=at)
        decision = placed(zone, a_placing(zone, quoted=quoted), at=at)
        await tell(store, [decision])
        orders.append(cast("Order", decision.changes[0].thing))
    gone = orders[5::10]
    for one in gone:
        why = CancelOrder(order_id=one.id, reason=CancelReason.OTHER)
        caller, now = by_customer(customer), one.placed_at
        alone = cancel(one, why, caller, offer=None, others=(), couriers=(), now=now)
        await tell(store, [must(alone)])
    left = set(orders) - set(gone)
    newest = sorted(orders, key=lambda one: (one.placed_at, one.id), reverse=True)[:NEWEST_ORDERS]
    told, nobodys = await asyncio.gather(*map(store.open_orders_of, (customer, other)))
    assert told == tuple(
        OpenOrder(order_id=one.id, code=one.code, placed_at=one.placed_at)
        for one in newest
        if one in left
    )
    assert len(told) < NEWEST_ORDERS
    assert nobodys == ()


async def test_every_parameter_set_of_a_zone_is_kept(store: Store) -> None:
    zone_id = ZoneId(new_id())
    created = create(
        CreateZone(
            zone_id=zone_id,
            name_en="Olaya",
            name_ar="العليا",
            anchor=CellId("8"),
            cells=(CellId("8"),),
            parameters=ZoneParameters(),
            author=UserId(new_id()),
        ),
        now=NOON,
    )
    decisions = [must(created)]
    for version, (tick_s, effective_at) in enumerate([(3, NOON), (5, NOON + 9), (7, 0)], 1):
        zone = decisions[-1].changes[0].thing
        command = ChangeZoneParameters(
            zone_id=zone_id,
            parameters=ZoneParameters(tick_s=tick_s),
            author=UserId(new_id()),
            reason=f"rain {tick_s}",
            effective_at=effective_at,
            after_version=version,
        )
        decisions.append(must(change_parameters(zone, command, now=NOON)))
    decisions.append(put_in_force(decisions[-1].changes[0].thing, now=NOON + 10))
    await tell(store, decisions)
    kept = await store.list_parameter_sets(zone_id)
    assert [(one.version, one.parameters.tick_s) for one in kept] == [
        (4, 7),
        (3, 5),
        (2, 3),
        (1, 2),
    ]
    assert [one.reason for one in kept] == ["rain 7", "rain 5", "rain 3", "created"]
    assert await store.find_zone(zone_id) == decisions[-1].changes[0].thing


async def test_zones_are_listed_by_name_and_cells_once(store: Store) -> None:
    named = [("b", CELL), ("a", OTHER_CELL), ("B", CELL), ("é", CELL), ("", CELL)]
    for name, cell in named:
        zone = a_zone(name_en=name, cells=(CellId(f"cell of {name}"),))
        await tell(store, [first(zone)], cell=cell)
    assert [one.name_en for one in await store.list_zones()] == ["", "B", "a", "b", "é"]
    assert await store.list_cells() == (CELL, OTHER_CELL)


async def test_a_point_belongs_to_the_zone_of_the_first_cell_that_has_one(store: Store) -> None:
    fine, coarse = a_zone(cells=(CellId("fine"),)), a_zone(cells=(CellId("coarse"),))
    await tell(store, [first(coarse), first(fine)])
    asked = [CellId("finest"), CellId("fine"), CellId("coarse")]
    assert await store.zone_covering(asked) == fine.id
    assert await store.zone_covering(asked[::-1]) == coarse.id
    assert await store.zone_covering([CellId("sea")]) is None
    assert await store.zone_covering([]) is None


async def test_the_offers_for_an_order_are_its_explanation_oldest_first(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.OFFERED, zone=zone, courier=courier)
    ids = []
    for _ in range(3):
        ids.append(story.offer.id)
        story.expire()
        story.make()
    await tell(store, story.decisions)
    found = await store.list_offers_for(story.order.id)
    assert [one.id for one in found] == [*ids, story.offer.id]
    assert [one.status.value for one in found] == ["expired"] * 3 + ["open"]
    assert found[-1] == story.offer


async def test_a_quote_may_be_saved_again_but_not_another_under_its_id(store: Store) -> None:
    quote = a_quote(a_zone())
    await store.save_quote(quote)
    await store.save_quote(quote)
    with pytest.raises(AssertionError):
        await store.save_quote(replace(quote, total_halalas=1))
    assert await store.find_quote(quote.id) == quote


async def test_the_last_fix_of_everyone_on_duty_in_the_cell_is_found(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    resting, gone, silent = (a_courier(zone=zone) for _ in range(3))
    second = a_zone(cells=(CellId("elsewhere"),))
    elsewhere = a_courier(zone=second)
    await tell(store, [first(one) for one in (resting, gone, silent)])
    await tell(store, [first(second), first(elsewhere)], cell=OTHER_CELL)
    await tell(store, [must(take_break(resting, now=NOON)), duty.go_off(gone, now=NOON)])

    def fix(of: str, at: int) -> TrailFix:
        return TrailFix(courier_id=UserId(of), at=at, lat=24.5 + at / 7, lng=46.1, accuracy_m=5.5)

    await store.save_trail([])
    await store.save_trail([fix(courier.id, 1), fix(gone.id, 8), fix(elsewhere.id, 9)])
    await store.save_trail([fix(courier.id, 3), fix(resting.id, 2), fix(courier.id, 2)])
    expected = sorted([fix(courier.id, 3), fix(resting.id, 2)], key=lambda one: one.courier_id)
    assert await store.last_fixes(CELL) == tuple(expected)
    assert await store.last_fixes(OTHER_CELL) == (fix(elsewhere.id, 9),)


async def test_a_trail_is_listed_in_time_and_in_parts(store: Store) -> None:
    salem, other = UserId(new_id()), UserId(new_id())

    def fix(of: UserId, at: int) -> TrailFix:
        return TrailFix(courier_id=of, at=NOON + at, lat=24.5, lng=46.1, accuracy_m=5.5)

    await store.save_trail([fix(salem, at) for at in (5, 1, 3, 4, 2)] + [fix(other, 2)])

    async def listed(since: int, until: int, limit: int = 10) -> list[int]:
        found = await store.list_trail(salem, since=NOON + since, until=NOON + until, limit=limit)
        return [one.at - NOON for one in found]

    assert await listed(1, 6) == [1, 2, 3, 4, 5]
    assert await listed(2, 5) == [2, 3, 4]
    assert await listed(2, 6, limit=2) == [2, 3]
    assert await listed(6, 9) == []
