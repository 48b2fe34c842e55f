"""What must hold of accounts and links, in memory and in PostgreSQL."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.identity.ids import LinkId
from engine.identity.links import Link, LinkPurpose, SendLink
from engine.identity.profiles import Language
from engine.identity.staff import StaffAccount
from engine.kernel.ids import EffectId, UserId
from engine.kernel.messages import Role
from engine.listings import INVITATIONS
from storage import outbox
from storage.database import Database, connected
from storage.memory_audit import MemoryAudit
from storage.memory_outbox import MemoryOutbox
from storage.memory_staff import MemoryStaff
from storage.postgres_staff import PostgresStaff
from storage.settings import DatabaseSettings
from storage.staff import StaffStore
from storage.store import OutboxRow
from storage.vault import Vault
from tests.builders import NOON, new_id
from tests.storage.walking import keeps_its_word

EMAIL = "noura@example.com"
DAY_MS = 86_400_000


@dataclass
class Kept:
    """A store of accounts, and a look at the outbox beside it."""

    staff: StaffStore
    beside: Database | MemoryOutbox

    async def promised(self) -> tuple[OutboxRow, ...]:
        bounds = {"limit": 10, "now": NOON, "lease_until": NOON + 1}
        if isinstance(self.beside, MemoryOutbox):
            return self.beside.lease(**bounds)
        return await outbox.lease(self.beside, **bounds)


@pytest.fixture
async def in_postgres(database_settings: DatabaseSettings) -> AsyncIterator[Kept]:
    database = await Database.open(database_settings)
    vault = Vault(KeyRing(make_keys(SystemChance())))
    yield Kept(PostgresStaff(database, vault), database)
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        beside = MemoryOutbox()
        return Kept(MemoryStaff(beside, MemoryAudit()), beside)
    found: Kept = request.getfixturevalue("in_postgres")
    return found


def an_account(email: str = EMAIL) -> StaffAccount:
    return StaffAccount(
        version=1,
        user_id=UserId(new_id()),
        email=email,
        password_hash="$argon2id$…",
        totp_secret="JBSWY3DPEHPK3PXP",
        recovery=("ab" * 32,),
        created_at=NOON,
    )


def a_link(sent_at: int = NOON, **fields: object) -> Link:
    link = Link(
        version=1,
        id=LinkId(new_id()),
        purpose=LinkPurpose.INVITE,
        email=EMAIL,
        language=Language.ARABIC,
        role=Role.OPERATOR,
        digest="cd" * 32,
        sends=1,
        sent_at=sent_at,
        expires_at=sent_at + 7 * DAY_MS,
    )
    return replace(link, **fields)


def sending(link: Link) -> SendLink:
    return SendLink(id=EffectId(new_id()), link_id=link.id, sends=link.sends)


async def test_an_account_is_found_by_its_email_and_by_its_user(kept: Kept) -> None:
    account = an_account()
    assert await kept.staff.find_account(EMAIL) is None
    assert await kept.staff.save_staff(account=account)
    assert await kept.staff.find_account(EMAIL) == account
    assert await kept.staff.find_account_of(account.user_id) == account
    assert await kept.staff.find_account("hala@example.com") is None
    assert await kept.staff.find_account_of(UserId("nobody")) is None


async def test_an_account_follows_the_version_before_it(kept: Kept) -> None:
    account = an_account()
    assert await kept.staff.save_staff(account=account)
    assert not await kept.staff.save_staff(account=account)
    tries = [
        kept.staff.save_staff(account=replace(account, version=2, totp_step=n)) for n in range(6)
    ]
    assert sorted(await asyncio.gather(*tries)) == [False] * 5 + [True]


async def test_an_email_is_of_one_account(kept: Kept) -> None:
    assert await kept.staff.save_staff(account=an_account())
    assert not await kept.staff.save_staff(account=an_account())


async def test_all_of_it_is_kept_or_nothing(kept: Kept) -> None:
    link = a_link()
    assert await kept.staff.save_staff(link=link, effects=(sending(link),), at=NOON)
    account = an_account()
    stale = replace(link, used_at=NOON)
    assert not await kept.staff.save_staff(account=account, link=stale, effects=(sending(link),))
    assert await kept.staff.find_account(EMAIL) is None
    assert await kept.staff.find_link(link.id) == link
    (row,) = await kept.promised()
    assert isinstance(row.effect, SendLink)
    assert (row.effect.link_id, row.effect.sends) == (link.id, 1)


async def test_listed_is_what_can_still_be_used_the_newest_first(kept: Kept) -> None:
    good = [a_link(NOON - DAY_MS), a_link(NOON - DAY_MS), a_link()]
    others = [
        a_link(NOON - 8 * DAY_MS),
        a_link(used_at=NOON),
        a_link(revoked_at=NOON),
        a_link(purpose=LinkPurpose.RESET_PASSWORD),
    ]
    for link in (*good, *others):
        assert await kept.staff.save_staff(link=link)
    listed = partial(kept.staff.list_links, LinkPurpose.INVITE, now=NOON)
    await keeps_its_word(INVITATIONS, good, listed)


async def test_in_the_database_nothing_personal_and_no_secret_can_be_read(
    in_postgres: Kept, database_settings: DatabaseSettings
) -> None:
    await in_postgres.staff.save_staff(account=an_account(), link=a_link())
    assert database_settings.dsn is not None
    async with connected(database_settings.dsn.get_secret_value()) as connection:
        found = await connection.fetch(
            "select state::text from staff union all select state::text from links"
        )
    text = " ".join(row["state"] for row in found)
    assert len(found) == 2
    for told in ("noura", "argon2", "JBSW", "abab", "cdcd"):
        assert told not in text


async def test_a_new_key_seals_the_accounts_that_are_there(
    database_settings: DatabaseSettings,
) -> None:
    keys = make_keys(SystemChance())
    database = await Database.open(database_settings)
    account = an_account("reseal@example.com")
    before = PostgresStaff(database, Vault(KeyRing(keys)))
    assert await before.save_staff(account=account)
    rotated = dataclasses.replace(keys, sealing=(("1", b"k" * 32),))
    after = PostgresStaff(database, Vault(KeyRing(rotated)))
    assert await after.reseal() == 1
    assert await after.find_account("reseal@example.com") == account
    assert await after.reseal() == 0
    await database.close()
