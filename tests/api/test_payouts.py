"""Being paid out over REST, and what is held for a dispute."""

import asyncio
from pathlib import Path

from actors.gateways.moyasar_payouts import MoyasarPayouts
from engine.money.accounts import AccountKind, account
from tests.actors.bank import a_bank
from tests.actors.test_payouts import settings
from tests.api.test_earnings import in_wallet
from tests.api.test_wallet import enter
from tests.api.town import Person, Town, a_town
from tests.builders import new_id

IBAN = "SA03 8000 0000 6080 1016 7519"
ACCOUNT = {"iban": IBAN, "holder_name": "سالم", "city": "Riyadh"}
PAYOUTS = "/v1/wallet/payouts"


async def rich(town: Town, halalas: int = 50_000) -> Person:
    courier, _ = await town.courier()
    await enter(town, account(AccountKind.COURIER_WALLET, courier.user_id), halalas)
    return courier


async def test_a_courier_is_paid_to_his_iban(tmp_path: Path) -> None:
    async with (
        a_bank() as (bank, url),
        MoyasarPayouts(settings(url)) as gateway,
        a_town(tmp_path, payout_gateway=gateway) as town,
    ):
        courier = await rich(town)
        homeless = await courier.post(PAYOUTS, {})
        assert (homeless.status_code, homeless.json()["code"]) == (409, "no_bank_account")
        missing = await courier.get("/v1/wallet/bank-account")
        assert (missing.status_code, missing.json()["code"]) == (409, "no_bank_account")
        wrong = await courier.put("/v1/wallet/bank-account", {**ACCOUNT, "iban": IBAN[:-1] + "8"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_iban")
        kept = await courier.put("/v1/wallet/bank-account", ACCOUNT)
        assert (kept.status_code, kept.json()["iban_end"]) == (200, "7519")
        shown = (await courier.get("/v1/wallet/bank-account")).json()
        assert shown == kept.json()
        assert "6080" not in str(shown)

        poor = await courier.post(PAYOUTS, {"halalas": 60_000})
        assert (poor.status_code, poor.json()["code"]) == (409, "balance_too_low")
        little = await courier.post(PAYOUTS, {"halalas": 10})
        assert (little.status_code, little.json()["code"]) == (409, "payout_too_small")
        key = town.key()
        made = [await courier.post(PAYOUTS, {}, key=key) for _ in range(3)]
        assert {one.status_code for one in made} == {201}
        assert {one.json()["payout_id"] for one in made} == {made[0].json()["payout_id"]}
        assert made[0].json()["status"] == "sent"
        assert made[0].json()["amount_halalas"] + made[0].json()["fee_halalas"] == 50_000
        other = await courier.post(PAYOUTS, {"halalas": 2000}, key=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert await in_wallet(courier) == 0
        (sent,) = bank.kept.values()
        assert sent["destination"]["iban"] == IBAN.replace(" ", "")
        assert sent["destination"]["mobile"] == courier.phone
        listed = (await courier.get(PAYOUTS)).json()["payouts"]
        assert [one["status"] for one in listed] == ["sent", "refused"]
        assert [one["invoices"] for one in listed] == [[], []]
        bank.become("paid")
        async with asyncio.timeout(30):
            while not (paid := (await courier.get(PAYOUTS)).json()["payouts"][0])["invoices"]:
                await town.parts.wall.sleep(50)
        (invoice,) = paid["invoices"]
        assert invoice["kind"] == "invoice"
        assert "order_id" not in invoice
        assert invoice["payable_halalas"] == paid["fee_halalas"]
        pdf = await town.client.get(invoice["pdf"])
        assert (pdf.status_code, pdf.content[:4]) == (200, b"%PDF")
        (line, *_) = (await courier.get("/v1/wallet/statement")).json()["lines"]
        assert line["invoice_numbers"] == [invoice["number"]]


async def test_without_a_provider_nothing_is_paid_out(town: Town) -> None:
    courier = await rich(town)
    off = await courier.post(PAYOUTS, {})
    assert (off.status_code, off.json()["code"]) == (409, "payouts_off")
    assert "retry-after" not in off.headers


async def test_those_in_charge_hold_what_is_disputed_and_decide(town: Town) -> None:
    courier, judge = await rich(town, 5000), await town.operator()
    body = {
        "courier_id": courier.user_id,
        "order_id": await (await town.log_in("customer")).order(),
        "halalas": 3000,
        "reason": "الكعكة سقطت",
    }
    key = town.key()
    opened = [await judge.post("/v1/disputes", body, key=key) for _ in range(2)]
    assert {one.status_code for one in opened} == {201}
    assert opened[0].json() == opened[1].json()
    assert await in_wallet(courier) == 2000
    listed = (await judge.get("/v1/disputes")).json()["disputes"]
    assert [one["dispute_id"] for one in listed] == [opened[0].json()["dispute_id"]]
    close = f"/v1/disputes/{opened[0].json()['dispute_id']}/close"
    decision = {"outcome": "released", "reason": "the shop's fault"}
    closed = await (await town.admin()).post(close, decision)
    assert (closed.status_code, closed.json()["status"]) == (200, "released")
    assert await in_wallet(courier) == 5000
    again = await judge.post(close, {**decision, "outcome": "upheld"})
    assert (again.status_code, again.json()["code"]) == (409, "dispute_closed")
    for path, sent, told in (
        (f"/v1/disputes/{new_id()}/close", decision, "unknown_dispute"),
        ("/v1/disputes", {**body, "courier_id": new_id()}, "unknown_courier"),
        ("/v1/disputes", {**body, "order_id": new_id()}, "unknown_order"),
    ):
        missing = await judge.post(path, sent)
        assert (missing.status_code, missing.json()["code"]) == (404, told)
