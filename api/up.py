"""The whole system on one machine, for a `with` block: servers, schema, Ray, and the API."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from actors.chance import SystemChance
from actors.nodes import Nodes
from actors.settings import RuntimeKind, RuntimeSettings
from api.certificates import UnusableCertificate, certificate_shown, own_certificate_only
from api.edge_settings import EdgeSettings
from api.keys import open_keys
from api.log_folder import throwaway_logs
from api.open_files import raise_open_files
from api.settings import Settings, handed_down
from api.signals import signals_kept
from api.workers import Workers
from storage.migrate import migrate
from storage.servers import Servers, embedded_servers
from storage.servers.patience import Stopwatch

_READY_PATIENCE_S = 120.0
_SHOWS_AT_ONCE_S = 0.5
_ASK_EVERY_S = 0.1
_ASK_TIMEOUT_S = 5.0
_DEATHS_MAX = 3
_BACKLOG = 2048


class CannotStart(Exception):
    """The system did not become ready; the text says what was seen last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system that serves; `settings` are those of its processes, with every address filled in."""

    url: str
    sms_log: Path
    api_log: Path
    settings: Settings
    servers: Servers
    workers: Workers
    nodes: Nodes
    renew_actors: Callable[[], Iterator[str]]

    def restart(self, on_step: Callable[[str], None]) -> None:
        """Start everything of ours anew while it serves: workers, then cells and solvers.

        Every process is replaced by one that has loaded the code as it is now. Nothing is refused:
        phones are told to connect again, and commands wait for their cell.
        """
        if self.settings.runtime.kind is RuntimeKind.LOCAL:
            on_step("With runtime.kind = local the actors live in the worker: stop and start it")
            return
        self.workers.roll()
        for name in self.renew_actors():
            on_step(f"{name} was started anew")

    def state(self) -> dict[str, Any]:
        """What `/readyz` says."""
        return _ask(self.url, self.settings.edge)[1]


@contextmanager
def running_system(
    settings: Settings,
    on_step: Callable[[str], None],
    *,
    throwaway: bool = False,
    durable: bool = False,
) -> Iterator[System]:
    """Start everything that is not given by address; inside the block all of it serves.

    `on_step` gets a sentence for each thing that happens, also from other threads. `throwaway`
    keeps all data in a temporary folder, `durable` as safely as in any other.

    Raises:
        ServersError: an embedded server cannot be started.
        CannotStart: the API does not become ready.
    """
    if settings.runtime.kind is RuntimeKind.LOCAL and settings.edge.workers > 1:
        raise CannotStart(
            "with runtime.kind = local the actors live in the API's process, "
            "so there can be only one: set edge.workers to 1"
        )
    try:
        certificate_shown(settings.edge)
    except UnusableCertificate as error:
        raise CannotStart(str(error)) from error
    raise_open_files(settings.edge.sockets_max, on_step)
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(settings))
        opening = stack.enter_context(
            _Beside(partial(_open_servers, settings, on_step, throwaway, durable))
        )
        # A folder in use, or a missing program, shows at once: nobody need wait for Ray to hear it.
        wait([opening], timeout=_SHOWS_AT_ONCE_S, return_when=FIRST_EXCEPTION)
        if opening.done():
            opening.result()
        logs = settings.data.folder.absolute() / "logs"
        if throwaway:
            logs = stack.enter_context(throwaway_logs())
        workers = stack.enter_context(_workers(settings, listening, logs / "api.log", on_step))
        runtime, nodes, renew_actors = stack.enter_context(_ray(settings.runtime, on_step))
        # They started first, since they take long to load, and must not outlive the actors.
        stack.callback(workers.stop)
        servers = opening.result()
        settings = _with_addresses(settings, servers, runtime)
        open_keys(settings.key_file, SystemChance())
        workers.serve_in(handed_down(settings))
        url = _url(listening, settings.edge)
        _await_ready(url, settings.edge, workers, on_step)
        yield System(
            url=url,
            sms_log=settings.sms_log.absolute(),
            api_log=logs / "api.log",
            settings=settings,
            servers=servers,
            workers=workers,
            nodes=nodes,
            renew_actors=renew_actors,
        )
        on_step("Stopping the API, the actors and the servers")


def _workers(
    settings: Settings, listening: socket.socket, log: Path, on_step: Callable[[str], None]
) -> Workers:
    return Workers(
        listening,
        count=settings.edge.workers,
        log=log,
        shutdown_s=settings.edge.shutdown_s,
        on_step=on_step,
    )


class _Beside:
    """Enters a context in a thread, since it and what the caller does meanwhile both take long."""

    def __init__(self, opening: Callable[[ExitStack], Servers]) -> None:
        self._opening = opening
        self._stack = ExitStack()
        self._pool = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> "Future[Servers]":
        self._future = self._pool.submit(self._opening, self._stack)
        return self._future

    def __exit__(self, *_: object) -> None:
        wait([self._future])
        self._pool.shutdown()
        self._stack.close()


def _open_servers(
    settings: Settings,
    on_step: Callable[[str], None],
    throwaway: bool,  # noqa: FBT001 - bound in one place
    durable: bool,  # noqa: FBT001 - as above
    stack: ExitStack,
) -> Servers:
    """The servers with the newest schema."""
    servers = stack.enter_context(
        embedded_servers(
            settings.data,
            database=settings.database,
            redis=settings.redis,
            throwaway=throwaway,
            durable=durable,
            on_step=on_step,
        )
    )
    if not asyncio.run(migrate(servers.postgres_dsn, on_step=on_step)):
        on_step("The database has the newest schema")
    return servers


def _with_addresses(settings: Settings, servers: Servers, runtime: RuntimeSettings) -> Settings:
    """The settings with what is known now that the servers run."""
    folder = servers.folder or settings.data.folder
    return settings.model_copy(
        update={
            "data": settings.data.model_copy(update={"folder": folder}),
            "database": settings.database.model_copy(
                update={"dsn": SecretStr(servers.postgres_dsn)}
            ),
            "runtime": runtime,
            "redis": settings.redis.model_copy(update={"url": SecretStr(servers.redis_url)}),
        }
    )


@contextmanager
def _ray(
    runtime: RuntimeSettings, on_step: Callable[[str], None]
) -> Iterator[tuple[RuntimeSettings, Nodes, Callable[[], Iterator[str]]]]:
    if runtime.kind is RuntimeKind.LOCAL:
        none = Nodes(0, address="", object_store_mb=0, count_up=lambda: 0, on_step=on_step)
        yield runtime, none, _no_actors
        return
    from actors.runtime import Head, RayCannotStart  # noqa: PLC0415 - takes seconds

    watch = Stopwatch()
    on_step("Starting Ray" if not runtime.ray_address else "Joining Ray")
    with ExitStack() as stack:
        try:
            with signals_kept():
                head = stack.enter_context(Head(runtime))
        except RayCannotStart as error:
            raise CannotStart(str(error)) from error
        on_step(f"Ray is ready at {head.address} ({watch.elapsed_s:.1f} s)")
        more = 0 if runtime.ray_address else runtime.ray_nodes - 1
        nodes = stack.enter_context(
            Nodes(
                more,
                address=head.address,
                object_store_mb=runtime.object_store_mb,
                count_up=head.count_living,
                on_step=on_step,
            )
        )
        yield runtime.model_copy(update={"ray_address": head.address}), nodes, head.renew_actors


def _no_actors() -> Iterator[str]:
    """Without Ray the actors live and die with their worker."""
    return iter(())


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    """What all workers accept from: while one is started again, callers wait in its queue."""
    host, port = settings.edge.host, settings.edge.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {host} cannot be used ({error.strerror}): "
                "choose another with --port or HADIYATI_EDGE__PORT, 0 for a free one"
            ) from error
        listening.listen(_BACKLOG)
        yield listening


def _url(listening: socket.socket, edge: EdgeSettings) -> str:
    host, port = listening.getsockname()[:2]
    if ":" in host:
        host = f"[{host}]"
    scheme = "http" if edge.certificate_file is None else "https"
    return f"{scheme}://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104


def _await_ready(
    url: str, edge: EdgeSettings, workers: Workers, on_step: Callable[[str], None]
) -> None:
    watch, pause = Stopwatch(), threading.Event()
    state: dict[str, Any] = {}
    while watch.elapsed_s < _READY_PATIENCE_S and workers.deaths < _DEATHS_MAX:
        status, state = _ask(url, edge)
        if status == 200:
            on_step(f"The API is ready at {url} ({watch.elapsed_s:.1f} s)")
            return
        pause.wait(_ASK_EVERY_S)
    raise CannotStart(f"the API did not become ready: {state}\n{workers.last_words()}")


def _ask(url: str, edge: EdgeSettings) -> tuple[int, dict[str, Any]]:
    """The status and what is said; 0 and why when nobody answers."""
    scheme, _, where = url.partition("://")
    connection = (
        http.client.HTTPConnection(where, timeout=_ASK_TIMEOUT_S)
        if scheme == "http"
        else http.client.HTTPSConnection(
            where, timeout=_ASK_TIMEOUT_S, context=own_certificate_only(edge)
        )
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, {"no answer": str(error)}
    finally:
        connection.close()
