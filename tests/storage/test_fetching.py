"""Settlements fetched from gateways that speak their protocols, against a ledger in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import typer
from pydantic import SecretStr, ValidationError

from actors.fetching import Fetched, NotAllFetched, SettlementFetching, fetch_settlements
from actors.gateways.moyasar_settlements import MoyasarSettlements
from actors.gateways.paypal_transactions import PayPalTransactions
from actors.gateways.settings import MoyasarSettings, PayPalSettings, StripeSettings
from actors.gateways.stripe_reports import StripeReports
from actors.jobs import BY_ITSELF, reconcile_all
from actors.ledger import LedgerKeeper
from actors.reconciling import Reconciling, Settlements
from api.books_settings import BooksSettings
from api.commands.fetching import feed_findings, fetch
from api.settings import Settings
from engine.kernel.ids import PaymentId
from engine.kernel.pages import Wanted
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.money.accounts import AccountKind, account
from engine.money.feeds import SettlementFeed, is_overdue
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payments.conversion import Mark, Rate
from engine.payments.gateways import GatewayName
from simulations.gateways import moyasar, paypal, stripe
from simulations.gateways import moyasar_settlements as served_settlements
from simulations.gateways import paypal_transactions as served_transactions
from simulations.gateways import stripe_reports as served_reports
from simulations.gateways.cards import ACCOUNTS, BY_NUMBER, Silence
from simulations.gateways.server import PaymentServer
from simulations.gateways.settlement import fee_of
from storage.database import Database
from storage.ledger import PostgresLedger
from storage.payments import PostgresPayments
from storage.settings import DatabaseSettings
from storage.settlements import PostgresSettlements
from storage.store import StoreUnavailable
from tests.actors.bank import HandClock
from tests.builders import NOON, new_id
from tests.storage.test_payments_contract import begun, saved

VISA: Final = BY_NUMBER["4111111111111111"]
RATE: Final = Rate(37_500)
FEE: Final = fee_of(VISA.network, 10_000)
ALL: Final = ("moyasar", "stripe", "paypal")


class DyingStore(PostgresSettlements):
    """Fails as often as it is told to keep one of these."""

    runs_lost = feeds_lost = 0

    async def save_run(self, *kept: Any) -> bool:
        if self.runs_lost:
            self.runs_lost -= 1
            raise StoreUnavailable("away")
        return await super().save_run(*kept)

    async def save_feed(self, feed: SettlementFeed) -> bool:
        if self.feeds_lost:
            self.feeds_lost -= 1
            raise StoreUnavailable("away")
        return await super().save_feed(feed)


class Shop:
    """Three gateways at work, and who asks them."""

    def __init__(self, server: PaymentServer, database: Database) -> None:
        self.server, self.clock = server, HandClock()
        self.moyasar = moyasar.MoyasarProtocol(server, wall=self.clock)
        self.stripe = stripe.StripeProtocol(server, wall=self.clock)
        self.paypal = paypal.PayPalProtocol(server, wall=self.clock)
        self.settled = served_settlements.MoyasarSettlements(server, self.moyasar)
        self.reports = served_reports.StripeReports(server, self.stripe)
        self.transactions = served_transactions.PayPalTransactions(server, self.paypal)
        self.books, self.store = PostgresLedger(database), DyingStore(database)
        self.payments = PostgresPayments(database)
        self.keeper = LedgerKeeper(self.books, wall=self.clock)
        self.settlements = Settlements(
            Reconciling(self.keeper, self.books, wall=self.clock),
            self.store,
            self.payments,
            wall=self.clock,
            limit_halalas=0,
        )
        self.sources: dict[str, Any] = {
            "moyasar": MoyasarSettlements(
                MoyasarSettings(url=server.url, secret_key=SecretStr(moyasar.SECRET_KEY)),
                timeout_s=5,
                wall=self.clock,
            ),
            "stripe": StripeReports(
                StripeSettings(
                    url=server.url,
                    files_url=server.url,
                    secret_key=SecretStr(stripe.SECRET_KEY),
                ),
                timeout_s=5,
                wall=self.clock,
            ),
            "paypal": PayPalTransactions(
                PayPalSettings(
                    url=server.url,
                    client_id=paypal.CLIENT_ID,
                    secret_key=SecretStr(paypal.SECRET),
                ),
                timeout_s=5,
                wall=self.clock,
            ),
        }

    def fetching(self, *gateways: str, timeout_s: float = 60) -> SettlementFetching:
        return SettlementFetching(
            [self.sources[one] for one in gateways or ALL],
            self.settlements,
            self.store,
            wall=self.clock,
            first_days=2,
            timeout_s=timeout_s,
        )

    async def fetch(self, *gateways: str, **more: Any) -> list[Fetched]:
        return await self.fetching(*gateways).fetch_all(by=BY_ITSELF, **more)

    async def one(self, gateway: str, **more: Any) -> Fetched:
        (found,) = await self.fetch(gateway, **more)
        return found

    async def feed(self, gateway: str) -> SettlementFeed:
        return {one.gateway: one for one in await self.store.list_feeds()}[gateway]

    async def balance(self, kind: AccountKind, owner: str = "") -> int:
        return (await self.books.find_balance(account(kind, owner))).posted

    async def enter(self, gateway: str, order_id: str, halalas: int) -> None:
        name = account(AccountKind.GATEWAY, gateway)
        transfer = Transfer(
            id=TransferId(new_id()),
            reason=TransferReason.CAPTURE if halalas > 0 else TransferReason.REFUND,
            legs=move({name: -halalas, account(AccountKind.REVENUE): halalas}),
            effective_at=self.clock.at,
            about=f"order:{order_id}",
        )
        await self.keeper.enter(transfer)

    async def paid_by_card(self, halalas: int = 10_000, *, metadata: bool = True) -> str:
        """At Moyasar; the payment's id."""
        payment = await saved(self.payments, begun())
        order_id = payment.for_order_id
        charge = self.moyasar.till.charge(
            payment.id, amount=halalas, currency="SAR", card=VISA, is_held=False
        )
        charge.more["metadata"] = {"order_id": order_id} if metadata else None
        await self.enter("moyasar", order_id, halalas)
        return payment.id

    async def refunded(self, payment_id: str, halalas: int) -> None:
        self.moyasar.till.refund(self.moyasar.till.charges[payment_id], halalas)
        payment = await self.payments.find(PaymentId(payment_id))
        assert payment is not None
        await self.enter("moyasar", payment.for_order_id, -halalas)

    async def paid_at_stripe(self, halalas: int = 10_000) -> None:
        order_id = new_id()
        wish = {"amount": halalas, "currency": "sar", "capture_method": "automatic"}
        token, _ = self.stripe.till.tokenise(VISA.number)
        headers = {"authorization": f"Bearer {stripe.SECRET_KEY}"}
        client = httpx2.AsyncClient(base_url=self.server.url, trust_env=False, headers=headers)
        async with client:
            form = {**wish, "metadata[order_id]": order_id}
            made = (await client.post("/v1/payment_intents", data=form)).json()
            said = {"payment_method": token, "return_url": "http://x.example"}
            await client.post(f"/v1/payment_intents/{made['id']}/confirm", data=said)
        await self.enter("stripe", order_id, halalas)

    async def paid_by_paypal(self, halalas: int = 10_000) -> None:
        payment = await saved(self.payments, begun(gateway=GatewayName.PAYPAL))
        mark = Mark(payment_id=payment.id, operation_id=new_id(), halalas=halalas, rate=RATE)
        name = f"5O{len(self.paypal.orders):015d}T"
        unit = {"custom_id": mark.text()}
        self.paypal.orders[name] = paypal.Order(id=name, intent="CAPTURE", unit=unit)
        cents, buyer = RATE.cents(halalas), BY_NUMBER[ACCOUNTS[0].number]
        self.paypal.till.charge(name, amount=cents, currency="USD", card=buyer, is_held=False)
        await self.enter("paypal", payment.for_order_id, halalas)


@pytest.fixture
async def shop(database_settings: DatabaseSettings) -> AsyncIterator[Shop]:
    database = await Database.open(database_settings)
    async with PaymentServer().running() as server:
        made = Shop(server, database)
        yield made
        for one in made.sources.values():
            await one.__aexit__(None, None, None)
    assert (await made.keeper.audit()).faults == []
    await database.close()


async def test_what_gateways_settled_is_fetched_and_reconciled_once(shop: Shop) -> None:
    card = await shop.paid_by_card()
    await shop.refunded(card, 2_500)
    shop.settled.close()
    await shop.paid_at_stripe()
    await shop.paid_by_paypal()
    shop.clock.at += 2 * DAY_MS
    found = await shop.fetch()
    assert [one.why for one in found] == ["", "", ""]
    assert [(one.files, one.matches, one.breaks) for one in found] == [
        # The payment, its refund, and the charge of the transfer.
        (1, 3, 0),
        (1, 1, 0),
        (1, 1, 0),
    ]
    for gateway in ALL:
        assert await shop.balance(AccountKind.GATEWAY, gateway) == 0
    before = [await shop.balance(kind) for kind in AccountKind]
    shop.clock.at += HOUR_MS
    again = await shop.fetch()
    assert [(one.files, one.known, one.why) for one in again] == [
        (0, 1, ""),
        (0, 0, ""),
        (0, 0, ""),
    ]
    assert [await shop.balance(kind) for kind in AccountKind] == before
    runs = (await shop.store.list_runs(Wanted(limit=10))).rows
    assert len(runs) == 3


async def test_fees_and_the_transfer_are_ours_to_the_halala(shop: Shop) -> None:
    await shop.paid_by_card()
    name = shop.settled.close()
    found = await shop.one("moyasar")
    settled = shop.settled.settled[name]
    assert found.settled_halalas == settled["amount"] - settled["fee"]
    assert await shop.balance(AccountKind.BANK) == -found.settled_halalas
    vat = -await shop.balance(AccountKind.INPUT_VAT)
    kept = -await shop.balance(AccountKind.GATEWAY_FEES)
    assert kept + vat + found.settled_halalas == 10_000
    assert (kept, vat) == (FEE + 40, 53 + 6)


async def test_a_run_that_was_not_kept_is_made_again(shop: Shop) -> None:
    await shop.paid_at_stripe()
    shop.clock.at += DAY_MS
    shop.store.runs_lost = 1
    with pytest.raises(StoreUnavailable):
        await shop.fetch("stripe")
    day = NOON - NOON % DAY_MS
    assert (await shop.feed("stripe")).fetched_until <= day
    found = await shop.one("stripe")
    assert (found.files, found.matches, found.why) == (1, 1, "")
    assert (await shop.feed("stripe")).fetched_until == day + DAY_MS
    assert len((await shop.store.list_runs(Wanted(limit=10))).rows) == 1


async def test_who_dies_before_the_feed_moves_finds_the_run_there(shop: Shop) -> None:
    await shop.paid_by_card()
    shop.settled.close()
    shop.store.feeds_lost = 1
    with pytest.raises(StoreUnavailable):
        await shop.fetch("moyasar")
    before = await shop.balance(AccountKind.BANK)
    assert before < 0
    found = await shop.one("moyasar")
    assert (found.files, found.known) == (0, 1)
    assert await shop.balance(AccountKind.BANK) == before


async def test_many_at_once_reconcile_it_once(shop: Shop) -> None:
    await shop.paid_by_card()
    shop.settled.close()
    await asyncio.gather(*(shop.fetch("moyasar") for _ in range(5)))
    assert len((await shop.store.list_runs(Wanted(limit=10))).rows) == 1
    assert await shop.balance(AccountKind.GATEWAY, "moyasar") == 0
    assert (await shop.one("moyasar")).why == ""


async def test_faults_and_silence_are_asked_through(shop: Shop) -> None:
    await shop.paid_by_card()
    shop.settled.close()
    await shop.paid_at_stripe()
    await shop.paid_by_paypal()
    shop.clock.at += 2 * DAY_MS
    for path in ("/v1/settlements", "/lines", "report_runs", "/contents", "reporting/transac"):
        shop.server.fail(path, 503, 429)
        shop.server.fall_silent(path, Silence.AFTER)
    found = await shop.fetch()
    assert [(one.files, one.breaks, one.why) for one in found] == [(1, 0, "")] * 3


async def test_one_that_fails_stops_no_other_and_is_told_until_it_answers(shop: Shop) -> None:
    await shop.paid_by_card()
    shop.settled.close()
    await shop.paid_by_paypal()
    shop.clock.at += 2 * DAY_MS
    shop.server.fail("/v1/settlements", *[500] * 4)
    shop.server.fail("report_types", 403)
    with pytest.raises(NotAllFetched, match=r"moyasar: status 500; stripe: status 403"):
        await fetch_settlements(shop.fetching(), BY_ITSELF)
    feeds = {one.gateway: one for one in await shop.store.list_feeds()}
    assert {one.gateway: one.tries for one in feeds.values()} == {
        "moyasar": 1,
        "stripe": 1,
        "paypal": 0,
    }
    assert is_overdue(feeds["moyasar"], now=shop.clock.at)
    assert not is_overdue(feeds["paypal"], now=shop.clock.at)
    told = await fetch_settlements(shop.fetching(), BY_ITSELF)
    assert told.startswith("1 fetched, 2 matches, 0 breaks")
    feed = await shop.feed("moyasar")
    assert (feed.failed_at, feed.tries, feed.why) == (None, 0, "")


async def test_the_job_does_the_folder_whatever_a_gateway_answers(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "1.csv"
    file.write_text("payment_id,type,currency,amount,fee,vat,order_id\n")
    shop.server.fail("/v1/settlements", 403)
    job = partial(reconcile_all, shop.settlements, tmp_path, shop.fetching("moyasar"), shop.clock)
    with pytest.raises(NotAllFetched, match="moyasar: status 403"):
        await job()
    assert [one.name for one in tmp_path.iterdir()] == ["1.csv.done"]
    told = "0 files, 0 matches, 0 breaks, 0 halalas settled"
    assert await job() == f"{told}; 0 fetched, 0 matches, 0 breaks, 0 halalas settled"


async def test_pages_duplicates_and_late_settlements(shop: Shop) -> None:
    shop.settled.page, shop.settled.repeats = 2, True
    names = []
    for _ in range(5):
        for _ in range(3):
            await shop.paid_by_card()
        names.append(shop.settled.close())
        shop.clock.at += HOUR_MS
    shop.settled.hidden.add(names[1])
    assert (await shop.one("moyasar")).files == 4
    shop.settled.hidden.clear()
    found = await shop.one("moyasar")
    assert (found.files, found.known, found.breaks) == (1, 4, 0)
    assert await shop.balance(AccountKind.GATEWAY, "moyasar") == 0


async def test_a_payment_without_metadata_is_found_by_its_name(shop: Shop) -> None:
    await shop.paid_by_card(metadata=False)
    shop.settled.close()
    assert (await shop.one("moyasar")).breaks == 0


async def test_reports_that_are_slow_fail_or_come_late(shop: Shop) -> None:
    await shop.paid_at_stripe()
    shop.reports.late_ms = DAY_MS
    shop.clock.at += DAY_MS
    assert (await shop.one("stripe")).files == 0
    assert (await shop.feed("stripe")).fetched_until == NOON - NOON % DAY_MS
    shop.reports.late_ms, shop.reports.failing = 0, 1
    assert "failed: try again" in (await shop.one("stripe")).why
    shop.reports.looks = 50
    assert "not made yet" in (await shop.one("stripe")).why
    assert (await shop.feed("stripe")).tries == 2
    shop.reports.looks = 4
    assert (await shop.one("stripe")).matches == 1


async def test_a_search_waits_until_it_is_complete_and_is_made_in_halves(shop: Shop) -> None:
    for _ in range(4):
        await shop.paid_by_paypal()
        shop.clock.at += HOUR_MS
    shop.clock.at = NOON + DAY_MS
    shop.transactions.late_ms = DAY_MS
    found = await shop.one("paypal")
    assert (found.files, found.why) == (0, "")
    shop.transactions.late_ms, shop.transactions.most = 0, 1
    found = await shop.one("paypal")
    assert (found.files, found.matches, found.breaks) == (1, 4, 0)


async def test_pages_of_a_search(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.gateways.paypal_transactions._PAGE", 2)
    for _ in range(5):
        await shop.paid_by_paypal()
    shop.transactions.repeats = True
    shop.clock.at += DAY_MS
    found = await shop.one("paypal")
    assert (found.matches, found.breaks, found.why) == (5, 0, "")


async def test_a_dry_run_keeps_nothing_and_a_later_start_leaves_no_gap(shop: Shop) -> None:
    await shop.paid_at_stripe()
    day = NOON - NOON % DAY_MS
    shop.clock.at += 3 * DAY_MS
    dry = await shop.one("stripe", since=day, is_dry=True)
    assert (dry.files, dry.matches) == (1, 1)
    assert await shop.balance(AccountKind.BANK) == 0
    assert await shop.store.list_feeds() == ()
    await shop.one("stripe", since=day - DAY_MS)
    feed = await shop.feed("stripe")
    assert feed.fetched_until == day + 3 * DAY_MS
    shop.clock.at += 3 * DAY_MS
    await shop.one("stripe", since=day + 5 * DAY_MS)
    assert await shop.feed("stripe") == feed
    await shop.one("stripe", since=day + 5 * DAY_MS, leaves_gap=True)
    assert (await shop.feed("stripe")).fetched_until == day + 6 * DAY_MS


async def test_what_cannot_be_read_holds_the_feed(shop: Shop) -> None:
    payment_id = await shop.paid_by_card()
    shop.moyasar.till.charges[payment_id].currency = "USD"
    shop.settled.close()
    found = await shop.one("moyasar")
    assert "the currency is not SAR" in found.why
    feed = await shop.feed("moyasar")
    assert (feed.fetched_until, feed.why) == (NOON - 2 * DAY_MS, found.why)


async def test_what_takes_too_long_is_told_and_goes_on_where_it_was(shop: Shop) -> None:
    await shop.paid_by_card()
    shop.settled.close()
    (told,) = await shop.fetching("moyasar", timeout_s=0.000_1).fetch_all(by=BY_ITSELF)
    assert told.why == "not all of it within 0.0001 seconds"
    assert (await shop.one("moyasar")).files == 1


async def test_the_command_and_what_the_doctor_says(
    shop: Shop, database_settings: DatabaseSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await shop.paid_by_card()
    shop.settled.close()
    settings = Settings(
        moyasar=MoyasarSettings(url=shop.server.url, secret_key=SecretStr(moyasar.SECRET_KEY)),
        books=BooksSettings(fetch_settlements=frozenset({GatewayName.MOYASAR})),
    )
    since = NOON - DAY_MS
    assert await asyncio.to_thread(fetch, settings, database_settings, since=since, is_dry=True)
    assert "dry run" in capsys.readouterr().out
    (before,) = await asyncio.to_thread(feed_findings, settings, database_settings)
    assert before.state == "note"
    assert await asyncio.to_thread(fetch, settings, database_settings, since=since)
    assert await shop.balance(AccountKind.GATEWAY, "moyasar") == 0
    (found,) = await asyncio.to_thread(feed_findings, settings, database_settings)
    assert (found.state, found.text) == ("good", "fetched 0 hours ago")
    shop.server.fail("/v1/settlements", 401)
    assert not await asyncio.to_thread(fetch, settings, database_settings)
    assert "status 401" in capsys.readouterr().out
    (found,) = await asyncio.to_thread(feed_findings, settings, database_settings)
    assert found.state == "problem"
    with pytest.raises(typer.Exit):
        fetch(Settings(), database_settings)


@pytest.mark.parametrize("gateway", ["stripe", "cash"])
def test_who_has_no_account_is_not_asked(gateway: str) -> None:
    with pytest.raises(ValidationError, match=f"fetch_settlements names {gateway}"):
        Settings(books=BooksSettings(fetch_settlements=frozenset({GatewayName(gateway)})))
