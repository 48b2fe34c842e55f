"""The host of jobs: looks at the clock, and runs what is due once for all processes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from actors.clock import Clock
from actors.fetching import SettlementFetching, fetch_settlements
from actors.loyalty import Loyalty
from actors.payouts import Payouts
from actors.reconciling import Settlements
from actors.settlement_files import BadFile, read_settlement
from engine.audit.record import Action, acted
from engine.jobs import Job, JobName, JobTimes, begin, done, failed, last_due
from engine.kernel.ids import UserId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.timing import MINUTE_MS
from engine.money.breaks import run_id_at
from engine.money.periods import Period, after, closable, month_at, period_of
from engine.payouts.weekly import WeeklyTime
from storage.jobs import JobStore
from storage.periods import PeriodStore
from storage.store import StoreUnavailable

Doing = Callable[[], Awaitable[str]]
_LOOK_MS: Final = MINUTE_MS
_WHY_MAX: Final = 500
# In whose name months are closed when nobody closes them himself.
BY_ITSELF: Final = Caller(user_id=UserId(derived_id("runs by itself")), role=Role.ADMIN)


class Jobs:
    """One for a process; of any number of processes one runs each job, and tells what it did."""

    def __init__(
        self, store: JobStore, doings: Mapping[JobName, Doing], times: JobTimes, *, wall: Clock
    ) -> None:
        self._store, self._doings, self._times, self._wall = store, doings, times, wall

    @property
    def names(self) -> frozenset[JobName]:
        """Which jobs there are here."""
        return frozenset(self._doings)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                structlog.get_logger(__name__).warning("jobs_wait", why=str(error))
            await self._wall.sleep(_LOOK_MS)

    async def look(self) -> None:
        """Run what is due now and nobody else runs."""
        for name, doing in self._doings.items():
            now = self._wall.now()
            due_at = last_due(name, self._times, now)
            job = begin(await self._store.find(name), name, due_at, now=now)
            if job is not None and await self._store.save(job):
                await self._store.save(await self._done(job, doing))

    async def _done(self, job: Job, doing: Doing) -> Job:
        try:
            told = await doing()
        except Exception as error:  # noqa: BLE001 - whatever it is, an operator is told
            log = structlog.get_logger(__name__)
            log.warning("job_failed", job=job.name, why=repr(error))
            return failed(job, repr(error)[:_WHY_MAX], now=self._wall.now())
        structlog.get_logger(__name__).info("job_done", job=job.name, told=told)
        return done(job, told, now=self._wall.now())


async def settle_points(loyalty: Loyalty) -> str:
    """Enter the points of everybody that have become spendable, or have expired."""
    count = 0

    def one() -> None:
        nonlocal count
        count += 1

    await loyalty.settle_all(one)
    return f"{count} accounts"


async def reconcile_all(
    settlements: Settlements, folder: Path | None, fetching: SettlementFetching, wall: Clock
) -> str:
    """What lies in the folder, and what gateways hand out, for as many as are asked."""
    told = []
    if folder is not None:
        told.append(await reconcile_files(settlements, folder, wall))
    if fetching.gateways:
        told.append(await fetch_settlements(fetching, BY_ITSELF))
    return "; ".join(told)


async def reconcile_files(settlements: Settlements, folder: Path, wall: Clock) -> str:
    """Hold the settlement files of a folder against the ledger, the oldest name first.

    What was run is named `.done`; its breaks are kept until they are explained.

    Raises:
        BadFile: some cannot be read; all others were run.
    """
    await settlements.look()
    files = await asyncio.to_thread(_files_in, folder)
    matches = breaks = settled = 0
    unreadable = list[str]()
    for file in files:
        try:
            read = await asyncio.to_thread(read_settlement, file)
        except BadFile as fault:
            unreadable.append(str(fault))
            continue
        run_id = run_id_at(file.name, wall.now())
        run = (await settlements.run(read, run_id=run_id, by=BY_ITSELF)).run
        settled += run.settled_halalas
        matches, breaks = matches + run.matches, breaks + run.breaks
        await asyncio.to_thread(file.rename, file.with_name(f"{file.name}.done"))
    if unreadable:
        raise BadFile("; ".join(unreadable))
    return f"{len(files)} files, {matches} matches, {breaks} breaks, {settled} halalas settled"


async def pay_weekly(payouts: Payouts, weekly: WeeklyTime) -> str:
    """Begin this week's payouts."""
    return f"{await payouts.pay_everybody(weekly)} payouts"


async def close_months(periods: PeriodStore, wall: Clock) -> str:
    """Close every month that is over, one after the other; the first closed one is the last."""
    now, closed = wall.now(), list[str]()
    last = await periods.last_closing()
    month = month_at(month_at(now).since - 1) if last is None else after(_period(last.period))
    while closable(month, last, now=now) is None:
        record = acted(BY_ITSELF, Action.CLOSE_PERIOD, f"period:{month.name}", at=now)
        last = await periods.close(month.name, at=now, by=BY_ITSELF.user_id, records=(record,))
        closed.append(month.name)
        month = after(month)
    return f"closed: {', '.join(closed) or 'none'}"


def _files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))


def _period(name: str) -> Period:
    found = period_of(name)
    assert found is not None, "a closed period has a name"
    return found
