"""Whatever moves money is asked for a hundred times at once, with one key, and happens once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.money.accounts import AccountId
from tests.api.test_groups import a_group
from tests.api.test_paid_gift_links import made, source
from tests.api.test_payments import VISA, Shop, a_shop
from tests.api.test_refunds import deliver
from tests.api.test_wallet import enter
from tests.api.town import Person

TIMES = 100
# What somebody hears who asks again while the first is still being answered, or too often.
LATER = {409, 429}


@dataclass(frozen=True)
class Wish:
    """What is asked, by whom, and what of it is money: accounts, and what they have after it."""

    person: Person
    path: str
    body: dict[str, Any]
    balances: dict[str, int] = field(default_factory=dict)
    moves: dict[str, int] = field(default_factory=dict)


async def a_payment(shop: Shop, sara: Person) -> Wish:
    return Wish(sara, "/v1/payments", await shop.wish(sara, VISA), moves={"charge": 1})


async def a_group_payment(shop: Shop, sara: Person) -> Wish:
    body = {"orders": await a_group(sara), **await source(shop, VISA)}
    return Wish(sara, "/v1/group-payments", body, moves={"charge": 1})


async def a_gift_link_payment(shop: Shop, sara: Person) -> Wish:
    path = f"/v1/gift-links/{(await made(sara))['gift_link_id']}/payments"
    return Wish(sara, path, await source(shop, VISA), moves={"charge": 1})


async def a_void(shop: Shop, sara: Person) -> Wish:
    order_id = (await shop.pay(sara, VISA))["order_id"]
    return Wish(sara, f"/v1/orders/{order_id}/cancel", {"reason": "other"}, moves={"void": 1})


async def delivered(shop: Shop, sara: Person) -> dict[str, Any]:
    paid = await shop.pay(sara, VISA)
    await deliver(shop, sara, paid["order_id"])
    return await shop.until(sara, paid["payment_id"], status="captured")


async def a_refund(shop: Shop, sara: Person) -> Wish:
    path = f"/v1/payments/{(await delivered(shop, sara))['payment_id']}/refunds"
    body = {"amount_halalas": 500, "reason": "goods", "note": "withered"}
    return Wish(await shop.town.operator(), path, body, moves={"capture": 1, "refund": 1})


async def a_refund_to_the_wallet(shop: Shop, sara: Person) -> Wish:
    wish = await a_refund(shop, sara)
    body = {**wish.body, "to": "wallet"}
    return replace(
        wish, body=body, balances={f"customer_wallet:{sara.user_id}": 500}, moves={"capture": 1}
    )


async def a_tip(shop: Shop, sara: Person) -> Wish:
    order_id = (await delivered(shop, sara))["order_id"]
    wallet = f"customer_wallet:{sara.user_id}"
    await enter(shop.town, AccountId(wallet), 5_000)
    path = f"/v1/orders/{order_id}/tip"
    return Wish(sara, path, {"halalas": 700}, {wallet: 4_300}, {"capture": 1})


async def a_credit(shop: Shop, sara: Person) -> Wish:
    path = f"/v1/customers/{sara.user_id}/gift-credit"
    body = {"halalas": 500, "reason": "late"}
    return Wish(await shop.town.operator(), path, body, {f"gift_credit:{sara.user_id}": 500})


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "prepare",
    [
        a_payment,
        a_group_payment,
        a_gift_link_payment,
        a_void,
        a_refund,
        a_refund_to_the_wallet,
        a_tip,
        a_credit,
    ],
)
async def test_a_hundred_at_once_are_one_effect(
    shop: Shop, prepare: Callable[[Shop, Person], Awaitable[Wish]]
) -> None:
    sara = await shop.town.log_in("customer")
    wish, key = await prepare(shop, sara), shop.town.key()
    asked = [wish.person.post(wish.path, wish.body, key=key) for _ in range(TIMES)]
    answers = await asyncio.gather(*asked)
    done = [one for one in answers if one.is_success]
    assert done, answers[0].text
    odd = [one.text for one in answers if not one.is_success and one.status_code not in LATER]
    assert not odd, odd
    assert not [one.text for one in answers if "idempotency_key_reused" in one.text]
    async with asyncio.timeout(60):
        while not await has_happened(shop, wish):
            await shop.town.parts.wall.sleep(50)
    again = await wish.person.post(wish.path, wish.body, key=key)
    assert again.is_success or again.status_code == 429, again.text
    assert await has_happened(shop, wish)
    assert len({one.json().get("payment_id") for one in done}) == 1


async def has_happened(shop: Shop, wish: Wish) -> bool:
    """Whether the gateway and the ledger have all that was asked for; more is a fault."""
    till = shop.protocol.till
    moves = Counter(verb for verb, _, _ in till.moves)
    moves["charge"] = len(till.charges)
    assert all(count <= wish.moves.get(verb, 1) for verb, count in moves.items()), moves
    found = {
        name: (await shop.town.parts.ledger.find_balance(AccountId(name))).posted
        for name in wish.balances
    }
    return found == wish.balances and all(moves[verb] == n for verb, n in wish.moves.items())
