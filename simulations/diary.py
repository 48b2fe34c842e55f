"""What simulated people planned, did and were told: the source of scores and outside checks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.kernel.place import Point
from engine.kernel.timing import Instant
from engine.orders.order import OrderStatus
from simulations.day import DayCourier, DayOrder

ENDS = frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED, OrderStatus.CANCELLED})


class Heard(NamedTuple):
    """A status that a customer was shown."""

    version: int
    status: OrderStatus
    at: Instant


@dataclass(slots=True)
class OrderPage:
    """One order: what was wanted, and what its customer was told.

    `turned_away` was refused because its zone, or its window, has all that it can serve.
    """

    wanted: DayOrder
    order_id: str = ""
    pin: str = ""
    refused: str = ""
    due_at: Instant = 0
    turned_away: bool = False
    withdrawn: bool = False
    changed_mind: bool = False
    is_adopted: bool = False
    heard: list[Heard] = field(default_factory=list)

    @property
    def status(self) -> OrderStatus | None:
        """What its customer was told last; None when he was told nothing."""
        return self.heard[-1].status if self.heard else None

    @property
    def has_ended(self) -> bool:
        """Whether its customer waits for nothing more."""
        return bool(self.refused) or self.status in ENDS

    def hear(self, version: int, status: str, at: Instant) -> None:
        """Note a status, once for each version."""
        if not self.heard or version > self.heard[-1].version:
            self.heard.append(Heard(version, OrderStatus(status), at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stop that a courier made, by his own clock.

    `kind` is that of the stop, or `attempt` when nobody opened the door.
    `handed_over_at` is the pick-up or the hand-over at the door; `told_at` when he learned of each
    order in `keys`, which are the shops' numbers. Without orders are the kinds `wait`, a place to
    wait at, and `move`, the way to a shop when what he was sent for went to others before he came;
    their `told_at` is when he was sent.
    """

    kind: str
    keys: tuple[str, ...]
    point: Point
    left_at: Instant
    arrived_at: Instant
    handed_over_at: Instant
    free_at: Instant
    told_at: tuple[Instant, ...]


class Outcome(NamedTuple):
    """What became of an offer, by its courier."""

    at: Instant
    what: str


@dataclass(slots=True)
class CourierPage:
    """One courier: what he was asked, and what he did."""

    plan: DayCourier
    courier_id: str = ""
    on_at: Instant | None = None
    off_at: Instant | None = None
    offers: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    doing: str = "off"

    def note(self, what: str, at: Instant) -> None:
        """Note what became of an offer."""
        self.outcomes.append(Outcome(at, what))

    def count(self, what: str) -> int:
        """How many of his offers came to this."""
        return sum(one.what == what for one in self.outcomes)

    @property
    def accepted(self) -> int:
        """Offers that he took."""
        return self.count("accepted")

    @property
    def declined(self) -> int:
        """Offers that he did not want."""
        return self.count("declined")

    @property
    def expired(self) -> int:
        """Offers that he did not answer in time."""
        return self.count("expired")


@dataclass(slots=True)
class Diary:
    """All pages of a day; `faults` are answers that nobody should have got."""

    orders: dict[str, OrderPage] = field(default_factory=dict)
    couriers: dict[str, CourierPage] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    answers_ms: list[float] = field(default_factory=list)
    reconnects: int = 0
    positions: int = 0
    # The day was ended before its orders were.
    is_cut_short: bool = False

    def courier(self, plan: DayCourier) -> CourierPage:
        """The courier's page."""
        return self.couriers.setdefault(plan.key, CourierPage(plan))

    def order(self, wanted: DayOrder) -> OrderPage:
        """The order's page."""
        return self.orders.setdefault(wanted.key, OrderPage(wanted))

    def find(self, key: str) -> OrderPage | None:
        """The page of the order with this shop's number."""
        return self.orders.get(key)
