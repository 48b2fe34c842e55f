"""The best order of a trip's stops: exact for short trips, by insertion for long ones."""

from collections.abc import Sequence
from dataclasses import dataclass

EXACT_UP_TO = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """The stops of one trip as numbers, all lists by stop.

    legs_s[i][j] = seconds from place i to stop j, where place 0 is the shop and place i + 1 is stop
    i. start_s = departure from the shop; before_s and after_s = service at each stop. A delivery at
    d costs waiting[j] * d + lateness[j] * max(0, d - due_s[j]); driving costs travel per second.
    """

    legs_s: Sequence[Sequence[int]]
    start_s: int
    before_s: int
    after_s: int
    due_s: Sequence[int]
    waiting: Sequence[int]
    lateness: Sequence[int]
    travel: int

    def __len__(self) -> int:
        return len(self.due_s)

    def cost(self, order: Sequence[int]) -> int:
        """What delivering in this order costs."""
        place, now_s, cost = 0, self.start_s, 0
        for stop in order:
            now_s, step = self.advance(place, stop, now_s)
            place, cost = stop + 1, cost + step
        return cost

    def advance(self, place: int, stop: int, now_s: int) -> tuple[int, int]:
        """When one is free again after driving from place to stop, and what that costs."""
        leg_s = self.legs_s[place][stop]
        delivery_s = now_s + leg_s + self.before_s
        late_s = max(0, delivery_s - self.due_s[stop])
        cost = self.travel * leg_s + self.waiting[stop] * delivery_s + self.lateness[stop] * late_s
        return delivery_s + self.after_s, cost


def best_order(stops: Stops) -> tuple[int, ...]:
    """The cheapest order of the stops, up to EXACT_UP_TO of them; beyond that a good one."""
    if len(stops) == 1:
        return (0,)
    return _exact(stops) if len(stops) <= EXACT_UP_TO else _inserted(stops)


def _exact(stops: Stops) -> tuple[int, ...]:
    """Depth-first search that gives up a beginning as soon as its most hopeful end is too dear."""
    count = len(stops)
    nearest_s = [min(leg[stop] for leg in stops.legs_s) for stop in range(count)]
    best: list[int] = list(range(count))
    best_cost = stops.cost(best)

    def hopeful(rest: Sequence[int], now_s: int) -> int:
        return sum(
            stops.travel * nearest_s[stop]
            + stops.waiting[stop] * (delivery_s := now_s + nearest_s[stop] + stops.before_s)
            + stops.lateness[stop] * max(0, delivery_s - stops.due_s[stop])
            for stop in rest
        )

    def extend(order: list[int], rest: tuple[int, ...], now_s: int, cost: int) -> None:
        nonlocal best, best_cost
        if not rest:
            if cost < best_cost:
                best, best_cost = order, cost
            return
        if cost + hopeful(rest, now_s) >= best_cost:
            return
        place = order[-1] + 1 if order else 0
        for stop in sorted(rest, key=lambda stop: (stops.legs_s[place][stop], stop)):
            then_s, step = stops.advance(place, stop, now_s)
            others = tuple(other for other in rest if other != stop)
            extend([*order, stop], others, then_s, cost + step)

    extend([], tuple(range(count)), stops.start_s, 0)
    return tuple(best)


def _inserted(stops: Stops) -> tuple[int, ...]:
    """Cheapest insertion, then each stop moved to its best place until nothing gets better."""
    order: list[int] = []
    for stop in sorted(range(len(stops)), key=lambda stop: (stops.due_s[stop], stop)):
        order = _with(stops, order, stop)
    improved = True
    while improved:
        improved = False
        for stop in range(len(stops)):
            moved = _with(stops, [other for other in order if other != stop], stop)
            if stops.cost(moved) < stops.cost(order):
                order, improved = moved, True
    return tuple(order)


def _with(stops: Stops, order: list[int], stop: int) -> list[int]:
    places = range(len(order) + 1)
    return min(([*order[:at], stop, *order[at:]] for at in places), key=stops.cost)
