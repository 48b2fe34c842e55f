"""How far a replay is, while it runs: bars in a terminal, now and then a line elsewhere."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from actors.clock import Clock
from engine.kernel.timing import MINUTE_MS, SECOND_MS
from engine.orders.order import OrderStatus
from simulations.day import Day
from simulations.diary import Diary

_BAR_MS = 250
_LINE_MS = 15 * SECOND_MS


@contextmanager
def follow(day: Day, diary: Diary, clock: Clock, console: Console) -> Iterator[None]:
    """Show orders placed and delivered, and the time of the day, until the block ends."""
    shown = _bars(day, diary, clock, console) if console.is_terminal else None
    task = asyncio.ensure_future(shown or _lines(day, diary, clock, console))
    try:
        yield
    finally:
        task.cancel()


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
