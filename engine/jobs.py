"""Jobs that run by themselves at their time: once, however many processes look at the clock.

A job runs for an instant at which it was due. What was missed is made up for by one run, because
each does all that is due by then; what fails is tried again, and what a dead process left half done
as soon as its lease is over. Every run is harmless to repeat.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.backoff import Backoff
from engine.kernel.timing import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from engine.money.periods import SETTLED_AFTER_MS, month_at
from engine.payouts.weekly import WeeklyTime, last_weekly

LEASE_MS: Final = 15 * MINUTE_MS
_BACKOFF: Final = Backoff(first_ms=5 * MINUTE_MS, most_ms=80 * MINUTE_MS)
# Riyadh is three hours before UTC all year.
_OFFSET_MS: Final = 3 * HOUR_MS


class JobName(StrEnum):
    """Which there are."""

    POINTS = "points"
    RECONCILIATION = "reconciliation"
    WEEKLY_PAYOUTS = "weekly_payouts"
    CLOSING = "closing"


class JobStatus(StrEnum):
    """How the last run went."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Struct, frozen=True, kw_only=True):
    """The last run of a job, for the instant `due_at`; `told` is what it did, or why it failed.

    `next_at` is when somebody else may try: after the lease of a run, or after a failure.
    """

    name: JobName
    version: int
    due_at: Instant
    status: JobStatus
    started_at: Instant
    ended_at: Instant | None = None
    next_at: Instant
    tries: int = 1
    told: str = ""


class JobTimes(Struct, frozen=True, kw_only=True):
    """When jobs are due, by the clock of Riyadh; months are closed on a day of the next one."""

    points_hour: int = 2
    reconciliation_hour: int = 4
    weekly: WeeklyTime = WeeklyTime()
    closing_day: int = 5
    closing_hour: int = 5


def last_due(name: JobName, times: JobTimes, now: Instant) -> Instant:
    """The last instant until now at which the job was due."""
    match name:
        case JobName.POINTS:
            return _last_daily(times.points_hour, now)
        case JobName.RECONCILIATION:
            return _last_daily(times.reconciliation_hour, now)
        case JobName.WEEKLY_PAYOUTS:
            return last_weekly(times.weekly, now)
        case JobName.CLOSING:
            return _last_closing(times, now)


def next_due(name: JobName, times: JobTimes, now: Instant) -> Instant:
    """The first instant after now at which the job is due."""
    at = now
    while (found := last_due(name, times, at)) <= now:
        at += DAY_MS
    return found


def begin(last: Job | None, name: JobName, due_at: Instant, *, now: Instant) -> Job | None:
    """The run that is to be stored before anything is done; None when there is nothing to do."""
    if last is None:
        return _run(name, 1, due_at, now)
    if last.due_at >= due_at:
        is_open = last.status is not JobStatus.DONE and last.next_at <= now
        again = _run(name, last.version + 1, last.due_at, now)
        return replace(again, tries=last.tries + 1) if is_open else None
    is_at_work = last.status is JobStatus.RUNNING and now < last.next_at
    return None if is_at_work else _run(name, last.version + 1, due_at, now)


def done(job: Job, told: str, *, now: Instant) -> Job:
    """It did what was due."""
    return _ended(job, JobStatus.DONE, told, now, next_at=now)


def failed(job: Job, why: str, *, now: Instant) -> Job:
    """It did not, and is tried again, later each time."""
    return _ended(job, JobStatus.FAILED, why, now, next_at=now + _BACKOFF.wait_ms(job.tries - 1))


def _ended(job: Job, status: JobStatus, told: str, now: Instant, *, next_at: Instant) -> Job:
    return replace(
        job, version=job.version + 1, status=status, ended_at=now, next_at=next_at, told=told
    )


def _run(name: JobName, version: int, due_at: Instant, now: Instant) -> Job:
    return Job(
        name=name,
        version=version,
        due_at=due_at,
        status=JobStatus.RUNNING,
        started_at=now,
        next_at=now + LEASE_MS,
    )


def _last_daily(hour: int, now: Instant) -> Instant:
    first = hour * HOUR_MS - _OFFSET_MS
    return now - (now - first) % DAY_MS


def _last_closing(times: JobTimes, now: Instant) -> Instant:
    """This month's, or that of the month before."""
    hour_ms = (times.closing_day - 1) * DAY_MS + times.closing_hour * HOUR_MS
    into_ms = max(hour_ms, SETTLED_AFTER_MS)
    this = month_at(now)
    found = this.since + into_ms
    return found if found <= now else month_at(this.since - 1).since + into_ms
