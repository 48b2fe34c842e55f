"""The routes of a plan as columns, and what is read of the last plan's."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import numpy as np

from optimizer.arrays import NEVER, Ints, ints
from optimizer.candidates import members
from optimizer.neighbours import are_neighbours, may_join
from optimizer.problem import JobTable, Plan, Problem, Route, Trip, VehicleTable


class RouteTable(Sequence[Route]):
    """Routes in columns: few of them are read one by one.

    Route r is of vehicles[r], its trips are those at trips_begin[r] : trips_begin[r + 1] of the
    columns group, leave_s and pickup_s; the jobs of trip t are those at
    jobs_begin[t] : jobs_begin[t + 1] of jobs and delivery_s.
    """

    def __init__(
        self,
        *,
        vehicles: tuple[str, ...],
        trips_begin: Ints,
        groups: tuple[str, ...],
        leave_s: Ints,
        pickup_s: Ints,
        jobs_begin: Ints,
        jobs: tuple[str, ...],
        delivery_s: Ints,
    ) -> None:
        self.vehicles, self.trips_begin = vehicles, trips_begin
        self.groups, self.leave_s, self.pickup_s = groups, leave_s, pickup_s
        self.jobs_begin, self.jobs, self.delivery_s = jobs_begin, jobs, delivery_s

    @staticmethod
    def of(routes: Sequence[Route]) -> "RouteTable":
        """The same as columns; where times and jobs differ in number, no time is right."""
        if isinstance(routes, RouteTable):
            return routes
        trips = [trip for route in routes for trip in route.trips]
        return RouteTable(
            vehicles=tuple([route.vehicle for route in routes]),
            trips_begin=_begins(len(route.trips) for route in routes),
            groups=tuple([trip.group for trip in trips]),
            leave_s=ints([trip.leave_s for trip in trips]),
            pickup_s=ints([trip.pickup_s for trip in trips]),
            jobs_begin=_begins(len(trip.jobs) for trip in trips),
            jobs=tuple([job for trip in trips for job in trip.jobs]),
            delivery_s=ints([at_s for trip in trips for at_s in _times(trip)]),
        )

    @cached_property
    def trip_of(self) -> Ints:
        """The trip of each job."""
        return np.repeat(np.arange(len(self.groups)), np.diff(self.jobs_begin))

    @cached_property
    def route_of(self) -> Ints:
        """The route of each trip."""
        return np.repeat(np.arange(len(self.vehicles)), np.diff(self.trips_begin))

    def carriers(self) -> dict[str, str]:
        """The vehicle of each job."""
        whose = self.route_of[self.trip_of].tolist()
        return dict(zip(self.jobs, [self.vehicles[r] for r in whose], strict=True))

    def firsts(self) -> Ints:
        """The first trip of each route, none of which is empty."""
        return self.trips_begin[:-1]

    def timed(
        self, *, groups: tuple[str, ...], leave_s: Ints, pickup_s: Ints, delivery_s: Ints
    ) -> "RouteTable":
        """The same with first shops and times."""
        return RouteTable(
            vehicles=self.vehicles,
            trips_begin=self.trips_begin,
            groups=groups,
            leave_s=leave_s,
            pickup_s=pickup_s,
            jobs_begin=self.jobs_begin,
            jobs=self.jobs,
            delivery_s=delivery_s,
        )

    def beginning_with(self, first: Mapping[str, Trip]) -> Sequence[Route]:
        """The same with these trips before all others of their vehicles."""
        if not first:
            return self
        here = dict(zip(self.vehicles, range(len(self.vehicles)), strict=True))
        told = [
            Route(vehicle=one, trips=(trip, *(self[here[one]].trips if one in here else ())))
            for one, trip in first.items()
        ]
        return _joined(RouteTable.of(told), self._but(first))

    def _but(self, gone: Mapping[str, Trip]) -> "RouteTable":
        routes = [r for r, vehicle in enumerate(self.vehicles) if vehicle not in gone]
        at = ints(routes)
        trips, trips_begin = _taken(at, self.trips_begin)
        jobs, jobs_begin = _taken(trips, self.jobs_begin)
        return RouteTable(
            vehicles=tuple([self.vehicles[r] for r in routes]),
            trips_begin=trips_begin,
            groups=tuple([self.groups[t] for t in trips.tolist()]),
            leave_s=self.leave_s[trips],
            pickup_s=self.pickup_s[trips],
            jobs_begin=jobs_begin,
            jobs=tuple([self.jobs[j] for j in jobs.tolist()]),
            delivery_s=self.delivery_s[jobs],
        )

    def trip(self, t: int) -> Trip:
        """One of all trips."""
        begin, end = self.jobs_begin[t : t + 2].tolist()
        return Trip(
            group=self.groups[t],
            jobs=self.jobs[begin:end],
            leave_s=int(self.leave_s[t]),
            pickup_s=int(self.pickup_s[t]),
            deliveries_s=tuple(self.delivery_s[begin:end].tolist()),
        )

    @overload
    def __getitem__(self, at: int) -> Route: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Route, ...]: ...

    def __getitem__(self, at: int | slice) -> Route | tuple[Route, ...]:
        if isinstance(at, slice):
            return self._all[at]
        r = range(len(self))[at]
        begin, end = self.trips_begin[r : r + 2].tolist()
        return Route(vehicle=self.vehicles[r], trips=tuple(map(self.trip, range(begin, end))))

    def __iter__(self) -> Iterator[Route]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self.vehicles)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def _all(self) -> tuple[Route, ...]:
        return tuple([self[r] for r in range(len(self))])

    def __getstate__(self) -> dict[str, object]:
        known = "trip_of", "route_of", "_all"
        return {name: column for name, column in vars(self).items() if name not in known}


class Considered(Mapping[str, tuple[str, ...]]):
    """For each job of a plan its vehicle, and after it those that do not have it, best first."""

    def __init__(self, plan: Plan) -> None:
        self._rankings = plan.rankings
        self._carrier = RouteTable.of(plan.routes).carriers()

    def __getitem__(self, job: str) -> tuple[str, ...]:
        carrier = self._carrier.get(job)
        others = self._rankings.names(job) if job in self._rankings else ()
        if carrier is None and job not in self._rankings:
            raise KeyError(job)
        return others if carrier is None else (carrier, *others)

    def __iter__(self) -> Iterator[str]:
        return iter(self._carrier.keys() | self._rankings.keys())

    def __len__(self) -> int:
        return len(self._carrier.keys() | self._rankings.keys())


def _begins(counts: Iterable[int]) -> Ints:
    return np.cumsum([0, *counts], dtype=np.int64)


def _times(trip: Trip) -> Sequence[int]:
    is_whole = len(trip.jobs) == len(trip.deliveries_s)
    return trip.deliveries_s if is_whole else [-NEVER] * len(trip.jobs)


def _taken(at: Ints, begins: Ints) -> tuple[Ints, Ints]:
    """Where the members of these are, and where those of each begin when they stand alone."""
    counts = np.diff(begins)[at]
    _, places = members(begins[at], counts)
    return places, np.concatenate([[0], np.cumsum(counts)])


def _joined(one: RouteTable, other: RouteTable) -> RouteTable:
    def begins(first: Ints, then: Ints) -> Ints:
        return np.concatenate([first[:-1], then + first[-1]])

    return RouteTable(
        vehicles=one.vehicles + other.vehicles,
        trips_begin=begins(one.trips_begin, other.trips_begin),
        groups=one.groups + other.groups,
        leave_s=np.concatenate([one.leave_s, other.leave_s]),
        pickup_s=np.concatenate([one.pickup_s, other.pickup_s]),
        jobs_begin=begins(one.jobs_begin, other.jobs_begin),
        jobs=one.jobs + other.jobs,
        delivery_s=np.concatenate([one.delivery_s, other.delivery_s]),
    )


def promises(problem: Problem) -> dict[str, tuple[str, ...]]:
    """The jobs, in order, of the first trip of each vehicle that is on the way to its shop.

    Each job once; a vehicle whose jobs of that shop are all gone is bound for nothing any more.
    """
    found: dict[str, tuple[str, ...]] = {}
    bound = VehicleTable.of(problem.vehicles).bound
    if not bound:
        return found
    jobs, taken, pairs = JobTable.of(problem.jobs), set[str](), are_neighbours(problem)
    group = dict(zip(jobs.ids, jobs.text("group"), strict=True))
    routes = RouteTable.of(problem.incumbent)
    route_of = {one: r for r, one in enumerate(routes.vehicles)}
    for vehicle, shop in bound:
        trips = routes[route_of[vehicle]].trips if vehicle in route_of else ()
        there, shops = [], {shop}
        for job in dict.fromkeys(trips[0].jobs if trips else ()):
            if job in group and job not in taken and may_join(group[job], shops, pairs):
                there.append(job)
                shops.add(group[job])
        if any(group[job] == shop for job in there):
            found[vehicle] = tuple(there)
            taken.update(there)
    return found


def bound_groups(vehicles: VehicleTable, jobs: JobTable, promised: Collection[str]) -> Ints:
    """By vehicle, the place of the group for whose shop it is bound with a promise; -1 = none."""
    bound = np.full(len(vehicles), -1, dtype=np.int64)
    number = {group: g for g, group in enumerate(jobs.groups)}
    for vehicle, shop in vehicles.bound if promised else ():
        if vehicle in promised:
            bound[vehicles.at[vehicle]] = number[shop]
    return bound


def carriers(problem: Problem) -> dict[str, str]:
    """The vehicle that each job has in the incumbent, where it is still there."""
    here = frozenset(VehicleTable.of(problem.vehicles).ids)
    kept: dict[str, str] = {}
    for route in sorted(problem.incumbent, key=lambda route: route.vehicle):
        for trip in route.trips if route.vehicle in here else ():
            for job in trip.jobs:
                kept.setdefault(job, route.vehicle)
    return kept


def kept_by(incumbent: Sequence[Route], vehicles: VehicleTable, jobs: JobTable) -> Ints:
    """The same by their places: the vehicle of each job, -1 = none, or gone."""
    routes = RouteTable.of(incumbent)
    v = vehicles.places(routes.vehicles)[routes.route_of[routes.trip_of]]
    j = jobs.places(routes.jobs)
    known = np.flatnonzero((v >= 0) & (j >= 0))
    # Of several who have it, the first by id; what is written last remains.
    last = known[np.argsort(vehicles.rank[v[known]], kind="stable")][::-1]
    kept = np.full(len(jobs), -1, dtype=np.int64)
    kept[j[last]] = v[last]
    return kept
