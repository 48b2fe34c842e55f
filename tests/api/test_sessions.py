"""Staying logged in, seeing where, and logging out, over REST and on open sockets."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx2
from msgspec.structs import replace

from api.app import create_app
from engine.identity.ids import SessionId
from engine.identity.sessions import SessionEnd, end
from engine.kernel.timing import Instant
from storage.memory_sessions import MemorySessions
from storage.store import StoreUnavailable
from tests.api.town import Person, Town, a_town, served


async def refresh(town: Town, token: object) -> httpx2.Response:
    return await town.client.post("/v1/auth/refresh", json={"refresh_token": token})


async def test_a_refresh_token_gets_a_new_pair_once(town: Town) -> None:
    person = await town.log_in("courier")
    answer = await refresh(town, person.told["refresh_token"])
    told = answer.json()
    assert answer.status_code == 200
    assert told["refresh_token"] != person.told["refresh_token"]
    same = ("session_id", "user_id", "role")
    assert [told[name] for name in same] == [person.told[name] for name in same]
    renewed = Person(town, person.phone, told)
    assert (await renewed.get("/v1/me")).status_code == 200


async def test_many_refreshes_at_once_have_one_successor_and_nobody_is_logged_out(
    town: Town,
) -> None:
    person = await town.log_in("customer")
    answers = await asyncio.gather(
        *(refresh(town, person.told["refresh_token"]) for _ in range(24))
    )
    assert {one.status_code for one in answers} == {200}
    (successor,) = {one.json()["refresh_token"] for one in answers}
    for answer in answers:
        one = Person(town, person.phone, answer.json())
        assert (await one.get("/v1/me")).status_code == 200
    assert (await refresh(town, successor)).status_code == 200


async def test_a_stolen_token_that_comes_back_ends_the_session(town: Town) -> None:
    person = await town.log_in("customer")
    socket = await person.socket()
    store = town.parts.sessions
    told = (await refresh(town, person.told["refresh_token"])).json()
    session = await store.find_session(person.session_id)
    assert session is not None
    grace_over = session.rotated_at - town.parts.settings.identity.refresh_grace_s * 1000
    aged = replace(session, rotated_at=grace_over, version=session.version + 1)
    assert await store.save_session(aged)
    reused = await refresh(town, person.told["refresh_token"])
    assert (reused.status_code, reused.json()["code"]) == (401, "session_ended")
    assert await socket.closed() == 4410
    assert (await refresh(town, told["refresh_token"])).json()["code"] == "session_ended"


async def test_nobody_can_end_a_session_with_a_made_up_token(town: Town) -> None:
    person = await town.log_in("customer")
    right = str(person.told["refresh_token"])
    for wrong in (right[:-5] + "AAAAA", "hr1." + "A" * 91, "x"):
        refused = await refresh(town, wrong)
        assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
    assert (await refresh(town, right)).status_code == 200
    assert (await refresh(town, 7)).status_code == 422


async def test_sessions_say_where_somebody_is_logged_in(town: Town) -> None:
    phone = town.phone()
    first = await town.log_in("customer", phone, device="Noura's phone")
    second = await town.log_in("courier", phone)
    told = (await second.get("/v1/sessions")).json()["sessions"]
    assert [one["session_id"] for one in told] == [second.session_id, first.session_id]
    assert [one["is_this"] for one in told] == [True, False]
    assert told[1]["device"] == "Noura's phone"
    assert told[0]["device"].startswith("python-httpx")
    assert {one["place"] for one in told} == {"127.0.0.1"}
    stranger = await town.log_in("customer")
    assert len((await stranger.get("/v1/sessions")).json()["sessions"]) == 1


async def test_logging_out_ends_what_was_named_and_nothing_else(town: Town) -> None:
    phone = town.phone()
    a, b, c, d = [await town.log_in("customer", phone) for _ in range(4)]
    stranger = await town.log_in("customer")

    async def alive() -> list[bool]:
        answers = [await one.get("/v1/me") for one in (a, b, c, d, stranger)]
        assert {one.json()["code"] for one in answers if one.status_code == 401} <= {
            "session_ended"
        }
        return [one.status_code == 200 for one in answers]

    path = f"/v1/sessions/{a.session_id}"
    refused = await town.client.delete(path, headers=stranger.headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_session")
    for _ in range(2):
        assert (await town.client.delete(path, headers=b.headers)).status_code == 200
    assert await alive() == [False, True, True, True, True]
    assert (await b.post("/v1/auth/logout")).json() == {"session_ids": [b.session_id]}
    assert await alive() == [False, False, True, True, True]
    await c.post("/v1/auth/logout", {"scope": "others"})
    assert await alive() == [False, False, True, False, True]
    await c.post("/v1/auth/logout", {"scope": "all"})
    assert await alive() == [False, False, False, False, True]
    for one in (a, b, c, d):
        assert (await refresh(town, one.told["refresh_token"])).json()["code"] == "session_ended"


async def test_of_too_many_sessions_the_oldest_gives_way(town: Town) -> None:
    phone = town.phone()
    people = [await town.log_in("customer", phone) for _ in range(21)]
    told = (await people[-1].get("/v1/sessions")).json()["sessions"]
    assert {one["session_id"] for one in told} == {one.session_id for one in people[1:]}


async def test_an_end_in_another_process_is_known_here_within_a_second(town: Town) -> None:
    person = await town.log_in("customer")
    other = create_app(town.parts)
    async with served(other, town.parts) as url:
        client = httpx2.AsyncClient(base_url=url, trust_env=False)
        here = Person(town, person.phone, person.told)
        here.town = Town(url, town.parts, town.cells, other)
        socket = await here.socket()
        assert (await client.get("/v1/me", headers=person.headers)).status_code == 200
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await person.post("/v1/auth/logout")).status_code == 200
        assert await socket.closed() == 4410
        assert loop.time() - started < 1.0
        refused = await client.get("/v1/me", headers=person.headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
        await client.aclose()
        await here.town.client.aclose()


class Away(MemorySessions):
    """A store that cannot be asked."""

    async def list_ended_sessions(self, since: Instant) -> Mapping[SessionId, Instant]:
        raise StoreUnavailable("away")


async def test_who_does_not_know_what_has_ended_lets_nobody_in(tmp_path: Path) -> None:
    sessions = Away()
    async with a_town(tmp_path, sessions=sessions, is_open=False) as town:
        person = await town.log_in("customer")
        refused = await person.get("/v1/me")
        assert (refused.status_code, refused.json()["code"]) == (503, "temporarily_unavailable")
        assert (await town.client.get("/healthz")).status_code == 200


async def test_an_end_that_was_stored_before_the_start_is_known(tmp_path: Path) -> None:
    sessions = MemorySessions()
    async with a_town(tmp_path, sessions=sessions) as town:
        person = await town.log_in("customer")
        session = await sessions.find_session(person.session_id)
        assert session is not None
        over = end(session, SessionEnd.ACCESS_CHANGED, now=town.parts.wall.now() - 600_000)
        await sessions.save_session(over)
        async with served(create_app(town.parts), town.parts) as url:
            refused = await town.client.get(f"{url}/v1/me", headers=person.headers)
            assert refused.json()["code"] == "session_ended"
