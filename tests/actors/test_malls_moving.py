"""Trips that fetch in several shops of a mall, while their zones pass from cell to cell."""

import random
from dataclasses import dataclass
from typing import Final

import pytest
from msgspec.structs import replace

from engine.couriers.courier import Courier, StopKind
from engine.geo.dispatch_parameters import OfferMode
from engine.kernel.ids import OrderId, ZoneId
from engine.kernel.place import Place, Point
from engine.orders.order import Order, OrderStatus
from optimizer.neighbours import are_neighbours, may_join, visited
from optimizer.problem import Job, Plan, Problem, Route, Trip, Vehicle
from optimizer.routes import promises
from tests.actors.test_random_walk import EAGER, ROUNDS, Hasty, Walk
from tests.actors.worlds import JEDDAH, Town, in_a_town
from tests.builders import SHOP

SEEDS: Final = range(8)
# Some 30 metres from one to the next.
MALL: Final = (SHOP, Point(lat=24.7139, lng=46.6753), Point(lat=24.7136, lng=46.6756))
TO_FETCH: Final = {OrderStatus.ASSIGNED, OrderStatus.COURIER_AT_SHOP}


class HastyInMalls(Hasty):
    """Gives everybody what fits on one trip, first those who are under way, without thinking."""

    async def plan(self, problem: Problem) -> Plan:
        left = {job.id: job for job in problem.jobs}
        told = promises(problem)
        begun = {who: [left.pop(one) for one in jobs] for who, jobs in told.items()}
        routes = []
        for vehicle in sorted(problem.vehicles, key=lambda one: one.id not in begun):
            if vehicle.bound_for is not None and vehicle.id not in begun:
                continue
            trip = begun.get(vehicle.id, [])
            for job in _more(problem, vehicle, trip, [*left.values()]):
                trip.append(left.pop(job.id))
            if trip:
                routes.append(_route(vehicle, trip))
        return Plan(routes=tuple(routes), unassigned={}, cost=0)


def _more(problem: Problem, vehicle: Vehicle, trip: list[Job], waiting: list[Job]) -> list[Job]:
    """What of the waiting jobs fits on the trip of this vehicle."""
    pairs, found, left = are_neighbours(problem), list[Job](), vehicle.capacity - len(trip)
    for job in waiting:
        shops = {one.group for one in (*trip, *found)}
        is_asked = vehicle.id in problem.candidates[job.id]
        if len(found) < left and is_asked and may_join(job.group, shops, pairs):
            found.append(job)
    return found


def _route(vehicle: Vehicle, jobs: list[Job]) -> Route:
    trip = Trip(
        group=visited(jobs, vehicle.bound_for)[0],
        jobs=tuple(job.id for job in jobs),
        leave_s=0,
        pickup_s=0,
        deliveries_s=(0,) * len(jobs),
    )
    return Route(vehicle=vehicle.id, trips=(trip,))


@dataclass
class WalkInMalls(Walk):
    """A walk with shops next door to each other, in which zones move often."""

    moved_trips: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.steps = [
            *((weight, step) for weight, step in self.steps if step != self.move_zone),
            (8, self.move_zone),
        ]

    async def place(self) -> None:
        order = OrderId(self.town.new_id())
        command = await self.town.placing(
            order_id=order, shop=Place(point=self.chance.choice(MALL), name="Mall")
        )
        self.orders.append(order)
        self.send(command, self.town.customer)

    async def move_zone(self) -> None:
        stored = await self.town.store.load_cell(await self.town.cell())
        self.moved_trips += sum(len(_shops_ahead(one)) > 1 for one in stored.couriers)
        await super().move_zone()

    async def check_routes(self) -> None:
        """Every route fetches in its own shop what is not fetched yet, and brings all of it."""
        for cell in await self.town.store.list_cells():
            stored = await self.town.store.load_cell(cell)
            orders = {one.id: one for one in stored.orders}
            for courier in stored.couriers:
                carried = [one for one in orders.values() if one.courier_id == courier.id]
                for order in carried:
                    check_stops(courier, order)


def _shops_ahead(courier: Courier) -> set[Point]:
    return {one.point for one in courier.route if one.kind is StopKind.PICKUP}


def check_stops(courier: Courier, order: Order) -> None:
    """Once at its shop while it is to be fetched, and then once at its door."""
    stops = [one for one in courier.route if order.id in one.orders]
    fetched = [one.point for one in stops if one.kind is StopKind.PICKUP]
    assert fetched == ([order.shop.point] if order.status in TO_FETCH else []), (order, courier)
    assert len(stops) == len(fetched) + 1, (order, courier)
    assert stops[-1].kind is not StopKind.PICKUP, (order, courier)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trip_of_several_shops_passes_whole_from_cell_to_cell(seed: int) -> None:
    mode = list(OfferMode)[seed % len(OfferMode)]
    parameters = replace(EAGER, offer_mode=mode, shops_apart_m_max=100)

    async def story(town: Town) -> None:
        second = ZoneId(town.new_id())
        await town.open(second, around=JEDDAH)
        walk = WalkInMalls(town, random.Random(seed), second, parameters)
        for _ in range(ROUNDS):
            await walk.go()
            await walk.rest()
            await walk.check()
            await walk.check_routes()
        await walk.check_that_it_goes_on()
        assert walk.moved_trips > 0

    in_a_town(story, solver=HastyInMalls(), parameters=parameters)
