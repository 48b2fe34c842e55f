"""Logging in over REST, and what a token is worth."""

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from actors.chance import SystemChance
from api.keys import make_keys, open_keys
from api.settings import IdentitySettings
from api.tokens import Tokens
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from tests.api.town import OPERATOR, Town
from tests.builders import NOON, new_id


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


SETTINGS = IdentitySettings(access_token_s=3600)
KEYS = make_keys(SystemChance())
CALLER = Caller(user_id=UserId(new_id()), role=Role.COURIER)


def a_token(**claims: Any) -> str:
    """A token signed with our key, with some claims of another kind."""
    made = {
        "iss": SETTINGS.issuer,
        "aud": SETTINGS.issuer,
        "typ": "access",
        "sub": CALLER.user_id,
        "role": "courier",
        "iat": NOON // 1000,
        "exp": NOON // 1000 + 3600,
        **claims,
    }
    kept = {name: value for name, value in made.items() if value is not None}
    header = {"alg": "ES256", "kid": KEYS.signing.kid}
    return jwt.encode(header, kept, KEYS.signing, algorithms=["ES256"])


def test_a_token_speaks_for_its_caller_until_it_expires() -> None:
    tokens = Tokens(KEYS, SETTINGS)
    token = tokens.issue(CALLER, now=NOON)
    proven = tokens.read(token, now=NOON + 3_599_000)
    assert proven is not None
    assert (proven.caller, proven.expires_at) == (CALLER, NOON + 3_600_000)
    assert tokens.read(token, now=NOON + 3_600_000) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example"},
        {"typ": "refresh"},
        {"role": "system"},
        {"role": "king"},
        {"sub": "nobody"},
        {"exp": NOON // 1000},
        {"exp": "never"},
        *({name: None} for name in ("iss", "aud", "typ", "sub", "role", "exp")),
    ],
)
def test_a_token_with_any_odd_claim_speaks_for_nobody(claims: dict[str, Any]) -> None:
    assert Tokens(KEYS, SETTINGS).read(a_token(), now=NOON) is not None
    assert Tokens(KEYS, SETTINGS).read(a_token(**claims), now=NOON) is None


def test_a_token_of_another_key_or_algorithm_speaks_for_nobody() -> None:
    tokens = Tokens(KEYS, SETTINGS)
    other = Tokens(make_keys(SystemChance()), SETTINGS)
    assert tokens.read(other.issue(CALLER, now=NOON), now=NOON) is None
    claims = {"iss": SETTINGS.issuer, "aud": SETTINGS.issuer, "sub": CALLER.user_id}
    secret = OctKey.import_key("x" * 32)
    forged = jwt.encode({"alg": "HS256"}, claims, secret, algorithms=["HS256"])
    head, body, signature = a_token().split(".")
    flipped = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    for odd in (forged, f"{head}.{body}.", f"{head}.{body}.{flipped}", "x", "", "a.b.c", "é" * 9):
        assert tokens.read(odd, now=NOON) is None, odd


def test_keys_are_made_once_and_are_their_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "keys.json"
    first, again = open_keys(file, SystemChance()), open_keys(file, SystemChance())
    assert first.pepper == again.pepper
    assert len(first.pepper) == 32
    assert isinstance(first.signing, ECKey)
    assert first.signing.kid == again.signing.kid
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]


async def test_no_token_opens_nothing(town: Town) -> None:
    for header in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 5000):
        headers = {"Authorization": header} if header else {}
        refused = await town.client.get("/v1/me", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
