"""What must hold of a day, by what people did and were told, and by its history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from engine.kernel.timing import Instant
from engine.orders.order import TRANSITIONS, OrderStatus
from simulations.diary import CourierPage, Diary, OrderPage

_FOR_EVER: Final[Instant] = 1 << 62
_NEXT: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    status: frozenset(after for (before, _), after in TRANSITIONS.items() if before is status)
    for status in OrderStatus
}
_BY_NAME: Final = {
    (before, event.__name__): after for (before, event), after in TRANSITIONS.items()
}


def _reachable(status: OrderStatus) -> frozenset[OrderStatus]:
    found: set[OrderStatus] = set()
    ahead = [status]
    while ahead:
        new = _NEXT[ahead.pop()] - found
        found |= new
        ahead.extend(new)
    return frozenset(found)


# An app may be shown every second status only, so what counts is that there is a way.
REACHABLE: Final = {status: _reachable(status) for status in OrderStatus}


def seen_from_outside(diary: Diary) -> list[str]:
    """All that contradicts: lost, doubled, held twice, gone back, told wrongly."""
    whole_day = () if diary.is_cut_short else (*lost(diary), *told_otherwise(diary))
    return [*whole_day, *delivered_twice(diary), *held_twice(diary), *illegal_ways(diary)]


def lost(diary: Diary) -> Iterator[str]:
    """Orders that were taken and then never came to an end."""
    for key, page in diary.orders.items():
        if page.order_id and not page.has_ended and not page.withdrawn:
            yield f"order {key} is lost: last seen {page.status}"


def delivered_twice(diary: Diary) -> Iterator[str]:
    """Orders handed over more than once."""
    handed_over = Counter(
        key
        for page in diary.couriers.values()
        for visit in page.visits
        if visit.kind == "dropoff"
        for key in visit.keys
    )
    for key, times in handed_over.items():
        if times > 1:
            yield f"order {key} was handed over {times} times"


def held_twice(diary: Diary) -> Iterator[str]:
    """Orders that two couriers had on board at one moment."""
    holds: dict[str, list[tuple[Instant, Instant, str]]] = defaultdict(list)
    for name, page in diary.couriers.items():
        for key, since, until in _held(page):
            holds[key].append((since, until, name))
    for key, of_order in holds.items():
        for (_, until, first), (since, _, second) in pairwise(sorted(of_order)):
            if since < until:
                yield f"order {key} was held by {first} and {second} at once"


def _held(page: CourierPage) -> Iterator[tuple[str, Instant, Instant]]:
    """From when until when this courier had each order on board."""
    taken: dict[str, Instant] = {}
    for visit in page.visits:
        for key in visit.keys:
            if visit.kind == "pickup":
                taken[key] = visit.handed_over_at
            elif key in taken and visit.kind != "attempt":
                yield key, taken.pop(key), visit.handed_over_at
    for key, since in taken.items():
        yield key, since, _FOR_EVER


def illegal_ways(diary: Diary) -> Iterator[str]:
    """Orders whose customer was shown a status that cannot follow the one before."""
    for key, page in diary.orders.items():
        for before, after in pairwise(page.heard):
            is_same = before.status is after.status
            if not is_same and after.status not in REACHABLE[before.status]:
                yield f"order {key} went from {before.status} to {after.status}"


def told_otherwise(diary: Diary) -> Iterator[str]:
    """Orders of which courier and customer were told different ends."""
    handed_over = {
        key
        for page in diary.couriers.values()
        for visit in page.visits
        if visit.kind == "dropoff"
        for key in visit.keys
    }
    for key, page in diary.orders.items():
        is_delivered = page.status is OrderStatus.DELIVERED
        # An order of an earlier run may have been handed over by its courier of then.
        if is_delivered and key not in handed_over and not page.is_adopted:
            yield f"order {key} is delivered, but nobody handed it over"
        if not is_delivered and key in handed_over:
            yield f"order {key} was handed over, but its customer last heard {page.status}"


def not_in_history(
    pages: Iterable[OrderPage], history: Mapping[str, Iterable[tuple[int, str]]]
) -> list[str]:
    """Statuses that customers were shown and that no stored event brought about.

    `history` has, for each order id, the versions and types of its events, oldest first.
    """
    found: list[str] = []
    for page in pages:
        status_at: dict[int, OrderStatus] = {}
        status = OrderStatus.PLACED
        for version, event in history.get(page.order_id, ()):
            status = _BY_NAME[(status, event)]
            status_at[version] = status
        found.extend(
            f"order {page.wanted.key} was shown {one.status} in version {one.version}, "
            f"which was {status_at.get(one.version)}"
            for one in page.heard
            if status_at.get(one.version) is not one.status
        )
    return found
