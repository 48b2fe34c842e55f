"""How a chain of trips unfolds and what it costs: the compiled twin of `timing`."""

from optimizer.arrays import INFEASIBLE, Numbers
from optimizer.compiled import compiled, compiled_apart, compiled_entry
from optimizer.town import Chains, Town


@compiled
def _paced(seconds: int, pace: int) -> int:
    return seconds if pace == 1000 else -((-seconds * pace) // 1000)


@compiled
def _taken_cost(town: Town, v: int, from_s: int, to_s: int) -> int:
    """What the time costs that is taken up: the compiled twin of `opportunity.taken_cost`."""
    permille, until_s = town.rules[0].second_permille, town.vehicles[v].priced_s
    begin_s, end_s = max(0, min(from_s, until_s)), max(0, min(to_s, until_s))
    return int(end_s * permille // 1000 - begin_s * permille // 1000)


@compiled
def entry_of(town: Town, v: int, j: int) -> int:
    """The entry of `candidate` that says that v may carry j, -1 = it may not."""
    begin, end = town.candidates_at[j], town.candidates_at[j + 1]
    while begin < end:
        middle = (begin + end) // 2
        if town.candidate[middle] < v:
            begin = middle + 1
        else:
            end = middle
    if begin < town.candidates_at[j + 1] and town.candidate[begin] == v:
        return int(begin)
    return -1


@compiled
def _way_s(town: Town, v: int, j: int, door: int) -> int:
    """To the place of j, from a door or (-1) from where v is free first."""
    if door < 0:
        return int(town.approach_s[entry_of(town, v, j)])
    return int(town.onward_s[town.jobs[j].group, door])


@compiled
def trip(
    town: Town, v: int, table: Numbers, row: int, begin: int, end: int, free_s: int, door: int
) -> tuple[int, int]:
    """Cost of a trip and when it ends, INFEASIBLE where it breaks a bound.

    Its jobs are table[row, begin:end]. The vehicle is free at free_s, at the door of a job, or (-1)
    where it begins its first trip.
    """
    if end - begin > 1:
        return _bundle(town, v, table, row, begin, end, free_s, door)
    j = table[row, begin]
    return lone(town, v, j, free_s, _way_s(town, v, j, door), 1 if door < 0 else 0)


@compiled
def _bundle(
    town: Town, v: int, table: Numbers, row: int, begin: int, end: int, free_s: int, door: int
) -> tuple[int, int]:
    """The same of a trip of several jobs."""
    vehicle, rules = town.vehicles[v], town.rules[0]
    latest_s, capacity, capacity_g, count_max, extra_s_max = _limits(town, v, door)
    ready_s, size, weight_g = _load(town, table, row, begin, end)
    if rules.has_neighbours > 0 and not _is_of_one(town, table, row, begin, end):
        met_s, pickup_s, driving_s, shop = _fetch(town, v, table, row, begin, end, free_s, door)
    else:
        shop = town.jobs[table[row, begin]].group
        driving_s = _paced(_way_s(town, v, table[row, begin], door), vehicle.pace)
        met_s = _arrival_s(free_s, driving_s) + rules.pickup_before_s
        pickup_s = max(met_s, ready_s)
    if end - begin > count_max or size > capacity or weight_g > capacity_g or pickup_s > latest_s:
        return INFEASIBLE, 0
    now_s, cost = pickup_s + rules.pickup_after_s, 0
    for k in range(begin, end):
        job = town.jobs[table[row, k]]
        ride_s = _paced(job.ride_s, vehicle.pace)
        leg_s = ride_s
        if k > begin or shop != job.group:
            before = table[row, k - 1] if k > begin else -1
            leg_s = _paced(_hop_s(town, shop, before, table[row, k]), vehicle.pace)
        delivery_s = now_s + leg_s + rules.delivery_before_s
        alone_s = max(met_s, job.ready_s, 0) + rules.pickup_after_s + ride_s
        if delivery_s - alone_s - rules.delivery_before_s > extra_s_max:
            return INFEASIBLE, 0
        driving_s += leg_s
        cost += job.waiting * (delivery_s - job.earliest_s)
        cost += job.lateness * max(0, delivery_s - job.due_s)
        if job.kept >= 0 and job.kept != v:
            cost += rules.stability
        now_s = delivery_s + rules.delivery_after_s
    cost += rules.travel * driving_s + _taken_cost(town, v, free_s, now_s)
    return cost, now_s


@compiled
def lone(town: Town, v: int, j: int, free_s: int, way_s: int, first: int) -> tuple[int, int]:
    """The same of a trip of one job, which is never slower than alone; most trips are so.

    way_s: of a vehicle of plain pace to the place of j; first: 1 for the first trip of a chain.
    """
    vehicle, rules, job = town.vehicles[v], town.rules[0], town.jobs[j]
    latest_s, capacity, capacity_g = vehicle.latest_s, vehicle.capacity, vehicle.capacity_g
    if first > 0 and vehicle.bound >= 0:
        limits = town.first_trips[v]
        latest_s, capacity, capacity_g = limits.latest_s, limits.capacity, limits.capacity_g
    approach_s = _paced(way_s, vehicle.pace)
    arrival_s = _arrival_s(free_s, approach_s)
    pickup_s = max(arrival_s + rules.pickup_before_s, job.ready_s, 0)
    if job.load > capacity or job.weight_g > capacity_g or pickup_s > latest_s:
        return INFEASIBLE, 0
    ride_s = _paced(job.ride_s, vehicle.pace)
    delivery_s = pickup_s + rules.pickup_after_s + ride_s + rules.delivery_before_s
    cost = job.waiting * (delivery_s - job.earliest_s) + rules.travel * (approach_s + ride_s)
    cost += job.lateness * max(0, delivery_s - job.due_s)
    if job.kept >= 0 and job.kept != v:
        cost += rules.stability
    now_s = delivery_s + rules.delivery_after_s
    return cost + _taken_cost(town, v, free_s, now_s), now_s


@compiled
def _limits(town: Town, v: int, door: int) -> tuple[int, int, int, int, int]:
    """The latest pick-up, room, grams, number of jobs and seconds more of a trip after a door."""
    vehicle, rules = town.vehicles[v], town.rules[0]
    if door < 0 and vehicle.bound >= 0:
        limits = town.first_trips[v]
        return (
            limits.latest_s,
            limits.capacity,
            limits.capacity_g,
            limits.count_max,
            limits.extra_s_max,
        )
    return (
        vehicle.latest_s,
        vehicle.capacity,
        vehicle.capacity_g,
        rules.count_max,
        rules.extra_s_max,
    )


@compiled
def _load(town: Town, table: Numbers, row: int, begin: int, end: int) -> tuple[int, int, int]:
    """When all of a trip is ready, not before now, how large it is, and how heavy."""
    ready_s, size, weight_g = 0, 0, 0
    for k in range(begin, end):
        job = town.jobs[table[row, k]]
        ready_s = max(ready_s, job.ready_s)
        size += job.load
        weight_g += job.weight_g
    return ready_s, size, weight_g


@compiled
def _arrival_s(free_s: int, approach_s: int) -> int:
    return (free_s if approach_s == 0 else max(free_s, 0)) + approach_s


@compiled
def _is_of_one(town: Town, table: Numbers, row: int, begin: int, end: int) -> bool:
    """Whether all of a trip is fetched in one shop."""
    group = town.jobs[table[row, begin]].group
    for k in range(begin + 1, end):  # noqa: SIM110 - numba compiles no generator
        if town.jobs[table[row, k]].group != group:
            return False
    return True


@compiled_apart
def _fetch(
    town: Town, v: int, table: Numbers, row: int, begin: int, end: int, free_s: int, door: int
) -> tuple[int, int, int, int]:
    """Visit the shops of a trip, as `neighbours.visited` orders them.

    When the first could hand over, when the last does, the seconds of driving, and which it is.
    """
    vehicle, rules = town.vehicles[v], town.rules[0]
    bound = vehicle.bound if door < 0 else -1
    met_s, pickup_s, driving_s, shop, at = 0, 0, 0, -1, -1
    while True:
        at, ready_s = _next_shop(town, table, row, begin, end, bound, at)
        if at < 0:
            return met_s, pickup_s, driving_s, shop
        group = town.jobs[table[row, at]].group
        if shop < 0:
            driving_s = _paced(_way_s(town, v, table[row, at], door), vehicle.pace)
            met_s = _arrival_s(free_s, driving_s) + rules.pickup_before_s
            pickup_s = max(met_s, ready_s, 0)
        else:
            way_s = _paced(town.apart_s[shop, group], vehicle.pace)
            more_s = rules.pickup_after_s + way_s + rules.pickup_before_s
            pickup_s, driving_s = max(pickup_s + more_s, ready_s), driving_s + way_s
        shop = group


@compiled_apart
def _next_shop(
    town: Town, table: Numbers, row: int, begin: int, end: int, bound: int, after: int
) -> tuple[int, int]:
    """The place of a job of the shop visited after that of the job there, -1 = none.

    And when all that is fetched in it is ready; `after` -1: the first shop. A trip has few jobs.
    """
    found, last, least = -1, (-1, 0, 0), (2, 0, 0)
    if after >= 0:
        last = _turn(town, table, row, begin, end, bound, after)
    for k in range(begin, end):
        turn = _turn(town, table, row, begin, end, bound, k)
        if last < turn < least:
            found, least = k, turn
    return found, least[1]


@compiled_apart
def _turn(
    town: Town, table: Numbers, row: int, begin: int, end: int, bound: int, at: int
) -> tuple[int, int, int]:
    """What decides when the shop of the job there is visited; the least comes first."""
    group, ready_s = town.jobs[table[row, at]].group, town.jobs[table[row, at]].ready_s
    for k in range(begin, end):
        if town.jobs[table[row, k]].group == group:
            ready_s = max(ready_s, town.jobs[table[row, k]].ready_s)
    return 0 if group == bound else 1, ready_s, group


@compiled
def may_share(town: Town, table: Numbers, row: int, begin: int, end: int, j: int) -> bool:
    """Whether a trip with these jobs may fetch job j, too."""
    group = town.jobs[j].group
    if town.rules[0].has_neighbours == 0:
        return bool(town.jobs[table[row, begin]].group == group)
    for k in range(begin, end):
        there = town.jobs[table[row, k]].group
        if there != group and town.beside_at[there, group] < 0:
            return False
    return True


@compiled
def _hop_s(town: Town, shop: int, origin: int, destination: int) -> int:
    """To a door from another one, or (-1) from a neighbouring shop."""
    to = town.jobs[destination]
    if origin < 0:
        return int(town.hop_s[town.beside_at[shop, to.group] + to.rank])
    one, members = town.jobs[origin], town.groups[to.group].members
    if one.group == to.group:
        return int(town.hop_s[town.groups[to.group].hop_at + one.rank * members + to.rank])
    at = town.beside_at[one.group, to.group] + (one.rank + 1) * members
    return int(town.hop_s[at + to.rank])


@compiled
def trip_end(chains: Chains, v: int, begin: int) -> int:
    """Where the trip that begins there ends."""
    end = begin + 1
    while end < chains.length[v] and chains.begins[v, end] == 0:
        end += 1
    return end


@compiled_entry
def chain_cost(town: Town, chains: Chains, v: int) -> int:
    """What the whole chain of a vehicle costs, INFEASIBLE where it breaks a bound."""
    count = chains.length[v]
    if count == 0:
        return 0
    cost, free_s, door = town.vehicles[v].use_cost, town.vehicles[v].free_s, -1
    trips, begin = 0, 0
    while begin < count:
        end = trip_end(chains, v, begin)
        step, free_s = trip(town, v, chains.job, v, begin, end, free_s, door)
        trips += 1
        if step >= INFEASIBLE or trips > town.rules[0].trips_max:
            return INFEASIBLE
        cost += step
        door, begin = int(chains.job[v, end - 1]), end
    return cost


@compiled_entry
def walk_all(town: Town, chains: Chains) -> None:
    """Set what the chain of each vehicle costs."""
    for v in range(len(chains.length)):
        chains.cost[v] = chain_cost(town, chains, v)


@compiled
def keeps_promise(town: Town, chains: Chains, v: int) -> bool:
    """Whether a vehicle that is bound for a shop has something to do there first."""
    bound = town.vehicles[v].bound
    if bound < 0:
        return True
    for k in range(trip_end(chains, v, 0) if chains.length[v] > 0 else 0):
        if town.jobs[chains.job[v, k]].group == bound:
            return True
    return False
