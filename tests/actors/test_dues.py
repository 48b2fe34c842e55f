"""A change that costs more is made when its difference is paid, once, and else paid by nobody."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from actors.checkout import Checkout
from engine.kernel.ids import PaymentId
from engine.kernel.place import Place, Point
from engine.kernel.refusals import Refusal
from engine.money.accounts import AccountKind
from engine.orders.covering import covered, owed
from engine.orders.messages import CancelOrder, CancelReason, ChangeOrder, PlaceOrder
from engine.orders.order import Order
from engine.payments.owed import Supplementing
from engine.payments.payment import Payment, PaymentStatus
from tests.actors.kills import Life, die_everywhere
from tests.actors.stories import Story
from tests.actors.tills import BROKE, MADA, MUTE, SECURE, VISA, Tills, some_tills
from tests.builders import DOOR, a_quote

S = PaymentStatus
MORE = 1500
ELSEWHERE = Place(point=Point(lat=DOOR.lat + 0.01, lng=DOOR.lng), address="Building 9")


@pytest.fixture
async def tills() -> AsyncIterator[Tills]:
    async with some_tills() as running:
        yield running


async def placed(tills: Tills, number: str) -> tuple[Payment, Order, PlaceOrder]:
    wish = await tills.checkout(number)
    payment = await tills.host.pay(wish)
    assert isinstance(payment, Payment)
    order = await tills.order_of(payment)
    assert order is not None
    assert isinstance(wish.order, PlaceOrder)
    return payment, order, wish.order


async def a_change(tills: Tills, order: Order, before: PlaceOrder) -> Supplementing:
    """Another door, and what it costs in addition."""
    zone = await tills.orders.find_zone(tills.zone_id)
    assert zone is not None
    assert order.payment_id is not None
    new = a_quote(
        zone,
        customer_id=order.customer_id,
        door=ELSEWHERE.point,
        preparation_s=0,
        at=tills.clock.now(),
    )
    quote = replace(new, total_halalas=order.total_halalas + MORE)
    return Supplementing(
        order_id=order.id,
        zone_id=tills.zone_id,
        first_payment_id=order.payment_id,
        halalas=MORE,
        change=ChangeOrder(
            order_id=order.id, quote=quote, former=before.quote, door=ELSEWHERE, window=None
        ),
    )


async def checkout(tills: Tills, number: str, what: Supplementing) -> Checkout:
    return await tills.checkout(number, order=what)


async def stored(tills: Tills, order: Order) -> Order:
    found = await tills.orders.find_order(order.id)
    assert found is not None
    return found


async def begun(tills: Tills, number: str, **of: Any) -> tuple[Order, Payment]:
    """An order that is paid for, and the payment of a change of it."""
    _, order, before = await placed(tills, of.get("first", VISA))
    what = await a_change(tills, order, before)
    made = await tills.host.pay(await checkout(tills, number, what))
    assert isinstance(made, Payment), made
    return order, made


@pytest.mark.parametrize("number", [VISA, MADA])
async def test_the_change_is_made_when_its_difference_is_there(tills: Tills, number: str) -> None:
    order, payment = await begun(tills, number)
    assert (payment.amount_halalas, payment.is_placed) == (MORE, True)
    changed = await stored(tills, order)
    assert (changed.door, changed.total_halalas) == (ELSEWHERE, order.total_halalas + MORE)
    assert (covered(changed), owed(changed)) == (changed.total_halalas, 0)
    # Where the gift goes is nothing that the payment need remember.
    assert payment.supplement is not None
    assert payment.supplement.change is None
    # A cancellation gives both back.
    wish = CancelOrder(order_id=order.id, reason=CancelReason.OTHER)
    await tills.send(wish, tills.customer)
    await tills.drain()
    assert (await tills.newest(payment)).status in {S.VOIDED, S.REFUNDED}
    assert tills.protocol.till.kept() == 0
    assert await tills.balance(AccountKind.ORDER, order.id) == 0
    await tills.must_add_up()


async def test_it_waits_for_the_bank_and_lapses_when_that_says_no(tills: Tills) -> None:
    order, payment = await begun(tills, SECURE)
    assert payment.status is S.CHALLENGED
    assert await stored(tills, order) == order
    await tills.confirm(payment, "no")
    lapsed = await tills.host.returned(payment)
    assert (lapsed.status, lapsed.is_placed) == (S.DECLINED, False)
    assert await stored(tills, order) == order
    assert lapsed.supplement is not None
    assert lapsed.supplement.change is None


async def test_it_is_made_after_the_banks_yes(tills: Tills) -> None:
    order, payment = await begun(tills, SECURE)
    await tills.confirm(payment)
    assert (await tills.host.returned(payment)).is_placed
    assert (await stored(tills, order)).door == ELSEWHERE


async def test_what_is_declined_is_tried_with_another_card(tills: Tills) -> None:
    _, order, before = await placed(tills, VISA)
    what = await a_change(tills, order, before)
    declined = await tills.host.pay(await checkout(tills, BROKE, what))
    assert isinstance(declined, Payment)
    assert declined.status is S.DECLINED
    again = await tills.host.pay(await checkout(tills, VISA, what))
    assert isinstance(again, Payment)
    assert again.is_placed
    third = await tills.host.pay(await checkout(tills, VISA, what))
    assert isinstance(third, Refusal)
    assert third.code == "order_paid"


async def test_what_can_be_changed_no_more_is_given_back(tills: Tills) -> None:
    order, payment = await begun(tills, SECURE)
    wish = CancelOrder(order_id=order.id, reason=CancelReason.OTHER)
    await tills.send(wish, tills.customer)
    await tills.confirm(payment)
    given = await tills.host.returned(payment)
    assert (given.status, given.reason) == (S.VOIDED, "too_late_to_change")
    await tills.drain()
    await tills.must_add_up()
    assert tills.protocol.till.kept() == 0


async def test_a_hundred_at_once_are_one_payment_and_one_change(tills: Tills) -> None:
    _, order, before = await placed(tills, MADA)
    wish = await checkout(tills, MADA, await a_change(tills, order, before))
    hosts = [tills.another_host() for _ in range(4)]
    told = await asyncio.gather(*(hosts[one % 4].pay(wish) for one in range(100)))
    assert all(isinstance(one, Payment) for one in told)
    for notice in (await tills.notices()) * 2:
        heard = await tills.host.hear(tills.gateway.name, notice)
        if heard is not None:
            await tills.host.advance(heard)
    await tills.drain()
    changed = await stored(tills, order)
    assert [one.payment_id for one in changed.supplements] == [wish.payment_id]
    assert len(tills.protocol.till.charges) == 2
    assert await tills.balance(AccountKind.ORDER, order.id) == changed.total_halalas
    await tills.must_add_up()


async def test_silence_after_the_charge_is_neither_a_second_one_nor_lost(tills: Tills) -> None:
    order, payment = await begun(tills, MUTE)
    assert payment.status is S.UNKNOWN
    assert await stored(tills, order) == order
    await tills.wait(10, tills.another_host())
    assert (await tills.newest(payment)).is_placed
    assert (await stored(tills, order)).door == ELSEWHERE
    assert len(tills.protocol.till.charges) == 2


@pytest.mark.parametrize("number", [VISA, MADA])
async def test_wherever_the_process_dies_it_is_paid_and_made_once(
    tills: Tills, number: str
) -> None:
    token = await tills.checkout(number)

    async def told(dies_at: int | None) -> tuple[Life, tuple[object, ...]]:
        wish = replace(token, payment_id=PaymentId(tills.new_id()), order=await tills.placing())
        payment = await tills.host.pay(wish)
        assert isinstance(payment, Payment)
        order = await tills.order_of(payment)
        assert order is not None
        assert isinstance(wish.order, PlaceOrder)
        change = await a_change(tills, order, wish.order)
        further = replace(token, payment_id=PaymentId(tills.new_id()), order=change)
        story, before = Story(tills, further, dies_at), len(tills.protocol.till.charges)
        await story.pay()
        made, changed = await story.payment(), await stored(tills, order)
        charged = len(tills.protocol.till.charges) - before
        paid_with = [one.payment_id for one in changed.supplements]
        assert paid_with == [further.payment_id]
        return story.life, (made.status, made.is_placed, charged, owed(changed), changed.door)

    *_, door = await die_everywhere(told, points=8)
    assert door == ELSEWHERE
    await tills.drain()
    await tills.must_add_up()
