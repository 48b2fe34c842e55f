"""What must hold of units' certificates, in memory and in PostgreSQL."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from engine.audit.record import Action, acted
from engine.invoices.onboarding import (
    Csid,
    Documents,
    Onboarding,
    UnitCertificate,
    begun,
    certified,
    passed,
    recognised,
)
from engine.kernel.messages import SYSTEM_CALLER
from storage.database import Database, connected
from storage.memory import MemoryStore
from storage.memory_unit_certificates import MemoryUnitCertificates
from storage.postgres import PostgresStore
from storage.settings import DatabaseSettings
from storage.unit_certificates import PostgresUnitCertificates, UnitCertificateStore
from storage.vault import CannotOpen, Vault
from tests.builders import NOON

SECRET = "a secret of the authority"
BARE = UnitCertificate(unit="HDY", authority="https://zatca/core")
ONBOARDING = Onboarding(
    started_at=NOON, documents=Documents.BOTH, private_key="a private key", request="a request"
)
CSID = Csid(token="token", secret=SECRET, request_id="7")


@pytest.fixture
async def postgres_certificates(
    database_settings: DatabaseSettings,
) -> AsyncIterator[PostgresUnitCertificates]:
    database = await Database.open(database_settings)
    yield PostgresUnitCertificates(database, Vault(KeyRing(make_keys(SystemChance()))))
    await database.close()


@pytest.fixture
def units(
    store: MemoryStore | PostgresStore, request: pytest.FixtureRequest
) -> UnitCertificateStore:
    if isinstance(store, MemoryStore):
        return MemoryUnitCertificates()
    opened: PostgresUnitCertificates = request.getfixturevalue("postgres_certificates")
    return opened


async def test_each_step_is_found_again(units: UnitCertificateStore) -> None:
    assert await units.find("HDY", BARE.authority) is None
    state = begun(BARE, ONBOARDING)
    assert await units.save(state)
    for after in (
        state := recognised(state, CSID),
        state := passed(state, "standard_invoice"),
        state := certified(state, CSID, expires_at=NOON),
    ):
        assert await units.save(after)
        assert await units.find("HDY", BARE.authority) == after
    assert state.certified is not None
    assert (state.certified.private_key, state.onboarding) == ("a private key", None)


async def test_an_authority_knows_nothing_of_another(units: UnitCertificateStore) -> None:
    assert await units.save(begun(BARE, ONBOARDING))
    elsewhere = replace(BARE, authority="https://zatca/simulation")
    assert await units.find("HDY", elsewhere.authority) is None
    assert await units.save(begun(elsewhere, ONBOARDING))
    assert await units.find("ABC", BARE.authority) is None


async def test_of_two_changes_of_one_state_one_is_kept(units: UnitCertificateStore) -> None:
    state = begun(BARE, ONBOARDING)
    assert await units.save(state)
    assert await units.save(recognised(state, CSID))
    assert not await units.save(recognised(state, replace(CSID, secret="late")))
    found = await units.find("HDY", BARE.authority)
    assert found is not None
    assert found.onboarding is not None
    assert found.onboarding.csid == CSID


async def test_keys_and_secrets_are_not_readable_where_they_are_kept(
    database_settings: DatabaseSettings,
) -> None:
    keys = make_keys(SystemChance())
    rotated = dataclasses.replace(keys, sealing=(("1", b"k" * 32),))
    assert database_settings.dsn is not None
    database = await Database.open(database_settings)
    try:
        units = PostgresUnitCertificates(database, Vault(KeyRing(keys)))
        state = certified(recognised(begun(BARE, ONBOARDING), CSID), CSID, expires_at=NOON)
        record = acted(SYSTEM_CALLER, Action.CERTIFY_UNIT, "unit:HDY", at=NOON)
        assert await units.save(state, records=(record,))
        assert not await units.save(state, records=(record,))
        async with connected(database_settings.dsn.get_secret_value()) as connection:
            row = await connection.fetchval("select state::text from unit_certificates")
            assert await connection.fetchval("select count(*) from audit_log") == 1
        assert SECRET not in row
        assert "private" not in row
        after = PostgresUnitCertificates(database, Vault(KeyRing(rotated)))
        assert await after.reseal() == 1
        assert await after.reseal() == 0
        assert await after.find("HDY", BARE.authority) == state
        with pytest.raises(CannotOpen):
            await units.find("HDY", BARE.authority)
    finally:
        await database.close()
