"""A hold lapsed and is taken after all: it goes back once, and what is owed stays owed."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace

from actors.checkout import Checkout
from actors.gateways.payments import Notice
from actors.payments import Payments
from engine.kernel.ids import EffectId, PaymentId
from engine.money.accounts import AccountKind
from engine.payments.gateways import GatewayName
from engine.payments.messages import FollowOrder
from engine.payments.payment import Payment, PaymentStatus, RefundStatus
from simulations.gateways.till import Charge, ChargeStatus
from tests.actors.kills import Life, die_everywhere
from tests.actors.stories import UNTIL_KNOWN, Ends, Story, anew, paying_by, worth
from tests.actors.test_due_kills import held_by
from tests.actors.test_dues import MORE, a_change
from tests.actors.test_gift_credit import left
from tests.actors.test_split import fill
from tests.actors.tills import VISA, Tills

S = PaymentStatus
# mada never holds, and what the wallet holds does not lapse.
HOLDING = ("moyasar", "stripe", "paypal")
TIMES = 100
PROCESSES = 4


async def lapsed(
    tills: Tills, paying: Checkout, *, count: int = 1, until_sold: bool = True
) -> Story:
    """Gifts that were brought, though the bank had let go of their money before."""
    story = Story(tills, await anew(tills, paying, count), None)
    await story.pay()
    for charge in held_by(tills):
        tills.protocol.till.void(charge)
    for number in range(count if until_sold else count - 1):
        await story.pick_up(number)
        await story.deliver(number)
        await story.settle(UNTIL_KNOWN)
    payment = await story.payment()
    assert (payment.status, payment.captured_halalas) == (S.VOIDED, 0)
    return story


def taken_after_all(tills: Tills, payment: Payment) -> Charge:
    """The bank takes what it had let go of."""
    charge: Charge = tills.protocol.till.charges[payment.reference]
    charge.status = ChargeStatus.AUTHORISED
    tills.protocol.till.capture(charge, None)
    return charge


async def hear(host: Payments, payment: Payment) -> None:
    """The gateway's word of it."""
    notice = Notice(
        id=f"late {payment.id}", reference=payment.reference, payment_id=PaymentId(payment.id)
    )
    heard = await host.hear(payment.gateway, notice)
    if heard is not None:
        await host.advance(heard)


async def tell_again(tills: Tills, payment: Payment, story: Story) -> None:
    """What orders became is told at least once, perhaps long after it was done."""
    for one in story.orders:
        effect_id = EffectId(tills.new_id())
        told = FollowOrder(id=effect_id, order_id=one.order_id, payment_id=payment.id)
        await tills.host.on_effect(told)


async def pay_due(tills: Tills, story: Story) -> None:
    due = await story.due()
    wish = replace(story.wish, payment_id=PaymentId(tills.new_id()), order=due)
    await Story(tills, wish, None).pay()
    await story.settle(UNTIL_KNOWN)
    assert (await story.payment()).owed_for(due.order_id) == 0
    assert await tills.balance(AccountKind.RECEIVABLE, due.order_id) == 0


@pytest.mark.parametrize("is_due_paid_first", [False, True])
@pytest.mark.parametrize("by", HOLDING)
async def test_wherever_the_process_dies_it_goes_back_once(
    by: str, *, is_due_paid_first: bool
) -> None:
    async with paying_by(by) as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, Ends]:
            first = await lapsed(tills, paying)
            if is_due_paid_first:
                await pay_due(tills, first)
            payment, before = await first.payment(), await worth(tills)
            owed = payment.owed_for(payment.order_id)
            story = Story(tills, first.wish, dies_at)
            charge = taken_after_all(tills, payment)
            await story.tell(lambda one: hear(one.host, payment))
            await story.settle(UNTIL_KNOWN)
            await tell_again(tills, payment, story)
            await story.settle()
            ends = await story.ends(before)
            assert charge.captured == charge.refunded
            assert (await first.payment()).owed_for(payment.order_id) == owed
            if not is_due_paid_first:
                assert owed == payment.amount_halalas
                await pay_due(tills, first)
            assert await tills.balance(AccountKind.ORDER, payment.order_id) == 0
            return story.life, ends

        status, captured, refunded, _, moves, moved = await die_everywhere(told, points=10)
        assert (status, captured) == (S.REFUNDED, refunded)
        assert moves == Counter(void=1, capture=1, refund=1)
        assert moved == Counter()
        assert (await tills.keeper.audit()).faults == []


@pytest.mark.parametrize("by", HOLDING)
async def test_a_hundred_words_of_it_are_one(by: str) -> None:
    async with paying_by(by) as (tills, paying):
        story = await lapsed(tills, paying)
        payment = await story.payment()
        charge = taken_after_all(tills, payment)
        hosts = [tills.another_host() for _ in range(PROCESSES)]
        await asyncio.gather(*(hear(hosts[one % PROCESSES], payment) for one in range(TIMES)))
        await asyncio.gather(*(tell_again(tills, payment, story) for _ in range(PROCESSES)))
        await story.settle(UNTIL_KNOWN)
        (refund,) = (await story.payment()).refunds
        assert (refund.status, refund.amount_halalas) == (RefundStatus.DONE, payment.amount_halalas)
        assert charge.captured == charge.refunded
        await pay_due(tills, story)
        assert await tills.balance(AccountKind.ORDER, payment.order_id) == 0
        assert (await tills.keeper.audit()).faults == []


async def test_of_a_group_what_is_owed_goes_back_and_what_is_still_under_way_is_kept() -> None:
    async with paying_by("moyasar") as (tills, paying):
        for is_all_over in (True, False):
            story = await lapsed(tills, paying, count=2, until_sold=is_all_over)
            payment = await story.payment()
            first, second = payment.shares
            assert payment.owed_for(first.order_id) == first.quote.total_halalas
            charge = taken_after_all(tills, payment)
            await hear(tills.host, payment)
            await tell_again(tills, payment, story)
            if not is_all_over:
                await story.pick_up(1)
                await story.deliver(1)
            await story.settle(UNTIL_KNOWN)
            kept = 0 if is_all_over else second.quote.total_halalas
            assert charge.captured - charge.refunded == kept
            later = await story.payment()
            assert later.owed_for(first.order_id) == first.quote.total_halalas
            assert later.owed_for(second.order_id) == second.quote.total_halalas - kept
            assert await tills.balance(AccountKind.ORDER, payment.order_id) == 0
        await tills.must_add_up()


async def test_of_a_payment_that_the_wallet_shares_the_cards_part_goes_back() -> None:
    async with paying_by("moyasar") as (tills, _):
        await fill(tills, 300, 500)
        wish = await tills.checkout(VISA, wallet_halalas=700)
        story = await lapsed(tills, wish)
        assert await left(tills) == (300, 500)
        payment = await story.payment()
        charge = taken_after_all(tills, payment)
        await hear(tills.host, payment)
        await story.settle(UNTIL_KNOWN)
        assert charge.captured == charge.refunded == payment.amount_halalas - 700
        assert await left(tills) == (300, 500)
        assert (await story.payment()).owed_for(payment.order_id) == payment.amount_halalas
        assert await tills.balance(AccountKind.GATEWAY, GatewayName.WALLET) == 0
        await tills.must_add_up()


async def test_what_a_dearer_change_was_to_bring_goes_back_and_stays_owed() -> None:
    async with paying_by("moyasar") as (tills, paying):
        story = Story(tills, await anew(tills, paying), None)
        await story.pay()
        order = await tills.order_of(await story.payment())
        assert order is not None
        change = await a_change(tills, order, story.orders[0])
        wish = replace(paying, payment_id=PaymentId(tills.new_id()), order=change)
        made = await tills.host.pay(wish)
        assert isinstance(made, Payment)
        tills.protocol.till.void(tills.protocol.till.charges[made.reference])
        await story.pick_up()
        await story.deliver()
        await story.settle(UNTIL_KNOWN)
        assert (await tills.newest(made)).is_lapsed
        charge = taken_after_all(tills, made)
        await hear(tills.host, made)
        await tell_again(tills, made, story)
        await story.settle(UNTIL_KNOWN)
        assert charge.captured == charge.refunded == MORE
        assert (await story.due()).halalas == MORE
        await pay_due(tills, story)
        await tills.must_add_up()


async def test_what_the_gateway_has_given_back_by_itself_goes_back_no_second_time() -> None:
    async with paying_by("moyasar") as (tills, paying):
        story = await lapsed(tills, paying)
        payment = await story.payment()
        charge = taken_after_all(tills, payment)
        tills.protocol.till.refund(charge, None)
        await hear(tills.host, payment)
        await story.settle(UNTIL_KNOWN)
        later = await story.payment()
        assert (later.status, later.refunded_halalas) == (S.REFUNDED, payment.amount_halalas)
        assert [one for one in tills.protocol.till.moves if one[0] == "refund"] == [
            ("refund", charge.id, payment.amount_halalas)
        ]
        await pay_due(tills, story)
        await tills.must_add_up()
