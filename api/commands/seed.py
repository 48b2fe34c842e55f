"""The command that fills an empty database with a demo city."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.running import settings_of
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from api.settings import Settings
    from simulations.seed import DemoCity


def seed(
    *,
    city: Annotated[str, typer.Option(help="A generated city: riyadh or jeddah.")] = "riyadh",
    couriers: Annotated[int, typer.Option(min=1, max=1_000, help="Couriers on duty.")] = 24,
    hours: Annotated[float, typer.Option(min=0.1, max=12, help="Hours of orders.")] = 2.0,
    zones: Annotated[int, typer.Option(min=1, max=36, help="Zones of the city.")] = 3,
    seed: Annotated[int, typer.Option(help="Chance of the city and its people.")] = 1,
) -> None:
    """Fill an empty database with a bilingual demo city whose people can log in."""
    from actors.clock import SystemClock
    from api.commands.narration import Narrator
    from simulations.seed import demo_city
    from storage.migrate import migrate
    from storage.servers import embedded_servers

    settings, narrator = settings_of(), Narrator()
    with Understandable():
        narrator.tell(f"Living {hours:g} hours of {city} with {couriers} couriers")
        found = demo_city(
            city=city,
            couriers=couriers,
            hours=hours,
            zones=zones,
            seed=seed,
            now=SystemClock().now(),
        )
        with embedded_servers(
            settings.data,
            database=settings.database,
            redis=settings.redis,
            on_step=narrator.tell,
        ) as servers:
            asyncio.run(migrate(servers.postgres_dsn, on_step=narrator.tell))
            asyncio.run(_store(found, settings, servers.postgres_dsn))
    customer, courier = _example(found, "customer"), _example(found, "courier")
    narrator.tell(f"{len(found.people)} people can log in, such as the customer {customer}")
    narrator.tell(f"and the courier {courier}; their codes go to {settings.sms_log}")


def _example(city: "DemoCity", role: str) -> str:
    return next(user.phone for user, profile in city.people if profile.role == role)


async def _store(city: "DemoCity", settings: "Settings", dsn: str) -> None:
    from pydantic import SecretStr
    from rich.progress import Progress

    from actors.chance import SystemChance
    from api.keys import open_keys
    from simulations.seed import store_city
    from storage.database import Database
    from storage.postgres import PostgresStore
    from storage.postgres_identity import PostgresIdentity
    from storage.vault import Vault

    update = {"dsn": SecretStr(dsn)}
    database = await Database.open(settings.database.model_copy(update=update))
    store = PostgresStore(database)
    try:
        if await store.list_zones():
            raise typer.BadParameter("the database has zones already: seed an empty one")
        identity = PostgresIdentity(database, Vault(open_keys(settings.key_file, SystemChance())))
        with Progress(transient=True) as progress:
            count = len(city.commits) + len(city.quotes) + len(city.people)
            bar = progress.add_task("storing", total=count)
            await store_city(city, store, identity, on_step=lambda: progress.advance(bar))
    finally:
        await store.close()
