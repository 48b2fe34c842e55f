"""What must hold of stored sessions, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from engine.identity.ids import SessionId
from engine.identity.sessions import Session, SessionEnd
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from storage.database import Database
from storage.memory_sessions import MemorySessions
from storage.sessions import PostgresSessions, SessionStore
from storage.settings import DatabaseSettings
from tests.builders import NOON, new_id

ME = UserId(new_id())


@pytest.fixture
async def postgres_sessions(
    database_settings: DatabaseSettings,
) -> AsyncIterator[PostgresSessions]:
    database = await Database.open(database_settings)
    yield PostgresSessions(database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def sessions(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "memory":
        return MemorySessions()
    opened: PostgresSessions = request.getfixturevalue("postgres_sessions")
    return opened


def a_session(**fields: object) -> Session:
    session = Session(
        version=1,
        id=SessionId(new_id()),
        user_id=ME,
        role=Role.COURIER,
        device="هاتف",
        place="192.0.2.1",
        began_at=NOON,
        seen_at=NOON,
        expires_at=NOON + 1000,
        refresh_digest="ab" * 32,
    )
    return replace(session, **fields)


async def test_a_session_follows_the_version_before_it(sessions: SessionStore) -> None:
    first = a_session()
    assert await sessions.find_session(first.id) is None
    assert await sessions.save_session(first)
    assert not await sessions.save_session(first)
    assert not await sessions.save_session(replace(first, version=3))
    second = replace(first, version=2, generation=1, nonce="n")
    assert await sessions.save_session(second)
    assert await sessions.find_session(first.id) == second
    assert await sessions.find_session(SessionId("no id")) is None


async def test_of_many_changes_at_once_one_is_stored(sessions: SessionStore) -> None:
    first = a_session()
    await sessions.save_session(first)
    changes = [replace(first, version=2, generation=n) for n in range(8)]
    stored = await asyncio.gather(*(sessions.save_session(one) for one in changes))
    assert sorted(stored) == [False] * 7 + [True]


async def test_only_open_sessions_of_the_person_are_listed(sessions: SessionStore) -> None:
    mine = [a_session(seen_at=NOON + n) for n in range(3)]
    others = [
        a_session(user_id=UserId(new_id())),
        a_session(expires_at=NOON + 500),
        a_session(ended_at=NOON, end=SessionEnd.LOGGED_OUT),
    ]
    for one in (*mine, *others):
        await sessions.save_session(one)
    found = await sessions.list_sessions(ME, now=NOON + 500, limit=10)
    assert found == tuple(reversed(mine))
    assert await sessions.list_sessions(ME, now=NOON + 500, limit=1) == (mine[2],)


async def test_ended_sessions_are_told_with_their_moment(sessions: SessionStore) -> None:
    ended = [a_session(ended_at=NOON + n, end=SessionEnd.LOGGED_OUT) for n in range(3)]
    for one in (*ended, a_session()):
        await sessions.save_session(one)
    told = await sessions.list_ended_sessions(NOON + 1)
    assert dict(told) == {ended[1].id: NOON + 1, ended[2].id: NOON + 2}
