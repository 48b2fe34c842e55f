"""A transfer is taken back by hand, as of a day, once, where nothing else follows it."""

import asyncio

from engine.kernel.timing import DAY_MS
from engine.money.accounts import AccountKind, account
from tests.api.test_wallet import balances, enter
from tests.api.town import Person, Town
from tests.builders import new_id

BODY = {"reason": "أُعطي للعميل الخطأ"}


def path_of(transfer_id: str) -> str:
    return f"/v1/transfers/{transfer_id}/reversal"


async def given(town: Town, customer: Person, halalas: int = 500) -> str:
    told = await (await town.operator()).post(
        f"/v1/customers/{customer.user_id}/gift-credit", {"halalas": halalas, "reason": "late"}
    )
    assert told.status_code == 201, told.text
    return str(told.json()["transfer_id"])


async def test_credit_is_taken_back_once_as_of_its_day_and_on_record(town: Town) -> None:
    customer, admin = await town.log_in("customer"), await town.admin()
    transfer_id = await given(town, customer)
    yesterday = town.parts.wall.now() - DAY_MS
    body = {**BODY, "effective_at": yesterday}
    made = await asyncio.gather(*(admin.post(path_of(transfer_id), body) for _ in range(5)))
    assert {one.status_code for one in made} == {201}, [one.text for one in made]
    assert len({str(one.json()) for one in made}) == 1
    told = made[0].json()
    assert (told["reverses"], told["effective_at"]) == (transfer_id, yesterday)
    assert (await balances(customer))["gift_credit"] == (0, 0)
    entries = (await customer.get("/v1/payment-history")).json()["entries"]
    moved = [(one["kind"], one["lines"][0]["amount"]) for one in entries]
    assert moved == [("correction", -500), ("credit_given", 500)]
    acts = (await admin.get("/v1/audit-log")).json()["records"]
    assert "correct_books" in {one["action"] for one in acts}
    operator = await town.operator()
    refused = await operator.post(path_of(transfer_id), BODY)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_what_was_spent_or_is_followed_by_something_else_stays(town: Town) -> None:
    customer, admin = await town.log_in("customer"), await town.admin()
    transfer_id = await given(town, customer)
    await enter(town, account(AccountKind.GIFT_CREDIT, customer.user_id), -300)
    topped = await enter(town, account(AccountKind.CUSTOMER_WALLET, customer.user_id), 100)
    for odd, code, status in (
        (transfer_id, "balance_too_low", 409),
        (topped.id, "not_by_hand", 409),
        (new_id(), "unknown_transfer", 404),
    ):
        refused = await admin.post(path_of(odd), BODY)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    tomorrow = {**BODY, "effective_at": town.parts.wall.now() + DAY_MS}
    refused = await admin.post(path_of(transfer_id), tomorrow)
    assert (refused.status_code, refused.json()["code"]) == (422, "day_to_come")
    assert (await balances(customer))["gift_credit"] == (200, 200)
