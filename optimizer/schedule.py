"""All routes of a plan at once, step by step as `timing` defines them, in columns."""

import numpy as np

from optimizer.arrays import NEVER, Ints
from optimizer.neighbours import Visits, visits_of
from optimizer.opportunity import second_permille, taken_cost
from optimizer.problem import JobTable, Problem, Service, VehicleTable
from optimizer.routes import RouteTable, bound_groups, kept_by, promises


class Schedule:
    """The trips of vehicles, one after the other, each as early as it can be.

    trip_of, job: the trip of each planned job, and which job of the problem it is, in the order in
    which they are delivered. vehicle, place: the vehicle of each trip and which of its trips it is;
    visits: its shops. arrival_s, pickup_s, leave_s, free_s: when it is at the first shop, has the
    things, must leave for the shop at the latest, and is done. delivery_s, extra_s: when each job
    is delivered, and how much later than alone with the same arrival.
    """

    def __init__(self, problem: Problem, routes: RouteTable) -> None:
        """The vehicles and jobs of the routes, whose times do not matter, are the problem's."""
        self._problem = problem
        self._jobs = JobTable.of(problem.jobs)
        self._vehicles = VehicleTable.of(problem.vehicles)
        self.vehicle = self._vehicles.places(routes.vehicles)[routes.route_of]
        self.place = np.arange(len(routes.groups)) - routes.trips_begin[routes.route_of]
        self.trip_of, self.job = routes.trip_of, self._jobs.places(routes.jobs)
        self.begins, self.ends = routes.jobs_begin[:-1], routes.jobs_begin[1:]
        self.visits = self._visits()
        self._read_legs()
        self._unfold(problem.service)

    def column(self, field: str) -> Ints:
        """A field of the planned jobs, in order."""
        return self._jobs.number(field)[self.job]

    def fleet(self, field: str) -> Ints:
        """A field of the vehicle of each trip; what has no limit is never reached."""
        return self._vehicles.number(field)[self.vehicle]

    def _visits(self) -> Visits:
        group, ready_s = self._jobs.group_number[self.job], self.column("ready_s")
        first = group[self.begins]
        if (group == first[self.trip_of]).all():
            trips = np.arange(len(self.begins) + 1)
            return Visits(trips, first, _reduced(np.maximum, ready_s, self.begins))
        bound = bound_groups(self._vehicles, self._jobs, promises(self._problem))
        bound = np.where(self.place == 0, bound[self.vehicle], -1)[self.trip_of]
        return visits_of(self.trip_of, group, ready_s, bound)

    def _read_legs(self) -> None:
        """Seconds to the shop by trip, and to and from the doors by job; all looked up at once."""
        shops, doors, visits = self.column("pickup"), self.column("delivery"), self.visits
        node = np.zeros(len(self._jobs.groups), dtype=np.int64)
        node[self._jobs.group_number] = self._jobs.number("pickup")
        visited = node[visits.group]
        self._shop = visited[visits.begins[:-1]]
        before = np.roll(doors[self.ends - 1], 1)
        origin = np.where(self.place == 0, self.fleet("node"), before)
        previous = np.roll(doors, 1)
        previous[self.begins] = visited[visits.begins[1:] - 1]
        further = np.delete(np.arange(len(visited)), visits.begins[:-1])
        seconds = self._problem.travel.between(
            np.concatenate([origin, previous, shops, visited[further - 1]]),
            np.concatenate([self._shop, doors, doors, visited[further]]),
        )
        pace = self.fleet("pace_permille")
        by_job = pace[self.trip_of]
        approach_s, leg_s, self._plain_ride_s, between_s = np.split(
            seconds, np.cumsum([len(origin), len(previous), len(shops)])
        )
        self.approach_s = _paced(approach_s, pace)
        self._leg_s = _paced(leg_s, by_job)
        self._ride_s = _paced(self._plain_ride_s, by_job)
        self._between_s = np.zeros(len(visited), dtype=np.int64)
        trip_of = np.repeat(np.arange(len(self.begins)), np.diff(visits.begins))
        self._between_s[further] = _paced(between_s, pace[trip_of[further]])

    def _fetching(self, service: Service) -> tuple[Ints, Ints]:
        """By trip: from the handover at the first shop to that at the last, if nothing is awaited.

        And the soonest handover at the last one that all ready times allow.
        """
        visits = self.visits
        firsts, lasts = visits.begins[:-1], visits.begins[1:] - 1
        if len(visits.group) == len(firsts):
            return np.zeros(len(firsts), dtype=np.int64), visits.ready_s
        more_s = service.pickup_after_s + self._between_s + service.pickup_before_s
        more_s[firsts] = 0
        since_first_s = np.cumsum(more_s)
        trip_of = np.repeat(np.arange(len(firsts)), np.diff(visits.begins))
        rest_s = since_first_s[lasts][trip_of] - since_first_s
        return rest_s[firsts], _reduced(np.maximum, visits.ready_s + rest_s, firsts)

    def _unfold(self, service: Service) -> None:
        ready_s = self.column("ready_s")
        fetching_s, trip_ready_s = self._fetching(service)
        stops = np.arange(len(self.job)) - self.begins[self.trip_of]
        # From the hand-over at the last shop to each door, and to the end of the trip.
        on_foot_s = service.delivery_before_s + service.delivery_after_s
        road_s = _sums_within(self._leg_s, self.begins, self.trip_of)
        after_s = service.pickup_after_s + road_s + stops * on_foot_s + service.delivery_before_s
        lasts_s = after_s[self.ends - 1] + service.delivery_after_s
        between_s = _reduced(np.add, self._between_s, self.visits.begins[:-1])
        self.driving_s = self.approach_s + between_s + road_s[self.ends - 1]
        self.arrival_s, self.pickup_s = np.zeros((2, len(self.vehicle)), dtype=np.int64)
        self.free_s = self.fleet("free_at_s")
        for place in range(int(self.place.max(initial=-1)) + 1):
            (now,) = np.nonzero(self.place == place)
            start_s = self.free_s[now - 1 if place else now]
            approach_s = self.approach_s[now]
            start_s = np.where(approach_s == 0, start_s, np.maximum(start_s, 0))
            self.arrival_s[now] = arrival_s = start_s + approach_s
            met_s = np.maximum(arrival_s + service.pickup_before_s, 0)
            self.pickup_s[now] = np.maximum(met_s + fetching_s[now], trip_ready_s[now])
            self.free_s[now] = self.pickup_s[now] + lasts_s[now]
        self.leave_s = self.pickup_s - fetching_s - service.pickup_before_s - self.approach_s
        self.delivery_s = self.pickup_s[self.trip_of] + after_s
        met_s = np.maximum(self.arrival_s + service.pickup_before_s, 0)[self.trip_of]
        rest_s = service.pickup_after_s + self._ride_s + service.delivery_before_s
        self.extra_s = self.delivery_s - np.maximum(met_s, ready_s) - rest_s

    def sums(self, field: str) -> Ints:
        """A field of the jobs of each trip, added up."""
        return _reduced(np.add, self.column(field), self.begins)

    def cost(self) -> int:
        """What the plan costs: the trips, and what is left out."""
        problem, service = self._problem, self._problem.service
        weights = problem.policy.weights
        earliest_s = (
            self.column("ready_s")
            + service.pickup_after_s
            + self._plain_ride_s
            + service.delivery_before_s
        )
        late_s = np.maximum(0, self.delivery_s - self.column("due_s"))
        waiting = weights.waiting * (self.delivery_s - earliest_s) + weights.lateness * late_s
        cost = int((self.column("weight") * waiting).sum())
        cost += weights.travel * int(self.driving_s.sum()) + self._use_cost() + self._moving_cost()
        cost += self._time_cost()
        age_s = -self._jobs.number("placed_s")
        left_out = self._jobs.number("weight") * (
            weights.unassigned + weights.unassigned_age * age_s
        )
        left_out[self.job] = 0
        return cost + int(left_out.sum())

    def _use_cost(self) -> int:
        idle_since_s, promised = self._vehicles.number("idle_since_s"), promises(self._problem)
        is_used = np.zeros(len(idle_since_s), dtype=np.bool_)
        is_used[self.vehicle] = True
        for v in np.flatnonzero(is_used).tolist() if promised else ():
            is_used[v] = self._vehicles.ids[v] not in promised
        idle_less_s = idle_since_s[is_used] - idle_since_s.min(initial=NEVER)
        return int((self._problem.policy.weights.idle * idle_less_s // 60).sum())

    def _time_cost(self) -> int:
        is_last = np.append(self.place[1:] == 0, True)[: len(self.place)]
        free_at_s, latest_s = self.fleet("free_at_s"), self.fleet("latest_pickup_s")
        taken = taken_cost(second_permille(self._problem), latest_s, free_at_s, self.free_s)
        return int(taken[is_last].sum())

    def _moving_cost(self) -> int:
        kept = kept_by(self._problem.incumbent, self._vehicles, self._jobs)[self.job]
        is_moved = (kept >= 0) & (kept != self.vehicle[self.trip_of])
        return self._problem.policy.weights.stability * int(is_moved.sum())


def _paced(plain_s: Ints, pace_permille: Ints) -> Ints:
    return -(-plain_s * pace_permille // 1000)


def _reduced(function: np.ufunc, values: Ints, begins: Ints) -> Ints:
    """The function over each run of values; runs are never empty."""
    reduced: Ints = function.reduceat(values, begins) if len(begins) else values[:0]
    return reduced


def _sums_within(values: Ints, begins: Ints, run_of: Ints) -> Ints:
    """Running sums that begin anew with each run."""
    sums = np.cumsum(values)
    return sums - (sums - values)[begins][run_of]
