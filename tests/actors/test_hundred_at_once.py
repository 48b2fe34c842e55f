"""Whatever moves money is asked for a hundred times at once, by any gateway, and happens once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from actors.checkout import Checkout
from actors.payments import Payments
from engine.kernel.ids import EffectId, PaymentId, UserId
from engine.money.accounts import AccountKind
from engine.payments.dues import give_up
from engine.payments.gateways import GatewayName
from engine.payments.messages import FollowOrder
from engine.payments.owed import Settlement, SettlementKind
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason
from tests.actors.paypal import BUYER
from tests.actors.stories import BY, UNTIL_KNOWN, Ends, Story, a_refund, anew, paying_by, worth
from tests.actors.test_dues import a_change
from tests.actors.tills import Tills

TIMES = 100
PROCESSES = 4
Doing = Callable[[Payments], Awaitable[object]]


class Crowd:
    """So many who ask for the same at once, of several processes."""

    def __init__(self, tills: Tills, times: int) -> None:
        self._tills, self._times = tills, times
        self._hosts = [tills.another_host() for _ in range(PROCESSES)]

    async def ask(self, doing: Doing) -> None:
        asked = (doing(self._hosts[one % PROCESSES]) for one in range(self._times))
        await asyncio.gather(*asked)

    async def pay(self, wish: Checkout) -> None:
        await self.ask(lambda host: host.pay(wish))
        payment = await self._tills.host.find(wish.payment_id)
        if payment.status is PaymentStatus.CHALLENGED:
            await self._tills.confirm(payment, BUYER)
            await self.ask(lambda host: host.returned(payment))

    async def refund(self, payment: Payment, wish: Refund) -> None:
        await self.ask(lambda host: host.refund(payment, wish))

    async def follow(
        self, story: Story, number: int = 0, *, payment_id: PaymentId | None = None
    ) -> None:
        """An order has come further: its payment is told, or that of its change."""
        effect = FollowOrder(
            id=EffectId(self._tills.new_id()),
            order_id=story.orders[number].order_id,
            payment_id=payment_id or PaymentId(story.wish.payment_id),
        )
        await self.ask(lambda host: host.on_effect(effect))


async def begun(tills: Tills, paying: Checkout, crowd: Crowd, count: int = 1) -> Story:
    story = Story(tills, await anew(tills, paying, count), None)
    await crowd.pay(story.wish)
    return story


async def brought(tills: Tills, paying: Checkout, times: int) -> Ends:
    """Paid, captured, sold, and given back in two parts."""
    before, crowd = await worth(tills), Crowd(tills, times)
    story = await begun(tills, paying, crowd)
    await story.pick_up()
    await crowd.follow(story)
    is_cash = (await story.payment()).gateway is GatewayName.CASH
    due = story.orders[0].quote.total_halalas if is_cash else 0
    await story.deliver(cash_halalas=due)
    await crowd.follow(story)
    await story.settle(UNTIL_KNOWN)
    for halalas in (400, 300):
        payment = await story.payment()
        await crowd.refund(payment, a_refund(tills, payment, halalas, RefundReason.GOODS))
    await story.settle(UNTIL_KNOWN)
    return await story.ends(before)


async def cancelled(tills: Tills, paying: Checkout, times: int) -> Ends:
    """Let go of what was held, or give back what was taken."""
    before, crowd = await worth(tills), Crowd(tills, times)
    story = await begun(tills, paying, crowd)
    await story.cancel(story.orders[0])
    await crowd.follow(story)
    await story.settle(UNTIL_KNOWN)
    return await story.ends(before)


async def grouped(tills: Tills, paying: Checkout, times: int) -> Ends:
    """Of two paid for together one is cancelled, the other brought and partly given back."""
    before, crowd = await worth(tills), Crowd(tills, times)
    story = await begun(tills, paying, crowd, count=2)
    await story.cancel(story.orders[1])
    await crowd.follow(story, 1)
    await story.pick_up()
    await crowd.follow(story)
    await story.deliver()
    await crowd.follow(story)
    await story.settle(UNTIL_KNOWN)
    payment = await story.payment()
    await crowd.refund(payment, a_refund(tills, payment, 400, RefundReason.GOODS))
    await story.settle(UNTIL_KNOWN)
    return await story.ends(before)


async def lapsed(tills: Tills, paying: Checkout, times: int) -> Ends:
    """The bank lets go of an order's money; what is owed instead is paid."""
    crowd = Crowd(tills, times)
    first = await begun(tills, paying, crowd)
    let_go(tills, (await first.payment()).reference)
    await first.pick_up()
    await crowd.follow(first)
    await first.deliver()
    await crowd.follow(first)
    await first.settle(UNTIL_KNOWN)
    assert (await first.payment()).status is PaymentStatus.VOIDED
    return await paid_later(tills, paying, first, crowd)


async def change_lapsed(tills: Tills, paying: Checkout, times: int) -> Ends:
    """Likewise of the money for a dearer change."""
    crowd = Crowd(tills, times)
    first = await begun(tills, paying, crowd)
    order = await tills.order_of(await first.payment())
    assert order is not None
    change = await a_change(tills, order, first.orders[0])
    wish = replace(paying, payment_id=PaymentId(tills.new_id()), order=change)
    await crowd.pay(wish)
    let_go(tills, (await tills.host.find(wish.payment_id)).reference)
    await first.pick_up()
    await crowd.follow(first, payment_id=wish.payment_id)
    await first.deliver()
    await crowd.follow(first, payment_id=wish.payment_id)
    await first.settle(UNTIL_KNOWN)
    return await paid_later(tills, paying, first, crowd)


async def paid_later(tills: Tills, paying: Checkout, first: Story, crowd: Crowd) -> Ends:
    before, due = await worth(tills), await first.due()
    later = Story(tills, replace(paying, payment_id=PaymentId(tills.new_id()), order=due), None)
    await crowd.pay(later.wish)
    await later.settle(UNTIL_KNOWN)
    assert (await first.payment()).owed_for(due.order_id) == 0
    assert await tills.balance(AccountKind.ORDER, due.order_id) == 0
    return await later.ends(before)


def let_go(tills: Tills, reference: str) -> None:
    """What its bank does with a hold that is not taken in time."""
    till = tills.protocol.till
    till.void(till.charges[reference])


async def owing(tills: Tills, paying: Checkout) -> Story:
    story = await begun(tills, paying, Crowd(tills, 1))
    await story.pick_up()
    await story.bring_back()
    await story.settle(UNTIL_KNOWN)
    return story


async def due_paid(tills: Tills, paying: Checkout, times: int) -> Ends:
    """What is owed is collected."""
    first = await owing(tills, paying)
    return await paid_later(tills, paying, first, Crowd(tills, times))


async def given_up(tills: Tills, paying: Checkout, times: int) -> Ends:
    """What is owed is written off."""
    first = await owing(tills, paying)
    before, payment = await worth(tills), await first.payment()
    wish = Settlement(
        id=tills.new_id(),
        order_id=first.orders[0].order_id,
        kind=SettlementKind.UNCOLLECTABLE,
        halalas=0,
        at=tills.clock.now(),
        by=UserId(tills.new_id()),
        note="gone abroad",
    )
    crowd = Crowd(tills, times)
    await crowd.ask(lambda host: host.settle(payment, lambda one: give_up(one, wish)))
    await first.settle(UNTIL_KNOWN)
    return await first.ends(before)


# What was cash costs nothing when it comes back, so nothing is owed of it; nor is a group cash.
CASES = [
    *((doing, by) for doing in (brought, cancelled) for by in BY),
    *((doing, by) for doing in (due_paid, given_up, grouped) for by in BY if by != "cash"),
    *((doing, by) for doing in (lapsed, change_lapsed) for by in ("moyasar", "stripe", "paypal")),
]


@pytest.mark.parametrize(("doing", "by"), CASES)
async def test_a_hundred_at_once_are_one_effect(
    doing: Callable[[Tills, Checkout, int], Awaitable[Ends]], by: str
) -> None:
    async with paying_by(by) as (tills, paying):
        assert await doing(tills, paying, TIMES) == await doing(tills, paying, 1)
        assert (await tills.keeper.audit()).faults == []
