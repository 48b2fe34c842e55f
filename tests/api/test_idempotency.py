"""A request with a key is carried out once, however often and at whatever moment it is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from actors.chance import SystemChance
from api.description import document
from api.keys import KeyRing, make_keys
from api.once import Asked, name_of
from storage.database import Database
from storage.kept_answers import KeptAnswer, PostgresKeptAnswers
from storage.migrate import migrate
from storage.postgres_identity import PostgresIdentity
from storage.sessions import PostgresSessions
from storage.settings import DatabaseSettings
from storage.vault import Vault
from tests.api.town import QUOTE, Town, a_town, order_body
from tests.fixtures.servers import Databases

# What recognises a repetition without a key, and by what.
BY_ITSELF = {
    "/v1/auth/refresh": "the refresh token: a used one has the same successor for a while",
    "/v1/auth/logout": "a session that has ended has ended",
    "/v1/auth/password": "a code of the authenticator is used once; a log-in is a session",
    "/v1/auth/password/forgotten": "the newest mail counts, and few are sent",
    "/v1/auth/password/reset": "the link is used once",
    "/v1/auth/password/change": "the old password and the code are used once",
    "/v1/auth/step-up": "a code is used once; a proof is a proof",
    "/v1/auth/email": "what is verified is verified",
    "/v1/profile/email/verification": "each mail is good, and few are sent",
    "/v1/auth/enrolment": "the link's secret is the same until it is used",
    "/v1/auth/enrolment/accept": "the link is used once",
    "/v1/orders/{order_id}/links": "another address shows the same",
    "/v1/payments/{payment_id}/refunds/{refund_id}/decision": "a refund is decided on once",
    "/v1/webhooks/{gateway}": "the gateway's name of the notice",
    "/v1/gift/{token}": "a link is answered once",
    "/v1/gift/{token}/decline": "what is declined is declined",
    "/v1/gift-link-prices": "nothing is kept",
    "/v1/group-quotes": "another quote promises nothing more",
    "/v1/gift-links/{gift_link_id}/withdraw": "what is withdrawn is withdrawn",
    "/v1/periods/{period}/close": "a period is closed once",
    "/v1/disputes/{dispute_id}/close": "a dispute is decided once",
    "/v1/settlement-breaks/{break_id}/decision": "a break is decided once",
    "/v1/settlement-breaks/{break_id}/approval": "a write-off is judged once",
    "/v1/couriers/{courier_id}/cash/deposits": "a receipt is one deposit, for ever",
    "/v1/privacy/exports": "the one that is being made",
    "/v1/privacy/erasure": "the one that is open",
    "/v1/privacy-requests": "the open one of this person",
    "/v1/zones/{zone_id}/parameters/{version}/restore": "If-Match: a version is replaced once",
}


def test_every_post_knows_its_repetition() -> None:
    paths = document()["paths"]
    without = {
        path
        for path, methods in paths.items()
        if "post" in methods
        and not any(
            one["name"].lower() == "idempotency-key"
            for one in methods["post"].get("parameters", ())
        )
    }
    assert without == set(BY_ITSELF)


async def asked_for_a_code(town: Town) -> dict[str, str]:
    phone = town.phone()
    await town.client.post("/v1/auth/otp", json={"phone": phone})
    return {"phone": phone, "code": town.code(phone), "role": "customer"}


async def test_an_answer_that_was_lost_is_given_again(town: Town) -> None:
    wish, headers = await asked_for_a_code(town), {"Idempotency-Key": town.key()}
    first = await town.client.post("/v1/auth/token", json=wish, headers=headers)
    again = await town.client.post("/v1/auth/token", json=wish, headers=headers)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


async def test_the_same_key_for_something_else_is_refused(town: Town) -> None:
    wish, headers = await asked_for_a_code(town), {"Idempotency-Key": town.key()}
    await town.client.post("/v1/auth/token", json=wish, headers=headers)
    other = await town.client.post(
        "/v1/auth/token", json={**wish, "role": "courier"}, headers=headers
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    person = await town.log_in("customer")
    placed = order_body(await person.quote())
    assert (await person.post("/v1/orders", placed, key="one same key")).status_code == 201
    changed = {**placed, "recipient": {"name": "Huda"}}
    refused = await person.post("/v1/orders", changed, key="one same key")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_is_its_senders_own(town: Town) -> None:
    key, wishes = town.key(), [await asked_for_a_code(town) for _ in range(2)]
    told = [
        await town.client.post("/v1/auth/token", json=wish, headers={"Idempotency-Key": key})
        for wish in wishes
    ]
    assert len({one.json()["user_id"] for one in told}) == 2


async def test_a_wrong_code_that_is_repeated_counts_once(town: Town) -> None:
    right = await asked_for_a_code(town)
    wrong = {**right, "code": f"{(int(right['code']) + 1) % 1_000_000:06d}"}
    headers = {"Idempotency-Key": town.key()}
    told = [await town.client.post("/v1/auth/token", json=wrong, headers=headers) for _ in range(8)]
    assert {(one.status_code, one.json()["code"]) for one in told} == {(422, "wrong_code")}
    assert (await town.client.post("/v1/auth/token", json=right)).status_code == 200


async def test_a_code_that_is_asked_for_twice_is_sent_once(town: Town) -> None:
    phone, headers = town.phone(), {"Idempotency-Key": town.key()}
    asking = [
        town.client.post("/v1/auth/otp", json={"phone": phone}, headers=headers) for _ in range(8)
    ]
    told = await asyncio.gather(*asking)
    assert {one.status_code for one in told} == {202}
    assert len({one.content for one in told}) == 1
    assert [one.phone for one in town.texts()].count(phone) == 1
    wish = {"phone": phone, "code": town.code(phone), "role": "customer"}
    assert (await town.client.post("/v1/auth/token", json=wish)).status_code == 200
    await town.client.post("/v1/auth/otp", json={"phone": phone}, headers=headers)
    assert [one.phone for one in town.texts()].count(phone) == 1


async def test_a_quote_is_made_once_for_a_key(town: Town) -> None:
    person = await town.log_in("customer")
    made = [await person.post("/v1/quotes", QUOTE, key="this quote") for _ in range(2)]
    assert {one.status_code for one in made} == {201}
    assert made[0].content == made[1].content


async def test_who_repeats_what_is_still_under_way_is_told_so(town: Town) -> None:
    person = await town.log_in("customer")
    began, go_on = asyncio.Event(), asyncio.Event()
    asked = Asked(who=person.user_id, route="POST /v1/quotes", key="still running")
    name = name_of(town.parts, asked)

    async def wait() -> KeptAnswer:
        began.set()
        await go_on.wait()
        return KeptAnswer(id=name, fingerprint="", status=200, body=b"", expires_at=0)

    now = town.parts.wall.now()
    running = asyncio.ensure_future(town.parts.kept_answers.once(name, wait, now=now))
    await began.wait()
    told = await person.post("/v1/quotes", QUOTE, key="still running")
    assert (told.status_code, told.json()["code"]) == (409, "still_running")
    assert told.headers["retry-after"] == "1"
    go_on.set()
    await running
    assert (await person.post("/v1/quotes", QUOTE, key="still running")).status_code == 201


async def test_many_repetitions_of_an_order_at_once_are_one_order(town: Town) -> None:
    person = await town.log_in("customer")
    body = order_body(await person.quote())
    told = await asyncio.gather(
        *(person.post("/v1/orders", body, key="this order") for _ in range(16))
    )
    assert {one.status_code for one in told} == {201}
    assert len({one.content for one in told}) == 1
    listed = (await person.get("/v1/orders")).json()["orders"]
    assert len(listed) == 1


@pytest.fixture
async def stored_town(databases: Databases, tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose people are in PostgreSQL."""
    dsn = databases.create()
    await migrate(dsn)
    database = await Database.open(DatabaseSettings(dsn=SecretStr(dsn), pool_max=4))
    vault = Vault(KeyRing(make_keys(SystemChance())))
    async with a_town(
        tmp_path,
        identity=PostgresIdentity(database, vault),
        sessions=PostgresSessions(database),
        kept_answers=PostgresKeptAnswers(database, vault),
        is_open=False,
    ) as town:
        yield town
    await database.close()
    databases.drop(dsn)


async def test_many_repetitions_of_a_log_in_at_once_open_one_session(stored_town: Town) -> None:
    wish = await asked_for_a_code(stored_town)
    headers = {"Idempotency-Key": stored_town.key()}

    async def log_in() -> tuple[int, bytes]:
        told = await stored_town.client.post("/v1/auth/token", json=wish, headers=headers)
        return told.status_code, told.content

    told = await asyncio.gather(*(log_in() for _ in range(12)))
    assert {status for status, _ in told} <= {200, 409, 503}
    last, again = await log_in(), await log_in()
    assert last[0] == 200
    assert {body for status, body in told if status == 200} <= {last[1]}
    assert again == last
    person_headers = {"Authorization": f"Bearer {_token(last[1])}"}
    listed = await stored_town.client.get("/v1/sessions", headers=person_headers)
    assert len(listed.json()["sessions"]) == 1


def _token(body: bytes) -> str:
    return str(msgspec.json.decode(body)["access_token"])
