"""What must hold of people and their log-in codes, in memory and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.identity.budgets import Charge
from engine.identity.login import Challenge, Purpose, User
from engine.identity.profiles import Profile, ProfileStatus
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from storage.database import Database
from storage.identity import IdentityStore
from storage.memory_identity import MemoryIdentity
from storage.postgres_identity import PostgresIdentity
from storage.settings import DatabaseSettings
from storage.vault import Vault
from tests.builders import NOON, new_id

PHONE = "+966500000001"


@pytest.fixture
async def postgres_identity(
    database_settings: DatabaseSettings,
) -> AsyncIterator[PostgresIdentity]:
    database = await Database.open(database_settings)
    yield PostgresIdentity(database, Vault(KeyRing(make_keys(SystemChance()))))
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def identity(request: pytest.FixtureRequest) -> IdentityStore:
    if request.param == "memory":
        return MemoryIdentity()
    opened: PostgresIdentity = request.getfixturevalue("postgres_identity")
    return opened


def a_challenge(version: int = 1, **fields: object) -> Challenge:
    challenge = Challenge(
        version=version,
        phone=PHONE,
        code_mac="ab" * 32,
        sent_at=NOON,
        expires_at=NOON + 300_000,
        sends=1,
        hour_began_at=NOON,
    )
    return replace(challenge, **fields)


def a_user(phone: str = PHONE) -> User:
    return User(id=UserId(new_id()), phone=phone, created_at=NOON)


async def test_a_challenge_is_found_as_it_was_saved(identity: IdentityStore) -> None:
    assert await identity.find_challenge(PHONE) is None
    assert await identity.save_challenge(a_challenge())
    assert await identity.save_challenge(a_challenge(2, wrong_tries=3, is_open=False))
    assert await identity.find_challenge(PHONE) == a_challenge(2, wrong_tries=3, is_open=False)
    assert await identity.find_challenge("+966500000002") is None


async def test_a_challenge_follows_the_version_before_it(identity: IdentityStore) -> None:
    assert await identity.save_challenge(a_challenge())
    assert not await identity.save_challenge(a_challenge())
    assert not await identity.save_challenge(a_challenge(3))
    assert await identity.find_challenge(PHONE) == a_challenge()


async def test_of_many_tries_at_once_one_is_stored(identity: IdentityStore) -> None:
    await identity.save_challenge(a_challenge())
    tries = [identity.save_challenge(a_challenge(2, wrong_tries=n)) for n in range(8)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 7 + [True]


async def test_a_phone_has_one_user_however_often_it_registers(identity: IdentityStore) -> None:
    first = a_user()
    assert await identity.register(first) == first
    assert await identity.register(a_user()) == first
    assert await identity.find_user(first.id) == first


async def test_of_many_registrations_at_once_all_get_the_same_user(
    identity: IdentityStore,
) -> None:
    found = await asyncio.gather(*(identity.register(a_user()) for _ in range(8)))
    assert len({one.id for one in found}) == 1


async def test_nobody_is_found_by_an_id_that_nobody_has(identity: IdentityStore) -> None:
    assert await identity.find_user(UserId(new_id())) is None
    assert await identity.find_user(UserId("not an id")) is None


def a_charge(key: str, spent_max: int = 2) -> Charge:
    return Charge(key=key, spent_max=spent_max, expires_at=NOON + 1000)


async def test_a_budget_is_spent_and_nothing_is_taken_when_another_is_empty(
    identity: IdentityStore,
) -> None:
    one, other = a_charge("place:1"), a_charge("country:SA", 5)
    assert await identity.spend([one, other], now=NOON) is None
    assert await identity.spend([one, other], now=NOON) is None
    for _ in range(9):
        assert await identity.spend([one, other], now=NOON) == one
    found = [await identity.spend([other], now=NOON) for _ in range(4)]
    assert found == [None, None, None, other]
    await identity.give_back([one.key, "unknown"])
    assert await identity.spend([one], now=NOON) is None
    assert await identity.spend([one], now=NOON) == one
    assert await identity.spend([a_charge("none", 0)], now=NOON) == a_charge("none", 0)


async def test_of_many_at_once_only_as_many_are_paid_as_there_are(
    identity: IdentityStore,
) -> None:
    charges = [a_charge("a", 3), a_charge("b", 100)]
    orders = [charges, charges[::-1]] * 6
    found = await asyncio.gather(*(identity.spend(one, now=NOON) for one in orders))
    assert found.count(None) == 3


async def test_a_code_for_another_purpose_is_another_challenge(identity: IdentityStore) -> None:
    other = a_challenge(purpose=Purpose.TAKE_PHONE)
    assert await identity.save_challenge(a_challenge())
    assert await identity.save_challenge(other)
    assert await identity.find_challenge(PHONE, Purpose.TAKE_PHONE) == other
    assert await identity.find_challenge(PHONE) == a_challenge()


async def test_a_profile_follows_the_version_before_it(identity: IdentityStore) -> None:
    mine = UserId(new_id())
    first = Profile(
        version=1, user_id=mine, role=Role.COURIER, status=ProfileStatus.ACTIVE, created_at=NOON
    )
    assert await identity.find_profile(mine, Role.COURIER) is None
    assert await identity.save_profile(first)
    assert not await identity.save_profile(first)
    assert await identity.save_profile(replace(first, version=2, name_ar="سالم"))
    assert await identity.find_profile(mine, Role.CUSTOMER) is None
    found = await identity.find_profile(mine, Role.COURIER)
    assert found == replace(first, version=2, name_ar="سالم")


async def test_a_user_moves_to_a_phone_that_nobody_has(identity: IdentityStore) -> None:
    mine = await identity.register(a_user())
    other = await identity.register(a_user("+966500000002"))
    taken = replace(mine, version=2, phone=other.phone, previous_phone=PHONE, moved_at=NOON)
    assert not await identity.change_user(taken)
    moved = replace(taken, phone="+966500000003")
    assert not await identity.change_user(replace(moved, version=3))
    assert await identity.change_user(moved)
    assert not await identity.change_user(moved)
    assert await identity.find_user(mine.id) == moved
    assert await identity.find_user_by_previous_phone(PHONE) == moved
    assert await identity.find_user_by_previous_phone(other.phone) is None
    heir = a_user()
    assert await identity.register(heir) == heir
