"""Payouts through a provider that refuses, is silent, and is slow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from pydantic import SecretStr

from actors.disputes import Disputes
from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.gateways.settings import PayoutProvider, PayoutSettings
from actors.invoicing import Invoicing
from actors.ledger import LedgerKeeper
from actors.payouts import Payouts
from actors.stamp import own_stamp
from actors.unit_certificates import UnitCertificates
from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Page, Wanted
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from engine.money.accounts import AccountKind, Balance, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payouts.decide import PayoutTerms
from engine.payouts.dispute import Dispute, DisputeStatus
from engine.payouts.payout import Payout, PayoutKind, PayoutStatus
from engine.payouts.postings import debt_of, wallet_of
from engine.payouts.weekly import WeeklyTime, last_weekly
from storage.memory import MemoryStore
from storage.memory_invoices import MemoryInvoices
from storage.memory_ledger import MemoryLedger
from storage.memory_payouts import MemoryPayouts
from storage.memory_unit_certificates import MemoryUnitCertificates
from tests.actors.bank import Bank, HandClock, a_bank
from tests.builders import NOON, new_id
from tests.engine.invoices.drafts import SELLER
from tests.engine.payouts.test_payouts import an_account

FEE: Final = 230
TERMS: Final = PayoutTerms(least_halalas=1000, instant_fee_halalas=FEE, settle_s=600)
S = PayoutStatus


class NoCash:
    """Couriers who take no cash."""

    async def keep_back(self, courier_id: CourierId, **_: Any) -> None:
        del courier_id


class Office:
    """What is stored, the bank, and processes that come and go."""

    def __init__(self, bank: Bank, gateway: MoyasarPayouts) -> None:
        self.bank, self.gateway = bank, gateway
        self.store, self.books, self.clock = MemoryPayouts(), MemoryLedger(), HandClock()
        self.ledger = LedgerKeeper(self.books, wall=self.clock)
        self.courier_id = CourierId(UserId(new_id()))
        self.invoices = MemoryInvoices()
        self.invoicing = Invoicing(
            self.invoices,
            MemoryStore(),
            clock=self.clock,
            seller=SELLER,
            unit="U1",
            stamp=UnitCertificates(
                MemoryUnitCertificates(),
                unit="U1",
                authority="",
                stamp=lambda: own_stamp(b"payouts", "U1"),
            ).stamp,
        )
        self.payouts = self.process()
        self.disputes = Disputes(self.store, self.ledger, self.books, wall=self.clock)

    def process(self) -> Payouts:
        """A process of its own, on what is stored."""
        things: list[Any] = [self.store, self.ledger, self.books, self.gateway, NoCash()]
        return Payouts(*things, invoicing=self.invoicing, wall=self.clock, terms=TERMS)

    async def earn(self, halalas: int, courier_id: CourierId | None = None) -> None:
        wallet = wallet_of(courier_id or self.courier_id)
        await self.ledger.enter(
            Transfer(
                id=TransferId(new_id()),
                reason=TransferReason.EARNING,
                legs=move({wallet: halalas, account(AccountKind.COURIER_PAY, "base"): -halalas}),
                effective_at=NOON,
            )
        )

    async def request(self, halalas: int, *, cause: str | None = None) -> Payout | Refusal:
        kind = PayoutKind.INSTANT
        return await self.payouts.request(self.courier_id, kind, halalas, cause=cause or new_id())

    async def wait(self, ms: int, *, step_ms: int = MINUTE_MS) -> None:
        """So much time passes, with a process that looks again and again."""
        end = self.clock.at + ms
        while self.clock.at < end:
            await self.payouts.look()
            self.clock.at += step_ms
        await self.payouts.look()

    async def only(self) -> Payout:
        (found,) = (await self.store.list_of(self.courier_id, Wanted(limit=9))).rows
        return found

    async def balance(self, kind: AccountKind) -> Balance:
        is_ours = kind in {AccountKind.BANK, AccountKind.REVENUE, AccountKind.GOODWILL}
        return await self.books.find_balance(account(kind, "" if is_ours else self.courier_id))

    async def wallet(self) -> int:
        return (await self.balance(AccountKind.COURIER_WALLET)).available

    async def assert_sound(self) -> None:
        audit = await self.ledger.audit()
        assert audit.faults == []
        assert all(one.reserved == 0 for one in audit.balances.values())


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with a_bank() as (bank, url), MoyasarPayouts(settings(url)) as gateway:
        made = Office(bank, gateway)
        await made.store.save_account(an_account(made.courier_id))
        await made.earn(50_000)
        yield made


def settings(url: str) -> PayoutSettings:
    return PayoutSettings(
        provider=PayoutProvider.MOYASAR,
        url=url,
        api_key=SecretStr("sk_test_1"),
        source_id="account-1",
        timeout_s=0.15,
    )


async def test_a_payout_is_reserved_sent_and_paid(office: Office) -> None:
    sent = await office.request(20_000)
    assert isinstance(sent, Payout)
    assert (sent.status, sent.is_entered) == (S.SENT, True)
    assert await office.wallet() == 50_000 - 20_000 - FEE
    assert (await office.balance(AccountKind.PAYOUT)).posted == 20_000
    office.bank.become("paid")
    await office.wait(HOUR_MS)
    assert (await office.only()).status is S.PAID
    assert (await office.balance(AccountKind.PAYOUT)).posted == 0
    assert (await office.balance(AccountKind.BANK)).posted == 20_000
    assert (await office.balance(AccountKind.REVENUE)).posted == 200
    (invoice,) = office.invoices.issued()
    assert (invoice.net_halalas, invoice.payable_halalas) == (200, FEE)
    assert invoice.draft.order_id is None
    await office.assert_sound()


async def test_what_the_bank_sends_back_days_later_is_in_the_wallet_again(office: Office) -> None:
    await office.request(20_000)
    office.bank.become("paid")
    await office.wait(HOUR_MS)
    office.bank.become("returned")
    await office.wait(2 * DAY_MS, step_ms=HOUR_MS)
    assert (await office.only()).status is S.RETURNED
    assert await office.wallet() == 50_000
    assert (await office.balance(AccountKind.BANK)).posted == 0
    invoice, note = office.invoices.issued()
    assert (note.draft.original_id, note.payable_halalas) == (invoice.id, FEE)
    await office.assert_sound()


@pytest.mark.parametrize("halalas", [20_001, 20_002, 20_004])
async def test_what_is_not_done_is_in_the_wallet_again(office: Office, halalas: int) -> None:
    made = await office.request(halalas)
    assert isinstance(made, Payout)
    if made.status is S.UNKNOWN:
        assert await office.wallet() == 50_000 - halalas - FEE
    office.bank.become("failed")
    await office.wait(HOUR_MS)
    assert (await office.only()).status is S.FAILED
    assert await office.wallet() == 50_000
    assert len(office.bank.asked) == 1
    assert office.invoices.issued() == ()
    await office.assert_sound()


async def test_an_answer_that_was_lost_is_looked_for_and_nothing_is_asked_again(
    office: Office,
) -> None:
    made = await office.request(20_003)
    assert isinstance(made, Payout)
    assert (made.status, made.reference) == (S.UNKNOWN, "")
    await office.wait(10 * SECOND_MS, step_ms=5 * SECOND_MS)
    assert (await office.only()).status is S.SENT
    office.bank.become("paid")
    await office.wait(HOUR_MS)
    assert (await office.only()).status is S.PAID
    assert len(office.bank.asked) == 1
    await office.assert_sound()


async def test_a_bank_that_is_away_says_nothing_and_is_asked_until_it_does(office: Office) -> None:
    office.bank.is_away = True
    await office.request(20_000)
    await office.wait(2 * HOUR_MS)
    assert (await office.only()).status is S.UNKNOWN
    office.bank.is_away = False
    await office.wait(HOUR_MS)
    assert (await office.only()).status is S.FAILED
    assert await office.wallet() == 50_000


async def test_another_amount_is_not_believed(office: Office) -> None:
    await office.request(20_006)
    await office.wait(HOUR_MS)
    stuck = await office.only()
    assert stuck.status is S.UNKNOWN
    assert "another payout" in stuck.reason
    assert await office.wallet() == 50_000 - 20_006 - FEE


async def test_a_hundred_requests_at_once_are_one_payout(office: Office) -> None:
    made = await asyncio.gather(*(office.request(20_000, cause="same") for _ in range(100)))
    assert {one.id for one in made if isinstance(one, Payout)} == {(await office.only()).id}
    assert len(office.bank.asked) == 1
    others = await asyncio.gather(*(office.request(25_000) for _ in range(100)))
    refusals = {one.code for one in others if isinstance(one, Refusal)}
    assert refusals <= {"payout_under_way"}
    await office.wait(MINUTE_MS)
    assert await office.wallet() >= 0
    assert len(office.bank.asked) == len(set(office.bank.asked)) == 2
    await office.assert_sound()


async def test_more_than_there_is_is_refused_and_leaves_nothing(office: Office) -> None:
    made = await office.request(50_000)
    assert isinstance(made, Payout)
    assert (made.status, made.reason) == (S.REFUSED, "balance_too_low")
    assert office.bank.asked == []
    assert await office.wallet() == 50_000
    await office.assert_sound()


async def test_everybody_is_paid_once_a_week_what_he_has_less_what_he_owes(
    office: Office,
) -> None:
    rich, poor, homeless = (CourierId(UserId(new_id())) for _ in range(3))
    for courier_id, halalas in ((rich, 30_000), (poor, 900), (homeless, 5000)):
        await office.earn(halalas, courier_id)
    for courier_id in (rich, poor):
        await office.store.save_account(an_account(courier_id))
    await office.earn(-400, office.courier_id)
    owed = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.DISPUTE,
        legs=move({debt_of(rich): -2000, account(AccountKind.GOODWILL): 2000}),
        effective_at=NOON,
    )
    await office.ledger.enter(owed)
    weekly = WeeklyTime()
    office.clock.at = last_weekly(weekly, NOON) + 7 * DAY_MS + MINUTE_MS
    for _ in range(3):
        await asyncio.gather(*(office.process().pay_everybody(weekly) for _ in range(100)))
        office.clock.at += HOUR_MS
        await office.payouts.look()
    (of_rich,) = (await office.store.list_of(rich, Wanted(limit=9))).rows
    assert (of_rich.amount_halalas, of_rich.fee_halalas) == (28_000, 0)
    assert (await office.books.find_balance(debt_of(rich))).posted == 0
    assert (await office.books.find_balance(wallet_of(rich))).available == 0
    assert (await office.only()).amount_halalas == 49_600
    assert len(office.bank.asked) == 2
    assert await office.store.list_of(poor, Wanted(limit=9)) == Page()
    office.clock.at += 3 * DAY_MS
    await office.earn(20_000, rich)
    await office.payouts.pay_everybody(weekly)
    assert len((await office.store.list_of(rich, Wanted(limit=9))).rows) == 1


async def test_what_is_disputed_is_held_until_it_is_decided(office: Office) -> None:
    operator = Caller(user_id=UserId(new_id()), role=Role.OPERATOR)
    order_id = OrderId(new_id())

    async def opened(halalas: int, cause: str) -> Dispute | Refusal:
        return await office.disputes.open(
            office.courier_id, order_id, halalas, reason="x", cause=cause, by=operator
        )

    made = await asyncio.gather(*(opened(60_000, "one") for _ in range(100)))
    assert len({one.id for one in made if isinstance(one, Dispute)}) == 1
    assert await office.wallet() == 0
    assert (await office.balance(AccountKind.COURIER_HOLD)).posted == 60_000
    assert (await office.balance(AccountKind.COURIER_DEBT)).posted == -10_000
    changed = await opened(1, "one")
    assert isinstance(changed, Refusal)
    assert changed.code == "idempotency_key_reused"
    tried = await office.request(1000)
    assert isinstance(tried, Payout)
    assert tried.status is S.REFUSED
    dispute = made[0]
    assert isinstance(dispute, Dispute)
    outcomes = (DisputeStatus.RELEASED, DisputeStatus.UPHELD)
    closing = [
        office.disputes.close(dispute.id, one, reason="x", by=operator)
        for one in outcomes
        for _ in range(50)
    ]
    closed = await asyncio.gather(*closing)
    assert len({one.status for one in closed if isinstance(one, Dispute)}) == 1
    assert (await office.balance(AccountKind.COURIER_HOLD)).posted == 0
    assert await office.wallet() in {0, 60_000}
    await office.assert_sound()
