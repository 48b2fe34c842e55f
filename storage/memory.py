"""The in-memory twin of the PostgreSQL store: the same answers, for tests and for virtual time."""

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from engine.couriers.courier import Courier, Duty
from engine.dispatch.offer import Offer, OfferStatus
from engine.dispatch.outcomes import (
    OUTCOMES_MAX,
    OfferOutcome,
    OrderOutcome,
    outcome_of_offer,
    outcome_of_order,
)
from engine.dispatch.record import ZoneHistory
from engine.dispatch.waiting import WAITS_MAX, Wait
from engine.geo.zone import ParameterSet, Zone
from engine.kernel.ids import (
    CellId,
    CommandId,
    CourierId,
    EffectId,
    OfferId,
    OrderId,
    QuoteId,
    UserId,
    ZoneId,
)
from engine.kernel.messages import Change, Event
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.listings import ORDER_SEARCH, ORDERS
from engine.orders.order import Order
from engine.orders.quote import Quote
from storage.kinds import KINDS, encode
from storage.memory_audit import MemoryAudit
from storage.memory_history import of_zone
from storage.memory_outbox import MemoryOutbox
from storage.memory_tables import Tables
from storage.recent import DUTY_EVENTS, entered_at
from storage.store import (
    NEWEST_ORDERS,
    Answer,
    CellContents,
    Commit,
    DutyOf,
    OpenOrder,
    OrderSearch,
    OutboxRow,
    Outcome,
    Repeated,
    StoredEvent,
    TrailFix,
)


class EventLine(Struct, frozen=True, kw_only=True):
    """One event as `dump_events` writes it."""

    kind: str
    id: str
    version: int
    position: int
    command_id: CommandId | None
    event: Event


class MemoryStore:
    """Satisfies `Store`; nothing in it waits or depends on chance or on the order of hashes."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._commits: list[Commit] = []
        self._history: dict[str, list[tuple[Instant, Change[Any]]]] = defaultdict(list)
        self._answers: dict[CommandId, Answer] = {}
        self.outbox = MemoryOutbox()
        self.audit = MemoryAudit()
        self._quotes: dict[QuoteId, Quote] = {}
        self._waits: dict[OrderId, dict[Instant, Wait]] = defaultdict(dict)
        # Of each courier in the order of their instants.
        self._trail: dict[CourierId, list[TrailFix]] = defaultdict(list)

    async def close(self) -> None:
        """Nothing to give back."""

    def dump_events(self, target: Path | BinaryIO) -> int:
        """Write every event as a line of JSON, in the order of their commits; how many there were.

        Equal histories give equal bytes.
        """
        if isinstance(target, Path):
            with target.open("wb") as file:
                return self.dump_events(file)
        count = 0
        for commit in self._commits:
            lines = [encode(line) for line in _lines(commit)]
            target.writelines(line + b"\n" for line in lines)
            count += len(lines)
        return count

    async def commit(self, commit: Commit) -> Outcome:
        answer, decision = commit.answer, commit.decision
        if answer is not None and answer.command_id in self._answers:
            return Repeated(self._answers[answer.command_id])
        outcome = self._tables.check(commit) or self.outbox.check(decision.effects)
        if outcome is not None:
            return outcome
        for change in decision.changes:
            if change.events:
                self._history[change.thing.id].append((commit.at, change))
        stored = self._tables.store(commit)
        self.outbox.add(decision.effects, commit.at)
        self.audit.add(commit.records)
        if answer is not None:
            self._answers[answer.command_id] = answer
        if decision.changes:
            self._commits.append(commit)
        return stored

    async def load_cell(self, cell: CellId) -> CellContents:
        return CellContents(
            zones=tuple(self._tables.in_cell(Zone, cell)),
            orders=tuple(one for one in self._tables.in_cell(Order, cell) if one.is_open),
            couriers=tuple(
                one for one in self._tables.in_cell(Courier, cell) if one.duty is not Duty.OFF
            ),
            offers=tuple(
                one for one in self._tables.in_cell(Offer, cell) if one.status is OfferStatus.OPEN
            ),
        )

    async def list_cells(self) -> tuple[CellId, ...]:
        return tuple(sorted(set(self._tables.cell_of_zone.values())))

    async def find_answer(self, command_id: CommandId) -> Answer | None:
        return self._answers.get(command_id)

    async def cell_of_order(self, order_id: OrderId) -> CellId | None:
        return self._tables.cell_of(self._tables.find(Order, order_id))

    async def cell_of_courier(self, courier_id: CourierId) -> CellId | None:
        return self._tables.cell_of(self._tables.find(Courier, courier_id))

    async def cell_of_zone(self, zone_id: ZoneId) -> CellId | None:
        return self._tables.cell_of_zone.get(zone_id)

    async def zone_covering(self, cells: Sequence[CellId]) -> ZoneId | None:
        owners = self._tables.zone_of_cell
        return next((owners[cell] for cell in cells if cell in owners), None)

    async def find_zone(self, zone_id: ZoneId) -> Zone | None:
        return self._tables.find(Zone, zone_id)

    async def list_zones(self) -> tuple[Zone, ...]:
        return tuple(sorted(self._tables.all(Zone), key=lambda one: (one.name_en, one.id)))

    async def list_parameter_sets(self, zone_id: ZoneId) -> tuple[ParameterSet, ...]:
        found = self._tables.parameter_sets.get(zone_id, {})
        return tuple(found[version] for version in sorted(found, reverse=True))

    async def find_order(self, order_id: OrderId) -> Order | None:
        return self._tables.find(Order, order_id)

    async def list_orders_of(self, customer_id: UserId, wanted: Wanted) -> Page[Order]:
        mine = (self._tables.find(Order, one) for one in self._tables.orders_of[customer_id])
        return ORDERS.page((one for one in mine if one), wanted)

    async def open_orders_of(self, customer_id: UserId) -> tuple[OpenOrder, ...]:
        newest = await self.list_orders_of(customer_id, Wanted(limit=NEWEST_ORDERS))
        return tuple(
            OpenOrder(order_id=one.id, code=one.code, placed_at=one.placed_at)
            for one in newest.rows
            if one.is_open
        )

    async def search_orders(self, asked: OrderSearch, wanted: Wanted) -> Page[Order]:
        found = (one for one in self._tables.all(Order) if asked.finds(one))
        return ORDER_SEARCH.page(found, wanted)

    async def find_courier(self, courier_id: CourierId) -> Courier | None:
        return self._tables.find(Courier, courier_id)

    async def list_orders_in(
        self,
        zone_id: ZoneId,
        *,
        since: Instant,
        until: Instant,
        limit: int,
        after: tuple[Instant, OrderId] | None = None,
    ) -> tuple[Order, ...]:
        found = sorted(
            (
                one
                for one in self._tables.all(Order)
                if one.zone_id == zone_id and since <= entered_at(one) < until
            ),
            key=_entrance,
        )
        rest = (one for one in found if after is None or _entrance(one) > after)
        return tuple(islice(rest, limit))

    async def list_duties(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[DutyOf, ...]:
        found = []
        for courier in sorted(self._tables.all(Courier), key=attrgetter("id")):
            changes = tuple(
                (event.at, type(event).__name__)
                for _, change in self._history.get(courier.id, ())
                for event in change.events
                if isinstance(event, DUTY_EVENTS) and since <= event.at < until
            )
            if courier.zone_id == zone_id and (changes or courier.duty is not Duty.OFF):
                found.append(DutyOf(courier=courier, changes=changes))
        return tuple(found)

    async def find_offer(self, offer_id: OfferId) -> Offer | None:
        return self._tables.find(Offer, offer_id)

    async def list_offers_for(self, order_id: OrderId) -> tuple[Offer, ...]:
        mine = [self._tables.find(Offer, one) for one in self._tables.offers_for[order_id]]
        return tuple(sorted((one for one in mine if one), key=lambda one: (one.made_at, one.id)))

    async def save_waits(self, waits: Sequence[Wait]) -> None:
        for one in waits:
            kept = self._waits[one.order_id]
            kept[one.at] = one
            while len(kept) > WAITS_MAX:
                del kept[min(kept)]

    async def list_waits(self, order_id: OrderId) -> tuple[Wait, ...]:
        kept = self._waits.get(order_id, {})
        return tuple(kept[at] for at in sorted(kept))

    async def order_outcomes(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[OrderOutcome, ...]:
        ended = [
            (one.ended_at, one.id, one)
            for one in self._tables.all(Order)
            if one.zone_id == zone_id and one.ended_at is not None and since < one.ended_at <= until
        ]
        ended.sort(key=itemgetter(0, 1), reverse=True)
        return tuple(outcome_of_order(one) for *_, one in ended[:OUTCOMES_MAX])

    async def offer_outcomes(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[OfferOutcome, ...]:
        answered = [
            (one.answered_at, one.id, one)
            for one in self._tables.all(Offer)
            if one.zone_id == zone_id
            and one.answered_at is not None
            and since < one.answered_at <= until
        ]
        answered.sort(key=itemgetter(0, 1), reverse=True)
        return tuple(outcome_of_offer(one) for *_, one in answered[:OUTCOMES_MAX])

    async def list_events(self, thing_id: str) -> tuple[StoredEvent, ...]:
        return tuple(
            _stored_event(change, position, event)
            for _, change in self._history.get(thing_id, ())
            for position, event in enumerate(change.events)
        )

    async def zone_history(self, zone_id: ZoneId, since: Instant) -> ZoneHistory:
        return of_zone(self._tables, self._commits, zone_id, since)

    async def save_quote(self, quote: Quote) -> None:
        kept = self._quotes.setdefault(quote.id, quote)
        assert kept == quote, f"another quote has the id {quote.id}"

    async def find_quote(self, quote_id: QuoteId) -> Quote | None:
        return self._quotes.get(quote_id)

    async def lease_effects(
        self, *, limit: int, now: Instant, lease_until: Instant
    ) -> tuple[OutboxRow, ...]:
        return self.outbox.lease(limit=limit, now=now, lease_until=lease_until)

    async def finish_effect(self, effect_id: EffectId, *, now: Instant) -> None:  # noqa: ARG002
        self.outbox.finish(effect_id)

    async def postpone_effect(
        self,
        effect_id: EffectId,
        *,
        until: Instant,
        error: str,  # noqa: ARG002 - kept for people who look into the database
    ) -> None:
        self.outbox.postpone(effect_id, until=until)

    async def save_trail(self, fixes: Sequence[TrailFix]) -> None:
        for one in fixes:
            insort(self._trail[one.courier_id], one, key=attrgetter("at"))

    async def last_fixes(self, cell: CellId) -> tuple[TrailFix, ...]:
        return tuple(
            self._trail[one.id][-1]
            for one in self._tables.in_cell(Courier, cell)
            if one.duty is not Duty.OFF and one.id in self._trail
        )

    async def list_trail(
        self, courier_id: CourierId, *, since: Instant, until: Instant, limit: int
    ) -> tuple[TrailFix, ...]:
        kept = self._trail.get(courier_id, ())
        return tuple(one for one in kept if since <= one.at < until)[:limit]

    async def first_fixes(
        self, asked: Sequence[tuple[CourierId, Instant]]
    ) -> tuple[TrailFix | None, ...]:
        return tuple(
            next((one for one in self._trail.get(courier_id, ()) if one.at >= at), None)
            for courier_id, at in asked
        )


def _entrance(order: Order) -> tuple[Instant, OrderId]:
    return entered_at(order), order.id


def _lines(commit: Commit) -> list[EventLine]:
    command_id = commit.answer.command_id if commit.answer else None
    return [
        EventLine(
            kind=KINDS[type(change.thing)],
            id=change.thing.id,
            version=change.thing.version,
            position=position,
            command_id=command_id,
            event=event,
        )
        for change in commit.decision.changes
        for position, event in enumerate(change.events)
    ]


def _stored_event(change: Change[Any], position: int, event: Event) -> StoredEvent:
    data = msgspec.json.decode(encode(event))
    for known in ("type", "at", "device_at"):
        del data[known]
    return StoredEvent(
        thing_kind=KINDS[type(change.thing)],
        thing_id=change.thing.id,
        version=change.thing.version,
        position=position,
        type=type(event).__name__,
        at=event.at,
        device_at=event.device_at,
        data=data,
    )
