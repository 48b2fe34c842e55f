"""Before what would help a thief most, one proves once more who one is."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
from msgspec.structs import replace

from engine.identity.ids import SessionId
from engine.kernel.timing import HOUR_MS
from tests.api.test_payouts import IBAN
from tests.api.test_staff import Member, code_of, enrolled
from tests.api.town import Person, Town
from tests.builders import new_id

Ask = Callable[[Person], Awaitable[httpx2.Response]]


async def aged(person: Person) -> None:
    """As if he had logged in an hour ago."""
    store = person.town.parts.sessions
    session = await store.find_session(SessionId(person.session_id))
    assert session is not None
    before = replace(
        session,
        version=session.version + 1,
        began_at=session.began_at - HOUR_MS,
        stepped_up_at=0,
    )
    assert await store.save_session(before)


async def put_bank_account(courier: Person) -> httpx2.Response:
    wish = {"iban": IBAN, "holder_name": "Saad", "city": "Riyadh"}
    return await courier.put("/v1/wallet/bank-account", wish)


async def change_email(person: Person) -> httpx2.Response:
    seen = (await person.get("/v1/profile")).json()
    wish = {"email": f"{person.town.key()}@example.com"}
    headers = {**person.headers, "If-Match": str(seen["version"])}
    return await person.town.client.patch("/v1/profile", json=wish, headers=headers)


async def ask_erasure(person: Person) -> httpx2.Response:
    return await person.post("/v1/privacy/erasure")


async def invite(admin: Person) -> httpx2.Response:
    wish = {"email": f"{admin.town.key()}@example.com", "role": "admin"}
    return await admin.post("/v1/staff/invitations", wish)


async def judge(admin: Person) -> httpx2.Response:
    wish = {"role": "operator", "status": "suspended", "reason": "left us"}
    return await admin.put(f"/v1/staff/{new_id()}/status", wish)


async def limit(admin: Person) -> httpx2.Response:
    return await admin.put(f"/v1/operators/{new_id()}/zones", {"zones": None})


async def erase_another(admin: Person) -> httpx2.Response:
    wish = {"kind": "erasure", "user_id": new_id(), "reason": "wrote a letter"}
    return await admin.post("/v1/privacy-requests", wish)


async def proven_by_phone(person: Person) -> httpx2.Response:
    sent = await person.post("/v1/auth/step-up/code")
    assert sent.status_code == 202, sent.text
    code = person.town.code(person.phone)
    return await person.post("/v1/auth/step-up", {"code": code})


@pytest.mark.parametrize("ask", [put_bank_account, change_email, ask_erasure])
async def test_a_code_to_the_phone_opens_what_is_sensitive_for_a_while(
    town: Town, ask: Ask
) -> None:
    courier = await town.log_in("courier")
    if ask is change_email:
        assert (await ask(courier)).status_code == 200
    await aged(courier)
    refused = await ask(courier)
    assert (refused.status_code, code_of(refused)) == (403, "step_up_needed")
    assert (refused.json()["by"], refused.json()["max_age_s"]) == ("sms", 300)
    told = await proven_by_phone(courier)
    assert told.status_code == 200, told.text
    assert told.json()["fresh_until"] > town.parts.wall.now()
    assert (await ask(courier)).status_code < 300
    await aged(courier)
    assert code_of(await ask(courier)) == "step_up_needed"


@pytest.mark.parametrize("ask", [invite, judge, limit, erase_another])
async def test_an_admin_proves_by_his_authenticator_before_he_changes_others(
    town: Town, ask: Ask
) -> None:
    admin = await enrolled(town, "admin")
    await aged(admin.person)
    refused = await ask(admin.person)
    assert (refused.status_code, code_of(refused)) == (403, "step_up_needed")
    assert refused.json()["by"] == "authenticator"
    code = admin.code()
    told = await admin.person.post("/v1/auth/step-up", {"code": code})
    assert told.status_code == 200, told.text
    # What is asked for is not there, but it is looked for.
    assert (await ask(admin.person)).status_code in {201, 404}
    again = await admin.person.post("/v1/auth/step-up", {"code": code})
    assert (again.status_code, code_of(again)) == (403, "wrong_proof")


async def test_what_is_not_sensitive_asks_for_no_proof(town: Town) -> None:
    person = await town.log_in("customer")
    await aged(person)
    seen = (await person.get("/v1/profile")).json()
    headers = {**person.headers, "If-Match": str(seen["version"])}
    # A first e-mail replaces nobody's.
    wish = {"name_en": "Huda", "email": "huda@example.com"}
    told = await town.client.patch("/v1/profile", json=wish, headers=headers)
    assert told.status_code == 200, told.text


async def test_a_proof_is_of_one_session_and_codes_cannot_be_guessed(town: Town) -> None:
    first = await town.log_in("customer")
    await first.post("/v1/auth/step-up/code")
    right = town.code(first.phone)
    wrong = "000000" if right != "000000" else "000001"
    answers = [await first.post("/v1/auth/step-up", {"code": wrong}) for _ in range(5)]
    assert {code_of(one) for one in answers} == {"wrong_code"}
    burnt = await first.post("/v1/auth/step-up", {"code": right})
    assert code_of(burnt) == "wrong_code"
    other = await town.log_in("customer", first.phone)
    await aged(first)
    assert code_of(await ask_erasure(first)) == "step_up_needed"
    assert (await ask_erasure(other)).status_code == 202


async def test_an_authenticators_codes_cannot_be_guessed_in_an_open_session(town: Town) -> None:
    member: Member = await enrolled(town)
    answers = [await member.person.post("/v1/auth/step-up", {"code": "000000"}) for _ in range(11)]
    assert [one.status_code for one in answers] == [403] * 10 + [429]
