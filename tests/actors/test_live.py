"""In doubt: nobody is told what is not stored, nothing stored is forgotten, service goes on."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.couriers.courier import ProgressStep
from engine.couriers.messages import (
    AcceptOffer,
    GoOffDuty,
    GoOnDuty,
    ReportProgress,
    TakeBreak,
)
from engine.dispatch import cancellation
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CommandId, CourierId, OrderId
from engine.kernel.messages import Envelope
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Window
from storage.store import Answer, Commit
from tests.actors.shaky import Fate
from tests.actors.worlds import QUICK, Town, in_a_town
from tests.builders import PIN, SHOP, must

UNKNOWN_FATES = (Fate.NEVER_ARRIVES, Fate.ANSWER_LOST, Fate.LANDS_LATE)


def _code(answer: Answer) -> str:
    return "ok" if answer.refusal is None else answer.refusal.code


def _accept(town: Town, courier: CourierId) -> AcceptOffer:
    offer = town.noticed.body(f"courier:{courier}")["offer"]["offer_id"]
    return AcceptOffer(courier_id=courier, offer_id=offer)


def _on_duty(town: Town, courier: CourierId) -> GoOnDuty:
    return GoOnDuty(
        courier_id=courier,
        zone_id=town.zone_id,
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        point=SHOP,
    )


async def _offered(town: Town) -> tuple[CourierId, OrderId]:
    """A courier who has been asked about an order."""
    courier, order = await town.courier(), await town.order()
    await town.clock.sleep(5 * SECOND_MS)
    return courier, order


async def _count(town: Town, order: OrderId, event: str) -> int:
    return [one.type for one in await town.store.list_events(order)].count(event)


async def _cancel_behind_its_back(town: Town, order_id: OrderId) -> None:
    """Somebody else, who should not, changes what the cell owns."""
    order = await town.store.find_order(order_id)
    assert order is not None
    offers = await town.store.list_offers_for(order_id)
    offer = next((one for one in offers if one.id == order.offer_id), None)
    asked = order.courier_id or (offer and offer.courier_id)
    courier = await town.store.find_courier(asked) if asked else None
    decision = must(
        cancellation.cancel(
            order,
            CancelOrder(order_id=order_id, reason=CancelReason.OTHER),
            town.customer,
            offer=offer,
            others=(),
            couriers=[] if courier is None else [courier],
            now=town.clock.now(),
        )
    )
    commit = Commit(cell=await town.cell(), decision=decision, at=town.clock.now())
    await town.line.store(commit)


# A commit whose outcome nobody knows


@pytest.mark.parametrize("again_after_ms", [0, 100, 5_000])
@pytest.mark.parametrize("fate", UNKNOWN_FATES)
def test_an_acceptance_whose_answer_is_lost_may_be_sent_again_and_counts_once(
    fate: Fate, again_after_ms: int
) -> None:
    async def story(town: Town) -> tuple[list[Answer], int, str]:
        courier, order = await _offered(town)
        accept, caller = _accept(town, courier), town.as_courier(courier)
        town.line.fates.append(fate)
        answers = [await town.send(accept, caller, command_id="k")]
        await town.clock.sleep(again_after_ms)
        answers += [await town.send(accept, caller, command_id="k") for _ in range(2)]
        await town.settle()
        stored = await town.store.find_order(order)
        assert stored is not None
        return answers, await _count(town, order, "OrderAssigned"), stored.status.value

    answers, times, status = in_a_town(story)
    assert [_code(one) for one in answers] == ["temporarily_unavailable", "ok", "ok"]
    assert answers[1] == answers[2]
    assert (times, status) == (1, "assigned")


@pytest.mark.parametrize("fate", UNKNOWN_FATES)
def test_what_was_stored_although_nobody_knew_is_found_without_being_asked_for(fate: Fate) -> None:
    async def story(town: Town) -> tuple[int, int]:
        await town.courier()
        town.line.fates.append(fate)
        order = OrderId(town.new_id())
        with pytest.raises(AssertionError, match="temporarily_unavailable"):
            await town.order(order_id=order)
        await town.clock.sleep(MINUTE_MS)
        stored = await town.store.find_order(order)
        offers = await town.store.list_offers_for(order)
        return (0 if stored is None else 1), len(offers)

    assert in_a_town(story) == ((0, 0) if fate is Fate.NEVER_ARRIVES else (1, 1))


def test_whoever_hears_that_it_was_stored_long_ago_can_go_on_from_there_at_once() -> None:
    async def story(town: Town) -> list[str]:
        courier, order = await _offered(town)
        accept, caller = _accept(town, courier), town.as_courier(courier)
        town.line.fates.append(Fate.LANDS_LATE)
        codes = [_code(await town.send(accept, caller, command_id="k"))]
        await town.clock.sleep(2 * SECOND_MS)
        codes.append(_code(await town.send(accept, caller, command_id="k")))
        codes.append(_code(await town.report(courier, order, ProgressStep.REACHED_SHOP)))
        return codes

    assert in_a_town(story) == ["temporarily_unavailable", "ok", "ok"]


@pytest.mark.parametrize("fate", UNKNOWN_FATES)
def test_a_report_whose_answer_is_lost_is_worked_in_once(fate: Fate) -> None:
    async def story(town: Town) -> tuple[list[str], list[int]]:
        courier, order = await _offered(town)
        await town.accept(courier)
        codes = []
        for step in (
            ProgressStep.REACHED_SHOP,
            ProgressStep.PICKED_UP,
            ProgressStep.REACHED_DOOR,
            ProgressStep.DELIVERED,
        ):
            command = ReportProgress(courier_id=courier, order_id=order, step=step, pin=PIN)
            caller = town.as_courier(courier)
            town.line.fates.append(fate)
            await town.send(command, caller, command_id=step)
            codes.append(_code(await town.send(command, caller, command_id=step)))
            await town.settle()
        events = ("CourierReachedShop", "OrderPickedUp", "OrderDelivered")
        return codes, [await _count(town, order, one) for one in events]

    assert in_a_town(story) == (["ok"] * 4, [1, 1, 1])


def test_an_open_offer_expires_on_time_although_the_cell_read_everything_anew() -> None:
    async def story(town: Town) -> tuple[int, int]:
        courier, order = await _offered(town)
        offer = town.noticed.body(f"courier:{courier}")["offer"]
        other = await town.courier()
        town.line.fates.append(Fate.ANSWER_LOST)
        await town.send(TakeBreak(courier_id=other), town.as_courier(other))
        await town.clock.sleep(MINUTE_MS)
        lapsed = [
            one.at for one in await town.store.list_events(order) if one.type == "OrderOfferLapsed"
        ]
        return offer["expires_at"], lapsed[0]

    due, at = in_a_town(story)
    assert due <= at <= due + 10


def test_all_who_ask_at_once_while_the_cell_is_in_doubt_are_answered() -> None:
    async def story(town: Town) -> list[str]:
        couriers = [await town.courier() for _ in range(20)]
        town.line.latency_ms = 40
        town.line.fates += [Fate.ANSWER_LOST, Fate.NEVER_ARRIVES, Fate.LANDS_LATE]
        answers = await asyncio.gather(
            *(town.send(TakeBreak(courier_id=one), town.as_courier(one)) for one in couriers)
        )
        again = await asyncio.gather(
            *(town.send(TakeBreak(courier_id=one), town.as_courier(one)) for one in couriers)
        )
        on_break = [await town.store.find_courier(one) for one in couriers]
        assert all(one is not None and one.duty.value == "break" for one in on_break)
        assert {_code(one) for one in again} == {"ok"}
        return sorted(_code(one) for one in answers)

    codes = in_a_town(story)
    assert codes.count("temporarily_unavailable") >= 3
    assert set(codes) == {"ok", "temporarily_unavailable"}


def test_in_doubt_everything_is_read_anew_once_however_many_ask() -> None:
    async def story(town: Town) -> int:
        couriers = [await town.courier() for _ in range(20)]
        town.line.latency_ms = 200
        town.line.fates.append(Fate.ANSWER_LOST)
        await town.send(TakeBreak(courier_id=couriers[0]), town.as_courier(couriers[0]))
        before = town.line.asked.count("load_cell")
        answers = await asyncio.gather(
            *(town.send(TakeBreak(courier_id=one), town.as_courier(one)) for one in couriers)
        )
        assert {_code(one) for one in answers} == {"ok"}
        return town.line.asked.count("load_cell") - before

    assert in_a_town(story) == 1


def test_watchers_hear_of_an_end_that_the_cell_itself_found_out_about_only_later() -> None:
    async def story(town: Town) -> tuple[str, object, str]:
        courier, order = await _offered(town)
        idle = await town.courier()
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        for command, caller in (
            (cancel, town.customer),
            (GoOffDuty(courier_id=idle), town.as_courier(idle)),
        ):
            town.line.fates.append(Fate.ANSWER_LOST)
            assert _code(await town.send(command, caller)) == "temporarily_unavailable"
            await town.clock.sleep(SECOND_MS)
        return (
            town.noticed.body(f"order:{order}")["status"],
            town.noticed.body(f"courier:{courier}")["offer"],
            town.noticed.body(f"courier:{idle}")["duty"],
        )

    assert in_a_town(story) == ("cancelled", None, "off")


def test_a_late_answer_is_told_that_it_is_late_although_everything_was_read_anew() -> None:
    async def story(town: Town) -> tuple[str, str]:
        courier, order = await _offered(town)
        accept, caller = _accept(town, courier), town.as_courier(courier)
        offer = town.noticed.body(f"courier:{courier}")["offer"]
        town.line.fates.append(Fate.ANSWER_LOST)
        await town.clock.sleep(offer["expires_at"] + SECOND_MS - town.clock.now())
        (stored,) = await town.store.list_offers_for(order)
        return stored.status.value, _code(await town.send(accept, caller))

    assert in_a_town(story) == ("expired", "offer_expired")


# A state that is not the stored one


def test_who_meets_what_somebody_else_changed_is_to_ask_again_and_then_it_was_read_anew() -> None:
    async def story(town: Town) -> tuple[list[str], object, str]:
        courier, order = await _offered(town)
        accept, caller = _accept(town, courier), town.as_courier(courier)
        await _cancel_behind_its_back(town, order)
        codes = [_code(await town.send(accept, caller)) for _ in range(2)]
        await town.settle()
        shown = town.noticed.body(f"courier:{courier}")["offer"]
        snapshot = await town.bus.snapshot(f"order:{order}")
        assert snapshot is not None
        return codes, shown, snapshot.body["status"]

    codes, shown, status = in_a_town(story)
    assert codes == ["temporarily_unavailable", "offer_closed"]
    assert shown is None
    assert status == "cancelled"


def test_a_deadline_of_something_that_is_gone_from_storage_rings_in_vain() -> None:
    async def story(town: Town) -> str:
        _, order = await _offered(town)
        now = town.clock.now()
        window = Window(start=now + 50 * MINUTE_MS, end=now + 90 * MINUTE_MS)
        scheduled = await town.order(window=window)
        await _cancel_behind_its_back(town, order)
        await _cancel_behind_its_back(town, scheduled)
        await town.clock.sleep(30 * MINUTE_MS)
        stored = await town.store.find_order(scheduled)
        assert stored is not None
        return stored.status.value

    assert in_a_town(story) == "cancelled"


# The database is away


def test_while_the_database_is_away_commands_are_refused_and_then_all_goes_on_by_itself() -> None:
    async def story(town: Town) -> tuple[set[str], str, list[str], str]:
        courier, order = await _offered(town)
        accept, caller = _accept(town, courier), town.as_courier(courier)
        town.line.away_for(60 * SECOND_MS)
        codes = set()
        for _ in range(8):
            codes.add(_code(await town.send(accept, caller)))
            await town.clock.sleep(SECOND_MS)
        trouble = await town.cells.health(await town.cell())
        await town.clock.sleep(54 * SECOND_MS)
        events = [one.type for one in await town.store.list_events(order)]
        health = await town.cells.health(await town.cell())
        return codes, trouble, events[3:], health

    codes, trouble, events, health = in_a_town(story)
    assert codes == {"temporarily_unavailable"}
    assert trouble == "the database does not answer"
    assert events == ["OrderOfferLapsed"]
    assert health == "ok"


def test_what_came_due_while_the_database_was_away_is_done_as_soon_as_it_is_back() -> None:
    async def story(town: Town) -> tuple[int, int, int]:
        await _offered(town)
        now = town.clock.now()
        window = Window(start=now + 50 * MINUTE_MS, end=now + 90 * MINUTE_MS)
        scheduled = await town.order(window=window)
        planned = await town.store.find_order(scheduled)
        assert planned is not None
        assert planned.release_at is not None
        await town.clock.sleep(planned.release_at - MINUTE_MS - town.clock.now())
        town.line.away_for(2 * MINUTE_MS)
        back = town.clock.now() + 2 * MINUTE_MS
        await town.clock.sleep(3 * MINUTE_MS)
        history = await town.store.list_events(scheduled)
        released = next(one.at for one in history if one.type == "OrderReleased")
        return planned.release_at, back, released

    due, back, released = in_a_town(story)
    assert due < back <= released <= back + SECOND_MS


def test_a_cell_that_starts_while_the_database_is_away_waits_for_it() -> None:
    async def story(town: Town) -> tuple[str, int]:
        courier, _ = await _offered(town)
        accept = _accept(town, courier)
        cell = await town.cell()
        town.line.away_for(10 * SECOND_MS)
        back = town.clock.now() + 10 * SECOND_MS
        await town.cells.kill(cell)
        answer = await town.send(accept, town.as_courier(courier), deadline_ms=30_000)
        return _code(answer), town.clock.now() - back

    code, late_ms = in_a_town(story)
    assert code == "ok"
    assert late_ms < SECOND_MS


def test_doubt_ends_soon_also_in_a_zone_that_hardly_ever_ticks() -> None:
    async def story(town: Town) -> int:
        courier = await town.courier()
        asked_before = len(town.line.asked)
        town.line.fates.append(Fate.ANSWER_LOST)
        began = town.clock.now()
        await town.send(TakeBreak(courier_id=courier), town.as_courier(courier))
        while "load_cell" not in town.line.asked[asked_before:]:
            await town.clock.sleep(10)
        return town.clock.now() - began

    assert in_a_town(story, parameters=replace(QUICK, tick_s=600)) < SECOND_MS


# Callers who leave, commands that wait


@pytest.mark.parametrize("leaves_after_ms", [1, 60, 99])
def test_a_caller_who_leaves_changes_nothing_about_what_he_asked_for(leaves_after_ms: int) -> None:
    async def story(town: Town) -> str:
        courier, order = await _offered(town)
        town.line.latency_ms = 100
        asking = asyncio.ensure_future(
            town.send(_accept(town, courier), town.as_courier(courier), command_id="k")
        )
        await town.clock.sleep(leaves_after_ms)
        asking.cancel()
        await town.clock.sleep(SECOND_MS)
        shown = town.noticed.body(f"order:{order}")["status"]
        stored = await town.store.find_order(order)
        assert stored is not None
        assert shown == stored.status.value
        return stored.status.value

    assert in_a_town(story) == "assigned"


def test_a_command_whose_deadline_passes_while_it_waits_changes_nothing() -> None:
    async def story(town: Town) -> tuple[list[str], str]:
        courier, _ = await _offered(town)
        town.line.latency_ms = 4_000
        caller = town.as_courier(courier)
        accepting = asyncio.ensure_future(town.send(_accept(town, courier), caller))
        await town.clock.sleep(1)
        leaving = await town.send(GoOffDuty(courier_id=courier), caller, deadline_ms=1_000)
        accepted = await accepting
        stored = await town.store.find_courier(courier)
        assert stored is not None
        return [_code(accepted), _code(leaving)], stored.duty.value

    assert in_a_town(story) == (["ok", "deadline_passed"], "on")


def test_what_one_courier_asks_in_one_breath_is_done_in_that_order() -> None:
    async def story(town: Town) -> tuple[list[str], str]:
        courier = CourierId(town.new_id())
        town.line.latency_ms = 100
        commands = (
            _on_duty(town, courier),
            TakeBreak(courier_id=courier),
            GoOffDuty(courier_id=courier),
        )
        cell = town.cells._homes[await town.cell()].cell
        answers = await cell.execute(
            [
                Envelope(
                    id=CommandId(town.new_id()),
                    command=one,
                    caller=town.as_courier(courier),
                    deadline=town.clock.now() + 10_000,
                )
                for one in commands
            ]
        )
        stored = await town.store.find_courier(courier)
        assert stored is not None
        return [_code(one) for one in answers], stored.duty.value

    assert in_a_town(story) == (["ok", "ok", "ok"], "off")


# A cell that dies


def test_what_lands_after_the_cell_that_sent_it_died_is_found_by_the_next() -> None:
    async def story(town: Town) -> int:
        await town.courier()
        order = OrderId(town.new_id())
        town.line.fates.append(Fate.LANDS_LATE)
        placing = await town.placing(order_id=order)
        assert _code(await town.send(placing, town.customer)) == "temporarily_unavailable"
        await town.crash()
        await town.clock.sleep(MINUTE_MS)
        return len(await town.store.list_offers_for(order))

    assert in_a_town(story) == 1


@pytest.mark.parametrize("dies_after_ms", [1, 60, 99])
def test_a_killed_cell_neither_applies_nor_tells_what_it_was_about_to_store(
    dies_after_ms: int,
) -> None:
    async def story(town: Town) -> tuple[str, str]:
        courier, order = await _offered(town)
        town.line.latency_ms = 100
        accept, caller = _accept(town, courier), town.as_courier(courier)
        asking = asyncio.ensure_future(town.send(accept, caller, command_id="k"))
        await town.clock.sleep(dies_after_ms)
        old = town.cells._homes[await town.cell()].cell
        await town.crash()
        told = len(town.noticed.batches)
        first = await asking
        await town.clock.sleep(5 * SECOND_MS)
        incarnations = {one.incarnation for one in town.noticed.batches[told:]}
        assert old._publisher._incarnation not in incarnations
        again = await town.send(accept, caller, command_id="k")
        assert await _count(town, order, "OrderAssigned") == 1
        return _code(first), _code(again)

    assert in_a_town(story) == ("temporarily_unavailable", "ok")
