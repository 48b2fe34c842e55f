"""The best place of a job in a chain, and putting it there."""

from optimizer.arrays import INFEASIBLE, Ints
from optimizer.compiled import compiled, compiled_entry
from optimizer.desk import Desk
from optimizer.town import Chains, Town
from optimizer.walking import chain_cost, keeps_promise, lone, may_share, trip, trip_end

ALONE, JOINED, JOINED_FIRST = 0, 1, 2


@compiled
def _read(town: Town, chains: Chains, v: int, desk: Desk) -> None:
    """How the chain stands before each job that begins a trip, and at its end.

    While a vehicle is noted its chain is being tried out, and is read anew each time.
    """
    if desk.marks[v].noted_at >= 0:
        desk.marks[v].read_at = -1
    elif desk.marks[v].read_at == desk.marks[v].age:
        return
    else:
        desk.marks[v].read_at = desk.marks[v].age
    free_s, door, begin, trips, cost = town.vehicles[v].free_s, -1, 0, 0, 0
    count = chains.length[v]
    while begin < count:
        desk.standing[v, begin].free_s, desk.standing[v, begin].cost = free_s, cost
        end = trip_end(chains, v, begin)
        step, free_s = trip(town, v, chains.job, v, begin, end, free_s, door)
        cost += step
        door, begin, trips = int(chains.job[v, end - 1]), end, trips + 1
    desk.standing[v, count].free_s, desk.standing[v, count].cost = free_s, cost
    desk.marks[v].trips = trips


@compiled
def _rest(
    town: Town, chains: Chains, v: int, desk: Desk, begin: int, free_s: int, door: int
) -> int:
    """Cost of the trips from `begin` on, when the vehicle is free for them there and then."""
    cost, count = 0, chains.length[v]
    while begin < count:
        if free_s == desk.standing[v, begin].free_s and door == chains.job[v, begin - 1]:
            return cost + desk.standing[v, count].cost - desk.standing[v, begin].cost
        end = trip_end(chains, v, begin)
        step, free_s = trip(town, v, chains.job, v, begin, end, free_s, door)
        if step >= INFEASIBLE:
            return INFEASIBLE
        cost += step
        door, begin = int(chains.job[v, end - 1]), end
    return cost


@compiled
def best_place(town: Town, chains: Chains, j: int, desk: Desk, entry: int) -> tuple[int, int, int]:
    """What job j costs more at its candidate of that entry at the best place in the chain.

    And that place: index and how. INFEASIBLE when there is none.
    """
    length = chains.length[town.candidate[entry]]
    if length + 1 >= chains.job.shape[1]:
        return INFEASIBLE, -1, ALONE
    if length == 0:
        return _first_place(town, chains, j, entry)
    return _place_among(town, chains, j, desk, entry)


@compiled
def _first_place(town: Town, chains: Chains, j: int, entry: int) -> tuple[int, int, int]:
    """The same of a vehicle with nothing to do; of its chain nothing need be read."""
    v = town.candidate[entry]
    if not _may_begin(town, chains, v, j, 0):
        return INFEASIBLE, -1, ALONE
    step, _ = lone(town, v, j, town.vehicles[v].free_s, town.approach_s[entry], 1)
    if step >= INFEASIBLE:
        return INFEASIBLE, -1, ALONE
    return step + town.vehicles[v].use_cost, 0, ALONE


@compiled
def _place_among(
    town: Town, chains: Chains, j: int, desk: Desk, entry: int
) -> tuple[int, int, int]:
    """The same of a vehicle that has a chain."""
    v, best, best_at, best_how = town.candidate[entry], INFEASIBLE, -1, ALONE
    _read(town, chains, v, desk)
    length, may_begin = chains.length[v], desk.marks[v].trips < town.rules[0].trips_max
    begin = 0
    while True:
        if may_begin and _may_begin(town, chains, v, j, begin):
            cost = _alone(town, chains, v, j, desk, begin, entry)
            if cost < best:
                best, best_at, best_how = cost, begin, ALONE
        if begin == length:
            break
        end = trip_end(chains, v, begin)
        cost, index = _best_in_trip(town, chains, v, j, desk, begin, end)
        if cost < best:
            best, best_at = cost, index
            best_how = JOINED_FIRST if index == begin else JOINED
        begin = end
    if best >= INFEASIBLE:
        return INFEASIBLE, -1, ALONE
    return best - desk.standing[v, length].cost, best_at, best_how


@compiled
def known_place(town: Town, chains: Chains, j: int, desk: Desk, entry: int) -> tuple[int, int, int]:
    """The best place of job j at its candidate of that entry, looked up anew only if it may differ.

    While a vehicle is noted its chain is being tried out, and nothing is kept of it.
    """
    v = town.candidate[entry]
    is_noted = desk.marks[v].noted_at >= 0
    if not is_noted and desk.best[entry].age == desk.marks[v].age:
        return desk.best[entry].more, desk.best[entry].place, desk.best[entry].how
    more, place, how = best_place(town, chains, j, desk, entry)
    if not is_noted:
        desk.best[entry].more, desk.best[entry].place, desk.best[entry].how = more, place, how
        desk.best[entry].age = desk.marks[v].age
    return more, place, how


@compiled
def _alone(town: Town, chains: Chains, v: int, j: int, desk: Desk, begin: int, entry: int) -> int:
    """Cost of the chain with a trip of j alone before the trip that begins there."""
    way_s, first = town.approach_s[entry], 1
    if begin > 0:
        way_s, first = town.onward_s[town.jobs[j].group, chains.job[v, begin - 1]], 0
    step, then_s = lone(town, v, j, desk.standing[v, begin].free_s, way_s, first)
    if step >= INFEASIBLE:
        return INFEASIBLE
    return desk.standing[v, begin].cost + step + _rest(town, chains, v, desk, begin, then_s, j)


@compiled
def _best_in_trip(
    town: Town, chains: Chains, v: int, j: int, desk: Desk, begin: int, end: int
) -> tuple[int, int]:
    """Least cost of the chain with j in the trip from begin to end, and the index of j."""
    best, best_at = INFEASIBLE, -1
    if not may_share(town, chains.job, v, begin, end, j):
        return best, best_at
    for index in range(begin, end + 1):
        cost = _joined(town, chains, v, j, desk, begin, index, end)
        if cost < best:
            best, best_at = cost, index
    return best, best_at


@compiled
def _joined(
    town: Town, chains: Chains, v: int, j: int, desk: Desk, begin: int, index: int, end: int
) -> int:
    """Cost of the chain with j at an index of the trip from begin to end."""
    door = -1 if begin == 0 else chains.job[v, begin - 1]
    for k in range(begin, index):
        desk.trip[0, k - begin] = chains.job[v, k]
    desk.trip[0, index - begin] = j
    for k in range(index, end):
        desk.trip[0, k - begin + 1] = chains.job[v, k]
    before = desk.standing[v, begin]
    step, then_s = trip(town, v, desk.trip, 0, 0, end - begin + 1, before.free_s, door)
    if step >= INFEASIBLE:
        return INFEASIBLE
    last = desk.trip[0, end - begin]
    return before.cost + step + _rest(town, chains, v, desk, end, then_s, last)


@compiled
def _may_begin(town: Town, chains: Chains, v: int, j: int, begin: int) -> bool:
    """Whether a trip of j alone may begin there: nothing comes before a promised trip."""
    bound = town.vehicles[v].bound
    if begin > 0 or bound < 0:
        return True
    return town.jobs[j].group == bound and not keeps_promise(town, chains, v)


@compiled
def put(chains: Chains, v: int, j: int, index: int, how: int) -> None:
    """Put job j where `best_place` found its place; the cost is the caller's to set."""
    for k in range(chains.length[v], index, -1):
        chains.job[v, k], chains.begins[v, k] = chains.job[v, k - 1], chains.begins[v, k - 1]
    chains.job[v, index] = j
    chains.begins[v, index] = 0 if how == JOINED else 1
    if how == JOINED_FIRST:
        chains.begins[v, index + 1] = 0
    chains.length[v] += 1
    chains.carrier[j] = v


@compiled
def take(chains: Chains, j: int) -> None:
    """Take job j out of its chain; the cost is the caller's to set."""
    v = chains.carrier[j]
    count = chains.length[v]
    index = 0
    while chains.job[v, index] != j:
        index += 1
    if chains.begins[v, index] and index + 1 < count:
        chains.begins[v, index + 1] = 1
    for k in range(index, count - 1):
        chains.job[v, k], chains.begins[v, k] = chains.job[v, k + 1], chains.begins[v, k + 1]
    chains.length[v] -= 1
    chains.carrier[j] = -1


@compiled_entry
def price_moves(town: Town, chains: Chains, desk: Desk, more: Ints) -> None:
    """Write what the plan costs more when a job goes to a candidate, by entry of `town.candidate`.

    For a job that is left out it is what the job costs there; INFEASIBLE for its own vehicle.
    """
    for j in range(len(town.jobs)):
        carrier = chains.carrier[j]
        if carrier < 0:
            _price(town, chains, j, desk, more)
            continue
        note(chains, desk, carrier, 0)
        take(chains, j)
        rest = chain_cost(town, chains, carrier)
        if rest < INFEASIBLE and keeps_promise(town, chains, carrier):
            _price(town, chains, j, desk, more)
            for entry in range(town.candidates_at[j], town.candidates_at[j + 1]):
                if more[entry] < INFEASIBLE:
                    more[entry] -= desk.noted_cost[0] - rest
                if town.candidate[entry] == carrier:
                    more[entry] = INFEASIBLE
        restore(chains, desk, 1)
        forget(desk, 1)


@compiled
def _price(town: Town, chains: Chains, j: int, desk: Desk, more: Ints) -> None:
    for entry in range(town.candidates_at[j], town.candidates_at[j + 1]):
        more[entry] = known_place(town, chains, j, desk, entry)[0]


@compiled
def note(chains: Chains, desk: Desk, v: int, noted: int) -> int:
    """Keep how a vehicle's chain was before its first change; how many are noted now."""
    if desk.marks[v].noted_at >= 0:
        return noted
    desk.marks[v].noted_at, desk.noted[noted] = noted, v
    for k in range(chains.length[v]):
        desk.noted_job[noted, k] = chains.job[v, k]
        desk.noted_begins[noted, k] = chains.begins[v, k]
    desk.noted_length[noted], desk.noted_cost[noted] = chains.length[v], chains.cost[v]
    return noted + 1


@compiled
def restore(chains: Chains, desk: Desk, noted: int) -> None:
    """Give the noted vehicles back what they had; who lost a job must have lost it before."""
    for k in range(noted):
        v = desk.noted[k]
        chains.length[v], chains.cost[v] = desk.noted_length[k], desk.noted_cost[k]
        for index in range(desk.noted_length[k]):
            chains.job[v, index] = desk.noted_job[k, index]
            chains.begins[v, index] = desk.noted_begins[k, index]
            chains.carrier[desk.noted_job[k, index]] = v


@compiled
def keep(chains: Chains, desk: Desk, noted: int) -> None:
    """What was tried with the noted vehicles is how they are now."""
    for k in range(noted):
        if is_other(chains, desk, k):
            desk.marks[desk.noted[k]].age += 1


@compiled
def is_other(chains: Chains, desk: Desk, k: int) -> bool:
    """Whether the chain of the k-th noted vehicle is another one than before."""
    v = desk.noted[k]
    if chains.length[v] != desk.noted_length[k]:
        return True
    for index in range(chains.length[v]):
        if chains.job[v, index] != desk.noted_job[k, index]:
            return True
        if chains.begins[v, index] != desk.noted_begins[k, index]:
            return True
    return False


@compiled
def forget(desk: Desk, noted: int) -> None:
    """Note nobody any more."""
    for k in range(noted):
        desk.marks[desk.noted[k]].noted_at = -1
