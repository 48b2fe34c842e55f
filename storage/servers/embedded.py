"""PostgreSQL and Valkey for one data folder, as children of this process, for a `with` block."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from storage.servers import postgres, valkey
from storage.servers.account import choose_account
from storage.servers.errors import ServersError
from storage.servers.household import Household
from storage.servers.lock import holder_of
from storage.servers.places import claimed_places, kept_password
from storage.servers.register import read_register
from storage.servers.throwaway import throwaway_folder
from storage.settings import DatabaseSettings, DataSettings, RedisSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the servers are; `household` is None when both were given by address."""

    postgres_dsn: str
    redis_url: str
    household: Household | None

    @property
    def folder(self) -> Path | None:
        return self.household.places.folder if self.household else None

    @property
    def postgres_pid(self) -> int | None:
        """None for a server that is not ours, or is down at this moment."""
        return self.household.pid("PostgreSQL") if self.household else None

    @property
    def valkey_pid(self) -> int | None:
        """None for a server that is not ours, or is down at this moment."""
        return self.household.pid("Valkey") if self.household else None


@contextmanager
def embedded_servers(
    data: DataSettings | None = None,
    *,
    database: DatabaseSettings | None = None,
    redis: RedisSettings | None = None,
    throwaway: bool = False,
    durable: bool = False,
    on_step: Callable[[str], None] | None = None,
) -> Iterator[Servers]:
    """Run what is needed and not given by address; inside the block all of it serves.

    Servers that die are started again on the same port with the same data. `on_step` gets a
    sentence for each thing that happens, also from other threads. `throwaway` ignores
    `data.folder`, keeps everything in a temporary folder that is removed afterwards, and does
    without safety against a crash of the machine unless it is to be `durable` all the same, for
    measurements.

    Raises:
        FolderInUseError: another process keeps the servers of this folder.
        ServersError: something is missing or in the way; the text says what to do.
    """
    data, database, redis = (
        data or DataSettings(),
        database or DatabaseSettings(),
        redis or RedisSettings(),
    )
    if database.dsn is not None and redis.url is not None:
        yield Servers(
            postgres_dsn=database.dsn.get_secret_value(),
            redis_url=redis.url.get_secret_value(),
            household=None,
        )
        return
    if sys.platform != "linux":
        raise ServersError("embedded servers need Linux; set database.dsn and redis.url instead.")
    account = choose_account(data.account)
    with ExitStack() as stack:
        if throwaway:
            folder = stack.enter_context(throwaway_folder(data, account))
            data = data.model_copy(update={"folder": folder})
        places = stack.enter_context(claimed_places(data, account))
        household = Household(
            places,
            database=database,
            redis=redis,
            durable=durable or not throwaway,
            chance=random.SystemRandom(),
            on_step=on_step or _log_step,
        )
        stack.callback(household.close)
        household.open()
        yield Servers(postgres_dsn=household.dsn, redis_url=household.url, household=household)


def running_servers(
    data: DataSettings, database: DatabaseSettings, redis: RedisSettings
) -> Servers | None:
    """The servers that another process keeps for this folder, or None if nobody does.

    Addresses that are set are taken as they are.

    Raises:
        ServersError: they run, but this user may not read their passwords.
    """
    folder = data.folder.absolute()
    entries = read_register(folder) if holder_of(folder) else {}
    dsn = database.dsn.get_secret_value() if database.dsn else None
    url = redis.url.get_secret_value() if redis.url else None
    if dsn is None and (entry := entries.get("PostgreSQL")):
        dsn = postgres.address(kept_password(folder, "postgres") or "", entry.port)
    if url is None and (entry := entries.get("Valkey")):
        url = valkey.address(kept_password(folder, "valkey") or "", entry.port)
    if dsn is None or url is None:
        return None
    return Servers(postgres_dsn=dsn, redis_url=url, household=None)


def _log_step(sentence: str) -> None:
    structlog.get_logger(__name__).info("embedded_servers", what=sentence)
