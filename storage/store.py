"""What is remembered: the port that PostgreSQL and its in-memory twin both implement."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from engine.audit.record import AuditRecord
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
from engine.kernel.messages import Decision, Effect
from engine.kernel.pages import Page, Wanted
from engine.kernel.refusals import Refusal
from engine.kernel.timing import Instant
from engine.orders.finding import Sought, is_found
from engine.orders.order import Order
from engine.orders.quote import Quote
from engine.orders.viewing import Viewer

NEWEST_ORDERS: Final = 100


class Answer(Struct, frozen=True, kw_only=True):
    """What a command was answered, stored with what it changed: a repetition gets the same words.

    `reply` holds what JSON can say: lists, not tuples.
    """

    command_id: CommandId
    fingerprint: str
    reply: dict[str, Any] = {}
    refusal: Refusal | None = None


class Commit(Struct, frozen=True, kw_only=True):
    """One decision on its way into storage, by the cell that owns its things.

    `records` are what the audit log is told of it.
    """

    cell: CellId
    decision: Decision
    at: Instant
    answer: Answer | None = None
    records: tuple[AuditRecord, ...] = ()


class Stored(Struct, frozen=True):
    """It is durable."""


class Stale(Struct, frozen=True):
    """Something stood in the way: another version, or a place that is taken; nothing is stored.

    `thing` names it as `kind:id`. The kinds are order, courier, offer, zone; `cell` for an H3 cell
    that another zone has, `effect` for an effect that was promised before. `order` also stands for
    one that is asked about or carried already, `courier` for one who has an open offer, and any of
    them for what is spoken of and does not exist.
    """

    thing: str


class Repeated(Struct, frozen=True):
    """This command was stored before; nothing was stored now."""

    answer: Answer


Outcome = Stored | Stale | Repeated


class CellContents(Struct, frozen=True, kw_only=True):
    """All that is open in one cell: what a cell needs to go on after a crash."""

    zones: tuple[Zone, ...] = ()
    orders: tuple[Order, ...] = ()
    couriers: tuple[Courier, ...] = ()
    offers: tuple[Offer, ...] = ()


class OpenOrder(Struct, frozen=True, kw_only=True):
    """An order that is open, as the list of its customer's open orders names it."""

    order_id: OrderId
    code: str
    placed_at: Instant


class StoredEvent(Struct, frozen=True, kw_only=True):
    """One line of history; `data` is the event's own fields."""

    thing_kind: str
    thing_id: str
    version: int
    position: int
    type: str
    at: Instant
    device_at: Instant | None
    data: dict[str, Any]


class OutboxRow(Struct, frozen=True, kw_only=True):
    """An effect that still has to happen; `attempts` counts the leases so far, with this one."""

    effect: Effect
    attempts: int


class TrailFix(Struct, frozen=True, kw_only=True):
    """A sampled position of a courier."""

    courier_id: CourierId
    at: Instant
    lat: float
    lng: float
    accuracy_m: float


class OrderSearch(Struct, frozen=True, kw_only=True):
    """What is sought, as whom, and in which zones (None: all)."""

    sought: Sought
    viewer: Viewer
    zones: tuple[ZoneId, ...] | None = None

    def finds(self, order: Order) -> bool:
        """Whether an order is what is meant."""
        is_here = self.zones is None or order.zone_id in self.zones
        return is_here and is_found(order, self.sought, self.viewer)


class DutyOf(Struct, frozen=True, kw_only=True):
    """A courier as last stored, and what he said about duty in some time, oldest first.

    Each change is its instant and the name of its event.
    """

    courier: Courier
    changes: tuple[tuple[Instant, str], ...] = ()


class Store(Protocol):
    """Truth. Every method may raise `StoreUnavailable` when the database cannot be reached."""

    async def commit(self, commit: Commit) -> Outcome:
        """Store the new states, their events, the effects and the answer in one transaction.

        Every thing must be at the version before the new one (0: it must not exist yet). After
        StoreUnavailable it is not known whether it was stored: the same commit again finds out, as
        `Repeated` when it carries an answer, as `Stale` when it does not.

        Raises:
            AssertionError: a state that no rule can make, or a thing changed twice; a bug.
            ValueError: an id is no UUID, or a text holds U+0000; a bug of whoever let it in.
        """
        ...

    async def load_cell(self, cell: CellId) -> CellContents:
        """Its zones, and their open orders, couriers who are not off duty, and open offers."""
        ...

    async def list_cells(self) -> tuple[CellId, ...]:
        """Every cell that has a zone."""
        ...

    async def find_answer(self, command_id: CommandId) -> Answer | None:
        """What this command was answered, if it was stored."""
        ...

    async def cell_of_order(self, order_id: OrderId) -> CellId | None:
        """The cell that an order lives in: that of its zone."""
        ...

    async def cell_of_courier(self, courier_id: CourierId) -> CellId | None:
        """The cell of the zone that a courier works in, or last worked in."""
        ...

    async def cell_of_zone(self, zone_id: ZoneId) -> CellId | None:
        """The cell that a zone lives in: that of its anchor, unless it was moved."""
        ...

    async def zone_covering(self, cells: Sequence[CellId]) -> ZoneId | None:
        """The zone that owns one of these H3 cells (a point's cell at each resolution in use)."""
        ...

    async def find_zone(self, zone_id: ZoneId) -> Zone | None:
        """A zone as last stored."""
        ...

    async def list_zones(self) -> tuple[Zone, ...]:
        """All zones by name."""
        ...

    async def list_parameter_sets(self, zone_id: ZoneId) -> tuple[ParameterSet, ...]:
        """Every parameter set a zone ever had, newest first."""
        ...

    async def find_order(self, order_id: OrderId) -> Order | None:
        """An order as last stored, open or ended."""
        ...

    async def list_orders_of(self, customer_id: UserId, wanted: Wanted) -> Page[Order]:
        """A page of a customer's orders, as `ORDERS` says."""
        ...

    async def open_orders_of(self, customer_id: UserId) -> tuple[OpenOrder, ...]:
        """Of a customer's `NEWEST_ORDERS` those that are open, the newest first."""
        ...

    async def search_orders(self, asked: OrderSearch, wanted: Wanted) -> Page[Order]:
        """A page of the orders, whosever they are, that are what is sought, as `ORDER_SEARCH` says.

        Of 5,000 orders and more that only seem to be, none may be.
        """
        ...

    async def find_courier(self, courier_id: CourierId) -> Courier | None:
        """A courier as last stored."""
        ...

    async def list_orders_in(
        self,
        zone_id: ZoneId,
        *,
        since: Instant,
        until: Instant,
        limit: int,
        after: tuple[Instant, OrderId] | None = None,
    ) -> tuple[Order, ...]:
        """A zone's orders for which a courier could first be sought from `since` to `until`.

        Oldest first; `after` continues behind an order at its `entered_at`.
        """
        ...

    async def list_duties(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[DutyOf, ...]:
        """Whoever of a zone is not off duty, or said something about duty from then to then."""
        ...

    async def find_offer(self, offer_id: OfferId) -> Offer | None:
        """An offer as last stored, open or closed."""
        ...

    async def list_offers_for(self, order_id: OrderId) -> tuple[Offer, ...]:
        """Every offer made for an order, oldest first: its explanation."""
        ...

    async def save_waits(self, waits: Sequence[Wait]) -> None:
        """Keep why orders wait, each order once; the newest WAITS_MAX of each are kept."""
        ...

    async def list_waits(self, order_id: OrderId) -> tuple[Wait, ...]:
        """Why an order waited, oldest first."""
        ...

    async def order_outcomes(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[OrderOutcome, ...]:
        """How a zone's orders went that ended after `since` until `until`, newest first.

        At most OUTCOMES_MAX; so are those of offers.
        """
        ...

    async def offer_outcomes(
        self, zone_id: ZoneId, *, since: Instant, until: Instant
    ) -> tuple[OfferOutcome, ...]:
        """How a zone's offers went that were answered after `since` until `until`."""
        ...

    async def list_events(self, thing_id: str) -> tuple[StoredEvent, ...]:
        """The history of one thing, oldest first."""
        ...

    async def zone_history(self, zone_id: ZoneId, since: Instant) -> ZoneHistory:
        """All that happened in a zone since an instant, as metrics and replays need it."""
        ...

    async def save_quote(self, quote: Quote) -> None:
        """Keep a quote."""
        ...

    async def find_quote(self, quote_id: QuoteId) -> Quote | None:
        """A quote by its id."""
        ...

    async def lease_effects(
        self, *, limit: int, now: Instant, lease_until: Instant
    ) -> tuple[OutboxRow, ...]:
        """Take effects that are due, so that nobody else takes them until the lease ends."""
        ...

    async def finish_effect(self, effect_id: EffectId, *, now: Instant) -> None:
        """It has happened."""
        ...

    async def postpone_effect(self, effect_id: EffectId, *, until: Instant, error: str) -> None:
        """It failed; try again later."""
        ...

    async def save_trail(self, fixes: Sequence[TrailFix]) -> None:
        """Keep sampled positions, in bulk."""
        ...

    async def last_fixes(self, cell: CellId) -> tuple[TrailFix, ...]:
        """The newest stored fix of every courier on duty in a cell."""
        ...

    async def list_trail(
        self, courier_id: CourierId, *, since: Instant, until: Instant, limit: int
    ) -> tuple[TrailFix, ...]:
        """A courier's stored fixes from `since` on and before `until`, oldest first."""
        ...

    async def first_fixes(
        self, asked: Sequence[tuple[CourierId, Instant]]
    ) -> tuple[TrailFix | None, ...]:
        """The first stored fix of each courier from his instant on, in the order asked."""
        ...


class StoreUnavailable(Exception):
    """The database is away, or did not answer in time; what was asked may have been done."""
