"""Wherever a process dies, who is to be paid out is paid once, and what is held is held once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors.disputes import Disputes
from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.ledger import LedgerKeeper
from actors.payouts import Payouts
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Wanted
from engine.kernel.timing import DAY_MS, HOUR_MS, MINUTE_MS
from engine.money.accounts import AccountKind
from engine.payouts.dispute import Dispute, DisputeStatus
from engine.payouts.payout import Payout, PayoutKind, PayoutStatus
from engine.payouts.postings import wallet_of
from engine.payouts.weekly import WeeklyTime, last_weekly
from tests.actors.bank import Bank, a_bank
from tests.actors.kills import Killed, Life, Mortal, MortalLedger, die_everywhere
from tests.actors.test_payouts import FEE, TERMS, NoCash, Office, settings
from tests.builders import NOON, new_id
from tests.engine.payouts.test_payouts import an_account

EARNED = 50_000
OPERATOR = Caller(user_id=UserId(new_id()), role=Role.OPERATOR)
WEEKLY = WeeklyTime()
Doing = Callable[[Payouts], Awaitable[object]]


class Doomed:
    """A process on what the office has stored; it dies at a point, or never."""

    def __init__(self, office: Office, dies_at: int | None) -> None:
        self.life = Life(dies_at)
        books: Any = MortalLedger(office.books, self.life)
        self._keeper = LedgerKeeper(books, wall=office.clock)
        store: Any = Mortal(office.store, self.life)
        gateway: Any = Mortal(office.gateway, self.life)
        invoicing: Any = Mortal(office.invoicing, self.life)
        self.payouts = Payouts(
            *(store, self._keeper, books, gateway, NoCash()),
            invoicing=invoicing,
            wall=office.clock,
            terms=TERMS,
        )
        self.disputes = Disputes(store, self._keeper, books, wall=office.clock)

    async def during(self, doing: Any) -> None:
        try:
            await self.life.during(doing)
        except Killed:
            self.life.leave([self._keeper._writer] if self._keeper._writer else [])


async def an_office(bank: Bank, gateway: MoyasarPayouts) -> Office:
    """A courier with an account at a bank and something to be paid."""
    bank.kept.clear()
    bank.asked.clear()
    office = Office(bank, gateway)
    await office.earn(EARNED)
    await office.store.save_account(an_account(office.courier_id))
    return office


async def paid_through(office: Office) -> None:
    """Those who come after look, the bank pays, and they look again."""
    await office.wait(10 * MINUTE_MS)
    office.bank.become("paid")
    await office.wait(2 * HOUR_MS, step_ms=10 * MINUTE_MS)


async def must_be_paid_once(office: Office, courier_id: CourierId, halalas: int, fee: int) -> int:
    """What he got by one payout: all of it, or nothing, and then it is in his wallet again."""
    (payout,) = (await office.store.list_of(courier_id, Wanted(limit=9))).rows
    is_paid = payout.status is PayoutStatus.PAID
    assert is_paid or payout.status is PayoutStatus.FAILED
    wallet = await office.books.find_balance(wallet_of(courier_id))
    assert (wallet.posted, wallet.reserved) == (EARNED - (halalas + fee) * is_paid, 0)
    return halalas * is_paid


# The second amount makes the bank pay and its answer be lost.
@pytest.mark.parametrize("halalas", [20_000, 20_003])
async def test_an_instant_payout_is_made_once(halalas: int) -> None:
    async with a_bank() as (bank, url), MoyasarPayouts(settings(url)) as gateway:

        async def paid_out(dies_at: int | None) -> tuple[Life, None]:
            office = await an_office(bank, gateway)
            doomed = Doomed(office, dies_at)

            async def whole() -> None:
                kind = PayoutKind.INSTANT
                await doomed.payouts.request(office.courier_id, kind, halalas, cause="x")
                office.clock.at += MINUTE_MS
                await doomed.payouts.look()

            await doomed.during(whole())
            assert isinstance(await office.request(halalas, cause="x"), Payout)
            await paid_through(office)
            got = await must_be_paid_once(office, office.courier_id, halalas, FEE)
            assert got == halalas * len(bank.kept)
            assert (await office.balance(AccountKind.BANK)).posted == got
            assert len(bank.asked) <= 1
            fees = [one.payable_halalas for one in office.invoices.issued()]
            assert fees == ([FEE] if got else [])
            await office.assert_sound()
            return doomed.life, None

        await die_everywhere(paid_out, points=20)


async def test_everybody_is_paid_once_a_week() -> None:
    async with a_bank() as (bank, url), MoyasarPayouts(settings(url)) as gateway:

        async def paid_out(dies_at: int | None) -> tuple[Life, None]:
            office = await an_office(bank, gateway)
            other = CourierId(UserId(new_id()))
            await office.earn(EARNED, other)
            await office.store.save_account(an_account(other))
            office.clock.at = last_weekly(WEEKLY, NOON) + 7 * DAY_MS + MINUTE_MS
            doomed = Doomed(office, dies_at)
            await doomed.during(doomed.payouts.pay_everybody(WEEKLY))
            for _ in range(2):
                await office.payouts.pay_everybody(WEEKLY)
            await paid_through(office)
            paid = 0
            for courier_id in (office.courier_id, other):
                paid += await must_be_paid_once(office, courier_id, EARNED, 0)
            assert paid == sum(one["amount"] for one in bank.kept.values())
            assert (await office.balance(AccountKind.BANK)).posted == paid
            assert len(bank.asked) == len(set(bank.asked)) <= 2
            await office.assert_sound()
            return doomed.life, None

        await die_everywhere(paid_out, points=30)


@pytest.mark.parametrize("outcome", [DisputeStatus.RELEASED, DisputeStatus.UPHELD])
async def test_a_dispute_holds_once_and_ends_once(outcome: DisputeStatus) -> None:
    async with a_bank() as (bank, url), MoyasarPayouts(settings(url)) as gateway:

        async def disputed(dies_at: int | None) -> tuple[Life, tuple[int, ...]]:
            office, order_id = await an_office(bank, gateway), OrderId(new_id())
            doomed = Doomed(office, dies_at)

            async def whole(disputes: Disputes) -> None:
                made = await disputes.open(
                    office.courier_id, order_id, 3000, reason="x", cause="x", by=OPERATOR
                )
                assert isinstance(made, Dispute)
                await disputes.close(made.id, outcome, reason="x", by=OPERATOR)

            await doomed.during(whole(doomed.disputes))
            await office.disputes.look()
            await whole(office.disputes)
            (kept,) = (await office.store.list_disputes(Wanted(limit=9))).rows
            assert (kept.status, kept.due_at) == (outcome, None)
            await office.assert_sound()
            kinds = AccountKind.COURIER_WALLET, AccountKind.COURIER_HOLD, AccountKind.GOODWILL
            return doomed.life, tuple([(await office.balance(one)).posted for one in kinds])

        lost = 3000 if outcome is DisputeStatus.UPHELD else 0
        assert await die_everywhere(disputed, points=15) == (EARNED - lost, 0, lost)
