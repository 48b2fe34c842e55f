"""Whatever moves money is asked for a hundred times at once, with one key, and happens once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from actors.gateways.moyasar_payouts import MoyasarPayouts
from actors.gateways.settings import PayoutSettings
from engine.money.accounts import AccountId
from simulations.gateways.moyasar import WEBHOOK_SECRET
from simulations.gateways.till import Charge, ChargeStatus
from tests.actors.bank import a_bank
from tests.actors.test_payouts import settings
from tests.api.test_cash import take_cash
from tests.api.test_cash import wish as wish_for_cash
from tests.api.test_dues import FAR, came_back, card, until
from tests.api.test_gift_links import DOOR
from tests.api.test_groups import a_group
from tests.api.test_invoices import invoices_of
from tests.api.test_paid_gift_links import a_paid_link, made, source
from tests.api.test_payments import MADA, VISA, Shop, a_shop
from tests.api.test_payouts import ACCOUNT, PAYOUTS, rich
from tests.api.test_refunds import deliver
from tests.api.test_wallet import enter
from tests.api.town import SECOND_OPERATOR, Person, order_body
from tests.builders import new_id

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


async def a_capture(shop: Shop, sara: Person) -> Wish:
    order_id = (await shop.pay(sara, VISA))["order_id"]
    courier, phone = await shop.town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    await phone.tell("progress", order_id=order_id, step="reached_shop")
    body = {"order_id": order_id, "step": "picked_up"}
    return Wish(courier, "/v1/courier/progress", body, moves={"charge": 1, "capture": 1})


async def a_change_payment(shop: Shop, sara: Person) -> Wish:
    path = f"/v1/orders/{(await shop.pay(sara, VISA))['order_id']}"
    preview = (await sara.post(f"{path}/change-quotes", {"door": FAR})).json()
    change = {"quote_id": preview["quote_id"], "door": FAR, "charge_halalas_max": 0}
    body = {**change, **await card(shop, sara, VISA)}
    return Wish(sara, f"{path}/change-payments", body, moves={"charge": 2})


async def owed(shop: Shop, sara: Person) -> str:
    """An order that came back for more than was paid."""
    order_id = str((await shop.pay(sara, MADA))["order_id"])
    await came_back(shop, sara, order_id)
    return order_id


async def a_due_payment(shop: Shop, sara: Person) -> Wish:
    path = f"/v1/orders/{await owed(shop, sara)}/due/payments"
    return Wish(sara, path, await card(shop, sara, VISA), moves={"charge": 2, "capture": 2})


async def a_lapse(shop: Shop, sara: Person) -> tuple[str, Charge]:
    """A gift that was brought although the bank had let go of its money; and that."""
    order_id = str((await shop.pay(sara, VISA))["order_id"])
    (charge,) = shop.protocol.till.charges.values()
    shop.protocol.till.void(charge)
    await deliver(shop, sara, order_id)
    await until(shop, sara, f"/v1/orders/{order_id}/due", owed_halalas=charge.amount)
    return order_id, charge


async def a_payment_after_a_lapse(shop: Shop, sara: Person) -> Wish:
    order_id, _ = await a_lapse(shop, sara)
    path = f"/v1/orders/{order_id}/due/payments"
    moves = {"charge": 2, "capture": 1, "void": 1}
    body = await card(shop, sara, MADA)
    return Wish(sara, path, body, {f"receivable:{order_id}": 0, f"order:{order_id}": 0}, moves)


async def a_late_capture(shop: Shop, sara: Person) -> Wish:
    """The gateway's word that it has taken what it had let go of."""
    order_id, charge = await a_lapse(shop, sara)
    charge.status = ChargeStatus.AUTHORISED
    shop.protocol.till.capture(charge, None)
    word = {"id": new_id(), "secret_token": WEBHOOK_SECRET, "data": {"id": charge.id}}
    owed = {f"receivable:{order_id}": -charge.amount, f"order:{order_id}": 0}
    moves = {"capture": 1, "void": 1, "refund": 1}
    return Wish(sara, "/v1/webhooks/moyasar", word, {**owed, "gateway:moyasar": 0}, moves)


async def a_payment_by_credit_and_wallet(shop: Shop, sara: Person) -> Wish:
    order = order_body(await sara.quote())
    quoted = await shop.town.parts.store.find_quote(order["quote_id"])
    assert quoted is not None
    credit, wallet = f"gift_credit:{sara.user_id}", f"customer_wallet:{sara.user_id}"
    await enter(shop.town, AccountId(credit), 300)
    await enter(shop.town, AccountId(wallet), quoted.total_halalas)
    body = {"order": order, "network": "wallet", "source": {"kind": "wallet"}}
    return Wish(sara, "/v1/payments", body, {credit: 0, wallet: 300})


async def an_answer(shop: Shop, sara: Person) -> Wish:
    """Of who holds a gift link that is paid for; what the door costs is taken at once."""
    link, _ = await a_paid_link(shop, sara, VISA)
    return Wish(sara, link["path"], DOOR, moves={"charge": 1, "capture": 1})


async def cash_at_the_door(shop: Shop, sara: Person) -> Wish:
    """A courier reports that he has handed over a gift and what he took for it."""
    await take_cash(shop.town, await shop.town.operator(), cash_order_halalas_max=50_000)
    paid = (await sara.post("/v1/payments", await wish_for_cash(sara))).json()
    order_id, due = paid["order_id"], paid["amount_halalas"]
    courier, phone = await shop.town.courier()
    offer = await phone.offer(courier)
    await phone.tell("accept", offer_id=offer["offer_id"])
    for step in ("reached_shop", "picked_up", "reached_door"):
        await phone.tell("progress", order_id=order_id, step=step)
    pin = (await sara.get(f"/v1/orders/{order_id}")).json()["pin"]
    body = {"order_id": order_id, "step": "delivered", "pin": pin}
    handed = {**body, "handover": {"cash_halalas": due}}
    held = {f"courier_cash:{courier.user_id}": -due, f"order:{order_id}": 0}
    return Wish(courier, "/v1/courier/progress", handed, held)


async def a_deposit(shop: Shop, sara: Person) -> Wish:
    taken = await cash_at_the_door(shop, sara)
    told = await taken.person.post(taken.path, taken.body)
    assert told.status_code == 200, told.text
    courier_id, due = taken.person.user_id, taken.body["handover"]["cash_halalas"]
    path, body = f"/v1/couriers/{courier_id}/cash", {"halalas": due - 100, "receipt": "RUH/417"}
    await until(shop, taken.person, path, entered_halalas=due)
    left = {f"courier_cash:{courier_id}": -100, "bank": 100 - due}
    return Wish(await shop.town.operator(), f"{path}/deposits", body, left)


async def a_write_off(shop: Shop, sara: Person) -> Wish:
    order_id = await owed(shop, sara)
    body = {"kind": "uncollectable", "reason": "gone abroad"}
    due = (await sara.get(f"/v1/orders/{order_id}/due")).json()["owed_halalas"]
    balances = {f"receivable:{order_id}": 0, "bad_debt": -due}
    path = f"/v1/orders/{order_id}/due/write-off"
    return Wish(await shop.town.operator(), path, body, balances, {"capture": 1})


async def an_approval(shop: Shop, sara: Person) -> Wish:
    path = f"/v1/payments/{(await delivered(shop, sara))['payment_id']}/refunds"
    body = {"amount_halalas": 1500, "reason": "goods", "note": "withered"}
    asked = await (await shop.town.operator()).post(path, body)
    (refund,) = asked.json()["refunds"]
    assert refund["status"] == "waits_for_approval"
    other = await shop.town.log_in("operator", SECOND_OPERATOR)
    judged = f"{path}/{refund['refund_id']}/decision"
    return Wish(other, judged, {"approved": True}, moves={"capture": 1, "refund": 1})


async def a_dispute(shop: Shop, sara: Person) -> Wish:
    courier, order_id = await rich(shop.town, 5_000), (await shop.pay(sara, VISA))["order_id"]
    body = {"courier_id": courier.user_id, "order_id": order_id, "halalas": 3_000, "reason": "x"}
    left = {f"courier_hold:{courier.user_id}": 3_000, f"courier_wallet:{courier.user_id}": 2_000}
    return Wish(await shop.town.operator(), "/v1/disputes", body, left, {"charge": 1})


async def the_end_of_a_dispute(shop: Shop, sara: Person) -> Wish:
    wish = await a_dispute(shop, sara)
    opened = await wish.person.post(wish.path, wish.body)
    path = f"/v1/disputes/{opened.json()['dispute_id']}/close"
    body = {"outcome": "upheld", "reason": "seen"}
    held, wallet = wish.balances
    left = {held: 0, wallet: 2_000, "goodwill": 3_000}
    return Wish(wish.person, path, body, left, wish.moves)


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
    async with a_shop(tmp_path, refund_limit_halalas=1000) as running:
        yield running


@pytest.mark.parametrize(
    "prepare",
    [
        a_payment,
        a_group_payment,
        a_gift_link_payment,
        a_void,
        a_capture,
        a_change_payment,
        a_due_payment,
        a_payment_after_a_lapse,
        a_late_capture,
        a_payment_by_credit_and_wallet,
        an_answer,
        cash_at_the_door,
        a_deposit,
        a_write_off,
        an_approval,
        a_dispute,
        the_end_of_a_dispute,
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
    await ask_a_hundred_times(shop, await prepare(shop, sara))


async def test_so_are_a_hundred_payouts(tmp_path: Path) -> None:
    async with (
        a_bank() as (bank, url),
        MoyasarPayouts(settings(url).model_copy(update={"timeout_s": 20})) as gateway,
        a_shop(tmp_path, payout_gateway=gateway) as shop,
    ):
        courier = await rich(shop.town, 50_000)
        kept = await courier.put("/v1/wallet/bank-account", ACCOUNT)
        assert kept.status_code == 200, kept.text
        wallet = {
            f"courier_wallet:{courier.user_id}": 30_000 - PayoutSettings().instant_fee_halalas
        }
        await ask_a_hundred_times(shop, Wish(courier, PAYOUTS, {"halalas": 20_000}, wallet))
        assert len(bank.asked) == 1


async def test_so_is_a_note(shop: Shop) -> None:
    sara = await shop.town.log_in("customer")
    order_id = (await delivered(shop, sara))["order_id"]
    (invoice,) = await invoices_of(sara, order_id, count=1)
    note = {
        "kind": "debit_note",
        "lines": [{"name": "Ribbon", "unit_halalas": 500}],
        "reason": "asked for at the door",
    }
    path = f"/v1/invoices/{invoice['invoice_id']}/notes"
    moves = {"charge": 1, "capture": 1}
    await ask_a_hundred_times(shop, Wish(await shop.town.operator(), path, note, moves=moves))
    numbers = [one["number"] for one in await invoices_of(sara, order_id, count=2)]
    assert numbers == ["HDY-00000001", "HDY-00000002"]


async def ask_a_hundred_times(shop: Shop, wish: Wish) -> None:
    """At once with one key, and once more when it has happened."""
    key = shop.town.key()
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
        name: (await shop.town.parts.ledger.find_balance(AccountId(name))).available
        for name in wish.balances
    }
    return found == wish.balances and all(moves[verb] == n for verb, n in wish.moves.items())
