"""A town of which everything is in PostgreSQL and Valkey, as it is in production."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from actors.chance import SystemChance
from api.keys import KeyRing, make_keys
from api.parts import Parts
from api.privacy_settings import PrivacySettings
from storage.audit import PostgresAudit
from storage.chat import PostgresChat
from storage.database import Database
from storage.gift_links import PostgresGiftLinks
from storage.invoices import PostgresInvoices
from storage.kept_answers import PostgresKeptAnswers
from storage.ledger import PostgresLedger
from storage.migrate import migrate
from storage.payments import PostgresPayments
from storage.personal_data import PostgresPersonalData
from storage.postgres import PostgresStore
from storage.postgres_identity import PostgresIdentity
from storage.postgres_staff import PostgresStaff
from storage.privacy import PostgresPrivacy
from storage.redis_live import RedisLive
from storage.refused_tries import PostgresRefusedTries
from storage.retention import PostgresRetention
from storage.sessions import PostgresSessions
from storage.settings import DatabaseSettings
from storage.settlements import PostgresSettlements
from storage.sheets import PostgresSheets
from storage.uploads import PostgresUploads
from storage.vault import Vault
from storage.what_ifs import PostgresWhatIfs
from tests.api.town import Town, a_town
from tests.fixtures.servers import Databases


@asynccontextmanager
async def a_stored_town(
    folder: Path,
    databases: Databases,
    redis_url: str,
    *,
    privacy: PrivacySettings | None = None,
    **more: Any,
) -> AsyncIterator[tuple[Town, str]]:
    """The town, and the DSN of its database."""
    dsn = databases.create()
    await migrate(dsn)
    database = await Database.open(DatabaseSettings(dsn=SecretStr(dsn)))
    live = RedisLive(redis_url)
    keys = KeyRing(make_keys(SystemChance()))
    vault = Vault(keys)
    identity, staff = PostgresIdentity(database, vault), PostgresStaff(database, vault)

    def stored(parts: Parts) -> Parts:
        update = {"privacy": privacy or PrivacySettings()}
        return replace(
            parts,
            keys=keys,
            settings=parts.settings.model_copy(update=update),
            what_ifs=PostgresWhatIfs(database),
            sheets=PostgresSheets(database),
            invoices=PostgresInvoices(database),
            gift_links=PostgresGiftLinks(database),
            chat=PostgresChat(database),
            audit=PostgresAudit(database),
            refused_tries=PostgresRefusedTries(database),
            settlements=PostgresSettlements(database),
            ledger=PostgresLedger(database),
            staff=staff,
            privacy=PostgresPrivacy(database, vault),
            personal_data=PostgresPersonalData(database, vault, identity, staff, parts.objects),
            retention=PostgresRetention(database, parts.objects),
            traces=live,
            uploads=PostgresUploads(database),
            payments=PostgresPayments(database),
        )

    try:
        async with a_town(
            folder,
            store=PostgresStore(database),
            live=live,
            identity=identity,
            sessions=PostgresSessions(database),
            kept_answers=PostgresKeptAnswers(database, vault),
            parts_of=stored,
            **more,
        ) as town:
            yield town, dsn
    finally:
        await live.close()
        await database.close()
        databases.drop(dsn)
