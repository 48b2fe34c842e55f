"""What must hold of a commit in every store."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from engine.couriers import duty, handing_over, prepositioning
from engine.couriers.courier import Courier, ProgressStep, StopKind
from engine.couriers.messages import HandOver
from engine.dispatch import offers
from engine.geo.moving import MoveZone, move
from engine.geo.shops import ZoneShopsChanged
from engine.kernel.ids import CellId, CommandId, EffectId, OfferId, UserId
from engine.kernel.messages import Change, Decision
from engine.kernel.refusals import KEY_REUSED, Refusal
from engine.orders.messages import SendSms
from engine.orders.order import OrderStatus
from storage.store import CellContents, Repeated, Stale, Store, Stored
from tests.builders import (
    DOOR,
    NOON,
    SHOP,
    Story,
    a_courier,
    a_story,
    a_zone,
    an_offer,
    an_order,
    must,
    new_id,
    take_break,
)
from tests.storage.telling import (
    CELL,
    OTHER_CELL,
    a_commit,
    a_staffed_zone,
    a_told_story,
    first,
    outcome_of,
    tell,
)

S, P = OrderStatus, ProgressStep


def an_effect() -> SendSms:
    return SendSms(id=EffectId(new_id()), phone="+966501234567", text="وصل المندوب")


async def everything(store: Store, story: Story) -> Any:
    """All that a store says about the things of a story."""
    things = [story.zone.id, story.courier.id, *(one.id for one in story.orders)]
    return (
        await store.load_cell(CELL),
        [await store.find_order(one.id) for one in story.orders],
        await store.find_courier(story.courier.id),
        [await store.list_offers_for(one.id) for one in story.orders],
        [await store.list_events(one) for one in things],
    )


async def test_a_decision_about_several_things_is_stored_whole(store: Store) -> None:
    story = await a_told_story(store, S.ASSIGNED, orders=2)
    assert await store.find_order(story.orders[0].id) == story.orders[0]
    assert await store.find_order(story.orders[1].id) == story.orders[1]
    assert await store.find_courier(story.courier.id) == story.courier
    assert await store.list_offers_for(story.orders[1].id) == (story.offer,)
    assert await store.find_offer(story.offer.id) == story.offer
    assert await store.find_offer(OfferId(new_id())) is None


async def test_a_stale_commit_changes_nothing(store: Store) -> None:
    story = await a_told_story(store, S.OFFERED, orders=2)
    before = await everything(store, story)
    accepted = story.accept()
    late = Change(replace(story.orders[1], version=story.orders[1].version + 1), ())
    torn = replace(
        accepted,
        changes=(*accepted.changes[:-1], late),
        effects=(an_effect(),),
    )
    command_id = new_id()
    outcome = await store.commit(a_commit(torn, command_id=command_id))
    assert outcome == Stale(f"order:{story.orders[1].id}")
    assert await everything(store, story) == before
    assert await store.find_answer(CommandId(command_id)) is None
    assert await store.lease_effects(limit=9, now=NOON, lease_until=NOON + 1) == ()


async def test_the_same_version_is_not_stored_twice(store: Store) -> None:
    story = await a_told_story(store, S.WAITING)
    again = story.decisions[-1]
    assert await outcome_of(store, again) == Stale(f"order:{story.order.id}")


async def test_a_version_may_not_be_skipped(store: Store) -> None:
    _, courier = await a_staffed_zone(store)
    skipped = first(replace(courier, version=3))
    assert await outcome_of(store, skipped) == Stale(f"courier:{courier.id}")


async def test_what_does_not_exist_has_no_second_version(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    unknown = a_courier(zone=zone, version=2)
    assert await outcome_of(store, first(unknown)) == Stale(f"courier:{unknown.id}")


async def test_a_repeated_command_gets_its_first_answer_and_stores_nothing(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    placed = a_story(S.WAITING, zone=zone).decisions[0]
    commit = a_commit(placed, command_id=new_id())
    assert commit.answer is not None
    assert await store.commit(commit) == Stored()
    other = a_story(S.WAITING, zone=zone)
    again = replace(commit, decision=other.decisions[0], answer=replace(commit.answer, reply={}))
    assert await store.commit(again) == Repeated(commit.answer)
    assert await store.find_order(other.order.id) is None
    assert await store.find_answer(commit.answer.command_id) == commit.answer


async def test_an_answer_alone_is_stored_with_all_that_it_says(store: Store) -> None:
    refusal: Refusal = KEY_REUSED(field="shop", tries=3, ids=["a", "b"])
    decision = Decision(
        reply={"text": "نعم", "number": 7, "share": 0.25, "list": [1, None, {"deep": True}]},
        refusal=refusal,
    )
    commit = a_commit(decision, command_id=new_id())
    assert commit.answer is not None
    assert await store.commit(commit) == Stored()
    assert await store.find_answer(commit.answer.command_id) == commit.answer
    assert await store.commit(commit) == Repeated(commit.answer)


async def test_nothing_is_stored_gladly(store: Store) -> None:
    assert await store.commit(a_commit(Decision())) == Stored()


async def test_of_racing_commits_on_one_thing_exactly_one_wins(store: Store) -> None:
    story = await a_told_story(store, S.OFFERED)
    accepted, declined = a_copy(story).accept(), a_copy(story).decline()
    expired = a_copy(story).expire()
    racing = [accepted, declined, expired, accepted, declined]
    outcomes = await asyncio.gather(*(outcome_of(store, one) for one in racing))
    assert sorted(type(one).__name__ for one in outcomes) == ["Stale"] * 4 + ["Stored"]
    winner = racing[[type(one) for one in outcomes].index(Stored)]
    order = await store.find_order(story.order.id)
    assert order in [change.thing for change in winner.changes]


async def test_the_same_command_sent_at_once_is_stored_once(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    commit = a_commit(a_story(S.WAITING, zone=zone).decisions[0], command_id=new_id())
    assert commit.answer is not None
    outcomes = await asyncio.gather(*(store.commit(commit) for _ in range(5)))
    assert outcomes.count(Stored()) == 1
    assert outcomes.count(Repeated(commit.answer)) == 4


async def test_commits_that_follow_each_other_may_be_sent_at_once(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.DELIVERED, zone=zone, courier=courier)
    outcomes = await asyncio.gather(*(outcome_of(store, one) for one in story.decisions))
    assert outcomes == [Stored()] * len(story.decisions)
    assert await store.find_order(story.order.id) == story.order
    assert await store.find_courier(courier.id) == story.courier


async def test_a_guilty_commit_fails_alone_among_many(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    stories = [a_story(S.WAITING, zone=zone) for _ in range(40)]
    commits = [a_commit(one.decisions[0], command_id=new_id()) for one in stories]
    taken = a_zone(cells=(CellId("free"), zone.cells[1]))
    nowhere = a_story(S.WAITING, zone=a_zone()).decisions[0]
    stale = first(replace(courier, version=9))
    commits[7:7] = [a_commit(first(taken)), a_commit(nowhere), a_commit(stale)]
    outcomes = await asyncio.gather(*(store.commit(one) for one in commits))
    assert outcomes[7:10] == [
        Stale(f"cell:{zone.cells[1]}"),
        Stale(f"zone:{nowhere.changes[0].thing.zone_id}"),
        Stale(f"courier:{courier.id}"),
    ]
    assert outcomes[:7] + outcomes[10:] == [Stored()] * 40
    assert await store.find_zone(taken.id) is None
    assert await store.zone_covering([CellId("free")]) is None
    for story in stories:
        assert await store.find_order(story.order.id) == story.order


async def test_who_gives_up_waiting_loses_nobody_else(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    stories = [a_story(S.WAITING, zone=zone) for _ in range(20)]
    tasks = [asyncio.create_task(outcome_of(store, one.decisions[0])) for one in stories]
    await asyncio.wait(tasks, timeout=0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[1::2] == [Stored()] * 10
    for story in stories[1::2]:
        assert await store.find_order(story.order.id) == story.order


async def test_an_order_is_asked_about_in_one_open_offer_only(store: Store) -> None:
    story = await a_told_story(store, S.OFFERED)
    other = a_courier(zone=story.zone)
    await tell(store, [first(other)])
    second = replace(an_offer(story.orders, other), version=1)
    assert await outcome_of(store, first(second)) == Stale(f"order:{story.order.id}")
    assert await store.list_offers_for(story.order.id) == (story.offer,)


async def test_an_order_that_is_carried_is_not_asked_about(store: Store) -> None:
    story = await a_told_story(store, S.PICKED_UP)
    other = a_courier(zone=story.zone)
    await tell(store, [first(other)])
    second = replace(an_offer(story.orders, other), version=1)
    assert await outcome_of(store, first(second)) == Stale(f"order:{story.order.id}")


async def test_an_order_may_be_asked_about_again_once_the_offer_has_lapsed(store: Store) -> None:
    story = await a_told_story(store, S.OFFERED)
    told = len(story.decisions)
    earlier = story.offer
    story.expire()
    story.make()
    await tell(store, story.decisions[told:])
    found = await store.list_offers_for(story.order.id)
    assert [one.id for one in found] == [earlier.id, story.offer.id]


async def test_a_courier_has_one_open_offer_only(store: Store) -> None:
    story = await a_told_story(store, S.OFFERED)
    other = an_order(zone=story.zone, version=1)
    second = replace(an_offer([other], story.courier), version=1)
    decision = Decision(changes=(Change(other, ()), Change(second, ())))
    assert await outcome_of(store, decision) == Stale(f"courier:{story.courier.id}")
    assert await store.find_order(other.id) is None


async def test_an_offer_needs_its_courier_and_its_orders(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    order = an_order(zone=zone, version=1)
    stranger = a_courier(zone=zone)
    await tell(store, [first(order)])
    unmade = replace(an_offer([order], stranger), version=1)
    assert await outcome_of(store, first(unmade)) == Stale(f"courier:{stranger.id}")
    unplaced = an_order(zone=zone)
    unmade = replace(an_offer([unplaced], courier), version=1)
    assert await outcome_of(store, first(unmade)) == Stale(f"order:{unplaced.id}")


async def test_a_cell_belongs_to_one_zone(store: Store) -> None:
    first_zone = a_zone(cells=(CellId("1"), CellId("2")))
    second_zone = a_zone(cells=(CellId("2"), CellId("3")))
    await tell(store, [first(first_zone)])
    assert await outcome_of(store, first(second_zone)) == Stale("cell:2")
    assert await store.list_zones() == (first_zone,)
    assert await store.zone_covering([CellId("3"), CellId("2")]) == first_zone.id


async def test_a_zone_may_give_up_cells_for_another(store: Store) -> None:
    zone = a_zone(cells=(CellId("1"), CellId("2")))
    smaller = replace(zone, version=2, cells=(CellId("1"),))
    other = a_zone(cells=(CellId("2"),))
    await tell(store, [first(zone), first(smaller), first(other)])
    assert await store.zone_covering([CellId("2")]) == other.id
    assert await store.zone_covering([CellId("1")]) == zone.id


async def test_an_effect_is_promised_once(store: Store) -> None:
    effect = an_effect()
    _, courier = await a_staffed_zone(store)
    await tell(store, [Decision(effects=(effect,))])
    resting = must(take_break(courier, now=NOON))
    again = replace(resting, effects=(effect,))
    assert await outcome_of(store, again) == Stale(f"effect:{effect.id}")
    assert await store.find_courier(courier.id) == courier


async def test_an_order_that_has_ended_stays_as_it_is(store: Store) -> None:
    story = await a_told_story(store, S.DELIVERED)
    risen = replace(story.order, version=story.order.version + 1, failed_attempts=3)
    with pytest.raises(AssertionError, match="orders_closed"):
        await outcome_of(store, first(risen))
    assert await store.find_order(story.order.id) == story.order


@pytest.mark.parametrize(
    ("status", "fields", "constraint"),
    [
        (S.PICKED_UP, {"status": S.WAITING, "courier_id": None, "offer_id": None}, "transition"),
        (S.ASSIGNED, {"courier_id": None}, "courier_when_carried"),
        (S.WAITING, {"courier_id": "own"}, "courier_when_carried"),
        (S.OFFERED, {"offer_id": None}, "offer_when_asked"),
        (S.OFFERED, {"status": S.WAITING}, "offer_when_asked"),
        (S.AT_DOOR, {"status": S.DELIVERED}, "ended_when_closed"),
        (S.WAITING, {"ended_at": NOON}, "ended_when_closed"),
        (S.WAITING, {"total_halalas": -1}, "total"),
    ],
)
async def test_a_state_that_no_rule_can_make_is_a_bug(
    store: Store, status: OrderStatus, fields: dict[str, Any], constraint: str
) -> None:
    story = await a_told_story(store, status)
    if fields.get("courier_id") == "own":
        fields = {"courier_id": story.courier.id}
    wrong = replace(story.order, version=story.order.version + 1, **fields)
    with pytest.raises(AssertionError, match=f"orders_{constraint}"):
        await outcome_of(store, first(wrong))
    assert await store.find_order(story.order.id) == story.order


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"duty": "off", "offer_id": "01890000-0000-7000-8000-000000000000"}, "offered_on_duty"),
        ({"duty": "break", "route": "some"}, "free_off_duty"),
        ({"capacity_units": -1}, "capacity"),
    ],
)
async def test_a_courier_that_no_rule_can_make_is_a_bug(
    store: Store, fields: dict[str, Any], constraint: str
) -> None:
    _, courier = await a_staffed_zone(store)
    if "duty" in fields:
        fields["duty"] = type(courier.duty)(fields["duty"])
    if "route" in fields:
        fields["route"] = a_story(S.ASSIGNED).courier.route
    wrong: Courier = replace(courier, version=2, **fields)
    with pytest.raises(AssertionError, match=f"couriers_{constraint}"):
        await outcome_of(store, first(wrong))


async def test_an_offer_that_was_answered_stays_as_it_is(store: Store) -> None:
    story = await a_told_story(store, S.ASSIGNED)
    risen = replace(story.offer, version=story.offer.version + 1)
    with pytest.raises(AssertionError, match="offers_closed"):
        await outcome_of(store, first(risen))


async def test_a_bug_in_one_commit_is_nobody_elses(store: Store) -> None:
    story = await a_told_story(store, S.DELIVERED)
    risen = replace(story.order, version=story.order.version + 1)
    good = a_story(S.WAITING, zone=story.zone)
    outcomes = await asyncio.gather(
        outcome_of(store, first(risen)),
        outcome_of(store, good.decisions[0]),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], AssertionError)
    assert outcomes[1] == Stored()


async def test_things_are_named_by_uuids(store: Store) -> None:
    with pytest.raises(ValueError):
        await outcome_of(store, first(a_zone(id="olaya")))
    assert await store.list_zones() == ()


async def test_a_decision_changes_a_thing_once(store: Store) -> None:
    zone = a_zone()
    twice = Decision(changes=(Change(zone, ()), Change(replace(zone, version=2), ())))
    with pytest.raises(AssertionError):
        await outcome_of(store, twice)


async def test_several_steps_of_an_order_may_be_one_decision(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.ASSIGNED, zone=zone, courier=courier)
    for step in (P.DELIVERED, P.REACHED_DOOR, P.PICKED_UP, P.REACHED_SHOP):
        must(story.report(step))
    await tell(store, story.decisions)
    found = await store.find_order(story.order.id)
    assert found == story.order
    assert found is not None
    assert found.status is S.DELIVERED


async def test_a_thing_lives_in_the_cell_of_its_zone_and_moves_with_it(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.OFFERED, zone=zone, courier=courier)
    await tell(store, story.decisions)
    command = MoveZone(zone_id=zone.id, cell=OTHER_CELL, author=UserId(new_id()))
    await tell(store, [move(zone, command, before=CELL, now=NOON)])
    assert await store.cell_of_zone(zone.id) == OTHER_CELL
    assert await store.cell_of_courier(courier.id) == OTHER_CELL
    assert await store.cell_of_order(story.order.id) == OTHER_CELL
    assert await store.list_cells() == (OTHER_CELL,)
    assert await store.load_cell(CELL) == CellContents()
    found = await store.load_cell(OTHER_CELL)
    assert [one.id for one in found.zones] == [zone.id]
    assert [one.id for one in found.couriers] == [courier.id]
    assert [one.id for one in found.orders] == [story.order.id]
    assert [one.id for one in found.offers] == [story.offer.id]


async def test_a_zone_keeps_the_shops_that_it_was_told(store: Store) -> None:
    zone, _ = await a_staffed_zone(store)
    told = replace(zone, version=zone.version + 1, shops=(DOOR, SHOP))
    event = ZoneShopsChanged(at=NOON, count=2, author=UserId(new_id()))
    await tell(store, [Decision(changes=(Change(told, (event,)),))])
    assert await store.find_zone(zone.id) == told
    assert (await store.load_cell(CELL)).zones == (told,)


async def test_a_courier_moves_with_his_zone_alone(store: Store) -> None:
    _, courier = await a_staffed_zone(store)
    second = a_zone(cells=(CellId("elsewhere"),))
    await tell(store, [first(second)], cell=OTHER_CELL)
    going = HandOver(courier_id=courier.id, zone_id=second.id, point=DOOR)
    await tell(store, [must(handing_over.hand_over(courier, going, now=NOON))])
    assert await store.cell_of_courier(courier.id) == OTHER_CELL
    assert (await store.load_cell(CELL)).couriers == ()
    assert [one.id for one in (await store.load_cell(OTHER_CELL)).couriers] == [courier.id]


async def test_a_courier_who_is_sent_to_wait_is_stored_with_his_stop(store: Store) -> None:
    _, courier = await a_staffed_zone(store)
    sent = prepositioning.send_to_wait(courier, DOOR, origin=SHOP, arrives_at=NOON + 9, now=NOON)
    assert sent is not None
    await tell(store, [sent])
    found = await store.find_courier(courier.id)
    assert found is not None
    assert found == sent.changes[0].thing
    assert [one.kind for one in found.route] == [StopKind.WAIT]
    assert [one.type for one in await store.list_events(courier.id)] == ["CourierSentToWait"]
    await tell(store, [duty.go_off(found, now=NOON)])
    assert (await store.load_cell(CELL)).couriers == ()


async def test_an_offer_without_orders_in_the_way_is_stored_with_its_question(store: Store) -> None:
    zone, courier = await a_staffed_zone(store)
    story = a_story(S.WAITING, orders=3, zone=zone, courier=courier)
    await tell(store, story.decisions)
    offer = an_offer(story.orders, courier)
    made = offers.make(offer, story.orders, courier, now=NOON)
    await tell(store, [must(made)])
    for order in story.orders:
        assert [one.id for one in await store.list_offers_for(order.id)] == [offer.id]


def a_copy(story: Story) -> Story:
    """A story that goes on from the same point, without the other one knowing."""
    copy = Story(story.zone, story.courier, at=story.at)
    copy.things = dict(story.things)
    copy._order_ids = list(story._order_ids)
    copy._offer_id = story._offer_id
    return copy
