"""What happened in a zone, from the commits of the in-memory store."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from engine.couriers.courier import Courier, Duty
from engine.dispatch.offer import Offer
from engine.dispatch.record import TELLING, Happened, ZoneHistory
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Change
from engine.kernel.timing import Instant
from engine.orders.order import Order
from storage.memory_tables import Tables
from storage.store import Commit


def of_zone(tables: Tables, commits: list[Commit], zone_id: ZoneId, since: Instant) -> ZoneHistory:
    touched: set[str] = set()
    events: list[tuple[tuple[Instant, str, int, int], Happened]] = []
    for change in _changes(commits, since):
        thing = change.thing
        if any(one.at >= since for one in change.events):
            touched.add(thing.id)
        if isinstance(thing, Order | Courier):
            events += _telling(change, since)
    events.sort(key=lambda one: one[0])
    orders = _of_zone(tables.all(Order), zone_id, touched)
    couriers = [
        one
        for one in tables.all(Courier)
        if one.zone_id == zone_id and (one.id in touched or one.duty is not Duty.OFF)
    ]
    mine = {one.id for one in (*orders, *couriers)}
    return ZoneHistory(
        orders=tuple(sorted(orders, key=lambda one: (one.placed_at, one.id))),
        offers=tuple(
            sorted(
                _of_zone(tables.all(Offer), zone_id, touched), key=lambda one: (one.made_at, one.id)
            )
        ),
        couriers=tuple(sorted(couriers, key=lambda one: one.id)),
        events=tuple(one for _, one in events if one.thing_id in mine),
    )


def _changes(commits: list[Commit], since: Instant) -> Iterator[Change[Any]]:
    """The changes since then, the newest commit first; commits come in the order of time."""
    recent = takewhile(lambda one: one.at >= since, reversed(commits))
    return (change for commit in recent for change in commit.decision.changes)


def _telling(
    change: Change[Any], since: Instant
) -> Iterator[tuple[tuple[Instant, str, int, int], Happened]]:
    thing = change.thing
    for position, event in enumerate(change.events):
        name = type(event).__name__
        if name in TELLING and event.at >= since:
            happened = Happened(
                thing_id=thing.id, type=name, at=event.at, device_at=event.device_at
            )
            yield (event.at, thing.id, thing.version, position), happened


def _of_zone(things: Iterable[Any], zone_id: ZoneId, touched: set[str]) -> list[Any]:
    return [one for one in things if one.zone_id == zone_id and one.id in touched]
