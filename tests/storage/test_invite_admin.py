"""The first admin is invited from the command line, into the database of the service."""

import asyncio
from pathlib import Path

from typer.testing import CliRunner

from actors.chance import SystemChance
from api.cli import app
from api.keys import open_keys
from engine.identity import links
from engine.identity.links import LinkPurpose
from engine.kernel.messages import Role
from storage.database import Database
from storage.postgres_staff import PostgresStaff
from storage.settings import DatabaseSettings
from storage.vault import Vault


async def test_the_link_on_the_terminal_opens_an_invitation_of_an_admin(
    database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    assert database_settings.dsn is not None
    environment = {
        "HADIYATI_DATABASE__DSN": database_settings.dsn.get_secret_value(),
        "HADIYATI_DATA__FOLDER": str(tmp_path),
    }
    invited = await asyncio.to_thread(
        CliRunner().invoke, app, ["invite-admin", "Noura@Example.com"], env=environment
    )
    assert invited.exit_code == 0, invited.output
    url, _, token = invited.stdout.strip().partition("#")
    assert url == "https://console.hadiyati.example/invitation"
    vault = Vault(open_keys(tmp_path / "keys.json", SystemChance()))
    database = await Database.open(database_settings)
    link_id = links.id_in(token)
    assert link_id is not None
    link = await PostgresStaff(database, vault).find_link(link_id)
    await database.close()
    assert link is not None
    assert links.objection(link, token, LinkPurpose.INVITE, link.sent_at) is None
    assert (link.role, link.email) == (Role.ADMIN, "noura@example.com")
    odd = await asyncio.to_thread(
        CliRunner().invoke, app, ["invite-admin", "nobody"], env=environment
    )
    assert odd.exit_code == 2
    assert "no e-mail address" in odd.output
