"""Personal data at rest: unreadable in the rows, found all the same, under keys that change."""

import json
from dataclasses import dataclass, field

import asyncpg
import pytest

from engine.identity.login import Challenge, User
from engine.identity.profiles import Profile, ProfileStatus
from engine.kernel.ids import UserId
from engine.kernel.messages import Role
from storage.database import Database
from storage.postgres_identity import PostgresIdentity
from storage.settings import DatabaseSettings
from storage.vault import CannotOpen, Sealed, Vault
from tests.builders import NOON, new_id

PHONE = "+966500000001"


@dataclass
class Ring:
    """Keys, and those that are found when one looks again."""

    keys: dict[str, bytes] = field(default_factory=lambda: {"0": b"a" * 32})
    elsewhere: dict[str, bytes] = field(default_factory=dict)

    def sealing(self) -> dict[str, bytes]:
        return self.keys

    def index_key(self) -> bytes:
        return b"i" * 32

    def look(self) -> None:
        self.keys = {**self.keys, **self.elsewhere}


def test_what_is_sealed_is_opened_for_its_row_only() -> None:
    vault = Vault(Ring())
    sealed = vault.seal("نورة".encode(), row="user:1")
    assert vault.open(sealed, row="user:1").decode() == "نورة"
    assert vault.seal("نورة".encode(), row="user:1") != sealed
    with pytest.raises(CannotOpen):
        vault.open(sealed, row="user:2")
    broken = Sealed(key_id=sealed.key_id, text="AAAA" + sealed.text[4:])
    with pytest.raises(CannotOpen):
        vault.open(broken, row="user:1")


def test_a_key_that_another_process_added_is_looked_for() -> None:
    new = {"0": b"a" * 32, "1": b"b" * 32}
    sealed = Vault(Ring(new)).seal(b"x", row="r")
    assert sealed.key_id == "1"
    assert Vault(Ring(elsewhere={"1": b"b" * 32})).open(sealed, row="r") == b"x"
    with pytest.raises(CannotOpen, match="the key 1 is gone"):
        Vault(Ring()).open(sealed, row="r")


async def rows(dsn: str) -> str:
    """All that stands in the tables of people."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = ("users", "profiles", "challenges", "code_tallies")
        found = [await connection.fetch(f"select t::text from {table} t") for table in tables]
        return json.dumps([[row["t"] for row in table] for table in found])
    finally:
        await connection.close()


async def test_nothing_personal_stands_in_the_rows_and_all_of_it_is_found(
    dsn: str, database_settings: DatabaseSettings
) -> None:
    database = await Database.open(database_settings)
    ring = Ring()
    identity = PostgresIdentity(database, Vault(ring))
    user = await identity.register(User(id=UserId(new_id()), phone=PHONE, created_at=NOON))
    profile = Profile(
        version=1,
        user_id=user.id,
        role=Role.CUSTOMER,
        status=ProfileStatus.ACTIVE,
        created_at=NOON,
        name_en="Noura Alotaibi",
        email="noura@example.com",
        birth_date="1990-02-28",
    )
    assert await identity.save_profile(profile)
    asked = Challenge(
        version=1,
        phone=PHONE,
        code_mac="ab",
        sent_at=NOON,
        expires_at=NOON,
        sends=1,
        hour_began_at=NOON,
    )
    assert await identity.save_challenge(asked)
    stored = await rows(dsn)
    for personal in ("500000001", "Noura", "noura", "example.com", "1990"):
        assert personal not in stored
    ring.keys = {**ring.keys, "1": b"b" * 32}
    assert await identity.reseal() == 2
    assert await identity.reseal() == 0
    ring.keys = {"1": b"b" * 32}
    assert await identity.find_user(user.id) == user
    assert await identity.register(User(id=UserId(new_id()), phone=PHONE, created_at=1)) == user
    assert await identity.find_profile(user.id, Role.CUSTOMER) == profile
    assert await identity.find_challenge(PHONE) == asked
    await database.close()


async def test_who_registered_before_phones_were_sealed_is_sealed_and_found(
    dsn: str, database_settings: DatabaseSettings
) -> None:
    old = User(id=UserId(new_id()), phone=PHONE, created_at=NOON)
    connection = await asyncpg.connect(dsn)
    state = json.dumps({"id": old.id, "phone": old.phone, "created_at": old.created_at})
    await connection.execute("insert into users (state) values ($1)", state)
    await connection.close()
    database = await Database.open(database_settings)
    identity = PostgresIdentity(database, Vault(Ring()))
    assert await identity.reseal() == 1
    assert "500000001" not in await rows(dsn)
    assert await identity.register(User(id=UserId(new_id()), phone=PHONE, created_at=1)) == old
    await database.close()
