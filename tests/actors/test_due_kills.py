"""Wherever the process dies, what is owed is paid once, or given up once, and never both."""

import pytest
from msgspec.structs import replace

from actors.checkout import Checkout
from engine.kernel.ids import PaymentId, UserId
from engine.money.accounts import AccountKind
from engine.payments.dues import give_up
from engine.payments.owed import Settlement, SettlementKind
from engine.payments.payment import PaymentStatus
from tests.actors.kills import Life, die_everywhere
from tests.actors.stories import BY, UNTIL_KNOWN, Ends, Story, anew, paying_by, worth
from tests.actors.tills import Tills

GIVEN_UP = {
    SettlementKind.WAIVED: AccountKind.GOODWILL,
    SettlementKind.UNCOLLECTABLE: AccountKind.BAD_DEBT,
}


async def owing(tills: Tills, paying: Checkout) -> Story:
    """An order that came back, and cost more than was paid for it."""
    story = Story(tills, await anew(tills, paying), None)
    await story.pay()
    await story.pick_up()
    await story.bring_back()
    await story.settle(UNTIL_KNOWN)
    return story


@pytest.mark.parametrize("by", [one for one in BY if one != "cash"])
async def test_what_is_owed_is_paid_once(by: str) -> None:
    async with paying_by(by) as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, Ends]:
            first = await owing(tills, paying)
            due, before = await first.due(), await worth(tills)
            wish = replace(paying, payment_id=PaymentId(tills.new_id()), order=due)
            story = Story(tills, wish, dies_at)
            await story.pay()
            # What settles the debt may be refused until the money is on the order's account.
            await story.settle()
            ends = await story.ends(before)
            assert (await first.payment()).owed_for(due.order_id) == 0
            assert await tills.balance(AccountKind.RECEIVABLE, due.order_id) == 0
            return story.life, ends

        status, captured, *_, moved = await die_everywhere(told, points=15)
        assert status is PaymentStatus.CAPTURED
        assert moved[AccountKind.RECEIVABLE] == captured > 0
        assert (await tills.keeper.audit()).faults == []


@pytest.mark.parametrize("kind", list(GIVEN_UP))
async def test_what_is_given_up_is_given_up_once(kind: SettlementKind) -> None:
    async with paying_by("mada") as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, Ends]:
            first = await owing(tills, paying)
            due, before = await first.due(), await worth(tills)
            payment = await first.payment()
            wish = Settlement(
                id=tills.new_id(),
                order_id=due.order_id,
                kind=kind,
                halalas=0,
                at=tills.clock.now(),
                by=UserId(tills.new_id()),
                note="another door",
            )
            story = Story(tills, first.wish, dies_at)
            await story.tell(lambda one: one.host.settle(payment, lambda it: give_up(it, wish)))
            await story.settle()
            ends = await story.ends(before)
            assert len((await first.payment()).settlements) == 1
            return story.life, ends

        *_, moved = await die_everywhere(told, points=10)
        assert set(moved) - {AccountKind.VAT} == {AccountKind.RECEIVABLE, GIVEN_UP[kind]}
        assert sum(moved.values()) == 0
        assert (await tills.keeper.audit()).faults == []
