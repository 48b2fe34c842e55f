"""Logging in over REST, and what a token is worth."""

import asyncio
import stat

import pytest

from tests.api.town import OPERATOR, Town


async def test_a_code_is_sent_and_traded_for_a_token(town: Town) -> None:
    asked = await town.client.post("/v1/auth/otp", json={"phone": "0550000123"})
    assert (asked.status_code, asked.json()) == (202, {"expires_in_s": 300, "resend_in_s": 60})
    code = town.code("+966550000123")
    wish = {"phone": "+966550000123", "code": code, "role": "customer"}
    told = await town.client.post("/v1/auth/token", json=wish)
    body = told.json()
    assert (told.status_code, body["token_type"], body["role"]) == (200, "Bearer", "customer")
    me = await town.client.get(
        "/v1/me", headers={"Authorization": f"Bearer {body['access_token']}"}
    )
    assert me.json() == {
        "user_id": body["user_id"],
        "phone": "+966550000123",
        "role": "customer",
    }


async def test_one_phone_is_one_person_in_every_role(town: Town) -> None:
    phone = town.phone()
    people = [await town.log_in(role, phone) for role in ("customer", "courier", "customer")]
    assert len({one.user_id for one in people}) == 1


async def test_known_and_unknown_phones_get_the_same_answer(town: Town) -> None:
    known = await town.log_in("customer")
    answers = [
        await town.client.post("/v1/auth/otp", json={"phone": phone})
        for phone in (known.phone, town.phone())
    ]
    assert answers[0].json() == answers[1].json()
    again = [
        await town.client.post("/v1/auth/otp", json={"phone": phone})
        for phone in (known.phone, town.phone())
    ]
    assert (again[0].status_code, again[0].json()["code"]) == (429, "code_too_soon")
    assert 0 < int(again[0].headers["retry-after"]) <= 60
    assert again[1].status_code == 202


async def test_a_wrong_code_is_refused_like_none(town: Town) -> None:
    phone = town.phone()
    await town.client.post("/v1/auth/otp", json={"phone": phone})
    right = town.code(phone)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for asked_phone, code in ((phone, wrong), (town.phone(), right), (phone, "x"), (phone, "٣")):
        wish = {"phone": asked_phone, "code": code, "role": "customer"}
        refused = await town.client.post("/v1/auth/token", json=wish)
        assert (refused.status_code, refused.json()["code"]) == (422, "wrong_code")


async def test_many_guesses_at_once_are_all_counted(town: Town) -> None:
    phone = town.phone()
    await town.client.post("/v1/auth/otp", json={"phone": phone})
    right = int(town.code(phone))

    async def guess(number: int) -> int:
        wish = {"phone": phone, "code": f"{number % 1_000_000:06d}", "role": "customer"}
        return (await town.client.post("/v1/auth/token", json=wish)).status_code

    await asyncio.gather(*(guess(right + 1 + n) for n in range(12)))
    assert await guess(right) == 422


async def test_only_phones_named_in_the_settings_are_operators(town: Town) -> None:
    assert (await (await town.log_in("operator", OPERATOR)).get("/v1/me")).status_code == 200
    phone = town.phone()
    await town.client.post("/v1/auth/otp", json={"phone": phone})
    wish = {"phone": phone, "code": town.code(phone), "role": "operator"}
    refused = await town.client.post("/v1/auth/token", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("phone", ["", "12", "0112345678", 966512345678, None, "x" * 100])
async def test_what_is_no_mobile_is_sent_nothing(town: Town, phone: object) -> None:
    before = len(town.texts())
    refused = await town.client.post("/v1/auth/otp", json={"phone": phone})
    assert refused.status_code == 422
    assert refused.json()["code"] in {"bad_phone", "invalid_request"}
    assert len(town.texts()) == before


async def test_the_message_is_in_the_callers_language_and_ends_with_the_code(town: Town) -> None:
    for language, words in (("ar", "رمز الدخول"), ("en", "is your Hadiyati code")):
        phone = town.phone()
        await town.client.post(
            "/v1/auth/otp", json={"phone": phone}, headers={"Accept-Language": language}
        )
        text = next(one.text for one in town.texts() if one.phone == phone)
        assert words in text
        assert text.splitlines()[-1] == f"@hadiyati.example #{town.code(phone)}"


async def test_messages_and_codes_are_nobody_elses_to_read(town: Town) -> None:
    await town.log_in("customer")
    assert stat.S_IMODE(town.parts.settings.sms_log.stat().st_mode) == 0o600


async def test_the_clock_tells_how_fast_it_runs(town: Town) -> None:
    told = (await town.client.get("/v1/clock")).json()
    assert told["speed"] == 60
    assert abs(told["now"] - town.parts.clock.now()) < 60 * 60_000


async def test_no_token_opens_nothing(town: Town) -> None:
    for header in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 5000):
        headers = {"Authorization": header} if header else {}
        refused = await town.client.get("/v1/me", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
