"""How far a replay is, while it runs: bars in a terminal, now and then a line elsewhere."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from actors.clock import Clock, SystemClock
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import OrderStatus
from simulations.day import Day
from simulations.diary import Diary
from simulations.virtual import VirtualLoop

_BAR_MS = 250
_LINE_MS = 15 * SECOND_MS
_LOOK_MS = 1 * SECOND_MS


@contextmanager
def follow(day: Day, diary: Diary, clock: Clock, console: Console) -> Iterator[None]:
    """Show orders placed and delivered, and the time of the day, until the block ends."""
    shown = _bars(day, diary, clock, console) if console.is_terminal else None
    task = asyncio.ensure_future(shown or _lines(day, diary, clock, console))
    try:
        yield
    finally:
        task.cancel()


@contextmanager
def follow_virtually(
    day: Day, diary: Diary, loop: VirtualLoop, console: Console | None
) -> Iterator[None]:
    """Show how far a day in virtual time is, without taking part in it, until the block ends."""
    if console is None:
        yield
        return
    ends_at = max((one.placed_at for one in day.orders), default=day.starts_at)
    wall = SystemClock()
    began = wall.now()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
    ) as progress:
        bar = progress.add_task("", total=max(1, ends_at - day.starts_at))
        shown_at = began

        def passed(virtual_s: float) -> None:
            nonlocal shown_at
            now = wall.now()
            if now - shown_at < _LOOK_MS:
                return
            shown_at = now
            placed, delivered = counts(diary)
            factor = virtual_s * SECOND_MS / (now - began)
            hours, minutes = divmod(int(virtual_s) // 60, 60)
            progress.update(
                bar,
                completed=virtual_s * SECOND_MS,
                description=f"{hours:02}:{minutes:02}  {placed} placed, {delivered} delivered"
                f"  {factor:.0f} x real time",
                refresh=True,
            )

        loop.passed = passed
        yield


async def _bars(day: Day, diary: Diary, clock: Clock, console: Console) -> None:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console
    ) as progress:
        bars: list[TaskID] = [
            progress.add_task(name, total=len(day.orders)) for name in ("placed", "delivered")
        ]
        while True:
            placed, delivered = counts(diary)
            progress.update(bars[0], completed=placed, description=f"placed    {_hour(day, clock)}")
            progress.update(bars[1], completed=delivered)
            await clock.sleep(_BAR_MS * clock.speed)


async def _lines(day: Day, diary: Diary, clock: Clock, console: Console) -> None:
    while True:
        await clock.sleep(_LINE_MS * clock.speed)
        placed, delivered = counts(diary)
        total = len(day.orders)
        console.print(
            f"{_hour(day, clock)}  placed {placed}/{total}  delivered {delivered}/{total}"
            f"  reconnects {diary.reconnects}  odd answers {len(diary.faults)}"
        )


def counts(diary: Diary) -> tuple[int, int]:
    """Orders placed, and orders that their customers know to be delivered."""
    placed = sum(bool(one.order_id) for one in diary.orders.values())
    delivered = sum(one.status is OrderStatus.DELIVERED for one in diary.orders.values())
    return placed, delivered


def _hour(day: Day, clock: Clock) -> str:
    minutes = max(0, clock.now() - day.starts_at) // MINUTE_MS
    return f"{minutes // 60:02}:{minutes % 60:02}"
