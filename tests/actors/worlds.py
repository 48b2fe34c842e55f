"""A whole system in one process: memory store, virtual time, the last of what was published."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, cast

from actors.bus import Bus
from actors.cell import World
from actors.chance import SeededChance, new_id
from actors.clock import Clock
from actors.local import local_bus
from actors.settings import RuntimeSettings
from actors.solver import Solver, SolverUnavailable, stopped_watch
from actors.solving import LocalSolver
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import AcceptOffer, GoOnDuty, ReportProgress
from engine.geo.cells import cell_at, disk
from engine.geo.parameters import ZoneParameters
from engine.geo.travel import VehicleKind
from engine.geo.zone import CreateZone
from engine.kernel.ids import CellId, CommandId, CourierId, OrderId, UserId, ZoneId
from engine.kernel.messages import Caller, Command, Envelope, Role, Thing
from engine.kernel.ownership import TellOwner
from engine.kernel.place import Point
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.messages import PlaceOrder
from optimizer.problem import Plan, Problem
from optimizer.routing.problem import RoutingPlan, RoutingProblem
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually
from storage.live import Batch, Fix, LiveStream, LiveUnavailable, Publication
from storage.memory import MemoryStore
from storage.store import Answer, Store
from tests.actors.shaky import ShakyStore
from tests.actors.truth import differences, is_offered_or_carried_once, lies_in, unheard_of
from tests.builders import CORNER, DOOR, NOON, SHOP, a_placing, a_quote

T = TypeVar("T")
OPERATOR = Caller(user_id=UserId("00000000-0000-7000-8000-000000000001"), role=Role.OPERATOR)
JEDDAH = Point(lat=21.4858, lng=39.1925)  # so far away that another cell owns it
QUICK = ZoneParameters(tick_s=2, commit_lead_s=3600, offer_timeout_s=30, bundle_size_max=1)


class Noticed:
    """A live stream that remembers what was published, and holds it against what was stored.

    What one cell says of a thing never goes back; its word may come after a newer one of another.
    """

    gap_ms = 0

    def __init__(self, stored: Mapping[tuple[str, int], Thing]) -> None:
        self._stored = stored
        self.is_away = False
        self.lies: list[str] = []
        self.batches: list[Batch] = []
        self.newest: dict[tuple[str, str], Publication] = {}
        self._said: dict[tuple[str, str], int] = {}
        self.fixes: dict[CellId, dict[CourierId, Fix]] = {}

    async def publish(self, batch: Batch) -> None:
        if self.is_away:
            raise LiveUnavailable("nobody listens")
        self.batches.append(batch)
        for one in batch.publications:
            known = self.newest.get((one.channel, one.kind))
            if known is None or one.version >= known.version:
                self.newest[one.channel, one.kind] = one
            if one.kind == "state":
                self.lies += lies_in(one, self._stored)
                self._hold_against_itself(batch.incarnation, one)

    def _hold_against_itself(self, incarnation: str, told: Publication) -> None:
        before = self._said.get((incarnation, told.channel), 0)
        if told.version < before:
            self.lies.append(f"{told.channel} was shown at {told.version} after {before}")
        self._said[incarnation, told.channel] = told.version

    async def head(self) -> str:
        return ""

    async def tail(self) -> str:
        return ""

    async def read(self, after: str, *, wait_ms: int) -> tuple[str, Sequence[Batch]]:
        return after, []

    async def save_fixes(self, cell: CellId, fixes: Mapping[CourierId, Fix]) -> None:
        if self.is_away:
            raise LiveUnavailable("nobody listens")
        self.fixes.setdefault(cell, {}).update(fixes)

    async def load_fixes(self, cell: CellId) -> dict[CourierId, Fix]:
        if self.is_away:
            raise LiveUnavailable("nobody listens")
        return dict(self.fixes.get(cell, {}))

    def body(self, channel: str) -> dict[str, Any]:
        """The newest state that was published on a channel."""
        return self.newest[channel, "state"].body


class Thinker:
    """A solver that takes its time, or is away."""

    def __init__(self, clock: Clock, solver: Solver) -> None:
        self._solver = solver
        self._clock = clock
        self.takes_ms = 0
        self.is_away = False
        self.problems: list[Problem] = []
        self.plans: list[Plan] = []
        self.routings: list[RoutingProblem] = []
        self.together = self.most_together = 0

    async def plan(self, problem: Problem) -> Plan:
        self._must_be_here()
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        try:
            self.problems.append(problem)
            if self.takes_ms:
                await self._clock.sleep(self.takes_ms)
                self._must_be_here()
            self.plans.append(await self._solver.plan(problem))
        finally:
            self.together -= 1
        return self.plans[-1]

    async def route(self, problem: RoutingProblem) -> RoutingPlan:
        self._must_be_here()
        self.routings.append(problem)
        return await self._solver.route(problem)

    def _must_be_here(self) -> None:
        if self.is_away:
            raise SolverUnavailable("nobody thinks")


class Town:
    """One zone, its bus and its people's words."""

    def __init__(
        self,
        loop: VirtualLoop,
        *,
        live: LiveStream | None = None,
        solver: Solver | None = None,
        starts_at: Instant = NOON,
        parameters: ZoneParameters = QUICK,
    ) -> None:
        self.clock = VirtualClock(loop, starts_at=starts_at)
        self.chance = SeededChance(7)
        self.store = MemoryStore()
        self.line = ShakyStore(self.store, self.clock)
        self.line_store = cast("Store", self.line)
        self.noticed = Noticed(self.line.stored)
        self.parameters = parameters
        self.settings = RuntimeSettings()
        self.thinker = Thinker(self.clock, solver or LocalSolver(stopped_watch))
        world = World(
            store=self.line_store,
            live=live or self.noticed,
            solver=self.thinker,
            clock=self.clock,
            chance=self.chance,
            settings=self.settings,
        )
        self.bus, self.cells = local_bus(world)
        self.zone_id = ZoneId(self.new_id())
        self._customer = Caller(user_id=UserId(self.new_id()), role=Role.CUSTOMER)

    def new_id(self) -> str:
        return new_id(self.clock, self.chance)

    async def send(
        self,
        command: Command,
        caller: Caller,
        *,
        command_id: str = "",
        fingerprint: str = "",
        deadline_ms: int = 10_000,
        by: Bus | None = None,
    ) -> Answer:
        return await (by or self.bus).execute(
            Envelope(
                id=CommandId(command_id or self.new_id()),
                command=command,
                caller=caller,
                deadline=self.clock.now() + deadline_ms,
                fingerprint=fingerprint,
            )
        )

    async def must(self, command: Command, caller: Caller, **how: Any) -> Answer:
        answer = await self.send(command, caller, **how)
        assert answer.refusal is None, answer.refusal
        return answer

    async def open(
        self, zone_id: ZoneId | None = None, *, around: Point = SHOP, rings: int = 6
    ) -> None:
        """Create the zone, or another one."""
        anchor = cell_at(around, 8)
        await self.must(
            CreateZone(
                zone_id=zone_id or self.zone_id,
                name_en="Olaya",
                name_ar="العليا",
                anchor=anchor,
                cells=tuple(sorted(disk(anchor, rings))),
                parameters=self.parameters,
                author=OPERATOR.user_id,
            ),
            OPERATOR,
        )

    async def courier(
        self, *, point: Point = CORNER, shift_min: int | None = None, capacity_units: int = 4
    ) -> CourierId:
        """Somebody goes on duty."""
        courier_id = CourierId(self.new_id())
        ends = None if shift_min is None else self.clock.now() + shift_min * MINUTE_MS
        command = GoOnDuty(
            courier_id=courier_id,
            zone_id=self.zone_id,
            name="Salem",
            vehicle=VehicleKind.CAR,
            capacity_units=capacity_units,
            point=point,
            shift_ends_at=ends,
        )
        await self.must(command, self.as_courier(courier_id))
        return courier_id

    async def placing(self, **fields: Any) -> PlaceOrder:
        """The command that places an order that is ready at once."""
        zone = await self.store.find_zone(fields.get("zone_id", self.zone_id))
        assert zone is not None
        quoted = a_quote(
            zone,
            customer_id=self.customer.user_id,
            shop=fields["shop"].point if "shop" in fields else SHOP,
            door=fields["door"].point if "door" in fields else DOOR,
            preparation_s=0,
            at=self.clock.now(),
        )
        return a_placing(zone, quoted=quoted, **{"order_id": self.new_id(), **fields})

    async def order(self, **fields: Any) -> OrderId:
        """Somebody places it."""
        command = await self.placing(**fields)
        await self.must(command, self.customer)
        return command.order_id

    async def accept(self, courier_id: CourierId) -> Answer:
        """He takes what he is offered."""
        offer = self.noticed.body(f"courier:{courier_id}")["offer"]
        command = AcceptOffer(courier_id=courier_id, offer_id=offer["offer_id"])
        return await self.send(command, self.as_courier(courier_id))

    async def report(
        self, courier_id: CourierId, order_id: OrderId, step: ProgressStep, **fields: Any
    ) -> Answer:
        """He tells how far he has come."""
        command = ReportProgress(courier_id=courier_id, order_id=order_id, step=step, **fields)
        return await self.send(command, self.as_courier(courier_id))

    def another_edge(self) -> Bus:
        """The bus of another process over the same cells."""
        return Bus(self.line_store, self.cells, self.settings.placement_resolution)

    def as_courier(self, courier_id: CourierId) -> Caller:
        return Caller(user_id=courier_id, role=Role.COURIER)

    @property
    def customer(self) -> Caller:
        return self._customer

    async def cell(self) -> CellId:
        cell = await self.store.cell_of_zone(self.zone_id)
        assert cell is not None
        return cell

    async def crash(self) -> None:
        """The cell's process dies and is started again."""
        cell = await self.cell()
        await self.cells.kill(cell)
        await self.cells.wake()

    async def tell_owners(self, *, by: Bus | None = None) -> None:
        """What the outbox does when something passed from one cell to another."""
        now = self.clock.now()
        for row in await self.store.lease_effects(limit=1000, now=now, lease_until=now + 1):
            if isinstance(row.effect, TellOwner):
                await (by or self.bus).tell_owner(row.effect, deadline=now + MINUTE_MS)
            await self.store.finish_effect(row.effect.id, now=now)

    async def settle(self) -> None:
        """Let what is under way end; then the cell holds what is stored, and told nothing else."""
        self.line.heal()
        await self.clock.sleep((40 if self.line.some_land_late else 3) * SECOND_MS)
        await self.tell_owners()
        await self.clock.sleep(SECOND_MS)
        found = self.noticed.lies
        for cell in {*await self.store.list_cells(), *self.cells._homes}:
            stored = await self.store.load_cell(cell)
            found += differences(self.cells._homes[cell].cell, stored)
            found += is_offered_or_carried_once(stored)
            found += unheard_of(stored, self.noticed.newest)
        assert not found, "\n".join(found)


def in_a_town(story: Callable[[Town], Coroutine[Any, Any, T]], **how: Any) -> T:
    """Tell a story in an open town, in virtual time."""

    async def main(loop: VirtualLoop) -> T:
        town = Town(loop, **how)
        await town.open()
        try:
            told = await story(town)
            await town.settle()
            return told
        finally:
            await town.cells.close()

    return run_virtually(main)
