"""What must hold of answers that are kept with their effect, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.identity.login import User
from engine.kernel.ids import UserId
from storage.database import Database
from storage.kept_answers import KeptAnswer, KeptAnswers, Make, PostgresKeptAnswers, UnderWay
from storage.memory_kept_answers import MemoryKeptAnswers
from storage.postgres_identity import PostgresIdentity
from storage.settings import DatabaseSettings
from storage.store import StoreUnavailable
from storage.vault import Vault
from tests.builders import NOON, new_id

KEYS = KeyRing(make_keys(SystemChance()))


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = await Database.open(database_settings)
    yield opened
    await opened.close()


@pytest.fixture
def identity(database: Database) -> PostgresIdentity:
    return PostgresIdentity(database, Vault(KEYS))


@pytest.fixture
def in_postgres(database: Database) -> PostgresKeptAnswers:
    return PostgresKeptAnswers(database, Vault(KEYS))


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> KeptAnswers:
    if request.param == "memory":
        return MemoryKeptAnswers()
    opened: PostgresKeptAnswers = request.getfixturevalue("in_postgres")
    return opened


def an_answer(answer_id: str, body: str = "{}", *, expires_at: int = NOON + 1000) -> KeptAnswer:
    return KeptAnswer(
        id=answer_id,
        fingerprint="f",
        status=201,
        headers={"content-type": "application/json"},
        body=body.encode(),
        expires_at=expires_at,
    )


def making(answer: KeptAnswer) -> Make:
    async def make() -> KeptAnswer:
        return answer

    return make


async def never() -> KeptAnswer:
    raise AssertionError("was made before")


async def test_what_was_made_once_is_answered_until_it_expires(kept: KeptAnswers) -> None:
    answer = an_answer(new_id(), '{"a":"هدية"}')
    assert await kept.once(answer.id, making(answer), now=NOON) == answer
    assert await kept.once(answer.id, never, now=NOON + 999) == answer
    other = an_answer(answer.id, "2", expires_at=NOON + 3000)
    assert await kept.once(answer.id, making(other), now=NOON + 1000) == other
    assert await kept.once(answer.id, never, now=NOON + 2000) == other


async def test_what_expires_at_once_is_not_kept(kept: KeptAnswers) -> None:
    answer = an_answer(new_id(), expires_at=NOON)
    assert await kept.once(answer.id, making(answer), now=NOON) == answer
    other = an_answer(answer.id, "2")
    assert await kept.once(answer.id, making(other), now=NOON) == other


async def test_of_many_at_once_one_makes_it(kept: KeptAnswers) -> None:
    answer, made = an_answer(new_id()), 0
    began, go_on = asyncio.Event(), asyncio.Event()

    async def make() -> KeptAnswer:
        nonlocal made
        made += 1
        began.set()
        await go_on.wait()
        return answer

    first = asyncio.ensure_future(kept.once(answer.id, make, now=NOON))
    await began.wait()
    others = [kept.once(answer.id, make, now=NOON) for _ in range(12)]
    told = await asyncio.gather(*others, return_exceptions=True)
    assert {type(one) for one in told} == {UnderWay}
    go_on.set()
    assert await first == answer
    again = await asyncio.gather(*(kept.once(answer.id, never, now=NOON) for _ in range(3)))
    assert (again, made) == ([answer] * 3, 1)


async def test_who_fails_leaves_the_turn_to_the_next(kept: KeptAnswers) -> None:
    answer = an_answer(new_id())

    async def fail() -> KeptAnswer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await kept.once(answer.id, fail, now=NOON)
    assert await kept.once(answer.id, making(answer), now=NOON) == answer


async def test_a_death_between_effect_and_answer_leaves_neither(
    in_postgres: PostgresKeptAnswers, identity: PostgresIdentity, dsn: str
) -> None:
    user, answer = a_user("+966500000007"), an_answer(new_id())

    async def make() -> KeptAnswer:
        assert await identity.register(user) == user
        return answer

    async def die() -> KeptAnswer:
        await make()
        killer = await asyncpg.connect(dsn)
        others = "pid <> pg_backend_pid() and datname = current_database()"
        await killer.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where {others}"
        )
        await killer.close()
        return answer

    with pytest.raises(StoreUnavailable):
        await in_postgres.once(answer.id, die, now=NOON)
    assert await identity.find_user(user.id) is None
    assert await in_postgres.once(answer.id, make, now=NOON) == answer
    assert await identity.find_user(user.id) == user


async def test_another_process_answers_what_this_one_has_kept(
    in_postgres: PostgresKeptAnswers, database_settings: DatabaseSettings
) -> None:
    answer = an_answer(new_id())
    await in_postgres.once(answer.id, making(answer), now=NOON)
    other = await Database.open(database_settings)
    told = await PostgresKeptAnswers(other, Vault(KEYS)).once(answer.id, never, now=NOON)
    await other.close()
    assert told == answer


async def test_only_the_task_that_makes_it_is_inside(
    in_postgres: PostgresKeptAnswers, identity: PostgresIdentity
) -> None:
    mine, other, answer = a_user("+966500000008"), a_user("+966500000009"), an_answer(new_id())

    async def make() -> KeptAnswer:
        await identity.register(mine)
        await asyncio.ensure_future(identity.register(other))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_postgres.once(answer.id, make, now=NOON)
    assert await identity.find_user(mine.id) is None
    assert await identity.find_user(other.id) == other


async def test_a_phone_that_is_taken_does_not_spoil_the_rest(
    in_postgres: PostgresKeptAnswers, identity: PostgresIdentity
) -> None:
    has_it, answer = a_user("+966500000010"), an_answer(new_id())
    await identity.register(has_it)
    user = a_user("+966500000011")

    async def make() -> KeptAnswer:
        await identity.register(user)
        moved = User(version=2, id=user.id, phone=has_it.phone, created_at=NOON)
        assert not await identity.change_user(moved)
        return answer

    assert await in_postgres.once(answer.id, make, now=NOON) == answer
    assert await identity.find_user(user.id) == user


def a_user(phone: str) -> User:
    return User(id=UserId(new_id()), phone=phone, created_at=NOON)
