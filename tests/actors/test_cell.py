"""A cell: what is asked is decided, stored, applied, published; what is stored survives a crash."""

import asyncio
from typing import Any

import pytest

from engine.couriers.courier import ProgressStep
from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    GoOffDuty,
    GoOnDuty,
)
from engine.geo.travel import VehicleKind
from engine.geo.zone import ChangeZoneParameters
from engine.kernel.ids import CourierId
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from engine.orders.order import Order, OrderStatus, Window
from storage.live import Fix
from tests.actors.worlds import OPERATOR, QUICK, Town, in_a_town
from tests.builders import DOOR, PIN, SHOP, a_placing, a_quote

P = ProgressStep


def test_an_order_is_offered_accepted_carried_and_delivered() -> None:
    async def story(town: Town) -> tuple[list[str], dict[str, Any]]:
        courier = await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        assert (await town.accept(courier)).refusal is None
        for step in (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED):
            await town.clock.sleep(MINUTE_MS)
            assert (await town.report(courier, order, step, pin=PIN)).refusal is None
        history = await town.store.list_events(order)
        await town.clock.sleep(1)
        return [one.type for one in history], town.noticed.body(f"order:{order}")

    history, shown = in_a_town(story)
    assert history == [
        "OrderPlaced",
        "OrderReleased",
        "OrderOffered",
        "OrderAssigned",
        "CourierReachedShop",
        "OrderPickedUp",
        "CourierReachedDoor",
        "OrderDelivered",
    ]
    assert shown["public_status"] == "delivered"


@pytest.mark.parametrize("crash_after", range(7))
def test_a_crash_at_any_point_of_a_delivery_loses_nothing(crash_after: int) -> None:
    async def story(town: Town) -> str:
        courier = await town.courier()
        order = await town.order()

        async def crash(point: int) -> None:
            if crash_after == point:
                await town.crash()

        await crash(0)
        await town.clock.sleep(5 * SECOND_MS)
        await crash(1)
        await town.clock.sleep(5 * SECOND_MS)
        assert (await town.accept(courier)).refusal is None
        await crash(2)
        for point, step in enumerate((P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED), 3):
            await town.clock.sleep(MINUTE_MS)
            assert (await town.report(courier, order, step, pin=PIN)).refusal is None
            await crash(point)
        stored = await town.store.find_order(order)
        assert stored is not None
        return stored.status.value

    assert in_a_town(story) == "delivered"


def test_an_unanswered_offer_expires_after_a_crash_and_another_courier_is_asked() -> None:
    async def story(town: Town) -> tuple[list[str], set[CourierId], set[CourierId]]:
        couriers = {await town.courier(), await town.courier()}
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        await town.crash()
        await town.clock.sleep(40 * SECOND_MS)
        offers = await town.store.list_offers_for(order)
        return [one.status.value for one in offers], {one.courier_id for one in offers}, couriers

    statuses, asked, couriers = in_a_town(story)
    assert statuses == ["expired", "open"]
    assert asked == couriers


def test_who_declines_is_never_asked_again() -> None:
    async def story(town: Town) -> list[str]:
        courier = await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        offer = town.noticed.body(f"courier:{courier}")["offer"]
        decline = DeclineOffer(courier_id=courier, offer_id=offer["offer_id"], reason="too_far")
        await town.must(decline, town.as_courier(courier))
        await town.clock.sleep(20 * MINUTE_MS)
        return [one.status.value for one in await town.store.list_offers_for(order)]

    assert in_a_town(story) == ["declined"]


def test_the_same_command_twice_is_one_effect_and_one_answer() -> None:
    async def story(town: Town) -> tuple[Any, Any, Any, int]:
        zone = await town.store.find_zone(town.zone_id)
        assert zone is not None
        quoted = a_quote(zone, customer_id=town.customer.user_id, at=town.clock.now())
        place = a_placing(zone, quoted=quoted)
        first = await town.send(place, town.customer, command_id="k", fingerprint="a")
        again = await town.send(place, town.customer, command_id="k", fingerprint="a")
        await town.crash()
        after = await town.send(place, town.customer, command_id="k", fingerprint="a")
        other = await town.send(place, town.customer, command_id="k", fingerprint="b")
        assert other.refusal is not None
        assert other.refusal.code == "idempotency_key_reused"
        return first, again, after, len(await town.store.list_events(place.order_id))

    first, again, after, events = in_a_town(story)
    assert first == again == after
    assert first.reply["order_id"]
    assert events == 2


@pytest.mark.parametrize("cancels_first", [True, False])
def test_cancel_and_accept_at_once_are_decided_once(cancels_first: bool) -> None:
    async def story(town: Town) -> tuple[list[str], Order, int]:
        courier = await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        offer = town.noticed.body(f"courier:{courier}")["offer"]["offer_id"]
        accept = AcceptOffer(courier_id=courier, offer_id=offer)
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        wishes = [(cancel, town.customer), (accept, town.as_courier(courier))]
        answers = await asyncio.gather(
            *(town.send(*one) for one in (wishes if cancels_first else wishes[::-1]))
        )
        codes = ["ok" if one.refusal is None else one.refusal.code for one in answers]
        stored = await town.store.find_order(order)
        carrier = await town.store.find_courier(courier)
        assert stored is not None
        assert carrier is not None
        return codes, stored, len(carrier.route)

    codes, order, stops = in_a_town(story)
    # Who accepted a moment before had the order for that moment; he is free again.
    assert codes == (["ok", "offer_closed"] if cancels_first else ["ok", "ok"])
    assert (order.status.value, order.charge_halalas, stops) == ("cancelled", 0, 0)


def test_many_accepts_of_one_offer_and_its_expiry_leave_one_assignment() -> None:
    async def story(town: Town) -> tuple[int, str]:
        courier = await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        offer = town.noticed.body(f"courier:{courier}")["offer"]
        await town.clock.sleep(offer["expires_at"] - town.clock.now() - 1)
        accept = AcceptOffer(courier_id=courier, offer_id=offer["offer_id"])
        await asyncio.gather(*(town.send(accept, town.as_courier(courier)) for _ in range(20)))
        await town.clock.sleep(10)
        history = [one.type for one in await town.store.list_events(order)]
        stored = await town.store.find_order(order)
        assert stored is not None
        return history.count("OrderAssigned"), stored.status.value

    assert in_a_town(story) == (1, "assigned")


def test_an_expired_offer_cannot_be_accepted() -> None:
    async def story(town: Town) -> str:
        courier = await town.courier()
        await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        offer = town.noticed.body(f"courier:{courier}")["offer"]
        await town.clock.sleep(60 * SECOND_MS)
        accept = AcceptOffer(courier_id=courier, offer_id=offer["offer_id"])
        answer = await town.send(accept, town.as_courier(courier))
        assert answer.refusal is not None
        return answer.refusal.code

    assert in_a_town(story) == "offer_expired"


def test_an_offer_is_shown_again_until_the_phone_acknowledges_it() -> None:
    async def story(town: Town) -> tuple[int, int]:
        courier = await town.courier()
        await town.order()
        await town.clock.sleep(15 * SECOND_MS)
        channel = f"courier:{courier}"

        def shown() -> int:
            published = [one for batch in town.noticed.batches for one in batch.publications]
            return sum(1 for one in published if one.channel == channel and one.body["offer"])

        before = shown()
        offer = town.noticed.body(channel)["offer"]["offer_id"]
        acknowledge = AcknowledgeOffer(courier_id=courier, offer_id=offer)
        await town.must(acknowledge, town.as_courier(courier))
        await town.clock.sleep(12 * SECOND_MS)
        return before, shown()

    before, after = in_a_town(story)
    assert before >= 3
    assert after == before


def test_a_scheduled_order_is_released_in_time_also_after_a_crash() -> None:
    async def story(town: Town) -> tuple[str, str]:
        now = town.clock.now()
        window = Window(start=now + 120 * MINUTE_MS, end=now + 180 * MINUTE_MS)
        order = await town.order(window=window)
        first = await town.store.find_order(order)
        await town.crash()
        await town.clock.sleep(100 * MINUTE_MS)
        later = await town.store.find_order(order)
        assert first is not None
        assert later is not None
        return first.status.value, later.status.value

    assert in_a_town(story) == (OrderStatus.SCHEDULED, OrderStatus.WAITING)


def test_a_shift_ends_by_itself_and_an_open_offer_is_taken_back() -> None:
    async def story(town: Town) -> tuple[str, str]:
        courier = await town.courier(shift_min=1)
        await town.clock.sleep(55 * SECOND_MS)
        order = await town.order()
        await town.clock.sleep(10 * SECOND_MS)
        stored = await town.store.find_courier(courier)
        waiting = await town.store.find_order(order)
        assert stored is not None
        assert waiting is not None
        return stored.duty.value, waiting.status.value

    assert in_a_town(story) == ("off", "waiting")


def test_a_courier_who_leaves_and_comes_back_is_the_same_one() -> None:
    async def story(town: Town) -> int:
        courier = await town.courier()
        await town.must(GoOffDuty(courier_id=courier), town.as_courier(courier))
        await town.crash()
        before = await town.store.find_courier(courier)
        assert before is not None
        shown = await town.bus.snapshot(f"courier:{courier}")
        assert shown is not None
        assert shown.body["duty"] == "off"
        stored = before.version
        again = GoOnDuty(
            courier_id=courier,
            zone_id=town.zone_id,
            name="Salem",
            vehicle=VehicleKind.CAR,
            capacity_units=4,
            point=SHOP,
        )
        await town.must(again, town.as_courier(courier))
        after = await town.store.find_courier(courier)
        assert after is not None
        return after.version - stored

    assert in_a_town(story) == 1


def test_parameters_act_from_their_time_on_also_after_a_crash() -> None:
    async def story(town: Town) -> list[int]:
        change = ChangeZoneParameters(
            zone_id=town.zone_id,
            parameters=QUICK,
            author=OPERATOR.user_id,
            reason="busier evening",
            effective_at=town.clock.now() + 10 * MINUTE_MS,
            after_version=1,
        )
        await town.must(change, OPERATOR)
        versions = []
        for _ in range(2):
            zone = await town.store.find_zone(town.zone_id)
            assert zone is not None
            versions.append(zone.parameters_version)
            await town.crash()
            await town.clock.sleep(11 * MINUTE_MS)
        return versions

    assert in_a_town(story) == [1, 2]


def test_a_second_zone_on_the_same_cells_is_refused_and_the_first_goes_on() -> None:
    async def story(town: Town) -> tuple[str, str]:
        first, town.zone_id = town.zone_id, type(town.zone_id)(town.new_id())
        try:
            await town.open()
        except AssertionError as error:
            refused = str(error)
        else:
            refused = "opened"
        town.zone_id = first
        order = await town.order()
        stored = await town.store.find_order(order)
        assert stored is not None
        return refused, stored.status.value

    refused, status = in_a_town(story)
    assert "cells_taken" in refused
    assert status == "waiting"


def test_nobody_acts_in_anothers_name_or_beyond_his_role() -> None:
    async def story(town: Town) -> list[str]:
        courier = await town.courier()
        order = await town.order()
        stranger = Caller(user_id=CourierId(town.new_id()), role=Role.CUSTOMER)
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        answers = [
            await town.send(GoOffDuty(courier_id=courier), town.customer),
            await town.send(GoOffDuty(courier_id=courier), town.as_courier(stranger.user_id)),
            await town.send(cancel, stranger),
            await town.send(cancel, town.as_courier(courier)),
        ]
        return ["ok" if one.refusal is None else one.refusal.code for one in answers]

    assert in_a_town(story) == ["not_allowed", "not_allowed", "unknown_order", "not_allowed"]


def test_a_command_past_its_deadline_changes_nothing() -> None:
    async def story(town: Town) -> str:
        courier = await town.courier()
        late = await town.send(
            GoOffDuty(courier_id=courier), town.as_courier(courier), deadline_ms=-1
        )
        stored = await town.store.find_courier(courier)
        assert stored is not None
        assert stored.duty.value == "on"
        assert late.refusal is not None
        return late.refusal.code

    assert in_a_town(story) == "deadline_passed"


def test_a_customer_sees_his_courier_move_and_when_he_will_come() -> None:
    async def story(town: Town) -> dict[str, Any]:
        courier = await town.courier()
        order = await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        await town.accept(courier)
        fix = Fix(lat=DOOR.lat, lng=DOOR.lng, at=town.clock.now(), accuracy_m=5.0)
        town.bus.report_position(courier, fix)
        await town.clock.sleep(10 * SECOND_MS)
        return town.noticed.newest[f"order:{order}", "position"].body

    shown = in_a_town(story)
    assert (shown["lat"], shown["lng"]) == (DOOR.lat, DOOR.lng)
    assert shown["eta"] > shown["at"]
