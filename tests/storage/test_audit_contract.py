"""What must hold of the audit log, in memory and in PostgreSQL, also when it is tampered with."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from actors.audit import AuditKeeper
from actors.chance import SystemChance
from actors.clock import SystemClock
from api.cli import app
from api.keys import KeyRing, make_keys
from engine.audit.chain import Head
from engine.audit.record import Action, AuditRecord, acted
from engine.identity.login import User
from engine.identity.profiles import Profile, ProfileStatus
from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Wanted
from engine.kernel.timing import Instant
from engine.listings import AUDIT_LOG
from storage.audit import AuditStore, PostgresAudit, record_of
from storage.database import Database, connected
from storage.identity import IdentityStore
from storage.memory import MemoryStore
from storage.memory_identity import MemoryIdentity
from storage.postgres import PostgresStore
from storage.postgres_identity import PostgresIdentity
from storage.settings import DatabaseSettings
from storage.store import Commit, Stale, Store, Stored
from storage.vault import Vault
from tests.builders import NOON, a_zone, new_id
from tests.storage.telling import CELL, first
from tests.storage.walking import keeps_its_word

ADMIN = Caller(user_id=UserId(new_id()), role=Role.ADMIN, place="192.0.2.7")


@dataclass
class Kept:
    """An audit log, and stores that write into it."""

    audit: AuditStore
    store: Store
    identity: IdentityStore

    async def numbers(self) -> list[int]:
        return [one.number for one in (await self.audit.list_records(Wanted(limit=100))).rows]

    async def verified(self, *checkpoints: Head) -> tuple[Head, list[str]]:
        check = await AuditKeeper(self.audit, wall=SystemClock()).verify(checkpoints)
        return check.head, check.faults


@pytest.fixture
async def in_postgres(database_settings: DatabaseSettings) -> AsyncIterator[Kept]:
    database = await Database.open(database_settings)
    vault = Vault(KeyRing(make_keys(SystemChance())))
    identity = PostgresIdentity(database, vault)
    yield Kept(PostgresAudit(database), PostgresStore(database), identity)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        store = MemoryStore()
        return Kept(store.audit, store, MemoryIdentity(store.audit))
    found: Kept = request.getfixturevalue("in_postgres")
    return found


def a_record(
    subject: str = "zone:1", by: Caller = ADMIN, reason: str = "مطر", at: Instant = NOON
) -> AuditRecord:
    return acted(by, Action.CREATE_ZONE, subject, at=at, after={"name": "حي"}, reason=reason)


async def test_a_record_is_found_as_it_was_told(kept: Kept) -> None:
    record = a_record()
    await kept.audit.record([record])
    (stored,) = (await kept.audit.list_records(Wanted(limit=5))).rows
    assert record_of(stored) == (record.act, record.circumstances)
    assert await kept.verified() == (Head(1, stored.hash), [])


async def test_the_log_is_read_in_pages_and_by_whom_and_what(kept: Kept) -> None:
    other = replace(ADMIN, user_id=UserId(new_id()))
    await kept.audit.record(
        [a_record(f"zone:{n % 2}", other if n > 2 else ADMIN, at=NOON + n // 2) for n in range(5)]
    )
    assert await kept.numbers() == [5, 4, 3, 2, 1]
    rows = (await kept.audit.list_records(Wanted(limit=100))).rows
    await keeps_its_word(AUDIT_LOG, rows, kept.audit.list_records)


async def test_a_commit_and_its_record_are_stored_together_or_not_at_all(kept: Kept) -> None:
    zone = a_zone()
    commit = Commit(cell=CELL, decision=first(zone), at=NOON, records=(a_record(),))
    assert await kept.store.commit(commit) == Stored()
    assert isinstance(await kept.store.commit(commit), Stale)
    assert await kept.numbers() == [1]


async def test_a_judgment_and_its_record_are_stored_together_or_not_at_all(kept: Kept) -> None:
    profile = Profile(
        version=1,
        user_id=UserId(new_id()),
        role=Role.COURIER,
        status=ProfileStatus.ACTIVE,
        created_at=NOON,
    )
    assert await kept.identity.save_profile(profile, records=(a_record(),))
    assert not await kept.identity.save_profile(profile, records=(a_record(),))
    user = User(id=UserId(new_id()), phone="+966501234567", created_at=NOON)
    await kept.identity.register(user)
    moved = replace(user, version=user.version + 1, phone="+966501234568")
    assert await kept.identity.change_user(moved, records=(a_record(),))
    assert not await kept.identity.change_user(moved, records=(a_record(),))
    assert await kept.numbers() == [2, 1]
    assert (await kept.verified())[1] == []


async def test_who_records_at_the_same_time_makes_one_chain(kept: Kept) -> None:
    await asyncio.gather(*(kept.audit.record([a_record(), a_record()]) for _ in range(20)))
    head, faults = await kept.verified()
    assert (head.number, faults) == (40, [])


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set entry = replace(entry, 'zone:1', 'zone:2') where number = 2",
        "update audit_log set circumstances = '{}' where number = 2",
        "update audit_log set circumstances = null, salt = null, number = 9 where number = 2",
        "delete from audit_log where number = 4",
        "truncate audit_log",
    ],
)
async def test_the_database_refuses_to_change_the_log(
    in_postgres: Kept, dsn: str, statement: str
) -> None:
    await in_postgres.audit.record([a_record() for _ in range(4)])
    async with connected(dsn) as connection:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(statement)
    assert (await in_postgres.verified())[1] == []


async def test_a_record_written_by_hand_is_chained_like_all_others(
    in_postgres: Kept, dsn: str
) -> None:
    await in_postgres.audit.record([a_record()])
    async with connected(dsn) as connection:
        await connection.execute(
            "insert into audit_log (number, entry, circumstances, digest, hash)"
            " select 7, entry, '{}', '', '' from audit_log"
        )
    assert await in_postgres.numbers() == [2, 1]
    assert (await in_postgres.verified())[1] == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "update audit_log set entry = replace(entry, 'zone:1', 'zone:2') where number = 2",
            "record 2 is not the one that was sealed",
        ),
        (
            'update audit_log set circumstances = \'{"place":""}\' where number = 3',
            "record 3 has other circumstances",
        ),
        ("delete from audit_log where number = 2", "record 3 is not the one that was sealed"),
        ("delete from audit_log where number = 4", "the log ends at 3, its head says 4"),
        (
            (
                "insert into audit_log (number, entry, digest, hash)"
                " select 5, entry, digest, hash from audit_log where number = 4"
            ),
            "record 5 is not the one that was sealed",
        ),
        (
            (
                "update audit_log set number = -number where number in (2, 3);"
                "update audit_log set number = 5 + number where number < 0"
            ),
            "record 2 is not the one that was sealed",
        ),
        ("update audit_head set number = 9", "the log ends at 4, its head says 9"),
        (
            (
                "delete from audit_log where number = 4;"
                "update audit_head set (number, hash) ="
                " (select number, hash from audit_log where number = 3)"
            ),
            "record 4 has a checkpoint and is gone",
        ),
    ],
)
async def test_who_gets_round_the_database_is_found(
    in_postgres: Kept, dsn: str, statement: str, fault: str
) -> None:
    await in_postgres.audit.record([a_record() for _ in range(4)])
    checkpoint, faults = await in_postgres.verified()
    assert faults == []
    async with connected(dsn) as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement)
    _, faults = await in_postgres.verified(checkpoint)
    assert any(one.startswith(fault) for one in faults), faults


async def test_circumstances_are_forgotten_and_the_rest_still_stands(
    in_postgres: Kept, dsn: str
) -> None:
    await in_postgres.audit.record([a_record() for _ in range(3)])
    async with connected(dsn) as connection:
        await connection.execute("update audit_log set salt = null, circumstances = null")
    (_, none), *_ = [
        record_of(one) for one in (await in_postgres.audit.list_records(Wanted(limit=3))).rows
    ]
    assert none is None
    assert (await in_postgres.verified())[1] == []


def test_the_command_says_whether_the_log_was_tampered_with(
    database_settings: DatabaseSettings, dsn: str
) -> None:
    async def write() -> Head:
        database = await Database.open(database_settings)
        audit = PostgresAudit(database)
        await audit.record([a_record() for _ in range(3)])
        check = await AuditKeeper(audit, wall=SystemClock()).verify()
        await database.close()
        return check.head

    def verify(checkpoint: object) -> tuple[int, str]:
        arguments = ["verify-audit", "--checkpoint", str(checkpoint)]
        told = CliRunner().invoke(app, arguments, env={"HADIYATI_DATABASE__DSN": dsn})
        return told.exit_code, told.output

    head = asyncio.run(write())
    code, output = verify(head)
    assert (code, f"--checkpoint {head}" in output) == (0, True)
    code, output = verify(f"2:{'0' * 64}")
    assert (code, "record 2 is not the one of its checkpoint" in output) == (1, True)
    assert verify("yesterday")[0] == 2
