"""The command that measures the real-time path: `hadiyati bench-realtime`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.running import IN_THE_CLEAR
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from api.settings import Settings
    from api.up import System
    from simulations.realtime.site import Place

_A_DAY_S = 86_400


def bench_realtime(
    couriers: Annotated[
        int, typer.Option(min=20, max=15_000, help="Couriers on duty, each with a socket.")
    ] = 10_000,
    *,
    runs: Annotated[int, typer.Option(min=1, max=100, help="Runs whose median is told.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.2, max=600, help="Seconds of a run.")] = 5.0,
    every: Annotated[
        float, typer.Option(min=0.2, max=600, help="Seconds between positions of a courier.")
    ] = 4.0,
    saturating: Annotated[
        int, typer.Option(min=1, max=5000, help="Sockets that send as fast as they are answered.")
    ] = 500,
    commands_per_s: Annotated[
        int, typer.Option(min=1, max=2000, help="Reports of couriers in a second.")
    ] = 200,
    in_flight: Annotated[
        int, typer.Option(min=1, max=2000, help="Commands that wait when saturated.")
    ] = 256,
    watchers: Annotated[
        int, typer.Option(min=1, max=4000, help="Sockets that are told one event.")
    ] = 1_000,
    storm: Annotated[
        float, typer.Option(min=0.5, max=600, help="Seconds in which everybody comes back.")
    ] = 30.0,
    only: Annotated[
        list[str] | None,
        typer.Option(help="idle, saturated, steady, commands, messages, fan-out … restart."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Chance of the city.")] = 1,
    out: Annotated[Path, typer.Option(help="Where every run is written, as JSON.")] = Path(
        ".hadiyati/bench-realtime.json"
    ),
) -> None:
    """Measure sockets, positions and commands beside bare servers, on a system of its own."""
    from api.commands.narration import Narrator
    from api.up import running_system
    from simulations.realtime.run import PARTS, run
    from simulations.realtime.site import Sizes

    if unknown := set(only or ()) - set(PARTS):
        raise typer.BadParameter(f"{', '.join(unknown)}: choose among {', '.join(PARTS)}")
    sizes = Sizes(
        couriers=couriers,
        every_s=every,
        runs=runs,
        run_s=seconds,
        saturating=min(saturating, couriers),
        commands_per_s=commands_per_s,
        in_flight=min(in_flight, couriers),
        watchers=watchers,
        storm_s=storm,
    )
    settings, narrator = unhurried_settings(), Narrator()
    with (
        Understandable(),
        running_system(settings, narrator.tell, throwaway=True, durable=True) as system,
    ):
        run(open_place(system), sizes=sizes, parts=only or PARTS, seed=seed, out=out)


def unhurried_settings() -> "Settings":
    """The settings of file and environment, but that nobody is cut off for being quick or quiet."""
    from api.settings import Settings

    found = Settings()
    quick = {"port": 0, "frames_per_s": 100_000.0, "frames_burst": 100_000, "silence_s": 3600.0}
    edge = {**quick, **IN_THE_CLEAR}
    identity = {"verify_couriers": False, "access_token_s": _A_DAY_S}
    return found.model_copy(
        update={
            "edge": found.edge.model_copy(update=edge),
            "identity": found.identity.model_copy(update=identity),
        }
    )


@asynccontextmanager
async def open_place(system: "System") -> AsyncIterator["Place"]:
    """The running system as the measurement reaches it."""
    from actors.chance import SystemChance
    from actors.clock import SystemClock
    from api.keys import open_keys
    from api.tokens import Tokens
    from engine.identity.ids import SessionId
    from engine.kernel.ids import UserId
    from engine.kernel.messages import Caller, Role
    from simulations.realtime.site import Place
    from storage.database import Database
    from storage.redis_live import RedisLive

    settings = system.settings
    assert settings.redis.url is not None
    tokens = Tokens(open_keys(settings.key_file, SystemChance()), settings.identity)
    clock = SystemClock()

    def token_of(user_id: str, role: str) -> str:
        caller = Caller(user_id=UserId(user_id), role=Role(role))
        return tokens.issue(caller, SessionId(user_id), now=clock.now())

    database = await Database.open(settings.database)
    live = RedisLive(settings.redis.url.get_secret_value(), settings.redis)
    try:
        yield Place(
            url=system.url,
            token_of=token_of,
            database=database,
            live=live,
            bare_edge=(sys.executable, "-m", "api.commands.bare_edge"),
        )
    finally:
        await live.close()
        await database.close()
