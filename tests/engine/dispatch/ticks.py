"""The problem of a tick, stated at once of who is available."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from engine.couriers.courier import Courier
from engine.couriers.fixes import Fix
from engine.dispatch.muster import Muster
from engine.dispatch.pool import stated
from engine.dispatch.roster import Roster
from engine.dispatch.underway import UnderWay
from engine.dispatch.waiting_list import WaitingList
from engine.geo.zone import Zone
from engine.kernel.ids import CourierId
from engine.kernel.timing import Instant
from engine.orders.order import Order
from optimizer.problem import Problem, Route

_NO_FIXES: Mapping[CourierId, Fix] = MappingProxyType({})
_NOBODY: Mapping[CourierId, UnderWay] = MappingProxyType({})


def problem_of(
    zone: Zone,
    orders: Sequence[Order],
    couriers: Sequence[Courier],
    *,
    seen: Mapping[CourierId, Fix] = _NO_FIXES,
    under_way: Mapping[CourierId, UnderWay] = _NOBODY,
    incumbent: Sequence[Route] = (),
    now: Instant,
) -> Problem:
    """The problem of one tick: `orders` wait or are under way, `couriers` are available."""
    roster = Roster()
    roster.read(couriers, seen)
    muster = Muster(roster, zone.parameters, now)
    muster.walk(muster.busy, under_way)
    return stated(zone, WaitingList.of(orders), muster, incumbent)
