"""The first admin: `hadiyati invite-admin`."""

import typer

from actors.chance import SystemChance
from actors.clock import SystemClock
from actors.gateways.breaches import NoBreaches
from actors.gateways.mail import DevelopmentMail
from actors.invitations import Invitations
from actors.links import LinkMails
from api.hosts.staff import passwords_by
from api.identity_bodies import InvitationBody
from api.keys import open_keys
from api.settings import Settings
from engine.identity.profiles import Language
from engine.kernel.messages import SYSTEM_CALLER, Role
from storage.database import Database
from storage.postgres_identity import PostgresIdentity
from storage.postgres_staff import PostgresStaff
from storage.settings import DatabaseSettings
from storage.vault import Vault


async def invite(email: str, settings: Settings, database_settings: DatabaseSettings) -> str:
    """The link of an invitation that is stored, for whoever sees this terminal."""
    try:
        told = InvitationBody(email=email, role="admin")
    except ValueError:
        raise typer.BadParameter(f"{email} is no e-mail address") from None
    keys = open_keys(settings.key_file, SystemChance())
    database = await Database.open(database_settings)
    try:
        vault, key, wall = Vault(keys), keys.keys.secret("links"), SystemClock()
        store = PostgresStaff(database, vault)
        host = Invitations(
            store,
            PostgresIdentity(database, vault),
            passwords_by(settings.identity, NoBreaches()),
            wall=wall,
            clock=wall,
            chance=SystemChance(),
            key=key,
        )
        link = await host.invite(
            told.email,
            Role.ADMIN,
            zones=None,
            language=Language.ENGLISH,
            by=SYSTEM_CALLER,
            by_mail=False,
        )
        mail = DevelopmentMail(settings.mail_log)
        console = settings.identity.console_url
        return LinkMails(store, mail, wall=wall, key=key, console=console).url(link)
    finally:
        await database.close()
