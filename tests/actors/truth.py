"""What must hold of a cell at rest: it holds what is stored, and has told nobody anything else."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actors.cell import Cell
from engine.couriers.courier import Courier, Duty, has_errands
from engine.couriers.handing_over import loan_over_at
from engine.couriers.prepositioning import arrival_at_wait
from engine.dispatch.offer import Offer, OfferStatus
from engine.dispatch.scheduling import release_bounds
from engine.geo.zone import Zone
from engine.kernel.ids import ZoneId
from engine.kernel.messages import Thing
from engine.kernel.timing import Instant
from engine.orders.order import Order, OrderStatus
from storage.kinds import name_of
from storage.live import Publication
from storage.store import CellContents


def differences(cell: Cell, stored: CellContents) -> list[str]:
    """Where a cell's memory, its waiting orders or its timers are not what storage asks for."""
    held = cell._holdings
    return [
        *_differ(held.zones.values(), stored.zones),
        *_differ((one for one in held.orders.values() if one.is_open), stored.orders),
        *_differ(
            (one for one in held.couriers.values() if one.duty is not Duty.OFF),
            stored.couriers,
        ),
        *_differ(
            (one for one in held.offers.values() if one.status is OfferStatus.OPEN),
            stored.offers,
        ),
        *_waiting_otherwise(cell, stored),
        *_timed_otherwise(cell, stored),
        *(["the cell is in doubt"] if cell._live.in_doubt else []),
    ]


def lies_in(told: Publication, stored: Mapping[tuple[str, int], Thing]) -> list[str]:
    """What watchers were told and nobody has stored."""
    key = told.channel.partition(":")[2]
    thing = stored.get((key, told.version))
    if thing is None:
        return [f"{told.channel} was shown at version {told.version}, which is not stored"]
    body = told.body
    shown, true = _facts(thing, body)
    found = [] if shown == true else [f"{told.channel} was shown as {shown}, stored is {true}"]
    if isinstance(thing, Courier):
        found += _carried_otherwise(told.channel, body, stored)
    return found


def unheard_of(
    stored: CellContents, newest: Mapping[tuple[str, str], Publication]
) -> Iterator[str]:
    """What is so, and its watchers were last shown otherwise."""
    watched: tuple[Zone | Order | Courier, ...] = (*stored.zones, *stored.orders, *stored.couriers)
    for thing in watched:
        shown = newest.get((name_of(thing), "state"))
        if shown is None or shown.version != thing.version:
            at = shown and shown.version
            yield f"{name_of(thing)} was last shown at version {at}, stored is {thing.version}"


def _differ(held: Iterable[Any], stored: Iterable[Any]) -> Iterator[str]:
    mine = {name_of(one): one for one in held}
    true = {name_of(one): one for one in stored}
    for key in sorted(mine.keys() | true.keys()):
        if mine.get(key) != true.get(key):
            yield f"{key}: held is {_brief(mine.get(key))}, stored {_brief(true.get(key))}"


def _brief(thing: Any) -> str:
    if thing is None:
        return "nothing"
    return f"{getattr(thing, 'status', 'version')} {thing.version}"


def _waiting_otherwise(cell: Cell, stored: CellContents) -> Iterator[str]:
    for zone in stored.zones:
        held = {one.id for one in cell._holdings.waiting(zone.id)}
        true = {
            one.id
            for one in stored.orders
            if one.zone_id == zone.id and one.status is OrderStatus.WAITING
        }
        if held != true:
            yield f"zone {zone.id}: {sorted(held)} wait, stored are {sorted(true)}"


def _timed_otherwise(cell: Cell, stored: CellContents) -> Iterator[str]:
    """Deadlines come from stored states; beside them a zone ticks and an offer may be repeated.

    A plan may have moved the release of a scheduled order, within its bounds.
    """
    set_ = {key: at for key, (at, _) in cell._timers._due.items()}
    wanted = dict(_deadlines(stored))
    for key in sorted(wanted.keys() | {one for one in set_ if not _is_free(one, stored)}):
        first, last = wanted.get(key, (None, None))
        at = set_.get(key)
        if at is None or first is None or last is None or not first <= at <= last:
            yield f"timer {key}: set for {at}, wanted {first} to {last}"
    for zone in stored.zones:
        if f"tick:{zone.id}" not in set_ and ZoneId(zone.id) not in cell._ticking:
            yield f"zone {zone.id} does not tick"


def _deadlines(stored: CellContents) -> Iterator[tuple[str, tuple[Instant, Instant]]]:
    zones = {one.id: one for one in stored.zones}
    for offer in stored.offers:
        yield f"offer:{offer.id}", (offer.expires_at, offer.expires_at)
    for order in stored.orders:
        if order.status is OrderStatus.SCHEDULED:
            yield f"release:{order.id}", release_bounds(zones[order.zone_id], order)
    for courier in stored.couriers:
        yield from _of_courier(courier)
    for zone in stored.zones:
        if zone.upcoming:
            first = min(one.effective_at for one in zone.upcoming)
            yield f"zone:{zone.id}", (first, first)


def _of_courier(courier: Courier) -> Iterator[tuple[str, tuple[Instant, Instant]]]:
    if courier.shift.begins_at is not None and courier.duty is Duty.ON:
        yield f"begin:{courier.id}", (courier.shift.begins_at, courier.shift.begins_at)
    if courier.shift_ends_at is not None and courier.duty is not Duty.ENDING:
        yield f"shift:{courier.id}", (courier.shift_ends_at, courier.shift_ends_at)
    rest = courier.rest
    if rest is not None and courier.duty is Duty.ON and not has_errands(courier.route):
        yield f"break:{courier.id}", (rest.begins_at, rest.begins_at)
    if rest is not None and rest.ends_at is not None and courier.duty is Duty.BREAK:
        yield f"back:{courier.id}", (rest.ends_at, rest.ends_at)
    arrives_at = arrival_at_wait(courier)
    if arrives_at is not None:
        yield f"wait:{courier.id}", (arrives_at, arrives_at)
    over_at = loan_over_at(courier)
    if over_at is not None:
        yield f"loan:{courier.id}", (over_at, over_at)


def _is_free(key: str, stored: CellContents) -> bool:
    kind, _, name = key.partition(":")
    return (
        kind in {"positions", "fixes", "recheck"}
        or (kind in {"tick", "schedule", "reschedule"} and name in {one.id for one in stored.zones})
        or (kind == "guard" and name in {one.id for one in stored.zones if one.current.guard})
        or (kind == "repeat" and name in {one.id for one in stored.offers})
    )


def _facts(thing: Thing, body: Mapping[str, Any]) -> tuple[object, object]:
    """What is shown of a thing, and what is so."""
    match thing:
        case Order():
            carrier = body["courier"] and body["courier"]["courier_id"]
            return (body["status"], carrier), (thing.status.value, thing.courier_id)
        case Courier():
            offered = body["offer"] and body["offer"]["offer_id"]
            shown = (body["duty"], len(body["route"]), offered)
            return shown, (thing.duty.value, len(thing.route), thing.offer_id)
        case Zone():
            return body["parameters_version"], thing.parameters_version
        case _:
            raise TypeError(f"nobody watches a {type(thing).__name__}")


def _carried_otherwise(
    channel: str, body: Mapping[str, Any], stored: Mapping[tuple[str, int], Thing]
) -> Iterator[str]:
    for one in (*body["orders"], *(body["offer"]["orders"] if body["offer"] else ())):
        order = stored.get((one["order_id"], one["version"]))
        if not isinstance(order, Order) or order.status.value != one["status"]:
            yield f"{channel} shows an order as {one['status']}, which is not stored"


def is_offered_or_carried_once(stored: CellContents) -> list[str]:
    """An order is in one open offer or on one route, of the courier whom it names, or nowhere."""
    places: dict[str, list[str]] = {one.id: [] for one in stored.orders}
    for offer in stored.offers:
        for order_id in offer.order_ids:
            places[order_id].append(f"offer of {offer.courier_id}")
    for courier in stored.couriers:
        for order_id in courier.orders:
            places[order_id].append(f"route of {courier.id}")
    return [
        f"order {one.id} is {one.status} and in {places[one.id]}"
        for one in stored.orders
        if places[one.id] != _expected_places(one, stored.offers)
    ]


def _expected_places(order: Order, offers: Iterable[Offer]) -> list[str]:
    if order.courier_id is not None:
        return [f"route of {order.courier_id}"]
    return [f"offer of {one.courier_id}" for one in offers if one.id == order.offer_id]
