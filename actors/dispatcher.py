"""A zone's tick: who waits and who could carry become a plan, what cannot wait becomes offers."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from actors.chance import Chance, new_id
from actors.clock import Clock
from actors.holdings import Holdings
from actors.live import Live
from actors.prepositioning import Prepositioning
from actors.revising import Reviser
from actors.slices import slices
from actors.solver import Solver, SolverUnavailable
from actors.telemetry import Telemetry
from actors.waits import Waits
from engine.dispatch.demand import Demand, Forecast
from engine.dispatch.expectation import expected_of, uses_demand
from engine.dispatch.muster import Muster
from engine.dispatch.offers import make
from engine.dispatch.pool import stated
from engine.dispatch.proposals import Proposal, offer_of, proposals
from engine.dispatch.roster import Roster
from engine.dispatch.underway import UnderWay, independent, orders_under_way, under_way
from engine.dispatch.waiting_list import WaitingList
from engine.dispatch.why import Why
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId, OfferId, OrderId, ZoneId
from engine.kernel.messages import Decision
from engine.kernel.timing import Instant
from engine.orders.order import Order
from optimizer.problem import Plan, Problem, Route
from optimizer.routes import Considered, RouteTable

_WALKED_AT_ONCE: Final = 200


class Tick(Struct, frozen=True, kw_only=True):
    """What one tick did; times in real milliseconds."""

    waiting: int = 0
    available: int = 0
    offered: int = 0
    sent_to_wait: int = 0
    unassigned: dict[str, int] = {}
    solve_ms: float = 0.0


class LastPlan(Struct, frozen=True, kw_only=True):
    """What was planned last, and when."""

    routes: Sequence[Route] = ()
    made_at: Instant = 0


class Dispatcher:
    """Ticks the zones of one cell.

    Remembers each zone's last plan so that the next does not churn, and what is ordered there;
    after a restart it begins to learn anew.
    """

    def __init__(
        self,
        *,
        live: Live,
        holdings: Holdings,
        telemetry: Telemetry,
        solver: Solver,
        clock: Clock,
        chance: Chance,
        waits: Waits,
    ) -> None:
        self._live = live
        self._holdings = holdings
        self._telemetry = telemetry
        self._solver = solver
        self._clock = clock
        self._chance = chance
        self._waits = waits
        self._rosters: dict[ZoneId, Roster] = {}
        self._waiting_lists: dict[ZoneId, WaitingList] = {}
        self._last_plans: dict[ZoneId, LastPlan] = {}
        self._demands: dict[ZoneId, Demand] = {}
        self._unplanned: set[ZoneId] = set()
        self._reviser = Reviser(live=live, holdings=holdings, clock=clock)
        self._prepositioning = Prepositioning(
            live=live, holdings=holdings, telemetry=telemetry, clock=clock
        )

    @property
    def trouble(self) -> str:
        """What keeps orders waiting, if anything does."""
        return "the solver does not answer" if self._unplanned else ""

    async def tick(self, zone: Zone) -> Tick:
        """Plan once, put the questions that cannot wait, and send idle couriers to wait."""
        self._unplanned.discard(zone.id)
        orders = self._holdings.waiting(zone.id)
        roster = self._rosters.setdefault(zone.id, Roster())
        roster.meet(self._holdings.on_duty(zone.id))
        await self._clock.sleep(0)
        roster.look(self._telemetry.fixes())
        now = self._clock.now()
        await self._clock.sleep(0)
        muster = Muster(roster, zone.parameters, now)
        await self._clock.sleep(0)
        self._waits.begin(zone, orders, roster)
        await self._clock.sleep(0)
        forecast = self._forecast(zone, orders)
        tick = await self._offers(zone, forecast, orders, muster)
        last = self._last_plans.get(zone.id, LastPlan())
        sent = await self._prepositioning.send(
            zone, forecast, muster, last.routes, planned_at=last.made_at
        )
        await self._clock.sleep(0)
        return replace(tick, sent_to_wait=tick.sent_to_wait + sent)

    def _forecast(self, zone: Zone, orders: Iterable[Order]) -> Forecast | None:
        """What is expected, by what waits in this tick, too; None where nobody asks."""
        parameters, now = zone.parameters, self._clock.now()
        if not uses_demand(parameters):
            self._demands.pop(zone.id, None)
            return None
        demand = self._demands.setdefault(zone.id, Demand(since=now))
        demand.fade(memory_s=parameters.demand_memory_s, now=now)
        for order in orders:
            demand.note(order, now=now)
        return demand.forecast(memory_s=parameters.demand_memory_s, known=zone.shops)

    async def _offers(
        self, zone: Zone, forecast: Forecast | None, orders: list[Order], muster: Muster
    ) -> Tick:
        under_way = await self._walk(zone, muster)
        tick = Tick(waiting=len(orders), available=len(muster.ids))
        orders = [*orders, *under_way]
        if orders and muster.ids:
            listed = self._waiting_lists.setdefault(zone.id, WaitingList())
            listed.read(orders)
            last = self._last_plans.get(zone.id, LastPlan())
            expected = expected_of(zone, forecast, last.routes, now=self._clock.now())
            problem = stated(zone, listed, muster, last.routes, expected)
            await self._clock.sleep(0)
            return await self._plan_and_offer(
                zone, orders, problem, tick, trips=muster.under_way, forecast=forecast
            )
        why = Why.NO_CANDIDATE if muster.ids else Why.NO_COURIER
        await self._waits.note(zone, None, {}, why_unplanned=why)
        return tick

    async def _walk(self, zone: Zone, muster: Muster) -> list[Order]:
        """Find out where those with a route will be free; the orders of those under way."""
        orders: list[Order] = []
        for some in slices(muster.busy, _WALKED_AT_ONCE):
            trips = under_way(some, self._holdings.orders, zone.parameters, now=muster.now)
            orders += orders_under_way(trips, self._holdings.orders)
            muster.walk(some, trips)
            await self._clock.sleep(0)
        return orders

    async def _plan_and_offer(
        self,
        zone: Zone,
        orders: list[Order],
        problem: Problem,
        tick: Tick,
        *,
        trips: Mapping[CourierId, UnderWay],
        forecast: Forecast | None,
    ) -> Tick:
        began = self._clock.now()
        try:
            plan = await self._solver.plan(problem)
        except SolverUnavailable:
            self._unplanned.add(zone.id)
            await self._waits.note(zone, None, problem.candidates, why_unplanned=Why.SOLVER_AWAY)
            return tick
        self._last_plans[zone.id] = LastPlan(routes=plan.routes, made_at=began)
        by_id = {one.id: one for one in orders}
        considered: Mapping[Any, tuple[str, ...]] = Considered(plan)
        await self._revise(zone, plan, trips)
        gone = await self._prepositioning.send_ahead(zone, forecast, plan, by_id, planned_at=began)
        found = proposals(zone, plan, by_id, considered, under_way={*trips, *gone}, now=began)
        told = await self._waits.explain(zone, found, plan, considered)
        made = await asyncio.gather(*(self._offer(zone, one) for one in told))
        done = Tick(
            waiting=tick.waiting,
            available=tick.available,
            offered=sum(made),
            sent_to_wait=len(gone),
            unassigned=dict(Counter(reason.value for reason in plan.unassigned.values())),
            solve_ms=(self._clock.now() - began) / self._clock.speed,
        )
        await self._waits.note(zone, plan, considered, why_unplanned=Why.NO_CANDIDATE, gone=gone)
        return done

    async def _revise(self, zone: Zone, plan: Plan, present: Mapping[CourierId, UnderWay]) -> None:
        """Give those who are under way what the plan gives them."""
        if not present:
            return
        routes = RouteTable.of(plan.routes)
        route = {vehicle: r for r, vehicle in enumerate(routes.vehicles)}
        first = {who: routes[route[who]].trips[0].jobs for who in present}
        wanted = {who: tuple(OrderId(job) for job in jobs) for who, jobs in first.items()}
        groups = independent(wanted, present)
        await asyncio.gather(*(self._reviser.revise(zone, one) for one in groups))

    async def _offer(self, zone: Zone, proposal: Proposal) -> bool:
        """Put one question if everybody in it is still there and free; whether it was put."""
        offer_id = OfferId(new_id(self._clock, self._chance))

        def decide() -> Decision:
            now = self._clock.now()
            courier = self._holdings.couriers.get(proposal.courier_id)
            if courier is None or not self._holdings.orders.keys() >= set(proposal.order_ids):
                return Decision()
            orders = self._holdings.orders_of(proposal.order_ids)
            offer = offer_of(proposal, zone, offer_id, now=now)
            others = self._holdings.couriers_of(proposal.others)
            return make(offer, orders, courier, others=others, now=now) or Decision()

        keys = (offer_id, proposal.courier_id, *proposal.others, *proposal.order_ids)
        await self._live.turn(lambda: keys, decide)
        return offer_id in self._holdings.offers
