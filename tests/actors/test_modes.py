"""How couriers are asked: each mode in a whole town, with races and deaths."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.couriers.messages import AcceptOffer, AcknowledgeOffer, DeclineOffer
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.dispatch_parameters import OfferMode
from engine.kernel.ids import CourierId, OrderId
from engine.kernel.timing import SECOND_MS
from engine.orders.order import OrderStatus
from storage.store import Answer
from tests.actors.shaky import Fate
from tests.actors.worlds import QUICK, Town, in_a_town

BROADCAST = replace(QUICK, offer_mode=OfferMode.BROADCAST, asked_max=5)
# The next tick is far away: what is asked meanwhile is asked by the round alone.
RANKED = replace(QUICK, offer_mode=OfferMode.RANKED, asked_max=4, tick_s=300, offer_timeout_s=30)


async def asked_about(town: Town, order: OrderId, couriers: int) -> list[CourierId]:
    """So many couriers come on duty, then the order, and one of them or all have been asked."""
    found = [await town.courier() for _ in range(couriers)]
    await town.order(order_id=order)
    while not await offers_of(town, order):
        await town.clock.sleep(SECOND_MS)
    await town.clock.sleep(SECOND_MS)
    return found


async def offers_of(town: Town, order: OrderId) -> tuple[Offer, ...]:
    return await town.store.list_offers_for(order)


async def accept(town: Town, offer: Offer, courier: CourierId) -> Answer:
    command = AcceptOffer(courier_id=courier, offer_id=offer.id)
    return await town.send(command, town.as_courier(courier))


async def decline(town: Town, offer: Offer) -> Answer:
    courier = offer.courier_id
    command = DeclineOffer(courier_id=courier, offer_id=offer.id, reason="far")
    return await town.send(command, town.as_courier(courier))


@pytest.mark.parametrize("turn", range(3))
def test_of_several_who_say_yes_at_once_exactly_one_has_it(turn: int) -> None:
    async def story(town: Town) -> list[str]:
        order = OrderId(town.new_id())
        couriers = await asked_about(town, order, 5)
        (offer,) = await offers_of(town, order)
        assert sorted(offer.asked) == sorted(couriers)
        shown = [town.noticed.body(f"courier:{one}")["offer"]["offer_id"] for one in couriers]
        assert set(shown) == {offer.id}
        racing = couriers[turn:] + couriers[:turn]
        answers = await asyncio.gather(*(accept(town, offer, one) for one in racing))
        (taken,) = await offers_of(town, order)
        stored = await town.store.find_order(order)
        assert stored is not None
        winner = next(
            one for one, said in zip(racing, answers, strict=True) if said.refusal is None
        )
        assert (stored.courier_id, taken.courier_id) == (winner, winner)
        for courier in set(couriers) - {winner}:
            assert town.noticed.body(f"courier:{courier}")["offer"] is None
        return sorted(one.refusal.code if one.refusal else "" for one in answers)

    assert in_a_town(story, parameters=BROADCAST) == ["", *["offer_closed"] * 4]


def test_a_broadcast_survives_the_death_of_its_cell() -> None:
    async def story(town: Town) -> tuple[str, str]:
        order = OrderId(town.new_id())
        couriers = await asked_about(town, order, 3)
        (offer,) = await offers_of(town, order)
        await town.crash()
        town.line.fates.append(Fate.ANSWER_LOST)
        first = await accept(town, offer, couriers[0])
        await town.clock.sleep(SECOND_MS)
        second = await accept(town, offer, couriers[1])
        assert first.refusal is not None
        assert second.refusal is not None
        return first.refusal.code, second.refusal.code

    assert in_a_town(story, parameters=BROADCAST) == ("temporarily_unavailable", "offer_closed")


def test_phones_that_do_not_show_it_are_told_again_and_the_others_are_not() -> None:
    async def story(town: Town) -> tuple[int, int]:
        order = OrderId(town.new_id())
        quiet, seen = await asked_about(town, order, 2)
        (offer,) = await offers_of(town, order)
        command = AcknowledgeOffer(courier_id=seen, offer_id=offer.id)
        await town.must(command, town.as_courier(seen))
        before = len(town.noticed.batches)
        await town.clock.sleep(15 * SECOND_MS)
        told = [
            one.channel
            for batch in town.noticed.batches[before:]
            for one in batch.publications
            if one.kind == "state"
        ]
        return told.count(f"courier:{quiet}"), told.count(f"courier:{seen}")

    quiet, seen = in_a_town(story, parameters=BROADCAST)
    assert quiet >= 2
    assert seen == 0


def test_an_offer_that_several_are_asked_is_counted_once() -> None:
    async def story(town: Town) -> int:
        await asked_about(town, OrderId(town.new_id()), 4)
        snapshot = await town.bus.snapshot(f"zone:{town.zone_id}")
        assert snapshot is not None
        return int(snapshot.body["offered"])

    assert in_a_town(story, parameters=BROADCAST) == 1


def test_in_a_ranked_round_the_next_one_is_asked_at_once() -> None:
    async def story(town: Town) -> None:
        order = OrderId(town.new_id())
        couriers = await asked_about(town, order, 4)
        asked = []
        for _ in couriers:
            (offer,) = (
                one for one in await offers_of(town, order) if one.status is OfferStatus.OPEN
            )
            asked.append(offer.courier_id)
            told = await decline(town, offer)
            assert told.refusal is None
        stored = await town.store.find_order(order)
        assert stored is not None
        assert stored.status is OrderStatus.WAITING
        assert sorted(asked) == sorted(couriers)
        places = sorted(one.place_in_line for one in await offers_of(town, order))
        assert places == [1, 2, 3, 4]

    in_a_town(story, parameters=RANKED)


def test_silence_passes_a_round_on_also_after_a_crash() -> None:
    async def story(town: Town) -> list[OfferStatus]:
        order = OrderId(town.new_id())
        await asked_about(town, order, 3)
        await town.crash()
        await town.clock.sleep(30 * SECOND_MS)
        return [one.status for one in await offers_of(town, order)]

    assert in_a_town(story, parameters=RANKED) == [OfferStatus.EXPIRED, OfferStatus.OPEN]


def test_a_no_that_is_said_twice_passes_on_once() -> None:
    async def story(town: Town) -> int:
        order = OrderId(town.new_id())
        await asked_about(town, order, 3)
        (offer,) = await offers_of(town, order)
        await asyncio.gather(*(decline(town, offer) for _ in range(3)))
        return len(await offers_of(town, order))

    assert in_a_town(story, parameters=RANKED) == 2


def test_a_direct_offer_that_is_declined_waits_for_the_next_plan() -> None:
    async def story(town: Town) -> int:
        order = OrderId(town.new_id())
        await asked_about(town, order, 3)
        (offer,) = await offers_of(town, order)
        await decline(town, offer)
        return len(await offers_of(town, order))

    assert in_a_town(story, parameters=replace(RANKED, offer_mode=OfferMode.DIRECT)) == 1
