"""Whom a command speaks of and the cell does not hold: looked up, and decided like anybody else."""

from typing import Any

from engine.couriers.courier import ProgressStep
from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    DeclineOffer,
    EndBreak,
    GoOffDuty,
    GoOnDuty,
    ReportProgress,
    TakeBreak,
)
from engine.geo.travel import VehicleKind
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason, UnassignOrder
from storage.store import Answer
from tests.actors.shaky import Fate
from tests.actors.worlds import OPERATOR, Town, in_a_town
from tests.builders import CORNER, PIN

P = ProgressStep


def _code(answer: Answer) -> str:
    return "ok" if answer.refusal is None else answer.refusal.code


def _on_duty(
    town: Town, courier: CourierId, *, zone: ZoneId | None = None, **fields: Any
) -> GoOnDuty:
    return GoOnDuty(
        courier_id=courier,
        zone_id=zone or town.zone_id,
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        point=CORNER,
        **fields,
    )


def _loads(town: Town) -> int:
    return town.line.asked.count("load_cell")


async def _delivered(town: Town) -> tuple[CourierId, OrderId]:
    courier, order = await town.courier(), await town.order()
    await town.clock.sleep(5 * SECOND_MS)
    await town.accept(courier)
    for step in (P.REACHED_SHOP, P.PICKED_UP, P.REACHED_DOOR, P.DELIVERED):
        assert _code(await town.report(courier, order, step, pin=PIN)) == "ok"
    return courier, order


def test_what_is_asked_of_an_ended_order_is_answered_alike_before_and_after_a_restart() -> None:
    async def story(town: Town) -> list[tuple[list[str], dict[str, Any]]]:
        courier, order = await _delivered(town)
        said = []
        for _ in range(2):
            answers = [
                await town.send(
                    CancelOrder(order_id=order, reason=CancelReason.OTHER), town.customer
                ),
                await town.send(UnassignOrder(order_id=order, reason="late"), OPERATOR),
                await town.report(courier, order, P.DELIVERED, pin=PIN),
                await town.report(courier, order, P.ATTEMPT_FAILED),
            ]
            said.append(([_code(one) for one in answers], answers[2].reply))
            await town.crash()
        return said

    before, after = in_a_town(story)
    assert before == after
    assert before[0] == ["order_state", "order_state", "ok", "ok"]


def test_what_is_asked_of_a_courier_off_duty_is_answered_alike_before_and_after_a_restart() -> None:
    async def story(town: Town) -> list[list[str]]:
        courier, order = await _delivered(town)
        caller = town.as_courier(courier)
        await town.must(GoOffDuty(courier_id=courier), caller)
        said = []
        for _ in range(2):
            answers = [
                await town.send(GoOffDuty(courier_id=courier), caller),
                await town.send(TakeBreak(courier_id=courier), caller),
                await town.send(EndBreak(courier_id=courier), caller),
                await town.report(courier, order, P.DELIVERED, pin=PIN),
                await town.report(courier, OrderId(town.new_id()), P.DELIVERED, pin=PIN),
            ]
            said.append([_code(one) for one in answers])
            await town.crash()
        return said

    before, after = in_a_town(story)
    assert before == after
    assert before == ["ok", "courier_state", "courier_state", "ok", "not_your_order"]


def test_what_is_said_to_a_closed_offer_is_answered_alike_before_and_after_a_restart() -> None:
    async def story(town: Town) -> tuple[list[str], list[str]]:
        courier, _ = await town.courier(), await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        offer_id = town.noticed.body(f"courier:{courier}")["offer"]["offer_id"]
        caller, other = town.as_courier(courier), OfferId(town.new_id())
        await town.must(DeclineOffer(courier_id=courier, offer_id=offer_id, reason="far"), caller)
        said = []
        for _ in range(2):
            answers = [
                await town.send(AcceptOffer(courier_id=courier, offer_id=offer_id), caller),
                await town.send(AcknowledgeOffer(courier_id=courier, offer_id=offer_id), caller),
                await town.send(AcceptOffer(courier_id=courier, offer_id=other), caller),
            ]
            said.append([_code(one) for one in answers])
            await town.crash()
        return said[0], said[1]

    before, after = in_a_town(story)
    assert before == after == ["offer_closed", "ok", "unknown_offer"]


def test_an_order_of_another_courier_is_not_his_to_report_about() -> None:
    async def story(town: Town) -> tuple[list[str], str]:
        courier, order = await town.courier(), await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        await town.accept(courier)
        other = await town.courier()
        codes = [_code(await town.report(other, order, one, pin=PIN)) for one in P]
        stored = await town.store.find_order(order)
        assert stored is not None
        return codes, stored.status.value

    codes, status = in_a_town(story)
    assert set(codes) == {"not_your_order"}
    assert status == "assigned"


def test_who_came_unnoticed_is_found_when_he_speaks() -> None:
    async def story(town: Town) -> list[str]:
        courier = CourierId(town.new_id())
        caller = town.as_courier(courier)
        town.line.fates.append(Fate.LANDS_LATE)
        codes = [_code(await town.send(_on_duty(town, courier), caller))]
        await town.clock.sleep(5 * SECOND_MS)
        codes.append(_code(await town.send(TakeBreak(courier_id=courier), caller)))
        return codes

    assert in_a_town(story) == ["temporarily_unavailable", "ok"]


def test_an_order_that_came_unnoticed_is_found_when_somebody_asks_for_it() -> None:
    async def story(town: Town) -> list[str]:
        order = OrderId(town.new_id())
        town.line.fates.append(Fate.LANDS_LATE)
        try:
            await town.order(order_id=order)
        except AssertionError:
            await town.clock.sleep(5 * SECOND_MS)
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        codes = []
        for _ in range(2):
            codes.append(_code(await town.send(cancel, town.customer)))
            await town.clock.sleep(SECOND_MS)
        return codes

    assert in_a_town(story) == ["temporarily_unavailable", "ok"]


def test_saying_the_same_thing_again_gives_no_reason_to_doubt() -> None:
    async def story(town: Town) -> tuple[int, set[str]]:
        courier = CourierId(town.new_id())
        caller = town.as_courier(courier)
        on_duty = _on_duty(town, courier, shift_ends_at=town.clock.now() + 60 * MINUTE_MS)
        before, codes = _loads(town), set()
        for _ in range(3):
            codes.add(_code(await town.send(on_duty, caller, command_id="on")))
        for _ in range(2):
            codes.add(_code(await town.send(TakeBreak(courier_id=courier), caller, command_id="b")))
            codes.add(_code(await town.send(EndBreak(courier_id=courier), caller, command_id="e")))
        other = GoOffDuty(courier_id=courier)
        reused = await town.send(other, caller, command_id="on", fingerprint="other")
        assert _code(reused) == "idempotency_key_reused"
        await town.clock.sleep(5 * SECOND_MS)
        return _loads(town) - before, codes

    assert in_a_town(story) == (0, {"ok"})


def test_an_order_placed_again_long_after_it_ended_gives_no_reason_to_doubt() -> None:
    async def story(town: Town) -> tuple[int, list[str]]:
        order = OrderId(town.new_id())
        place = await town.placing(order_id=order)
        codes = [_code(await town.send(place, town.customer, command_id="k"))]
        await town.must(CancelOrder(order_id=order, reason=CancelReason.OTHER), town.customer)
        await town.crash()
        before = _loads(town)
        codes.append(_code(await town.send(place, town.customer, command_id="k")))
        await town.clock.sleep(5 * SECOND_MS)
        return _loads(town) - before, codes

    assert in_a_town(story) == (0, ["ok", "ok"])


def test_while_storage_is_away_a_stranger_is_asked_to_come_again() -> None:
    async def story(town: Town) -> list[str]:
        courier = await town.courier()
        caller = town.as_courier(courier)
        await town.must(GoOffDuty(courier_id=courier), caller)
        town.line.away_for(2 * SECOND_MS)
        report = ReportProgress(
            courier_id=courier, order_id=OrderId(town.new_id()), step=P.PICKED_UP
        )
        return [_code(await town.send(one, caller)) for one in (_on_duty(town, courier), report)]

    assert in_a_town(story) == ["temporarily_unavailable"] * 2


def test_who_has_crossed_a_border_is_told_how_his_last_offer_ended() -> None:
    async def story(town: Town) -> list[str]:
        elsewhere = ZoneId(town.new_id())
        await town.open(elsewhere, around=Point(lat=CORNER.lat, lng=CORNER.lng - 0.2), rings=3)
        courier = await town.courier()
        await town.order()
        await town.clock.sleep(5 * SECOND_MS)
        stored = await town.store.find_courier(courier)
        assert stored is not None
        assert stored.offer_id is not None
        said = [
            DeclineOffer(courier_id=courier, offer_id=stored.offer_id, reason="no"),
            _on_duty(town, courier, zone=elsewhere),
            AcceptOffer(courier_id=courier, offer_id=stored.offer_id),
        ]
        return [_code(await town.send(one, town.as_courier(courier))) for one in said]

    assert in_a_town(story) == ["ok", "ok", "offer_closed"]
