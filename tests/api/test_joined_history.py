"""A customer's payment history: every way of paying in one line, and what he had after each."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.ids import UserId
from engine.loyalty.points import redemption
from engine.money.accounts import AccountKind, account
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payments.history import HEADINGS
from tests.api.test_exports import read
from tests.api.test_payments import MADA, Shop, a_shop
from tests.api.town import Person, order_body
from tests.builders import NOON, new_id

HISTORY = "/v1/payment-history"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


async def enter(
    shop: Shop, reason: TransferReason, amounts: dict[Any, int], about: str = ""
) -> None:
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=reason,
        legs=move(amounts),
        effective_at=NOON,
        about=about,
    )
    await shop.town.app.state.ledger.enter(transfer)


async def with_points(shop: Shop, person: Person, points: int) -> None:
    """Promised, earned, and half of them redeemed."""
    user_id = UserId(person.user_id)
    pending = account(AccountKind.POINTS_PENDING, user_id)
    active, issued = account(AccountKind.POINTS, user_id), account(AccountKind.POINTS_ISSUED)
    about = f"order:{new_id()}"
    await enter(shop, TransferReason.POINTS, {pending: points, issued: -points}, about=about)
    await enter(shop, TransferReason.POINTS, {pending: -points, active: points}, about=about)
    spent = redemption(user_id, points // 2, cause=new_id(), at=NOON)
    await shop.town.app.state.ledger.enter(spent)


async def history(person: Person, query: str = "", path: str = HISTORY) -> list[dict[str, Any]]:
    told = await person.get(f"{path}?{query}")
    assert told.status_code == 200, told.text
    return list(told.json()["entries"])


def lines(entry: dict[str, Any]) -> dict[str, tuple[int, int | None]]:
    return {one["means"]: (one["amount"], one["balance"]) for one in entry["lines"]}


async def a_life(shop: Shop, sara: Person) -> dict[str, Any]:
    """Pays by card and cancels, has points and credit, pays with the wallet; the card's payment."""
    taken = await shop.pay(sara, MADA)
    await sara.post(f"/v1/orders/{taken['order_id']}/cancel", {"reason": "other"})
    taken = await shop.until(sara, taken["payment_id"], status="refunded")
    async with asyncio.timeout(30):
        # The ledger follows by the outbox.
        while len(await history(sara)) < 2:
            await shop.town.parts.wall.sleep(20)
    await with_points(shop, sara, 400)
    wallet = account(AccountKind.CUSTOMER_WALLET, sara.user_id)
    bank = account(AccountKind.BANK)
    await enter(shop, TransferReason.TOP_UP, {wallet: 100_000, bank: -100_000})
    wish = {"order": order_body(await sara.quote()), "network": "wallet"}
    made = await sara.post("/v1/payments", {**wish, "source": {"kind": "wallet"}})
    assert made.status_code == 201, made.text
    await sara.post(f"/v1/orders/{made.json()['order_id']}/cancel", {"reason": "other"})
    return taken


async def test_every_way_of_paying_stands_in_one_line(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    taken = await a_life(shop, sara)
    found = await history(sara)
    amount = taken["amount_halalas"]
    kinds = [one["kind"] for one in reversed(found)]
    assert kinds[:6] == [
        "payment",
        "refund",
        "points_promised",
        "points_earned",
        "points_redeemed",
        "top_up",
    ]
    paid, refund, promised, earned, redeemed, topped_up = reversed(found[-6:])
    assert (lines(paid), lines(refund)) == (
        {"gateway": (-amount, None)},
        {"gateway": (amount, None)},
    )
    for one in (paid, refund):
        assert (one["payment_id"], one["order_id"]) == (taken["payment_id"], taken["order_id"])
    assert (paid["refund_id"], refund["refund_id"]) == (None, taken["refunds"][0]["refund_id"])
    assert (refund["text_en"], refund["text_ar"]) == ("Refund", "مبلغ مسترد")
    assert lines(promised) == {"points_pending": (400, 400)}
    assert lines(earned) == {"points_pending": (-400, 0), "points": (400, 400)}
    assert lines(redeemed) == {"points": (-200, 200), "gift_credit": (1_000, 1_000)}
    assert lines(topped_up) == {"wallet": (100_000, 100_000)}
    # Whatever was held of wallet and credit is free again: what stands last is what there is.
    wallet = {
        one["kind"]: one["posted"] for one in (await sara.get("/v1/wallet")).json()["accounts"]
    }
    had: dict[str, int | None] = {}
    for one in found:
        for means, (_, balance) in lines(one).items():
            had.setdefault(means, balance)
    names = {"wallet": "customer_wallet"}
    for means, balance in had.items():
        if means != "gateway":
            assert balance == wallet[names.get(means, means)], means


async def test_it_is_read_in_pages_filtered_and_written_as_a_sheet(shop: Shop) -> None:
    sara, other = await shop.town.log_in("customer"), await shop.town.log_in("customer")
    await a_life(shop, sara)
    whole = await history(sara)
    paged, cursor = list[dict[str, Any]](), ""
    while True:
        told = (await sara.get(f"{HISTORY}?limit=2{cursor}")).json()
        paged += told["entries"]
        if told["next"] is None:
            break
        cursor = f"&cursor={told['next']}"
    assert paged == whole
    before = (await sara.get(f"{HISTORY}?limit=2&cursor={told['previous']}")).json()["entries"]
    place = whole.index(told["entries"][0])
    assert before == whole[place - 2 : place]
    assert await history(sara, "sort=number") == whole[::-1]
    points = [one for one in whole if one["kind"].startswith("points")]
    names = "points_promised,points_earned,points_redeemed"
    assert await history(sara, f"kind={names}") == points
    assert await history(sara, f"kind={names}&limit=1&sort=number") == points[-1:]
    at = whole[2]["at"]
    assert await history(sara, f"at[gte]={at}") == [one for one in whole if one["at"] >= at]
    assert await history(sara, f"at[lt]={at}") == [one for one in whole if one["at"] < at]
    assert await history(other) == []
    sheet = await sara.get(f"{HISTORY}.csv")
    rows = read(sheet.text)
    assert sheet.headers["content-disposition"] == 'attachment; filename="payment-history.csv"'
    assert tuple(rows[0]) == HEADINGS
    assert len(rows) == sum(len(one["lines"]) for one in whole)
    assert {one["transfer_id"] for one in read((await sara.get(f"{HISTORY}.csv?kind=top_up")).text)}
    assert (await sara.get(f"{HISTORY}?kind=theft")).status_code == 422


async def test_those_who_keep_the_books_see_a_customers(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    await a_life(shop, sara)
    admin, operator = await shop.town.admin(), await shop.town.operator()
    path = f"/v1/customers/{sara.user_id}/payment-history"
    assert await history(admin, path=path) == await history(sara)
    assert (await admin.get(f"{path}.csv")).text == (await sara.get(f"{HISTORY}.csv")).text
    assert (await operator.get(path)).status_code == 403
    assert (await sara.get(path)).status_code == 403
    assert await history(admin, path=f"/v1/customers/{new_id()}/payment-history") == []
