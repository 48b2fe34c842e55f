"""Profiles over REST: two roles of one person, verification, and versions."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.town import ON_DUTY, Person, Town, a_town
from tests.builders import new_id


async def test_one_person_has_a_profile_for_each_role(town: Town) -> None:
    phone = town.phone()
    customer, courier = [await town.log_in(role, phone) for role in ("customer", "courier")]
    wish = {"name_en": "Noura"}
    edited = await town.client.patch(
        "/v1/profile", json=wish, headers={**customer.headers, "If-Match": '"1"'}
    )
    assert (edited.status_code, edited.headers["etag"]) == (200, '"2"')
    mine, his = [(await one.get("/v1/profile")).json() for one in (customer, courier)]
    assert mine["user_id"] == his["user_id"]
    assert (mine["name_en"], his["name_en"]) == ("Noura", "")
    assert (mine["role"], his["role"]) == ("customer", "courier")


async def test_a_profile_says_what_is_still_missing(town: Town) -> None:
    person = await town.log_in("customer")
    fresh = (await person.get("/v1/profile")).json()
    assert fresh["missing"] == ["name_ar", "name_en", "email", "birth_date"]
    told = {
        "name_ar": "  نو\u202eرة   محمد ",
        "name_en": "Noura",
        "email": "Noura@Example.com",
        "birth_date": "1990-02-28",
        "language": "en",
    }
    edited = await town.client.patch(
        "/v1/profile", json=told, headers={**person.headers, "If-Match": '"1"'}
    )
    body = edited.json()
    assert (body["missing"], body["name_ar"], body["email"]) == (
        ["email_verification"],
        "نورة محمد",
        "noura@example.com",
    )


async def test_nobodys_change_is_lost(town: Town) -> None:
    person = await town.log_in("customer")
    seen = await person.get("/v1/profile")
    same = await person.get("/v1/profile", **{"If-None-Match": seen.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    codes = []
    for match in (None, '"1"', '"1"', "x"):
        headers = {**person.headers, **({"If-Match": match} if match else {})}
        answer = await town.client.patch("/v1/profile", json={"name_en": "N"}, headers=headers)
        codes.append((answer.status_code, answer.json().get("code")))
    assert codes == [
        (428, "if_match_missing"),
        (200, None),
        (412, "stale_profile"),
        (422, "invalid_request"),
    ]
    other = await person.get("/v1/profile", **{"If-None-Match": '"1"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        {"email": "nobody"},
        {"email": "a@b"},
        {"birth_date": "2024-02-30"},
        {"birth_date": "2020-01-01"},
        {"birth_date": "1800-01-01"},
        {"status": "active"},
        {"role": "operator"},
        {"name_en": "x" * 121},
        {"language": "fr"},
    ],
)
async def test_what_cannot_be_is_refused(town: Town, wish: dict[str, str]) -> None:
    person = await town.log_in("customer")
    refused = await town.client.patch(
        "/v1/profile", json=wish, headers={**person.headers, "If-Match": '"1"'}
    )
    assert refused.status_code == 422


async def test_a_courier_works_once_he_is_verified_and_until_he_is_suspended(
    tmp_path: Path,
) -> None:
    async with a_town(tmp_path, verifies=True) as town:
        courier = await town.log_in("courier")
        operator = await town.operator()
        assert (await courier.get("/v1/profile")).json()["status"] == "pending_verification"
        socket = await courier.socket()
        assert (await socket.tell("duty", **ON_DUTY))["code"] == "not_verified"
        refused = await courier.post("/v1/courier/duty", ON_DUTY)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_verified")
        path = f"/v1/couriers/{courier.user_id}/status"
        verified = await operator.put(path, {"status": "active", "reason": "papers seen"})
        assert (verified.status_code, verified.json()["status"]) == (200, "active")
        assert (await socket.tell("duty", **ON_DUTY))["type"] == "reply"
        customer = await town.log_in("customer", courier.phone)
        await operator.put(path, {"status": "suspended", "reason": "complaint"})
        assert await socket.closed() == 4410
        assert (await courier.get("/v1/me")).json()["code"] == "session_ended"
        assert (await customer.get("/v1/me")).status_code == 200
        town_code = await town.client.post("/v1/auth/otp", json={"phone": courier.phone})
        assert town_code.status_code == 202
        wish = {"phone": courier.phone, "code": town.code(courier.phone), "role": "courier"}
        again = await town.client.post("/v1/auth/token", json=wish)
        assert (again.status_code, again.json()["code"]) == (403, "suspended")
        unknown = f"/v1/couriers/{new_id()}/status"
        missing = await operator.put(unknown, {"status": "active", "reason": "x"})
        assert (missing.status_code, missing.json()["code"]) == (404, "unknown_profile")


async def token_sent_to(town: Town, email: str) -> str:
    """What stands in the newest mail to an address, once it has left."""
    async with asyncio.timeout(60):
        while not (found := [one for one in town.mails() if one.to == email]):
            await town.parts.wall.sleep(20)
    return found[-1].text.partition("#")[2].split()[0]


async def told(person: Person, email: str) -> dict[str, Any]:
    """His profile after he has told this e-mail and asked for a link to it."""
    version = (await person.get("/v1/profile")).headers["etag"]
    edited = await person.town.client.patch(
        "/v1/profile", json={"email": email}, headers={**person.headers, "If-Match": version}
    )
    assert edited.status_code == 200, edited.text
    assert (await person.post("/v1/profile/email/verification")).status_code == 202
    body: dict[str, Any] = edited.json()
    return body


async def test_an_email_is_verified_by_the_link_in_the_mail(town: Town) -> None:
    person = await town.log_in("customer")
    none = await person.post("/v1/profile/email/verification")
    assert (none.status_code, none.json()["code"]) == (409, "no_email_to_verify")
    profile = await told(person, "noura@example.com")
    assert (profile["is_email_verified"], "email_verification" in profile["missing"]) == (
        False,
        True,
    )
    token = await token_sent_to(town, "noura@example.com")
    for _ in range(2):
        proven = await town.client.post("/v1/auth/email", json={"token": token})
        assert (proven.status_code, proven.json()["email"]) == (200, "noura@example.com")
    seen = (await person.get("/v1/profile")).json()
    assert (seen["is_email_verified"], "email_verification" in seen["missing"]) == (True, False)
    settled = await person.post("/v1/profile/email/verification")
    assert (settled.status_code, settled.json()["code"]) == (409, "no_email_to_verify")


async def test_a_link_to_an_address_that_was_left_verifies_nothing(town: Town) -> None:
    person = await town.log_in("courier")
    await told(person, "old@example.com")
    token = await token_sent_to(town, "old@example.com")
    await told(person, "new@example.com")
    late = await town.client.post("/v1/auth/email", json={"token": token})
    assert (late.status_code, late.json()["code"]) == (409, "no_email_to_verify")
    assert (await person.get("/v1/profile")).json()["is_email_verified"] is False
    for made_up in ("hl1.AAAA", f"{token[:-4]}AAAA"):
        refused = await town.client.post("/v1/auth/email", json={"token": made_up})
        assert (refused.status_code, refused.json()["code"]) == (410, "bad_link")
    reset = await town.client.post(
        "/v1/auth/password/reset", json={"token": token, "password": "a bird in the palm grove"}
    )
    assert (reset.status_code, reset.json()["code"]) == (410, "bad_link")


async def test_few_mails_are_sent_to_one_address(town: Town) -> None:
    person = await town.log_in("customer")
    await told(person, "noura@example.com")
    answers = [await person.post("/v1/profile/email/verification") for _ in range(4)]
    assert [one.status_code for one in answers][-1] == 429
    assert answers[-1].json()["code"] == "too_many_tries"
