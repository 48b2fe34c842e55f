"""Who runs what is due, when processes race, fail and die, and what each job does."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.clock import SystemClock
from actors.jobs import BY_ITSELF, Jobs, close_months, reconcile_files
from actors.ledger import LedgerKeeper
from actors.reconciling import Reconciling, Settlements
from actors.settlement_files import BadFile
from engine.jobs import LEASE_MS, JobName, JobStatus, JobTimes
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.money.accounts import AccountKind, account
from engine.money.periods import SETTLED_AFTER_MS, month_at
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from storage.jobs import MemoryJobs
from storage.memory import MemoryStore
from storage.memory_invoices import MemoryInvoices
from storage.memory_ledger import MemoryLedger
from storage.memory_payments import MemoryPayments
from storage.memory_periods import MemoryPeriods
from storage.settlements import MemorySettlements
from tests.actors.bank import HandClock
from tests.builders import NOON, new_id

N = JobName.POINTS
GATEWAY = account(AccountKind.GATEWAY, "moyasar")
HEAD = "payment_id,type,currency,amount,fee,vat,order_id\n"


class Worker:
    """Counts its runs, and fails as often as it is told."""

    def __init__(self, *, fails: int = 0) -> None:
        self.runs, self.fails = 0, fails

    async def do(self) -> str:
        self.runs += 1
        await SystemClock().sleep(0)
        if self.runs <= self.fails:
            raise ConnectionError("away")
        return f"run {self.runs}"


def two(worker: Worker) -> tuple[Callable[[], Jobs], MemoryJobs, HandClock]:
    """Processes on one store."""
    store, clock = MemoryJobs(), HandClock()
    return lambda: Jobs(store, {N: worker.do}, JobTimes(points_hour=12), wall=clock), store, clock


async def test_many_processes_run_it_once_and_again_when_it_is_due() -> None:
    worker = Worker()
    process, store, clock = two(worker)
    for days in (0, 1, 3):
        clock.at = NOON + days * DAY_MS
        await asyncio.gather(*(process().look() for _ in range(5)))
        clock.at += HOUR_MS
        await process().look()
        last = await store.find(N)
        assert last is not None
        assert (last.due_at, last.status) == (NOON + days * DAY_MS, JobStatus.DONE)
    assert worker.runs == 3


async def test_what_fails_is_told_and_tried_again() -> None:
    worker = Worker(fails=1)
    process, store, clock = two(worker)
    await process().look()
    last = await store.find(N)
    assert last is not None
    assert last.status is JobStatus.FAILED
    assert "away" in last.told
    clock.at = last.next_at
    await process().look()
    last = await store.find(N)
    assert last is not None
    assert (last.status, last.told, last.tries) == (JobStatus.DONE, "run 2", 2)


async def test_what_a_dead_process_left_is_done_by_another() -> None:
    begun, stuck = asyncio.Event(), asyncio.Event()

    class Dying(Worker):
        async def do(self) -> str:
            self.runs += 1
            if self.runs == 1:
                begun.set()
                await stuck.wait()
            return "done"

    worker = Dying()
    process, store, clock = two(worker)
    dying = asyncio.ensure_future(process().look())
    await begun.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await process().look()
    assert worker.runs == 1
    clock.at += LEASE_MS
    await process().look()
    last = await store.find(N)
    assert last is not None
    assert (worker.runs, last.status) == (2, JobStatus.DONE)


async def test_files_are_reconciled_and_what_breaks_is_kept(tmp_path: Path) -> None:
    clock, books = HandClock(), MemoryLedger()
    keeper = LedgerKeeper(books, wall=clock)
    known, unknown = new_id(), new_id()
    taken = Transfer(
        id=TransferId(new_id()),
        reason=TransferReason.CAPTURE,
        legs=move({GATEWAY: -10_000, account(AccountKind.REVENUE): 10_000}),
        effective_at=NOON,
        about=f"order:{known}",
    )
    await keeper.enter(taken)
    good, bad = tmp_path / "1.csv", tmp_path / "2.csv"
    good.write_text(f"{HEAD}p1,pay,SAR,100.00,1.00,0.15,{known}\n")
    bad.write_text(f"{HEAD}p2,pay,SAR,5.00,0,0,{unknown}\n")
    store = MemorySettlements()
    settlements = Settlements(
        Reconciling(keeper, books, wall=clock),
        store,
        MemoryPayments(MemoryStore().outbox),
        wall=clock,
        limit_halalas=0,
    )
    told = await reconcile_files(settlements, tmp_path, clock)
    assert told == "2 files, 1 matches, 1 breaks, 9885 halalas settled"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["1.csv.done", "2.csv.done"]
    (broken,) = await store.list_undecided("moyasar")
    assert (broken.about, broken.file_halalas) == (f"order:{unknown}", 500)
    (tmp_path / "3.csv").write_bytes("تسوية".encode("cp1256"))
    (tmp_path / "4.csv").write_text(f"{HEAD}p3,pay,SAR,6.00,0,0,{new_id()}\n")
    with pytest.raises(BadFile, match=r"3\.csv: this is no UTF-8"):
        await reconcile_files(settlements, tmp_path, clock)
    left = sorted(one.name for one in tmp_path.iterdir() if one.suffix == ".csv")
    assert left == ["3.csv"]


async def test_months_that_were_missed_are_closed_one_after_the_other() -> None:
    clock, books = HandClock(), MemoryLedger()
    periods = MemoryPeriods(books, MemoryInvoices())
    assert await close_months(periods, clock) == "closed: 2025-12"
    assert await close_months(periods, clock) == "closed: none"
    clock.at = month_at(NOON + 70 * DAY_MS).since + SETTLED_AFTER_MS
    assert await close_months(periods, clock) == "closed: 2026-01, 2026-02"
    last = await periods.last_closing()
    assert last is not None
    assert last.closed_by == BY_ITSELF.user_id
