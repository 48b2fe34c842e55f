"""The servers of one data folder together: planned, started, written down, stopped."""

import contextlib
import random
from collections.abc import Callable

import structlog

from storage.servers.binaries import choose_postgres, choose_valkey
from storage.servers.errors import ServerStartError
from storage.servers.keeper import Keeper
from storage.servers.places import Places
from storage.servers.ports import choose_port, is_free
from storage.servers.postgres import Postgres, cluster_major
from storage.servers.register import Entry, read_register, write_register
from storage.servers.valkey import Valkey
from storage.settings import DatabaseSettings, RedisSettings

_ATTEMPTS = 3

_log = structlog.get_logger(__name__)


class Household:
    """Has one keeper for each server of ours; the folder is claimed by who made it."""

    def __init__(
        self,
        places: Places,
        *,
        database: DatabaseSettings,
        redis: RedisSettings,
        durable: bool,
        chance: random.Random,
        on_step: Callable[[str], None],
    ) -> None:
        self.places = places
        self._database = database
        self._redis = redis
        self._durable = durable
        self._chance = chance
        self._on_step = _heard(on_step)
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None
        self._keepers: list[Keeper] = []

    @property
    def dsn(self) -> str:
        """Address of PostgreSQL, the given one or ours."""
        if self._postgres is not None:
            return self._postgres.dsn
        assert self._database.dsn is not None, "asked before the servers were planned"
        return self._database.dsn.get_secret_value()

    @property
    def url(self) -> str:
        """Address of Redis or Valkey, the given one or ours."""
        if self._valkey is not None:
            return self._valkey.url
        assert self._redis.url is not None, "asked before the servers were planned"
        return self._redis.url.get_secret_value()

    def pid(self, name: str) -> int | None:
        return next((each.pid for each in self._keepers if each.program.name == name), None)

    def open(self) -> None:
        """Return when every server serves.

        Raises:
            ServersError: a server is missing or does not start.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self._plan()
            try:
                self._start()
            except ServerStartError:
                ports = [each.program.port for each in self._keepers]
                self.close()
                if attempt == _ATTEMPTS or all(map(is_free, ports)):
                    raise
                self._on_step("A port was taken by another program; trying others")
            else:
                return

    def close(self) -> None:
        """Stop the servers; once is enough, twice does no harm."""
        for keeper in self._keepers:
            keeper.stop()
        if self._keepers:
            self._write_down()

    def _plan(self) -> None:
        if self._database.dsn is None:
            self._postgres = self._plan_postgres(self._database)
        if self._redis.url is None:
            self._valkey = self._plan_valkey(self._redis)
        self._keepers = [
            Keeper(
                program,
                self.places.account,
                on_step=self._on_step,
                on_change=self._write_down,
            )
            for program in (self._postgres, self._valkey)
            if program is not None
        ]
        self._write_down()

    def _plan_postgres(self, settings: DatabaseSettings) -> Postgres:
        programs = choose_postgres(settings.binaries, cluster_major(self.places.state))
        return Postgres(
            places=self.places,
            programs=programs,
            folder=self.places.reachable(programs).parent,
            settings=settings,
            port=self._port("PostgreSQL", settings.port),
            durable=self._durable,
            on_step=self._on_step,
        )

    def _plan_valkey(self, settings: RedisSettings) -> Valkey:
        programs = choose_valkey(settings.binaries)
        return Valkey(
            places=self.places,
            programs=programs,
            executable=self.places.reachable(programs),
            settings=settings,
            port=self._port("Valkey", settings.port),
            durable=self._durable,
        )

    def _port(self, name: str, wanted: int | None) -> int:
        last = read_register(self.places.folder).get(name)
        return choose_port(wanted, last=last.port if last else None, chance=self._chance)

    def _start(self) -> None:
        for program in (self._valkey, self._postgres):
            if program is not None:
                program.prepare()
        for keeper in self._keepers:
            keeper.start()
        for keeper in self._keepers:
            keeper.await_ready()

    def _write_down(self) -> None:
        """Tell other processes; a full disk that prevents it must not end a server."""
        entries = {
            each.program.name: Entry(
                port=each.program.port,
                version=each.program.version,
                source=each.program.programs.source,
                pid=each.pid,
            )
            for each in self._keepers
        }
        with contextlib.suppress(OSError):
            write_register(self.places.folder, entries)


def _heard(on_step: Callable[[str], None]) -> Callable[[str], None]:
    """Say it so that a listener who fails, at a closed terminal perhaps, ends no server."""

    def say(sentence: str) -> None:
        try:
            on_step(sentence)
        except Exception:  # noqa: BLE001 - whatever the listener is, he is not ours
            _log.warning("listener_failed", sentence=sentence, exc_info=True)

    return say
