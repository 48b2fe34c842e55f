"""What a simulated courier knows of his work: what he was told and when, and what is left of it."""

from collections.abc import Iterable

from msgspec.structs import replace

from actors.clock import Clock
from engine.kernel.timing import Instant
from simulations.people import Newest
from simulations.views import CarriedShown, StopShown, WorkShown


class Knowledge:
    """A courier's newest work view together with what he has done since it was made."""

    def __init__(self, work: Newest[WorkShown], clock: Clock) -> None:
        self._work, self._clock = work, clock
        self._told_at: dict[str, Instant] = {}
        self._carried: dict[str, CarriedShown] = {}
        # What he has done or lost, kept because the work view may still show it for a moment.
        self._done: set[tuple[str, str]] = set()
        self._gone: set[str] = set()
        # What went to another courier may come back: it is missed until there is a newer work view.
        self._missed: dict[str, int] = {}
        self._shown: frozenset[str] = frozenset()

    def read(self) -> tuple[StopShown, ...]:
        """His route; what is new on it he has been told, what was taken from it he forgets."""
        work = self._work.value
        if work is None:
            return ()
        self.learn(work.orders)
        route = tuple(_named(stop) for stop in work.route)
        shown = frozenset(one for stop in route for one in stop.orders)
        for order_id in self._shown - shown:
            if self.knows(order_id) and (order_id, "pickup") not in self._done:
                self._told_at.pop(order_id, None)
        self._shown = shown
        self.tell(shown)
        return route

    def learn(self, orders: Iterable[CarriedShown]) -> None:
        """Remember what orders look like."""
        for order in orders:
            self._carried.setdefault(order.order_id, order)

    def tell(self, order_ids: Iterable[str]) -> None:
        """These orders are his, he hears."""
        now = self._clock.now()
        for order_id in order_ids:
            self._told_at.setdefault(order_id, now)

    def told_at(self, order_id: str) -> Instant:
        """When he heard that the order is his; now, if he did not yet."""
        return self._told_at.get(order_id, self._clock.now())

    def knows(self, order_id: str) -> bool:
        """Whether this is an order that he has seen, and not the name of a place to wait at."""
        return order_id in self._carried

    def key(self, order_id: str) -> str:
        """The shop's number of an order."""
        return self._carried[order_id].shop.notes

    def is_done(self, kind: str, order_ids: Iterable[str]) -> None:
        """This was done at stops of this kind."""
        self._done.update((one, kind) for one in order_ids)

    def is_gone(self, order_id: str) -> None:
        """This order will never be his again."""
        self._gone.add(order_id)

    def is_missing(self, order_id: str) -> None:
        """This order is not his, whatever the present work view shows."""
        self._missed[order_id] = self._work.number

    def open_stops(self) -> tuple[StopShown, ...]:
        """The stops of his route that he has not done yet, each with what is left to do there.

        He hands one gift over at a time, also where two go to one door.
        """
        return tuple(
            replace(stop, orders=orders)
            for stop in self.read()
            if (left := self._left_to_do(stop))
            for orders in ([left] if stop.kind == "pickup" else [(one,) for one in left])
        )

    def _left_to_do(self, stop: StopShown) -> tuple[str, ...]:
        number = self._work.number
        return tuple(
            one
            for one in stop.orders
            if one not in self._gone
            and self._missed.get(one, -1) < number
            and (one, stop.kind) not in self._done
        )

    def same_pickup(self, stop: StopShown) -> StopShown | None:
        """The visit to this shop, if it is next on his route; with other orders perhaps."""
        first = next(iter(self.open_stops()), None)
        is_same = first is not None and (first.kind, first.point) == (stop.kind, stop.point)
        return first if is_same else None

    def is_wanted(self, stop: StopShown) -> bool:
        """Whether there is still something to do at the stop."""
        if stop.kind == "pickup":
            return self.same_pickup(stop) is not None
        return any(
            now.kind == stop.kind and set(now.orders) & set(stop.orders)
            for now in self.open_stops()
        )


def _named(stop: StopShown) -> StopShown:
    """A waiting point has no order to know it by; it is known by when he should be there."""
    return stop if stop.kind != "wait" else replace(stop, orders=(f"wait at {stop.ready_at}",))
