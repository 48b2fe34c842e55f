"""The things of the in-memory store, and the constraints that the database puts on them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from engine.couriers.courier import Courier, Duty
from engine.dispatch.offer import Offer, OfferStatus
from engine.geo.zone import ParameterSet, Zone, ZoneParametersChanged
from engine.kernel.ids import CellId, CourierId, OfferId, OrderId, UserId, ZoneId, is_id
from engine.kernel.messages import Change, Thing
from engine.orders.order import CLOSED, HELD, TRANSITIONS, Order, OrderStatus
from storage import assignments
from storage.kinds import KINDS, Kept, name_of
from storage.store import Commit, Stale, Stored

T = TypeVar("T")
S = OrderStatus

_UNASKED: Final = frozenset({S.PLACED, S.SCHEDULED, S.WAITING, S.CANCELLED})
_CARRIED: Final = HELD | {S.DELIVERED, S.RETURNED}


def reachable() -> dict[OrderStatus, frozenset[OrderStatus]]:
    """Where one decision, which may take several steps, may lead an order from each status."""
    found: dict[OrderStatus, set[OrderStatus]] = {one: set() for one in OrderStatus}
    for (before, _), after in TRANSITIONS.items():
        found[before].add(after)
    for middle in OrderStatus:
        for before in OrderStatus:
            if middle in found[before]:
                found[before] |= found[middle]
    return {before: frozenset(after) for before, after in found.items()}


_REACHABLE: Final = reachable()


class Tables:
    """Zones, couriers, orders and offers by id, the cells of zones, and what is unique in them."""

    def __init__(self) -> None:
        self._things: dict[type[Thing], dict[str, Any]] = {kind: {} for kind in KINDS}
        self.cell_of_zone: dict[ZoneId, CellId] = {}
        self.zone_of_cell: dict[CellId, ZoneId] = {}
        self.parameter_sets: dict[str, dict[int, ParameterSet]] = defaultdict(dict)
        self.orders_of: dict[UserId, list[OrderId]] = defaultdict(list)
        self.offers_for: dict[OrderId, dict[OfferId, None]] = defaultdict(dict)
        self._active: set[OrderId] = set()
        self._asked: dict[CourierId, OfferId] = {}

    def find(self, kind: type[T], thing_id: str) -> T | None:
        found: T | None = self._things[kind].get(thing_id)  # type: ignore[index]
        return found

    def all(self, kind: type[T]) -> Iterable[T]:
        return self._things[kind].values()  # type: ignore[index]

    def in_cell(self, kind: type[T], cell: CellId) -> Iterator[T]:
        """The things of a kind that a cell owns, by id."""
        things = self._things[kind]  # type: ignore[index]
        return (things[one] for one in sorted(things) if self.cell_of(things[one]) == cell)

    def cell_of(self, thing: Kept | None) -> CellId | None:
        """The cell that owns a thing: that of its zone."""
        if thing is None:
            return None
        return self.cell_of_zone.get(thing.id if isinstance(thing, Zone) else thing.zone_id)

    def check(self, commit: Commit) -> Stale | None:
        """What stands in the way of a commit; a state that no rule can make is a bug."""
        changes = commit.decision.changes
        new = {change.thing.id for change in changes}
        assert len(new) == len(changes), "a decision changes a thing twice"
        for change in changes:
            before = self._things[type(change.thing)].get(change.thing.id)
            if change.thing.version != (before.version if before is not None else 0) + 1:
                return Stale(name_of(change.thing))
        for change in changes:
            self._assert_legal(change.thing)
            stale = self._missing(change.thing, new) or self._taken_cell(change)
            if stale is not None:
                return stale
        return self._taken_order(changes, new) or self._taken_courier(changes)

    def store(self, commit: Commit) -> Stored:
        """Store what was checked."""
        for change in commit.decision.changes:
            thing, kind = change.thing, type(change.thing)
            if kind is Order and thing.version == 1:
                self.orders_of[thing.customer_id].append(thing.id)
            if kind is Offer:
                self._keep_offer(thing)
            if kind is Zone:
                self._keep_zone(change)
                self.cell_of_zone[thing.id] = thing.home or commit.cell
            self._things[kind][thing.id] = thing
        for order_id, status in assignments.settled(commit.decision.changes).items():
            if status not in assignments.ACTIVE:
                self._active.discard(order_id)
        for one in assignments.made(commit.decision.changes):
            self._active.add(one.order_id)
            self.offers_for[one.order_id][one.offer_id] = None
        return Stored()

    def _keep_offer(self, offer: Offer) -> None:
        before = self.find(Offer, offer.id)
        if before is not None and self._asked.get(before.courier_id) == offer.id:
            del self._asked[before.courier_id]
        if offer.status is OfferStatus.OPEN:
            self._asked[offer.courier_id] = offer.id

    def _keep_zone(self, change: Change[Zone]) -> None:
        zone, before = change.thing, self.find(Zone, change.thing.id)
        if before is None or before.cells != zone.cells:
            for cell in before.cells if before else ():
                del self.zone_of_cell[cell]
            self.zone_of_cell |= dict.fromkeys(zone.cells, zone.id)
        for event in change.events:
            if isinstance(event, ZoneParametersChanged):
                self.parameter_sets[zone.id][event.parameter_set.version] = event.parameter_set

    def _assert_legal(self, thing: Kept) -> None:
        match thing:
            case Order():
                self._assert_legal_order(thing)
            case Offer():
                before = self.find(Offer, thing.id)
                assert before is None or before.status is OfferStatus.OPEN, "offers_closed"
                is_open = thing.status is OfferStatus.OPEN
                assert (thing.answered_at is None) == is_open, "offers_answered_when_closed"
                assert thing.expires_at >= thing.made_at, "offers_expire_after_made"
            case Courier():
                on_duty = thing.duty is Duty.ON
                assert thing.offer_id is None or on_duty, "couriers_offered_on_duty"
                may_carry = thing.duty in {Duty.ON, Duty.ENDING}
                assert not thing.route or may_carry, "couriers_free_off_duty"
                assert thing.capacity_units >= 0, "couriers_capacity"
            case Zone():
                assert thing.parameters_version > 0, "zones_parameters_version"
        if thing.version == 1 and not is_id(thing.id):
            raise ValueError(f"{name_of(thing)} is not named by a UUID")

    def _assert_legal_order(self, order: Order) -> None:
        status, before = order.status, self.find(Order, order.id)
        if before is not None:
            assert before.status not in CLOSED, "orders_closed"
            legal = status is before.status or status in _REACHABLE[before.status]
            assert legal, "orders_transition"
        assert (order.offer_id is None) == (status in _UNASKED), "orders_offer_when_asked"
        assert (order.courier_id is not None) == (status in _CARRIED), "orders_courier_when_carried"
        assert (order.ended_at is not None) == (status in CLOSED), "orders_ended_when_closed"
        assert order.release_at is not None or status is not S.SCHEDULED, (
            "orders_release_when_scheduled"
        )
        assert order.total_halalas >= 0, "orders_total"

    def _missing(self, thing: Kept, new: set[str]) -> Stale | None:
        """The zone or courier that a thing speaks of and that is neither there nor new."""
        if isinstance(thing, Zone):
            return None
        if thing.zone_id not in self._things[Zone] and thing.zone_id not in new:
            return Stale(f"zone:{thing.zone_id}")
        courier_id = getattr(thing, "courier_id", None)
        if courier_id and courier_id not in self._things[Courier] and courier_id not in new:
            return Stale(f"courier:{courier_id}")
        return None

    def _taken_cell(self, change: Change[Any]) -> Stale | None:
        zone = change.thing
        if type(zone) is not Zone:
            return None
        for cell in zone.cells:
            if self.zone_of_cell.get(cell, zone.id) != zone.id:
                return Stale(f"cell:{cell}")
        kept = self.parameter_sets.get(zone.id, {})
        for event in change.events:
            if isinstance(event, ZoneParametersChanged) and event.parameter_set.version in kept:
                return Stale(name_of(zone))
        return None

    def _taken_order(self, changes: tuple[Change[Any], ...], new: set[str]) -> Stale | None:
        """An order that is asked about or carried already, or that is not there."""
        made = assignments.made(changes)
        if not made:
            return None
        settled = assignments.settled(changes)
        asked: set[OrderId] = set()
        for order_id in (one.order_id for one in made):
            if order_id not in self._things[Order] and order_id not in new:
                return Stale(f"order:{order_id}")
            if order_id in asked or (order_id in self._active and order_id not in settled):
                return Stale(f"order:{order_id}")
            asked.add(order_id)
        return None

    def _taken_courier(self, changes: tuple[Change[Any], ...]) -> Stale | None:
        """A courier who has an open offer already."""
        offers = [one.thing for one in changes if type(one.thing) is Offer]
        closing = {one.id for one in offers if one.status is not OfferStatus.OPEN}
        for offer in offers:
            asked = self._asked.get(offer.courier_id, offer.id)
            if offer.id not in closing and asked != offer.id and asked not in closing:
                return Stale(f"courier:{offer.courier_id}")
        return None
