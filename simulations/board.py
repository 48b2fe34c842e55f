"""What the demo shows: the city in numbers, as its people and its zone tell it."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from rich.console import Group
from rich.panel import Panel
from rich.table import Table

from actors.clock import Clock
from engine.kernel.timing import MINUTE_MS, SECOND_MS, Instant
from engine.orders.order import OrderStatus
from simulations.diary import Diary
from simulations.views import ZoneShown

S = OrderStatus
_WAITING = frozenset({S.WAITING, S.OFFERED, S.PLACED})
_ASSIGNED = frozenset({S.ASSIGNED, S.COURIER_AT_SHOP})
_ON_THE_WAY = frozenset({S.PICKED_UP, S.AT_DOOR, S.ATTEMPT_FAILED, S.RETURNING})
_DOINGS = ("idle", "to_wait", "to_shop", "at_shop", "to_door", "at_door", "off")
_RATE_MS = 2 * SECOND_MS


@dataclass(slots=True)
class ZoneNews:
    """What the operator's channel said last, and how often the zone has decided."""

    shown: ZoneShown = field(default_factory=ZoneShown)
    ticks: int = 0

    def put(self, shown: ZoneShown, *, is_tick: bool) -> None:
        """The channel said something; only a tick tells everything."""
        if is_tick:
            self.ticks += 1
            self.shown = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The city at one moment; ages and click-to-door in minutes of its own time."""

    placed: int
    waiting: int
    assigned: int
    on_the_way: int
    delivered: int
    ages: tuple[float, float]
    click_to_door: tuple[float, float]
    couriers: dict[str, int]
    ticks: int
    tick_ms: float
    positions_per_s: float
    reconnects: int
    faults: int


class Board:
    """Looks at diary and zone; `began` is when the demo began, by the service's clock."""

    def __init__(self, diary: Diary, news: ZoneNews, clock: Clock, *, began: Instant) -> None:
        self._diary, self._news, self._clock, self._began = diary, news, clock, began
        self._rate, self._counted, self._counted_at = 0.0, 0, clock.now()

    def look(self) -> Look:
        """The numbers of now."""
        pages = list(self._diary.orders.values())
        statuses = Counter(one.status for one in pages)
        doings = Counter(one.doing for one in self._diary.couriers.values())
        now = self._clock.now()
        return Look(
            placed=sum(bool(one.order_id) for one in pages),
            waiting=sum(statuses[one] for one in _WAITING),
            assigned=sum(statuses[one] for one in _ASSIGNED),
            on_the_way=sum(statuses[one] for one in _ON_THE_WAY),
            delivered=statuses[S.DELIVERED],
            ages=_mean_and_most(
                [now - one.wanted.placed_at for one in pages if one.status in _WAITING]
            ),
            click_to_door=_mean_and_p90(self._click_to_door_ms()),
            couriers={one: doings[one] for one in _DOINGS},
            ticks=self._news.ticks,
            tick_ms=self._news.shown.tick_ms,
            positions_per_s=self._positions_per_s(now),
            reconnects=self._diary.reconnects,
            faults=len(self._diary.faults),
        )

    def first_assigned_s(self) -> float | None:
        """Real seconds from the beginning to the first order that a courier took."""
        found = [
            one.at
            for page in self._diary.orders.values()
            if not page.is_adopted
            for one in page.heard
            if one.status is S.ASSIGNED
        ]
        return self.real_s(min(found)) if found else None

    def real_s(self, at: Instant) -> float:
        """Real seconds from the beginning until `at`."""
        return (at - self._began) / SECOND_MS / self._clock.speed

    def line(self) -> str:
        """For a file or a pipe."""
        look = self.look()
        couriers = " ".join(f"{name}={count}" for name, count in look.couriers.items())
        return (
            f"{self.real_s(self._clock.now()):6.1f} s  placed={look.placed} "
            f"waiting={look.waiting} assigned={look.assigned} on_the_way={look.on_the_way} "
            f"delivered={look.delivered} oldest={look.ages[1]:.1f}min "
            f"click_to_door={look.click_to_door[0]:.1f}min  {couriers}  ticks={look.ticks} "
            f"tick={look.tick_ms:.0f}ms positions={look.positions_per_s:.0f}/s "
            f"reconnects={look.reconnects} odd={look.faults}"
        )

    def panel(self) -> Panel:
        """For a terminal."""
        look = self.look()
        orders = _grid(
            ("placed", f"{look.placed}"),
            (
                "waiting",
                f"{look.waiting}   (mean {look.ages[0]:.1f}, oldest {look.ages[1]:.1f} min)",
            ),
            ("assigned", f"{look.assigned}"),
            ("on the way", f"{look.on_the_way}"),
            ("delivered", f"[bold green]{look.delivered}[/]"),
            (
                "click to door",
                f"mean {look.click_to_door[0]:.1f}, p90 {look.click_to_door[1]:.1f} min",
            ),
        )
        couriers = _grid(
            *((one.replace("_", " "), _bar(count)) for one, count in look.couriers.items())
        )
        system = _grid(
            ("ticks", f"{look.ticks}   (the last took {look.tick_ms:.0f} ms)"),
            ("positions", f"{look.positions_per_s:.0f} a second"),
            ("reconnects", f"{look.reconnects}"),
            ("odd answers", f"{look.faults}"),
        )
        seconds = self.real_s(self._clock.now())
        title = f"Riyadh, {seconds:.0f} s, time runs {self._clock.speed:g} times as fast"
        return Panel(
            Group(
                Panel(orders, title="orders"),
                Panel(couriers, title="couriers"),
                Panel(system, title="system"),
            ),
            title=title,
            subtitle="Ctrl-C stops new orders and ends",
        )

    def _click_to_door_ms(self) -> list[int]:
        return [
            page.heard[-1].at - page.wanted.placed_at
            for page in self._diary.orders.values()
            if page.status is S.DELIVERED and not page.is_adopted
        ]

    def _positions_per_s(self, now: Instant) -> float:
        passed_ms = (now - self._counted_at) / self._clock.speed
        if passed_ms >= _RATE_MS:
            sent = self._diary.positions
            self._rate = (sent - self._counted) * SECOND_MS / passed_ms
            self._counted, self._counted_at = sent, now
        return self._rate


def _mean_and_most(durations_ms: list[int]) -> tuple[float, float]:
    if not durations_ms:
        return 0.0, 0.0
    return (
        sum(durations_ms) / len(durations_ms) / MINUTE_MS,
        max(durations_ms) / MINUTE_MS,
    )


def _mean_and_p90(durations_ms: list[int]) -> tuple[float, float]:
    if not durations_ms:
        return 0.0, 0.0
    return (
        sum(durations_ms) / len(durations_ms) / MINUTE_MS,
        float(np.percentile(durations_ms, 90)) / MINUTE_MS,
    )


def _grid(*rows: tuple[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=14, style="dim")
    grid.add_column()
    for row in rows:
        grid.add_row(*row)
    return grid


def _bar(count: int) -> str:
    return f"{count:4}  [cyan]{'▇' * min(60, -(-count // 6))}[/]"
