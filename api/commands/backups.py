"""The commands `hadiyati backup` and `hadiyati restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from api.commands.running import settings_of
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from api.settings import Settings
    from storage.servers.backup import Belongings


def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept, best on another disk.")],
    *,
    keep: Annotated[int, typer.Option(min=1, max=1000, help="So many newest ones stay.")] = 7,
) -> None:
    """Back up the running system: its database, people's files and its keys."""
    from actors.clock import SystemClock
    from api.commands.narration import Narrator
    from engine.kernel.timing import SECOND_MS
    from storage.servers import ServersError, running_servers
    from storage.servers.backup import back_up

    settings = settings_of()
    with Understandable():
        if settings.database.dsn is not None:
            raise ServersError(
                "PostgreSQL is given by address (database.dsn): whoever runs it backs it up."
            )
        found = running_servers(settings.data, settings.database, settings.redis)
        if found is None:
            raise ServersError(f"nothing runs in {settings.data.folder}: start `hadiyati up`.")
        back_up(
            found.postgres_dsn,
            settings.data,
            folder.absolute(),
            _belongings(settings),
            database=settings.database,
            keep=keep,
            now=datetime.fromtimestamp(SystemClock().now() / SECOND_MS, UTC),
            on_step=Narrator().tell,
        )


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `hadiyati backup` has made.")],
    *,
    archive: Annotated[
        Path | None, typer.Option(help="The database.archive_folder of the system that was.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            help="The last instant to bring back, in UTC; else all that the archive has.",
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"],
        ),
    ] = None,
) -> None:
    """Fill an empty data folder from a backup, and verify the ledger and the audit log in it."""
    from api.commands import audit, ledger
    from api.commands.narration import Narrator
    from storage.servers import embedded_servers
    from storage.servers.backup import restore as bring_back

    settings, narrator = settings_of(), Narrator()
    with Understandable():
        bring_back(
            backup.absolute(),
            settings.data,
            _belongings(settings),
            database=settings.database,
            archive=archive,
            until=None if until is None else until.replace(tzinfo=UTC),
            on_step=narrator.tell,
        )
        with embedded_servers(
            settings.data, database=settings.database, redis=settings.redis, on_step=narrator.tell
        ) as servers:
            database = settings.database.model_copy(update={"dsn": SecretStr(servers.postgres_dsn)})
            faults, is_whole = ledger.verify(database), audit.verify(database, [])
        if faults or not is_whole:
            raise typer.Exit(1)
        narrator.tell(f"{settings.data.folder} is ready: start `hadiyati up`")


def _belongings(settings: "Settings") -> "Belongings":
    from storage.servers.backup import Belongings

    return Belongings(files=settings.files_folder, keys=settings.key_file)
