"""The one door: it finds who owns a thing, and says plainly what it cannot find or may not do."""

import asyncio

import pytest

from actors.bus import Bus, CellUnavailable
from actors.settings import RuntimeSettings
from engine.couriers.messages import GoOffDuty, GoOnDuty, HandOver, TakeBreak
from engine.geo.cells import ancestor, cell_at
from engine.geo.moving import MoveZone, own_cell
from engine.geo.travel import VehicleKind
from engine.geo.zone import ChangeZoneParameters, CreateZone
from engine.kernel.ids import CellId, CommandId, CourierId, OrderId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Caller, Command, Envelope, Role
from engine.kernel.timing import SECOND_MS
from engine.orders.messages import CancelOrder, CancelReason
from storage.live import Fix
from storage.store import Answer
from tests.actors.worlds import JEDDAH, OPERATOR, QUICK, Town, in_a_town
from tests.builders import CORNER, SHOP, a_placing, a_quote, a_zone


def _code(answer: Answer) -> str:
    return "ok" if answer.refusal is None else answer.refusal.code


def _on_duty(courier: CourierId, zone_id: ZoneId) -> GoOnDuty:
    return GoOnDuty(
        courier_id=courier,
        zone_id=zone_id,
        name="Salem",
        vehicle=VehicleKind.CAR,
        capacity_units=4,
        point=CORNER,
    )


async def _two_towns(town: Town) -> ZoneId:
    """A second zone, in another cell."""
    second = ZoneId(town.new_id())
    await town.open(second, around=JEDDAH)
    return second


async def _moved(town: Town) -> tuple[CourierId, ZoneId, Bus]:
    """A courier who was on duty here and went elsewhere, which this edge has not heard of."""
    second, courier, other_edge = await _two_towns(town), await town.courier(), town.another_edge()
    caller = town.as_courier(courier)
    for command in (GoOffDuty(courier_id=courier), _on_duty(courier, second)):
        assert _code(await town.send(command, caller, by=other_edge)) == "ok"
    return courier, second, other_edge


@pytest.mark.parametrize("command", [TakeBreak, GoOffDuty])
def test_a_courier_who_moved_is_looked_up_again(command: type[TakeBreak | GoOffDuty]) -> None:
    async def story(town: Town) -> tuple[str, str, ZoneId, ZoneId]:
        courier, second, _ = await _moved(town)
        answer = await town.send(command(courier_id=courier), town.as_courier(courier))
        stored = await town.store.find_courier(courier)
        assert stored is not None
        return _code(answer), stored.duty.value, stored.zone_id, second

    code, duty, zone_id, second = in_a_town(story)
    assert code == "ok"
    assert duty == ("break" if command is TakeBreak else "off")
    assert zone_id == second


def test_a_courier_who_moved_is_shown_where_he_works_now_and_followed_there() -> None:
    async def story(town: Town) -> tuple[ZoneId, ZoneId, int]:
        courier, second, _ = await _moved(town)
        shown = await town.bus.snapshot(f"courier:{courier}")
        assert shown is not None
        fix = Fix(lat=JEDDAH.lat, lng=JEDDAH.lng, at=town.clock.now(), accuracy_m=5.0)
        town.bus.report_position(courier, fix)
        cell = await town.store.cell_of_zone(second)
        assert cell is not None
        await town.clock.sleep(5 * SECOND_MS)
        return shown.body["zone_id"], second, town.noticed.fixes[cell][courier].at - fix.at

    shown, second, delay = in_a_town(story)
    assert shown == second
    assert delay == 0


def test_what_is_begun_at_the_cell_that_he_left_is_to_be_looked_up() -> None:
    async def story(town: Town) -> list[str]:
        courier, _, there = await _moved(town)
        command, caller = TakeBreak(courier_id=courier), town.as_courier(courier)
        buses = (town.another_edge(), town.bus, there)
        told = [await _begun(town, bus, command, caller) for bus in buses]
        return ["" if one is None else _code(one) for one in told]

    assert in_a_town(story) == ["", "", "ok"]


def test_nothing_is_begun_for_who_may_not_send_it() -> None:
    async def story(town: Town) -> object:
        courier = await town.courier()
        return await _begun(town, town.bus, TakeBreak(courier_id=courier), town.customer)

    assert in_a_town(story) is None


async def _begun(town: Town, bus: Bus, command: Command, caller: Caller) -> Answer | None:
    """What is answered without looking anything up."""
    envelope = Envelope(
        id=CommandId(town.new_id()),
        command=command,
        caller=caller,
        deadline=town.clock.now() + SECOND_MS,
    )
    begun = bus.begin(envelope)
    if begun is None:
        return None
    await asyncio.wait({begun.answered})
    return bus.settled(begun)


async def _handed_over(town: Town) -> tuple[CourierId, ZoneId]:
    """A courier whom his zone let go; who gets him has not heard of it yet."""
    second, courier = await _two_towns(town), await town.courier()
    leaving = Envelope(
        id=CommandId(town.new_id()),
        command=HandOver(courier_id=courier, zone_id=second, point=JEDDAH),
        caller=SYSTEM_CALLER,
        deadline=town.clock.now() + 10 * SECOND_MS,
    )
    assert (await town.another_edge().by_clock(leaving)).refusal is None
    return courier, second


async def _is_followed(town: Town, courier: CourierId, zone_id: ZoneId) -> bool:
    """Whether a position of his comes to the cell of a zone."""
    fix = Fix(lat=JEDDAH.lat, lng=JEDDAH.lng, at=town.clock.now(), accuracy_m=5.0)
    town.bus.report_position(courier, fix)
    await town.clock.sleep(5 * SECOND_MS)
    cell = await town.store.cell_of_zone(zone_id)
    return cell is not None and town.noticed.fixes.get(cell, {}).get(courier) == fix


def test_who_says_nothing_is_followed_again_once_his_new_cell_has_heard_of_him() -> None:
    async def story(town: Town) -> tuple[bool, bool]:
        courier, second = await _handed_over(town)
        on_his_way = await _is_followed(town, courier, second)
        await town.tell_owners(by=town.another_edge())
        return on_his_way, await _is_followed(town, courier, second)

    assert in_a_town(story) == (False, True)


def test_who_cannot_be_looked_up_is_looked_up_at_his_next_position() -> None:
    async def story(town: Town) -> tuple[bool, bool]:
        courier, second = await _handed_over(town)
        await town.tell_owners(by=town.another_edge())
        town.line.away_for(SECOND_MS)
        meanwhile = await _is_followed(town, courier, second)
        return meanwhile, await _is_followed(town, courier, second)

    assert in_a_town(story) == (False, True)


def test_where_somebody_is_off_duty_is_his_own() -> None:
    async def story(town: Town) -> set[CourierId]:
        courier = await town.courier()
        await town.must(GoOffDuty(courier_id=courier), town.as_courier(courier))
        fix = Fix(lat=CORNER.lat, lng=CORNER.lng, at=town.clock.now(), accuracy_m=5.0)
        town.bus.report_position(courier, fix)
        await town.clock.sleep(5 * SECOND_MS)
        return {one for fixes in town.noticed.fixes.values() for one in fixes}

    assert in_a_town(story) == set()


def test_who_is_busy_elsewhere_is_refused_and_still_followed_where_he_is() -> None:
    async def story(town: Town) -> tuple[str, bool]:
        second, courier = await _two_towns(town), await town.courier()
        await town.order()
        await town.clock.sleep(10 * SECOND_MS)
        await town.accept(courier)
        refused = await town.send(_on_duty(courier, second), town.as_courier(courier))
        fix = Fix(lat=CORNER.lat, lng=CORNER.lng, at=town.clock.now(), accuracy_m=5.0)
        town.bus.report_position(courier, fix)
        await town.clock.sleep(5 * SECOND_MS)
        return _code(refused), courier in town.noticed.fixes.get(await town.cell(), {})

    assert in_a_town(story) == ("busy_elsewhere", True)


def test_who_is_free_is_handed_over_and_followed_by_every_edge() -> None:
    async def story(town: Town) -> tuple[str, bool, bool, set[CellId]]:
        second, courier, other = await _two_towns(town), await town.courier(), town.another_edge()
        caller = town.as_courier(courier)
        await town.must(_on_duty(courier, town.zone_id), caller, by=other)
        moved = await town.send(_on_duty(courier, second), caller, by=other)
        # This edge has not heard of it: what it passes on comes back, and finds him.
        fix = Fix(lat=JEDDAH.lat, lng=JEDDAH.lng, at=town.clock.now(), accuracy_m=5.0)
        town.bus.report_position(courier, fix)
        await town.clock.sleep(5 * SECOND_MS)
        at_home = await town.bus.snapshot(f"courier:{courier}")
        homes = {cell for cell, fixes in town.noticed.fixes.items() if courier in fixes}
        stored = await town.store.find_courier(courier)
        assert stored is not None
        there = await town.store.cell_of_zone(second)
        return _code(moved), stored.zone_id == second, at_home is not None, homes - {there or ""}

    assert in_a_town(story) == ("ok", True, True, set())


def test_a_hand_over_that_was_not_finished_ends_by_itself() -> None:
    """Who handed him over died before it told anybody: the outbox tells the cell he works for."""

    async def story(town: Town) -> tuple[str, str]:
        second, courier = await _two_towns(town), await town.courier()
        leaving = HandOver(courier_id=courier, zone_id=second, point=CORNER)
        envelope = Envelope(
            id=CommandId(town.new_id()),
            command=leaving,
            caller=SYSTEM_CALLER,
            deadline=town.clock.now() + SECOND_MS,
        )
        await town.cells.execute(await town.cell(), envelope)
        there = await town.store.cell_of_zone(second)
        assert there is not None
        before = await town.cells.snapshot(there, f"courier:{courier}")
        (row,) = await town.store.lease_effects(
            limit=5, now=town.clock.now(), lease_until=town.clock.now() + SECOND_MS
        )
        await town.bus.tell_owner(row.effect, deadline=town.clock.now() + SECOND_MS)
        after = await town.cells.snapshot(there, f"courier:{courier}")
        return str(before), "" if after is None else after.body["duty"]

    assert in_a_town(story) == ("None", "on")


def test_a_zone_is_moved_while_it_is_served() -> None:
    async def story(town: Town) -> tuple[list[str], set[str], list[str]]:
        courier, other = await town.courier(), town.another_edge()
        first = await town.order()
        own = own_cell(town.zone_id)
        move = MoveZone(zone_id=town.zone_id, cell=own, author=OPERATOR.user_id)
        placings = [await town.placing() for _ in range(5)]
        placed = asyncio.gather(*(town.send(one, town.customer, by=other) for one in placings[:3]))
        moved = await town.send(move, OPERATOR)
        later = [await town.send(one, town.customer, by=other) for one in placings[3:]]
        told = [_code(one) for one in (moved, *await placed, *later)]
        await town.clock.sleep(10 * SECOND_MS)
        contents = await town.store.load_cell(own)
        assert {one.id for one in contents.orders} == {first, *(one.order_id for one in placings)}
        accepted = await town.accept(courier)
        back = MoveZone(
            zone_id=town.zone_id,
            cell=ancestor(contents.zones[0].anchor, town.settings.placement_resolution),
            author=OPERATOR.user_id,
        )
        returned = await town.send(back, OPERATOR, by=other)
        return told, {_code(accepted), _code(returned)}, list(await town.store.list_cells())

    told, then, cells = in_a_town(story)
    assert set(told) | then == {"ok"}
    assert cells == [ancestor(cell_at(SHOP, 8), RuntimeSettings().placement_resolution)]


async def _unannounced(town: Town, move: MoveZone) -> Answer:
    """Move a zone without telling the cell that has it now; the outbox does so later."""
    return await town.bus.by_clock(
        Envelope(
            id=CommandId(town.new_id()),
            command=move,
            caller=SYSTEM_CALLER,
            deadline=town.clock.now() + 10 * SECOND_MS,
        )
    )


def test_nobody_is_unknown_while_his_zone_is_on_its_way() -> None:
    async def story(town: Town) -> tuple[list[str], list[str]]:
        courier, order = await town.courier(), await town.order()
        town_cell = await town.store.cell_of_zone(town.zone_id)
        assert town_cell is not None
        away = MoveZone(zone_id=town.zone_id, cell=own_cell(town.zone_id), author=OPERATOR.user_id)
        assert _code(await town.send(away, OPERATOR)) == "ok"
        back = MoveZone(zone_id=town.zone_id, cell=town_cell, author=OPERATOR.user_id)
        assert _code(await _unannounced(town, back)) == "ok"
        asked = [
            (await town.placing(), town.customer),
            (CancelOrder(order_id=order, reason=CancelReason.CHANGED_MIND), town.customer),
            (TakeBreak(courier_id=courier), town.as_courier(courier)),
        ]
        keys = [town.new_id() for _ in asked]
        told = list[str]()
        for wait_ms in (0, 10 * SECOND_MS):
            await town.clock.sleep(wait_ms)
            sent = (town.send(*one, command_id=key) for one, key in zip(asked, keys, strict=True))
            told += map(_code, await asyncio.gather(*sent))
        return told[:3], told[3:]

    early, later = in_a_town(story)
    assert "temporarily_unavailable" in early
    assert set(early) <= {"ok", "temporarily_unavailable"}
    assert later == ["ok"] * 3


def test_a_courier_may_come_back_to_a_cell_that_knew_him_before() -> None:
    async def story(town: Town) -> list[str]:
        courier, _, other_edge = await _moved(town)
        caller = town.as_courier(courier)
        return [
            _code(await town.send(one, caller, by=other_edge))
            for one in (GoOffDuty(courier_id=courier), _on_duty(courier, town.zone_id))
        ]

    assert in_a_town(story) == ["ok", "ok"]


def test_an_order_that_ended_is_shown_and_answered_also_after_a_restart() -> None:
    async def story(town: Town) -> tuple[str, list[str], str]:
        order = await town.order()
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        await town.must(cancel, town.customer)
        await town.crash()
        shown = await town.bus.snapshot(f"order:{order}")
        assert shown is not None
        again = await town.send(cancel, town.customer)
        stranger = Caller(user_id=CourierId(town.new_id()), role=Role.CUSTOMER)
        theirs = await town.send(cancel, stranger)
        return shown.body["status"], [_code(again), _code(theirs)], again.reply["status"]

    assert in_a_town(story) == ("cancelled", ["ok", "unknown_order"], "cancelled")


def test_a_courier_off_duty_is_shown_as_such_before_and_after_a_restart() -> None:
    async def story(town: Town) -> list[object]:
        courier = await town.courier()
        await town.must(GoOffDuty(courier_id=courier), town.as_courier(courier))
        shown = [await town.bus.snapshot(f"courier:{courier}")]
        await town.crash()
        shown.append(await town.bus.snapshot(f"courier:{courier}"))
        again = await town.must(GoOffDuty(courier_id=courier), town.as_courier(courier))
        return [again.reply["duty"], *(one and one.body["duty"] for one in shown)]

    assert in_a_town(story) == ["off", "off", "off"]


def test_what_nobody_has_heard_of_is_unknown() -> None:
    async def story(town: Town) -> list[str]:
        order, zone, courier = (town.new_id() for _ in range(3))
        elsewhere = a_placing(a_zone())
        asked: list[tuple[Command, Caller]] = [
            (CancelOrder(order_id=OrderId(order), reason=CancelReason.OTHER), OPERATOR),
            (GoOffDuty(courier_id=CourierId(courier)), town.as_courier(CourierId(courier))),
            (_on_duty(CourierId(courier), ZoneId(zone)), town.as_courier(CourierId(courier))),
            (elsewhere, OPERATOR),
        ]
        for channel in (f"order:{order}", f"courier:{courier}", f"zone:{zone}", "moon:1", "x", ""):
            assert await town.bus.snapshot(channel) is None
        return [_code(await town.send(*one)) for one in asked]

    assert in_a_town(story) == ["unknown_order", "unknown_courier", "unknown_zone", "unknown_zone"]


def test_who_may_not_send_a_command_is_told_so_before_anything_is_looked_up() -> None:
    async def story(town: Town) -> tuple[set[str], list[str]]:
        courier = await town.courier()
        change = ChangeZoneParameters(
            zone_id=town.zone_id,
            parameters=QUICK,
            author=town.customer.user_id,
            reason="mine",
            effective_at=0,
            after_version=1,
        )
        zone = await town.store.find_zone(town.zone_id)
        assert zone is not None
        quoted = a_quote(zone, customer_id=town.customer.user_id, at=town.clock.now())
        not_theirs: list[tuple[Command, Caller]] = [
            (change, town.customer),
            (change, town.as_courier(courier)),
            (a_placing(zone, quoted=quoted), town.as_courier(courier)),
            (TakeBreak(courier_id=courier), OPERATOR),
            (TakeBreak(courier_id=courier), town.as_courier(CourierId(town.new_id()))),
        ]
        before = list(town.line.asked)
        codes = {_code(await town.send(*one)) for one in not_theirs}
        return codes, town.line.asked[len(before) :]

    assert in_a_town(story) == ({"not_allowed"}, [])


def test_without_storage_nothing_is_looked_up_and_that_is_said() -> None:
    async def story(town: Town) -> str:
        order = await town.order()
        fresh = town.another_edge()
        town.line.away_for(5 * SECOND_MS)
        cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
        refused = await town.send(cancel, town.customer, by=fresh)
        with pytest.raises(CellUnavailable):
            await fresh.snapshot(f"order:{order}")
        return _code(refused)

    assert in_a_town(story) == "temporarily_unavailable"


def test_every_cell_says_how_it_is() -> None:
    async def story(town: Town) -> list[dict[str, str]]:
        second = await _two_towns(town)
        other = await town.store.cell_of_zone(second)
        found = [await town.bus.health()]
        town.thinker.is_away = True
        await town.courier()
        await town.order()
        await town.clock.sleep(10 * SECOND_MS)
        found.append(await town.bus.health())
        assert set(found[0]) == {await town.cell(), other}
        return found

    fine, troubled = in_a_town(story)
    assert set(fine.values()) == {"ok"}
    assert sorted(troubled.values()) == ["ok", "the solver does not answer"]


def test_a_zone_is_refused_on_the_cells_of_another_and_under_the_id_of_another() -> None:
    async def story(town: Town) -> list[str]:
        zone = await town.store.find_zone(town.zone_id)
        assert zone is not None
        codes = []
        for zone_id in (ZoneId(town.new_id()), zone.id):
            command = CreateZone(
                zone_id=zone_id,
                name_en="Olaya",
                name_ar="العليا",
                anchor=zone.anchor,
                cells=zone.cells,
                parameters=QUICK,
                author=OPERATOR.user_id,
            )
            codes.append(_code(await town.send(command, OPERATOR)))
        return codes

    assert in_a_town(story) == ["cells_taken", "zone_exists"]
