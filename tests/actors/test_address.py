"""The address book: looked up once, remembered, forgotten when it was wrong."""

import pytest

from actors.address import AddressBook, destination, subject
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import GoOffDuty, ReportProgress
from engine.geo.cells import ancestor
from engine.geo.zone import CreateZone
from engine.identity.access import SENDABLE
from engine.kernel.ids import CellId, CourierId, OrderId, UserId, ZoneId
from engine.kernel.messages import Command
from engine.orders.messages import CancelOrder, CancelReason
from storage.memory import MemoryStore
from tests.actors.worlds import JEDDAH, Town, in_a_town
from tests.builders import a_placing, a_zone, new_id

ELSEWHERE = CellId("84ffffffffffffff")


def test_whoever_exists_is_found_and_nobody_else() -> None:
    async def story(town: Town) -> tuple[set[CellId | None], set[CellId | None]]:
        courier, order = await town.courier(), await town.order()
        book = AddressBook(town.store, town.settings.placement_resolution)
        names = (f"courier:{courier}", f"order:{order}", f"zone:{town.zone_id}")
        found = {await book.cell_of(one) for one in names}
        assert found == {await town.cell()}
        unknown = (*(f"{kind}:{new_id()}" for kind in ("courier", "order", "zone")), "moon:1", "")
        return found, {await book.cell_of(one) for one in unknown}

    found, unknown = in_a_town(story)
    assert len(found) == 1
    assert unknown == {None}


def test_an_address_is_asked_for_once_until_it_is_forgotten() -> None:
    async def story(town: Town) -> list[int]:
        order = await town.order()
        book = AddressBook(town.line_store, town.settings.placement_resolution)
        asked = []
        for again in (False, False, True):
            if again:
                assert book.forget(f"order:{order}")
            before = len(town.line.asked)
            await book.cell_of(f"order:{order}")
            asked.append(len(town.line.asked) - before)
        assert not book.forget("order:unheard-of")
        return asked

    assert in_a_town(story) == [1, 0, 1]


def test_what_does_not_exist_yet_is_not_remembered_as_missing() -> None:
    async def story(town: Town) -> bool:
        book = AddressBook(town.store, town.settings.placement_resolution)
        order = OrderId(town.new_id())
        before = await book.cell_of(f"order:{order}")
        await town.order(order_id=order)
        return before is None and await book.cell_of(f"order:{order}") is not None

    assert in_a_town(story)


def test_of_too_many_addresses_those_not_met_for_longest_are_forgotten() -> None:
    book = AddressBook(MemoryStore(), 4, remembered_max=3)
    for name in ("first", "second", "third", "first", "fourth"):
        book.remember(f"zone:{name}", ELSEWHERE)
    known = [one for one in ("first", "second", "third", "fourth") if book.known(f"zone:{one}")]
    assert known == ["first", "third", "fourth"]


def test_newcomers_go_where_their_zone_is_and_others_where_they_live() -> None:
    zone = a_zone()
    place = a_placing(zone)
    courier, order = CourierId(new_id()), OrderId(new_id())
    step = ReportProgress(courier_id=courier, order_id=order, step=ProgressStep.PICKED_UP)
    cancel = CancelOrder(order_id=order, reason=CancelReason.OTHER)
    assert destination(place) == f"zone:{zone.id}"
    assert subject(place) == f"order:{place.order_id}"
    assert subject(step) == destination(step) == f"courier:{courier}"
    assert subject(cancel) == destination(cancel) == f"order:{order}"
    assert subject(GoOffDuty(courier_id=courier)) == f"courier:{courier}"


def test_a_command_goes_where_its_thing_is_remembered_and_a_new_zone_where_its_anchor_is() -> None:
    book, zone = AddressBook(MemoryStore(), 4), a_zone()
    place = a_placing(zone)
    assert book.known_for(place) is None
    book.remember(f"zone:{zone.id}", ELSEWHERE)
    assert book.known_for(place) == ELSEWHERE
    opening = CreateZone(
        zone_id=zone.id,
        name_en=zone.name_en,
        name_ar=zone.name_ar,
        anchor=zone.anchor,
        cells=zone.cells,
        parameters=zone.parameters,
        author=UserId(new_id()),
    )
    assert book.known_for(opening) == ancestor(zone.anchor, 4)


def test_every_command_that_somebody_may_send_has_a_subject() -> None:
    for command in SENDABLE:
        fields = command.__struct_fields__
        assert {"courier_id", "order_id", "zone_id"} & set(fields), command


def test_a_command_about_nothing_is_a_bug() -> None:
    with pytest.raises(TypeError):
        subject(Command())


def test_a_zone_that_is_to_be_opened_belongs_to_the_cell_around_its_anchor() -> None:
    async def story(town: Town) -> bool:
        second = ZoneId(town.new_id())
        await town.open(second, around=JEDDAH)
        return await town.store.cell_of_zone(second) != await town.cell()

    assert in_a_town(story)
