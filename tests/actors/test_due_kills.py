"""Wherever the process dies, what is owed is paid once, or given up once, and never both."""

import pytest
from msgspec.structs import replace

from actors.checkout import Checkout
from engine.kernel.ids import PaymentId, UserId
from engine.money.accounts import AccountKind
from engine.payments.dues import give_up
from engine.payments.owed import Settlement, SettlementKind
from engine.payments.payment import Payment, PaymentStatus
from simulations.gateways.till import Charge, ChargeStatus
from tests.actors.kills import Life, die_everywhere
from tests.actors.stories import BY, UNTIL_KNOWN, Ends, Story, anew, paying_by, worth
from tests.actors.test_dues import MORE, a_change
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


async def test_a_difference_whose_hold_lapses_at_the_bank_is_owed_and_paid_once() -> None:
    async with paying_by("moyasar") as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, Ends]:
            story = Story(tills, await anew(tills, paying), dies_at)
            await story.pay()
            order = await tills.order_of(await story.payment())
            assert order is not None
            change = await a_change(tills, order, story.orders[0])
            wish = replace(paying, payment_id=PaymentId(tills.new_id()), order=change)
            made = await tills.host.pay(wish)
            assert isinstance(made, Payment)
            (charge,) = (one for one in held_by(tills) if one.amount == made.amount_halalas)
            tills.protocol.till.void(charge)
            await story.pick_up()
            await story.deliver()
            before = await worth(tills)
            await story.settle(UNTIL_KNOWN)
            lapsed = await tills.newest(made)
            assert (lapsed.status, lapsed.is_lapsed) == (PaymentStatus.VOIDED, True)
            due = await story.due()
            assert due.halalas == MORE
            paid = await tills.host.pay(
                replace(paying, payment_id=PaymentId(tills.new_id()), order=due)
            )
            assert isinstance(paid, Payment)
            await story.settle(UNTIL_KNOWN)
            assert (await story.payment()).owed_for(order.id) == 0
            assert await tills.balance(AccountKind.RECEIVABLE, order.id) == 0
            return story.life, await story.ends(before)

        await die_everywhere(told, points=8)
        await tills.must_add_up()


async def test_an_order_whose_hold_lapses_at_the_bank_is_owed_and_paid_once() -> None:
    async with paying_by("moyasar") as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, Ends]:
            story = Story(tills, await anew(tills, paying), dies_at)
            await story.pay()
            for charge in held_by(tills):
                tills.protocol.till.void(charge)
            await story.pick_up()
            await story.deliver()
            before = await worth(tills)
            await story.settle(UNTIL_KNOWN)
            due = await story.due()
            first = await story.payment()
            paid = await tills.host.pay(
                replace(paying, payment_id=PaymentId(tills.new_id()), order=due)
            )
            assert isinstance(paid, Payment)
            await story.settle(UNTIL_KNOWN)
            assert (first.status, first.captured_halalas) == (PaymentStatus.VOIDED, 0)
            assert (await story.payment()).owed_for(due.order_id) == 0
            assert await tills.balance(AccountKind.RECEIVABLE, due.order_id) == 0
            return story.life, await story.ends(before)

        await die_everywhere(told, points=8)
        await tills.must_add_up()


def held_by(tills: Tills) -> list[Charge]:
    """What the gateway holds by now."""
    charges = tills.protocol.till.charges.values()
    return [one for one in charges if one.status is ChargeStatus.AUTHORISED]


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
