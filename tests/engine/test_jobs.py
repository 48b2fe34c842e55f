"""Jobs that run by themselves: due once, tried again, and left to nobody for ever."""

from hypothesis import given
from hypothesis import strategies as st

from engine.jobs import (
    LEASE_MS,
    JobName,
    JobStatus,
    JobTimes,
    begin,
    done,
    failed,
    last_due,
    next_due,
)
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.money.periods import after, before, closable, month_at, period_of
from engine.payouts.weekly import WeeklyTime
from tests.builders import NOON

# 2024 to 2040, leap years and a year that is none.
INSTANTS = st.integers(1_704_000_000_000, 2_208_000_000_000)
TIMES = st.builds(
    JobTimes,
    points_hour=st.integers(0, 23),
    reconciliation_hour=st.integers(0, 23),
    weekly=st.builds(WeeklyTime, day=st.integers(1, 7), hour=st.integers(0, 23)),
    closing_day=st.integers(1, 28),
    closing_hour=st.integers(0, 23),
)


@given(INSTANTS)
def test_every_instant_is_in_one_month(at: int) -> None:
    month = month_at(at)
    assert month.since <= at < month.until
    assert period_of(month.name) == month
    assert month_at(month.since) == month_at(month.until - 1) == month
    assert before(after(month)) == month.name


@given(st.sampled_from(JobName), TIMES, INSTANTS)
def test_a_job_is_due_again_after_it_was_due(name: JobName, times: JobTimes, now: int) -> None:
    last, following = last_due(name, times, now), next_due(name, times, now)
    assert last <= now < following
    assert following - last <= 31 * DAY_MS
    assert last_due(name, times, following - 1) == last
    assert last_due(name, times, following) == following


def test_hours_are_those_of_riyadh() -> None:
    times = JobTimes(points_hour=12, closing_day=1, closing_hour=12)
    assert last_due(JobName.POINTS, times, NOON) == NOON
    assert last_due(JobName.CLOSING, times, NOON) == NOON
    assert last_due(JobName.POINTS, times, NOON - 1) == NOON - DAY_MS


@given(TIMES, INSTANTS)
def test_the_month_before_can_be_closed_when_that_is_due(times: JobTimes, now: int) -> None:
    due_at = last_due(JobName.CLOSING, times, now)
    assert closable(month_at(month_at(due_at).since - 1), None, now=due_at) is None


def test_what_is_done_is_not_begun_again_until_it_is_due() -> None:
    job = begin(None, JobName.POINTS, NOON, now=NOON)
    assert job is not None
    assert begin(job, JobName.POINTS, NOON, now=NOON + 1) is None
    ended = done(job, "3 accounts", now=NOON + 2)
    assert (ended.status, ended.told, ended.version) == (JobStatus.DONE, "3 accounts", 2)
    assert begin(ended, JobName.POINTS, NOON, now=NOON + HOUR_MS) is None
    # Two days were missed; one run makes up for both.
    later = begin(ended, JobName.POINTS, NOON + 2 * DAY_MS, now=NOON + 2 * DAY_MS)
    assert later is not None
    assert (later.due_at, later.tries, later.version) == (NOON + 2 * DAY_MS, 1, 3)


def test_who_dies_loses_his_job_when_his_lease_is_over() -> None:
    job = begin(None, JobName.POINTS, NOON, now=NOON)
    assert job is not None
    assert begin(job, JobName.POINTS, NOON + DAY_MS, now=NOON + LEASE_MS - 1) is None
    again = begin(job, JobName.POINTS, NOON, now=NOON + LEASE_MS)
    assert again is not None
    assert (again.due_at, again.tries) == (NOON, 2)


def test_what_fails_is_tried_again_less_and_less_often() -> None:
    job, now, gaps = begin(None, JobName.POINTS, NOON, now=NOON), NOON, []
    for _ in range(6):
        assert job is not None
        ended = failed(job, "away", now=now)
        assert begin(ended, JobName.POINTS, NOON, now=ended.next_at - 1) is None
        gaps.append(ended.next_at - now)
        now = ended.next_at
        job = begin(ended, JobName.POINTS, NOON, now=now)
    assert gaps == sorted(gaps)
    assert gaps[0] < gaps[-1] == gaps[-2]
