"""Points and credit over REST."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.clock import Clock
from actors.ledger import LedgerKeeper
from actors.loyalty import Loyalty
from api.parts import Parts
from engine.kernel.ids import UserId
from engine.kernel.timing import DAY_MS, Instant
from engine.loyalty.points import PENDING_MS, points_of, promised_of
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from storage.memory import MemoryStore
from storage.memory_ledger import MemoryLedger
from tests.actors.bank import HandClock
from tests.api.test_invoices import PATIENCE_S, a_delivered_order, invoices_of
from tests.api.test_wallet import balances
from tests.api.town import Person, Town, a_town
from tests.builders import NOON, new_id
from tests.engine.loyalty.test_points import Book

ISSUED = account(AccountKind.POINTS_ISSUED)
REDEEM = "/v1/wallet/points/redeem"


async def test_points_are_redeemed_once_however_often_it_is_asked() -> None:
    clock, books = HandClock(), MemoryLedger()
    ledger = LedgerKeeper(books, wall=clock)
    loyalty = Loyalty(ledger, books, MemoryStore(), clock=clock)
    book = Book()
    order = book.order(100_000)
    for one in book.transfers:
        await ledger.enter(one)
    clock.at = NOON + PENDING_MS
    same = [loyalty.redeem(order.customer_id, 600, cause="same") for _ in range(100)]
    assert len({str(one) for one in await asyncio.gather(*same)}) == 1
    others = [loyalty.redeem(order.customer_id, 300, cause=str(number)) for number in range(100)]
    await asyncio.gather(*others)
    assert (await books.find_balance(points_of(order.customer_id))).posted == 100
    credit = account(AccountKind.GIFT_CREDIT, order.customer_id)
    assert (await books.find_balance(credit)).posted == 900 * 5
    clock.at += 400 * PENDING_MS
    seen: list[None] = []
    await loyalty.settle_all(lambda: seen.append(None))
    assert len(seen) == 2
    assert (await books.find_balance(points_of(order.customer_id))).posted == 0
    assert (await ledger.audit()).faults == []


async def test_an_order_promises_points_and_a_credit_note_takes_its_part_back(town: Town) -> None:
    customer = await town.log_in("customer")
    order_id = await a_delivered_order(town, customer)
    (invoice,) = await invoices_of(customer, order_id, count=1)
    total = (await customer.get(f"/v1/orders/{order_id}")).json()["total_halalas"]
    async with asyncio.timeout(PATIENCE_S):
        while (await balances(customer))["points_pending"][1] != total // 100:
            await town.parts.wall.sleep(20)
    told = (await customer.get("/v1/wallet/points")).json()
    assert (told["points"], told["pending"]) == (0, total // 100)
    assert [one["about"] for one in told["pending_lots"]] == [f"order:{order_id}"]
    note = {
        "kind": "credit_note",
        "lines": [{"name": "ورد", "unit_halalas": 10_000}],
        "reason": "ذبل",
    }
    path = f"/v1/invoices/{invoice['invoice_id']}/notes"
    assert (await (await town.operator()).post(path, note)).status_code == 201
    left = (await balances(customer))["points_pending"][1]
    assert left == (total - 10_000) // 100
    assert (
        left == (await town.parts.ledger.find_balance(promised_of(UserId(customer.user_id)))).posted
    )


async def test_points_become_credit_for_gifts(town: Town) -> None:
    customer = await town.log_in("customer")
    few = await customer.post(REDEEM, {"points": 100})
    assert (few.status_code, few.json()["code"]) == (409, "too_few_points")
    await give(town, customer.user_id, 250)
    key = town.key()
    given = [await customer.post(REDEEM, {"points": 200}, key=key) for _ in range(3)]
    assert {one.status_code for one in given} == {201}
    assert (await balances(customer))["gift_credit"] == (1000, 1000)
    other = await customer.post(REDEEM, {"points": 150}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


class Moved:
    """A clock that a test sets forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.by_ms = clock, 0

    @property
    def speed(self) -> float:
        return self._clock.speed

    def now(self) -> Instant:
        return self._clock.now() + self.by_ms

    async def sleep(self, ms: float) -> None:
        await self._clock.sleep(ms)


async def test_points_ripen_and_expire_by_the_job_and_the_oldest_go_first(tmp_path: Path) -> None:
    clocks: list[Moved] = []

    def later(parts: Parts) -> Parts:
        clocks[:] = [Moved(parts.clock), Moved(parts.wall)]
        return replace(parts, clock=clocks[0], wall=clocks[1])

    async with a_town(tmp_path, parts_of=later) as town:
        phone = town.phone()

        async def after(days: int) -> tuple[Person, dict[str, Any]]:
            for one in clocks:
                one.by_ms += days * DAY_MS
            person = await town.log_in("customer", phone)
            await town.app.state.jobs.look()
            return person, (await person.get("/v1/wallet/points")).json()

        customer, _ = await after(0)
        await give(town, customer.user_id, 150)
        customer, told = await after(100)
        await give(town, customer.user_id, 90)
        assert (await customer.post(REDEEM, {"points": 120})).status_code == 201
        customer, told = await after(1)
        assert [one["points"] for one in told["lots"]] == [30, 90]
        customer, told = await after(265)
        assert (told["points"], [one["points"] for one in told["lots"]]) == (90, [90])
        customer, told = await after(100)
        assert (told["points"], told["lots"]) == (0, [])
        history = (await customer.get("/v1/payment-history?sort=number")).json()["entries"]
        moved = [
            (one["kind"], line["amount"], line["balance"])
            for one in history
            for line in one["lines"]
            if line["means"] == "points"
        ]
        assert [one for one in moved if one[0] == "points_expired"] == [
            ("points_expired", -30, 90),
            ("points_expired", -90, 0),
        ]
        assert (await town.app.state.ledger.audit()).faults == []


async def give(town: Town, user_id: str, points: int) -> None:
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.POINTS,
        legs=move({points_of(UserId(user_id)): points, ISSUED: -points}),
        effective_at=town.parts.clock.now(),
        about="order:before",
    )
    await LedgerKeeper(town.parts.ledger, wall=town.parts.wall).enter(transfer)


async def test_those_in_charge_give_credit_and_it_is_recorded(town: Town) -> None:
    customer, giver = await town.log_in("customer"), await town.operator()
    path, body = f"/v1/customers/{customer.user_id}/gift-credit", {"halalas": 500, "reason": "تأخر"}
    key = town.key()
    given = [await giver.post(path, body, key=key) for _ in range(2)]
    assert {one.status_code for one in given} == {201}
    assert given[0].json() == given[1].json()
    assert (await balances(customer))["gift_credit"] == (500, 500)
    other = await giver.post(path, {**body, "halalas": 501}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    nobody = await giver.post(f"/v1/customers/{new_id()}/gift-credit", body)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown_profile")
