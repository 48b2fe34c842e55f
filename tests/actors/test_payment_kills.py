"""Wherever the process dies: nothing is charged twice, nothing is lost, and the end is the same."""

from collections import Counter

import pytest

from engine.money.accounts import AccountKind
from engine.payments.gateways import GatewayName
from engine.payments.payment import PaymentStatus
from tests.actors.kills import Life, die_everywhere
from tests.actors.stories import (
    BY,
    CENTS,
    COURIER,
    Story,
    Tale,
    anew,
    must_end_alike,
    paying_by,
    worth,
)
from tests.actors.test_gift_credit import CREDIT, left
from tests.actors.test_gift_credit import fill as give
from tests.actors.test_split import fill
from tests.actors.tills import MADA, VISA

S = PaymentStatus


async def brought_and_given_back_in_parts(story: Story) -> None:
    """Captured at the pick-up; twice a part of it goes back."""
    await story.pay()
    await story.pick_up()
    await story.settle()
    is_cash = (await story.payment()).gateway is GatewayName.CASH
    due = story.orders[0].quote.total_halalas if is_cash else 0
    await story.deliver(cash_halalas=due)
    await story.settle()
    if is_cash:
        await story.pay_in(due)
    for halalas in (400, 300):
        await story.refund(halalas)
        await story.settle()


async def cancelled(story: Story) -> None:
    await story.pay()
    for order in story.orders:
        await story.cancel(order)
        await story.settle()


async def one_brought_one_cancelled(story: Story) -> None:
    """Of a group the second is cancelled, and the first brought and partly given back."""
    await story.pay()
    await story.cancel(story.orders[1])
    await story.settle()
    await story.pick_up()
    await story.settle()
    await story.deliver()
    await story.settle()
    await story.refund(400)
    await story.settle()


@pytest.mark.parametrize("by", BY)
async def test_what_is_brought_is_taken_once_and_given_back_in_parts_once(by: str) -> None:
    async with paying_by(by) as (tills, paying):
        ends = await must_end_alike(tills, paying, brought_and_given_back_in_parts)
        assert ends[0] is S.CAPTURED
        if by == "paypal":
            charges = tills.protocol.till.charges.values()
            worth_there = sum(CENTS.worth(one.captured - one.refunded) for one in charges)
            assert await tills.balance(AccountKind.GATEWAY, "paypal") == -worth_there


@pytest.mark.parametrize(
    ("number", "tale", "status"),
    [(VISA, brought_and_given_back_in_parts, S.CAPTURED), (MADA, cancelled, S.REFUNDED)],
)
async def test_so_it_is_when_the_wallet_pays_a_part(number: str, tale: Tale, status: S) -> None:
    async with paying_by("mada" if number == MADA else "moyasar") as (tills, _):
        await fill(tills, 300_000, 10_000_000)
        ends = await must_end_alike(tills, await tills.checkout(number, wallet_halalas=700), tale)
        assert ends[0] is status
        assert await tills.balance(AccountKind.GATEWAY, "wallet") == 0
        parts = [one.wallet for one in tills.store.payments() if one.wallet is not None]
        kept = sum(one.captured_halalas - one.refunded_halalas for one in parts)
        assert sum(await left(tills)) == 10_300_000 - kept


@pytest.mark.parametrize("tale", [cancelled, brought_and_given_back_in_parts])
async def test_so_it_is_when_credit_and_wallet_pay_all_of_it(tale: Tale) -> None:
    async with paying_by("wallet") as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, tuple[int, Counter[AccountKind]]]:
            spent = 300 - (await left(tills))[0]
            if spent:
                await give(tills, CREDIT, spent)
            before = await worth(tills)
            story = Story(tills, await anew(tills, paying), dies_at)
            await tale(story)
            *_, moved = await story.ends(before)
            # What goes back fills the wallet first.
            return story.life, ((await left(tills))[0], moved)

        credit, moved = await die_everywhere(told, points=30)
        assert credit == (300 if tale is cancelled else 0)
        assert AccountKind.GATEWAY not in moved
        assert (await tills.keeper.audit()).faults == []


@pytest.mark.parametrize("by", BY)
async def test_what_is_cancelled_costs_nothing(by: str) -> None:
    async with paying_by(by) as (tills, paying):
        status, _, _, is_placed, _, moved = await must_end_alike(tills, paying, cancelled)
        assert status is (S.REFUNDED if by == "mada" else S.VOIDED)
        assert is_placed
        assert moved == Counter()


GROUPS: list[tuple[str, Tale, PaymentStatus]] = [
    ("moyasar", cancelled, S.VOIDED),
    ("mada", cancelled, S.REFUNDED),
    ("moyasar", one_brought_one_cancelled, S.CAPTURED),
    ("mada", one_brought_one_cancelled, S.CAPTURED),
    ("stripe", one_brought_one_cancelled, S.CAPTURED),
    ("paypal", one_brought_one_cancelled, S.CAPTURED),
    ("wallet", one_brought_one_cancelled, S.CAPTURED),
]


@pytest.mark.parametrize(("by", "tale", "status"), GROUPS)
async def test_so_it_is_with_a_group(by: str, tale: Tale, status: PaymentStatus) -> None:
    async with paying_by(by) as (tills, paying):
        assert (await must_end_alike(tills, paying, tale, count=2))[0] is status


async def test_wherever_the_process_dies_cash_is_where_it_was_taken_to() -> None:
    """Taken at the door, paid in for a part, kept back of a payout for the rest."""
    async with paying_by("cash") as (tills, paying):

        async def told(dies_at: int | None) -> tuple[Life, Counter[AccountKind]]:
            before = await worth(tills)
            story = Story(tills, await anew(tills, paying), dies_at)
            await story.pay()
            await story.pick_up()
            due = story.orders[0].quote.total_halalas
            await story.deliver(cash_halalas=due)
            await story.settle()
            await story.pay_in(600)
            await story.keep_back(due)
            await story.settle()
            *_, moved = await story.ends(before)
            courier = await tills.orders.find_courier(COURIER)
            assert courier is not None
            assert courier.cash_halalas == 0
            assert moved[AccountKind.BANK] == -600
            assert moved[AccountKind.COURIER_DEBT] == -(due - 600)
            assert sum(moved.values()) == 0
            return story.life, moved

        assert AccountKind.COURIER_CASH not in await die_everywhere(told, points=30)
        assert (await tills.keeper.audit()).faults == []
