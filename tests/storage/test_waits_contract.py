"""What must hold of what a store keeps of why orders wait."""

from engine.dispatch.offer import Ranked
from engine.dispatch.waiting import WAITS_MAX, Reason, Wait
from engine.dispatch.why import Why
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.timing import SECOND_MS
from storage.store import Store
from tests.builders import NOON, new_id


def a_wait(order_id: OrderId, number: int = 0, why: Why = Why.TOO_FAR) -> Wait:
    courier = Ranked(courier_id=CourierId(UserId(new_id())), cost_more=None, reason=why.value)
    return Wait(
        order_id=order_id,
        at=NOON + number * SECOND_MS,
        parameters_version=1,
        reason=Reason(why=why),
        reach_s=1800,
        couriers=(courier,),
    )


async def test_what_was_saved_comes_back_oldest_first(store: Store) -> None:
    one, other = OrderId(new_id()), OrderId(new_id())
    waits = [a_wait(one, 2), a_wait(one, 1), a_wait(other)]
    await store.save_waits(waits)
    assert await store.list_waits(one) == (waits[1], waits[0])
    assert await store.list_waits(other) == (waits[2],)
    assert await store.list_waits(OrderId(new_id())) == ()
    assert await store.list_waits(OrderId("nothing")) == ()
    await store.save_waits([])


async def test_only_the_newest_are_kept(store: Store) -> None:
    one, other = OrderId(new_id()), OrderId(new_id())
    await store.save_waits([a_wait(other)])
    waits = [a_wait(one, number) for number in range(WAITS_MAX + 3)]
    for wait in waits:
        await store.save_waits([wait])
    assert await store.list_waits(one) == tuple(waits[3:])
    assert len(await store.list_waits(other)) == 1


async def test_of_two_at_one_instant_the_later_stays(store: Store) -> None:
    one = OrderId(new_id())
    later = a_wait(one, why=Why.FULL)
    await store.save_waits([a_wait(one)])
    await store.save_waits([later])
    assert await store.list_waits(one) == (later,)
