"""Plans the gifts for later windows, and sets when each of them joins the waiting orders."""

from actors.clock import Clock
from actors.holdings import Holdings
from actors.publisher import Publisher
from actors.solver import Solver, SolverUnavailable
from actors.telemetry import Telemetry
from actors.timers import Timers
from engine.dispatch.scheduling import crew, releases, routing_problem_of, shift_of, soonest
from engine.geo.zone import Zone
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import Order, OrderStatus
from optimizer.routing.problem import RoutingPlan
from storage.live import Publication

# Orders that come one after the other are planned together.
GATHER_MS = 10 * SECOND_MS
# Couriers come and go, so a plan is made anew even if no order changes.
AGAIN_MS = 15 * MINUTE_MS


class Scheduler:
    """Moves the releases of scheduled orders to where the plan wants them.

    A plan lives in memory alone. When it is lost, or the solver is away, each order is released at
    the time that is stored with it: the zone's lead before its first pick-up.
    """

    def __init__(
        self,
        *,
        holdings: Holdings,
        telemetry: Telemetry,
        solver: Solver,
        publisher: Publisher,
        timers: Timers,
        clock: Clock,
    ) -> None:
        self._holdings = holdings
        self._telemetry = telemetry
        self._solver = solver
        self._publisher = publisher
        self._timers = timers
        self._clock = clock

    async def plan(self, zone: Zone) -> None:
        """Plan once, and again after a while as long as there are scheduled orders."""
        orders = soonest(self._holdings.scheduled(zone.id))
        if not orders:
            return
        now = self._clock.now()
        self._timers.set(f"reschedule:{zone.id}", now + AGAIN_MS)
        on_duty = [
            shift_of(one, self._telemetry.fix(one.id), zone.parameters, now=now)
            for one in self._holdings.on_duty(zone.id)
        ]
        shifts = crew(zone, on_duty, orders)
        try:
            plan = await self._solver.route(routing_problem_of(zone, orders, shifts, now=now))
        except SolverUnavailable:
            return
        for order_id, at in releases(zone, orders, plan, now=now).items():
            held = self._holdings.orders.get(order_id)
            if held is not None and held.status is OrderStatus.SCHEDULED:
                self._timers.set(f"release:{order_id}", at)
        self._show(zone, orders, plan)

    def _show(self, zone: Zone, orders: tuple[Order, ...], plan: RoutingPlan) -> None:
        """Tell the watchers of the zone which gifts nobody may have the time to bring."""
        body = {
            "planned": len(orders) - len(plan.unserved),
            "at_risk": {order: reason.value for order, reason in sorted(plan.unserved.items())},
        }
        self._publisher.publish(
            Publication(channel=f"zone:{zone.id}", kind="schedule", version=0, body=body)
        )
