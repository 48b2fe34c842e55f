"""What runs by itself at its time: points, reconciliation, weekly payouts, closing of months."""

from functools import partial

from fastapi import FastAPI

from actors.fetching import SettlementFetching
from actors.jobs import Doing, Jobs, close_months, pay_weekly, reconcile_all, settle_points
from actors.ledger import LedgerKeeper
from actors.reconciling import Reconciling, Settlements
from api.parts import Parts
from engine.jobs import JobName, JobTimes
from engine.payouts.weekly import WeeklyTime


def job_times(parts: Parts) -> JobTimes:
    """When what is due, by the settings."""
    books, payouts = parts.settings.books, parts.settings.payouts
    return JobTimes(
        points_hour=books.points_hour,
        reconciliation_hour=books.reconciliation_hour,
        weekly=WeeklyTime(day=payouts.weekly_day, hour=payouts.weekly_hour),
        closing_day=max(1, books.closing_day),
        closing_hour=books.closing_hour,
    )


def open_jobs(app: FastAPI, parts: Parts, ledger: LedgerKeeper) -> Jobs:
    """The jobs that the settings ask for."""
    settings = parts.settings.books
    app.state.settlements = Settlements(
        Reconciling(ledger, parts.ledger, wall=parts.wall),
        parts.settlements,
        parts.payments,
        wall=parts.wall,
        limit_halalas=settings.write_off_limit_halalas,
    )
    doings: dict[JobName, Doing] = {JobName.POINTS: partial(settle_points, app.state.loyalty)}
    fetching = SettlementFetching(
        parts.settlement_sources,
        app.state.settlements,
        parts.settlements,
        wall=parts.wall,
        first_days=settings.first_fetch_days,
        timeout_s=settings.fetch_timeout_s,
    )
    if settings.settlement_folder is not None or fetching.gateways:
        doings[JobName.RECONCILIATION] = partial(
            reconcile_all,
            app.state.settlements,
            settings.settlement_folder,
            fetching,
            parts.wall,
        )
    times = job_times(parts)
    if app.state.payouts is not None:
        doings[JobName.WEEKLY_PAYOUTS] = partial(pay_weekly, app.state.payouts, times.weekly)
    if settings.closing_day:
        doings[JobName.CLOSING] = partial(close_months, parts.periods, parts.wall)
    app.state.jobs = jobs = Jobs(parts.jobs, doings, times, wall=parts.wall)
    return jobs
