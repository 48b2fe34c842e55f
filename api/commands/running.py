"""The service as commands run it: with settings of the command line, until the block ends."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard

    from api.settings import Settings
    from api.up import System
    from storage.settings import DatabaseSettings

# Whoever runs the simulated people is the operator of their zone, too.
OPERATOR_PHONE = "+966500000001"
# Simulated people are on this machine, and trust no certificate of a setting.
IN_THE_CLEAR: Final = {"certificate_file": None, "certificate_key_file": None}


def settings_of(
    *,
    port: int | None = None,
    workers: int | None = None,
    speed: float | None = None,
    simulated: bool = False,
    nodes: int | None = None,
) -> "Settings":
    """The settings of file and environment, changed by what the command line says."""
    from pydantic import ValidationError

    from actors.clock import SystemClock
    from actors.settings import ClockSettings
    from api.settings import Settings

    try:
        found = Settings()
    except ValidationError as fault:
        typer.echo(f"The settings are not as they should be.\n{fault}", err=True)
        raise typer.Exit(2) from None
    edge = {"port": port, "workers": workers}
    changed: dict[str, object] = {name: value for name, value in edge.items() if value is not None}
    if simulated:
        changed |= IN_THE_CLEAR
    update: dict[str, object] = {"edge": found.edge.model_copy(update=changed)}
    if _is_fast(speed):
        now = SystemClock().now()
        update["clock"] = ClockSettings(speed=speed, start_ms=now, started_ms=now)
    if nodes is not None:
        update["runtime"] = found.runtime.model_copy(update={"ray_nodes": nodes})
    if simulated:
        operators = (*found.identity.operators, OPERATOR_PHONE)
        update["identity"] = found.identity.model_copy(
            update={"operators": operators, "verify_couriers": False}
        )
    return found.model_copy(update=update)


@contextmanager
def running(
    *,
    port: int | None,
    workers: int | None,
    speed: float | None = None,
    simulated: bool = False,
    folder: Path | None = None,
    nodes: int | None = None,
) -> "Iterator[System]":
    """The system with these changes of its settings, until the block ends or Ctrl-C.

    A clock that runs ahead needs a `folder` of its own, or has one that is thrown away.
    """
    from api.commands.narration import Narrator
    from api.up import running_system

    settings = settings_of(
        port=port, workers=workers, speed=speed, simulated=simulated, nodes=nodes
    )
    if folder is not None:
        data = settings.data.model_copy(update={"folder": folder})
        settings = settings.model_copy(update={"data": data})
    is_thrown_away = folder is None and _is_fast(speed)
    with (
        Understandable(),
        running_system(settings, Narrator().tell, throwaway=is_thrown_away) as system,
    ):
        yield system


def _is_fast(speed: float | None) -> "TypeGuard[float]":
    """Whether the clock runs ahead: what it dates must not get into the data folder."""
    return speed is not None and speed != 1


def running_database() -> "DatabaseSettings":
    """The database of the running system: the one that is set, or the one in the data folder."""
    found = reachable_database()
    if found is None:
        raise typer.BadParameter("nothing runs here: start `hadiyati up`, or set database.dsn")
    return found


def reachable_database() -> "DatabaseSettings | None":
    """As `running_database`; None when nothing runs."""
    from pydantic import SecretStr

    from storage.servers.embedded import running_servers

    settings = settings_of()
    if settings.database.dsn is not None:
        return settings.database
    found = running_servers(settings.data, settings.database, settings.redis)
    if found is None:
        return None
    return settings.database.model_copy(update={"dsn": SecretStr(found.postgres_dsn)})
