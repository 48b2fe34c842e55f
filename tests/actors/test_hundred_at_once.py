"""Whatever moves money is asked for a hundred times at once, by any gateway, and happens once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from actors.checkout import Checkout
from actors.payments import Payments
from engine.kernel.ids import EffectId, PaymentId, UserId
from engine.payments.dues import give_up
from engine.payments.gateways import GatewayName
from engine.payments.messages import FollowOrder
from engine.payments.owed import Settlement, SettlementKind
from engine.payments.payment import Payment, PaymentStatus, Refund, RefundReason
from tests.actors.paypal import BUYER
from tests.actors.stories import BY, UNTIL_KNOWN, Ends, Story, a_refund, anew, paying_by, worth
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

    async def follow(self, story: Story) -> None:
        """The order has come further: its payment is told."""
        effect = FollowOrder(
            id=EffectId(self._tills.new_id()),
            order_id=story.orders[0].order_id,
            payment_id=story.wish.payment_id,
        )
        await self.ask(lambda host: host.on_effect(effect))


async def begun(tills: Tills, paying: Checkout, crowd: Crowd) -> Story:
    story = Story(tills, await anew(tills, paying), None)
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


async def owing(tills: Tills, paying: Checkout) -> Story:
    story = await begun(tills, paying, Crowd(tills, 1))
    await story.pick_up()
    await story.bring_back()
    await story.settle(UNTIL_KNOWN)
    return story


async def due_paid(tills: Tills, paying: Checkout, times: int) -> Ends:
    """What is owed is collected."""
    first = await owing(tills, paying)
    before = await worth(tills)
    wish = replace(paying, payment_id=PaymentId(tills.new_id()), order=await first.due())
    await Crowd(tills, times).pay(wish)
    later = Story(tills, wish, None)
    await later.settle(UNTIL_KNOWN)
    return await later.ends(before)


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


# What was cash costs nothing when it comes back, so nothing is owed of it.
CASES = [(doing, by) for doing in (brought, cancelled) for by in BY] + [
    (doing, by) for doing in (due_paid, given_up) for by in BY if by != "cash"
]


@pytest.mark.parametrize(("doing", "by"), CASES)
async def test_a_hundred_at_once_are_one_effect(
    doing: Callable[[Tills, Checkout, int], Awaitable[Ends]], by: str
) -> None:
    async with paying_by(by) as (tills, paying):
        assert await doing(tills, paying, TIMES) == await doing(tills, paying, 1)
        assert (await tills.keeper.audit()).faults == []
