"""Ray, and the only place that knows it: plain classes become actors and are called here."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Self, TypeVar, cast

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from actors.bus import Bus, CellUnavailable
from actors.cell import Cell, World
from actors.chance import SystemChance
from actors.clock import Clock, SystemClock
from actors.dying import die
from actors.garbage import collect_seldom
from actors.lanes import LanedCells
from actors.nodes import LIVING
from actors.packing import (
    pack,
    pack_plainly,
    unpack,
    unpack_answers,
    unpack_envelopes,
    unpack_snapshots,
)
from actors.remote import CellActor, SolverActor
from actors.settings import Premises, RuntimeSettings
from actors.solver import SolverUnavailable
from actors.solver_host import Search, SolverHost
from actors.watch import Watch
from engine.kernel.ids import CellId, CourierId
from engine.kernel.messages import Envelope
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from storage.live import Fix, Publication
from storage.postgres import PostgresStore
from storage.redis_live import RedisLive
from storage.settings import DatabaseSettings
from storage.store import Answer, Store, StoreUnavailable

# Ray reads these when it starts: workers at normal niceness (the default 15 costs a factor in tail
# latency on a busy machine), no recording of task events, no telemetry, no guessing of how the
# program was started.
KNOBS: Final = {
    "RAY_worker_niceness": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_enable_export_api_write": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_enable_metrics_collection": "0",
    # A node whose processes are gone is given up after some 5 s instead of 18; one that is only
    # slow to answer still has half a minute.
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    # Every node has processes waiting that have loaded the code: what a lost node leaves to the
    # others need not be started there.
    "RAY_enable_worker_prestart": "1",
    "RAY_preload_python_modules": "actors.runtime",
}
T = TypeVar("T")
_SOLVER_OF: Final[Mapping[Search, str]] = {"tick": "solver", "routing": "planner"}
# The first plan of a fresh installation has the search compiled, which takes half a minute.
_ROUTES_TIMEOUT_S = 120
_OPEN_AGAIN_S = 0.3
_PRESTARTED_WORKERS = 2
# Ray itself gives up after 30 s, which a machine that is busy with something else may need.
_START_TRIES = 3


class RayCannotStart(Exception):
    """Ray did not come up, or the address is wrong; the text says what Ray said."""


class Head:
    """A local Ray that ends with this process."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        _turn_knobs()
        for last in (False,) * (_START_TRIES - 1) + (True,):
            try:
                self._start()
            except Exception as error:
                ray.shutdown()
                if last:
                    raise RayCannotStart(f"Ray did not start: {error}") from error
            else:
                break
        return self

    def _start(self) -> None:
        context: Any = ray.init(
            address=self._settings.ray_address or "local",
            namespace=self._settings.ray_namespace,
            **({} if self._settings.ray_address else self._local()),
            include_dashboard=False if not self._settings.ray_address else None,
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
        self.address: str = context.address_info["gcs_address"]

    def __exit__(self, *_: object) -> None:
        ray.shutdown()

    def count_living(self) -> int:
        """How many nodes there are for what asks for a share of `LIVING`."""
        list_nodes: Any = ray.nodes
        return sum(one["Alive"] and LIVING in one["Resources"] for one in list_nodes())

    def renew_actors(self) -> Iterator[str]:
        """Start every actor anew, one after the other; the name of each once it serves again."""
        for name in sorted(ray.util.list_named_actors()):
            actor: Any = ray.get_actor(name)
            before = ray.get(actor.pid.remote())
            with suppress(RayActorError):
                ray.get(actor.retire.remote())
            serves = False
            while not serves:
                with suppress(RayActorError):
                    is_another = ray.get(actor.pid.remote()) != before
                    serves = is_another and ray.get(actor.health.remote()) == "ok"
            yield name

    def _local(self) -> dict[str, Any]:
        lives_elsewhere = self._settings.ray_nodes > 1
        return {
            "num_cpus": 0 if lives_elsewhere else _PRESTARTED_WORKERS,
            "object_store_memory": self._settings.object_store_mb * 1024 * 1024,
        }


class CellHost:
    """The Ray actor around a cell.

    A bug ends the process, and Ray starts it anew from what is stored.
    """

    def __init__(self, cell_id: CellId, premises: Premises) -> None:
        collect_seldom()
        self._cell_id = cell_id
        self._premises = premises
        self._starting: asyncio.Future[Cell] | None = None

    async def execute(self, envelopes: bytes) -> bytes:
        """Carry commands out."""
        cell = await self._cell()
        return pack_plainly(await _or_die(cell.execute(unpack_envelopes(envelopes))))

    async def report_positions(self, fixes: bytes) -> list[CourierId]:
        """Take positions; who of them is not on duty here."""
        return (await self._cell()).report_positions(unpack(fixes))

    async def snapshots(self, channels: Sequence[str]) -> bytes:
        """The present states of channels, in their order."""
        cell = await self._cell()
        return pack_plainly([cell.snapshot(one) for one in channels])

    async def health(self) -> str:
        """`ok`, or what is wrong; asking it also makes a restarted cell load its things."""
        starting = self._begin()
        return starting.result().health() if starting.done() else "starting"

    async def pid(self) -> int:
        """The process, for those who want to see it die."""
        return os.getpid()

    async def retire(self) -> None:
        """End what has begun and then this process, so that Ray starts it anew."""
        await (await self._cell()).rest()
        os._exit(1)

    async def _cell(self) -> Cell:
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Future[Cell]:
        if self._starting is None:
            self._starting = asyncio.ensure_future(_or_die(self._start()))
        return self._starting

    async def _start(self) -> Cell:
        clock = SystemClock(self._premises.clock)
        store = await _open_store(self._premises.database)
        world = World(
            store=store,
            live=RedisLive(self._premises.redis_url),
            solver=RaySolver(self._premises.runtime),
            clock=clock,
            chance=SystemChance(),
            settings=self._premises.runtime,
        )
        cell = Cell(self._cell_id, world)
        started = asyncio.Event()
        self._run = asyncio.ensure_future(_or_die(cell.run(started)))
        await started.wait()
        return cell


class RaySolver:
    """The solver as a cell sees it."""

    def __init__(self, runtime: RuntimeSettings) -> None:
        self._runtime = runtime
        self._timeout_s = runtime.solver_budget_s * 4 + runtime.cell_call_timeout_s
        self._actor: SolverActor | None = None
        self._planner: SolverActor | None = None

    async def plan(self, problem: Problem) -> Plan:
        """A verified plan."""
        try:
            if self._actor is None:
                self._actor = solver_actor(self._runtime)
            async with asyncio.timeout(self._timeout_s):
                plan: Plan = unpack(await self._actor.plan.remote(pack(problem)))
                return plan
        except (RayError, TimeoutError, ValueError) as error:
            self._actor = None
            raise SolverUnavailable(str(error)) from error

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        """Verified routes, from a process of their own: no tick waits for them."""
        try:
            if self._planner is None:
                self._planner = solver_actor(self._runtime, "routing")
            async with asyncio.timeout(_ROUTES_TIMEOUT_S):
                return await self._planner.route.remote(problem)
        except (RayError, TimeoutError, ValueError) as error:
            self._planner = None
            raise SolverUnavailable(str(error)) from error


class RayCalls:
    """Calls to cells that are Ray actors, created when first asked."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._patience_s = premises.runtime.cell_call_timeout_s
        self._actors: dict[CellId, CellActor] = {}

    async def execute(self, cell: CellId, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Answers in the order of the envelopes."""
        # No time-out here: a call that is still running must not be sent again beside itself.
        packed = pack_plainly(envelopes)
        return unpack_answers(await self._call(cell, lambda actor: actor.execute.remote(packed)))

    async def report_positions(
        self, cell: CellId, fixes: Sequence[tuple[CourierId, Fix]]
    ) -> list[CourierId]:
        """Pass positions on; whose were not taken, for he is not on duty there."""
        packed = pack(fixes)
        call = self._call(cell, lambda actor: actor.report_positions.remote(packed))
        return await self._in_time(cell, call)

    async def snapshots(self, cell: CellId, channels: Sequence[str]) -> list[Publication | None]:
        """The present states of channels, in their order."""
        call = self._call(cell, lambda actor: actor.snapshots.remote(channels))
        return unpack_snapshots(await self._in_time(cell, call))

    async def health(self, cell: CellId) -> str:
        """`ok` or what is wrong."""
        return await self._in_time(cell, self._call(cell, lambda actor: actor.health.remote()))

    async def _in_time(self, cell: CellId, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._patience_s):
                return await call
        except TimeoutError as error:
            raise CellUnavailable(f"{cell} does not answer") from error

    async def _call(self, cell: CellId, call: Callable[[CellActor], Awaitable[T]]) -> T:
        try:
            actor = self._actors.get(cell)
            if actor is None:
                actor = self._actors[cell] = cell_actor(cell, self._premises)
            return await call(actor)
        except (RayActorError, GetTimeoutError, ValueError) as error:
            raise CellUnavailable(f"{cell}: {error}") from error


def join(premises: Premises, address: str) -> None:
    """Connect this process to a running Ray."""
    _turn_knobs()
    ray.init(
        address=address,
        namespace=premises.runtime.ray_namespace,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )


def _turn_knobs() -> None:
    for name, value in KNOBS.items():
        os.environ.setdefault(name, value)
    # That only who can read this account's token may join is what we want, and nothing to warn of.
    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)


def ray_bus(store: Store, clock: Clock, premises: Premises) -> tuple[Bus, Watch]:
    """A bus whose cells are Ray actors, and the watch that keeps them awake."""
    calls = RayCalls(premises)
    cells = LanedCells(calls, clock, premises.runtime)
    return Bus(store, cells, premises.runtime.placement_resolution), Watch(store, calls, clock)


def cell_actor(cell: CellId, premises: Premises) -> CellActor:
    """The actor of a cell, created when there is none."""
    actor = _actor(CellHost, f"cell:{cell}", premises.runtime, cell, premises)
    return cast("CellActor", actor)


def solver_actor(runtime: RuntimeSettings, search: Search = "tick") -> SolverActor:
    """The actor of the solver, or of the planner of later windows, created when there is none."""
    return cast("SolverActor", _actor(SolverHost, _SOLVER_OF[search], runtime, search))


def _actor(host: type, name: str, runtime: RuntimeSettings, *arguments: object) -> object:
    # Ray's typing does not follow options on a remote class.
    remote: Any = ray.remote(host)
    actor: object = remote.options(
        name=name,
        namespace=runtime.ray_namespace,
        get_if_exists=True,
        lifetime="detached",
        max_restarts=-1,
        max_task_retries=0,
        num_cpus=0,
        scheduling_strategy="SPREAD",
        resources={LIVING: 1} if runtime.ray_nodes > 1 else None,
        enable_task_events=False,
    ).remote(*arguments)
    return actor


async def _open_store(settings: DatabaseSettings) -> PostgresStore:
    """The store, as soon as the database answers."""
    while True:
        try:
            return await PostgresStore.open(settings)
        except StoreUnavailable:
            await asyncio.sleep(_OPEN_AGAIN_S)


async def _or_die(work: Awaitable[T]) -> T:
    """What escapes from a cell is a bug: the state in memory is not to be trusted any more."""
    try:
        return await work
    except asyncio.CancelledError:
        raise
    except BaseException:  # noqa: BLE001 - whatever it is, only cancelling is not a bug
        die()
