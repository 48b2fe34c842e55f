"""The store on PostgreSQL: every method a line, its work in the file of its context."""

from collections.abc import Sequence
from typing import Self

from engine.couriers.courier import Courier
from engine.dispatch.offer import Offer
from engine.dispatch.outcomes import OfferOutcome, OrderOutcome
from engine.dispatch.record import ZoneHistory
from engine.dispatch.waiting import Wait
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
from engine.kernel.pages import Page, Wanted
from engine.kernel.timing import Instant
from engine.orders.order import Order
from engine.orders.quote import Quote
from storage import (
    cells,
    couriers,
    dispatch,
    history,
    order_tokens,
    orders,
    outbox,
    recent,
    zones,
)
from storage.commit import GroupCommit
from storage.database import Database
from storage.settings import DatabaseSettings
from storage.store import (
    Answer,
    CellContents,
    Commit,
    DutyOf,
    OpenOrder,
    OrderSearch,
    OutboxRow,
    Outcome,
    StoredEvent,
    TrailFix,
)


class PostgresStore:
    """Satisfies `Store`; belongs to the event loop in which it was opened."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = GroupCommit(database)
        self._orders = orders.gathering(database)
        self._quotes = orders.gathering_quotes(database)
        self._open_orders = orders.gathering_open(database)
        self._couriers = couriers.gathering(database)
        self._cells_of_orders = orders.gathering_cells(database)
        self._cells_of_couriers = couriers.gathering_cells(database)

    @classmethod
    async def open(cls, settings: DatabaseSettings) -> Self:
        """Connect to `settings.dsn`, whose schema must be the newest; raises StoreUnavailable."""
        return cls(await Database.open(settings))

    async def close(self) -> None:
        """Store what was handed in, then give the connections back."""
        await self._commits.close()
        await self._database.close()

    async def commit(self, commit: Commit) -> Outcome:
        return await self._commits.commit(commit)

    async def load_cell(self, cell: CellId) -> CellContents:
        return await cells.load(self._database, cell)

    async def list_cells(self) -> tuple[CellId, ...]:
        return await zones.list_cells(self._database)

    async def find_answer(self, command_id: CommandId) -> Answer | None:
        return await history.find_answer(self._database, command_id)

    async def cell_of_order(self, order_id: OrderId) -> CellId | None:
        return await self._cells_of_orders.find(order_id)

    async def cell_of_courier(self, courier_id: CourierId) -> CellId | None:
        return await self._cells_of_couriers.find(courier_id)

    async def cell_of_zone(self, zone_id: ZoneId) -> CellId | None:
        return await zones.cell_of(self._database, zone_id)

    async def zone_covering(self, cells: Sequence[CellId]) -> ZoneId | None:
        return await zones.covering(self._database, cells)

    async def find_zone(self, zone_id: ZoneId) -> Zone | None:
        return await zones.find(self._database, zone_id)

    async def list_zones(self) -> tuple[Zone, ...]:
        return await zones.list_all(self._database)

    async def list_parameter_sets(self, zone_id: ZoneId) -> tuple[ParameterSet, ...]:
        return await zones.list_parameter_sets(self._database, zone_id)

    async def find_order(self, order_id: OrderId) -> Order | None:
        return await self._orders.find(order_id)

    async def list_orders_of(self, customer_id: UserId, wanted: Wanted) -> Page[Order]:
        return await orders.list_of(self._database, customer_id, wanted)

    async def open_orders_of(self, customer_id: UserId) -> tuple[OpenOrder, ...]:
        return await self._open_orders.find(customer_id) or ()

    async def search_orders(self, asked: OrderSearch, wanted: Wanted) -> Page[Order]:
        return await order_tokens.search(self._database, asked, wanted)

    async def find_courier(self, courier_id: CourierId) -> Courier | None:
        return await self._couriers.find(courier_id)

    async def list_orders_in(
        self,
        zone_id: ZoneId,
        *,
        since: Instant,
        until: Instant,
        limit: int,
        after: tuple[Instant, OrderId] | None = None,
    ) -> tuple[Order, ...]:
        return await recent.list_orders(
            self._database, zone_id, since=since, until=until, limit=limit, after=after
        )

    async def list_duties(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[DutyOf, ...]:
        return await recent.list_duties(self._database, zone_id, since=since, until=until)

    async def find_offer(self, offer_id: OfferId) -> Offer | None:
        return await dispatch.find_offer(self._database, offer_id)

    async def list_offers_for(self, order_id: OrderId) -> tuple[Offer, ...]:
        return await dispatch.list_offers_for(self._database, order_id)

    async def save_waits(self, waits: Sequence[Wait]) -> None:
        await dispatch.save_waits(self._database, waits)

    async def list_waits(self, order_id: OrderId) -> tuple[Wait, ...]:
        return await dispatch.list_waits(self._database, order_id)

    async def order_outcomes(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[OrderOutcome, ...]:
        return await dispatch.order_outcomes(self._database, zone_id, since=since, until=until)

    async def offer_outcomes(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[OfferOutcome, ...]:
        return await dispatch.offer_outcomes(self._database, zone_id, since=since, until=until)

    async def list_events(self, thing_id: str) -> tuple[StoredEvent, ...]:
        return await history.list_events(self._database, thing_id)

    async def zone_history(self, zone_id: ZoneId, since: Instant) -> ZoneHistory:
        return await history.of_zone(self._database, zone_id, since)

    async def save_quote(self, quote: Quote) -> None:
        await orders.save_quote(self._database, quote)

    async def find_quote(self, quote_id: QuoteId) -> Quote | None:
        return await self._quotes.find(quote_id)

    async def lease_effects(
        self, *, limit: int, now: Instant, lease_until: Instant
    ) -> tuple[OutboxRow, ...]:
        return await outbox.lease(self._database, limit=limit, now=now, lease_until=lease_until)

    async def finish_effect(self, effect_id: EffectId, *, now: Instant) -> None:
        await outbox.finish(self._database, effect_id, now=now)

    async def postpone_effect(self, effect_id: EffectId, *, until: Instant, error: str) -> None:
        await outbox.postpone(self._database, effect_id, until=until, error=error)

    async def count_effects_left(self, *, due_before: Instant) -> int:
        """How many effects should have happened before this and have not."""
        return await outbox.count_left(self._database, due_before=due_before)

    async def save_trail(self, fixes: Sequence[TrailFix]) -> None:
        await couriers.save_trail(self._database, fixes)

    async def last_fixes(self, cell: CellId) -> tuple[TrailFix, ...]:
        return await couriers.last_fixes(self._database, cell)

    async def list_trail(
        self, courier_id: CourierId, *, since: Instant, until: Instant, limit: int
    ) -> tuple[TrailFix, ...]:
        return await couriers.list_trail(
            self._database, courier_id, since=since, until=until, limit=limit
        )

    async def first_fixes(
        self, asked: Sequence[tuple[CourierId, Instant]]
    ) -> tuple[TrailFix | None, ...]:
        return await recent.first_fixes(self._database, asked)
