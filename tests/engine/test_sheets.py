"""From the asking for a sheet to its end."""

from engine.kernel.ids import UserId
from engine.kernel.messages import Caller, Role
from engine.kernel.pages import Wanted
from engine.kernel.refusals import Refusal
from engine.sheets import (
    KEPT_MS,
    LEASE_MS,
    TRIES_MAX,
    AskedSheet,
    Sheet,
    SheetId,
    SheetKind,
    SheetStatus,
    ask,
    cancel,
    fail,
    finish,
    go_on,
    percent_of,
    take,
)
from tests.builders import NOON, new_id

S = SheetStatus


def a_sheet(user_id: str = "", at: int = NOON) -> Sheet:
    by = Caller(user_id=UserId(user_id or new_id()), role=Role.CUSTOMER)
    asked = AskedSheet(kind=SheetKind.ORDERS, by=by, at=at, wanted=Wanted(limit=100))
    return ask(SheetId(new_id()), asked)


def test_it_is_taken_on_lease_written_and_kept_for_a_day() -> None:
    sheet = a_sheet()
    assert (sheet.status, sheet.due_at, sheet.is_open) == (S.QUEUED, NOON, True)
    taken = take(sheet, now=NOON + 1)
    assert (taken.status, taken.due_at, taken.tries) == (S.RUNNING, NOON + 1 + LEASE_MS, 1)
    half = go_on(taken, rows=50, percent=40, now=NOON + 2)
    assert (half.rows, half.percent, half.due_at) == (50, 40, NOON + 2 + LEASE_MS)
    done = finish(half, rows=120, is_whole=False, now=NOON + 3)
    assert (done.status, done.rows, done.percent, done.due_at) == (S.DONE, 120, 100, None)
    assert (done.is_whole, done.expires_at) == (False, NOON + 3 + KEPT_MS)
    assert [one.version for one in (sheet, taken, half, done)] == [1, 2, 3, 4]


def test_whoever_takes_it_from_the_dead_begins_anew() -> None:
    half = go_on(take(a_sheet(), now=NOON), rows=50, percent=40, now=NOON)
    again = take(half, now=NOON + LEASE_MS)
    assert (again.tries, again.rows, again.percent) == (2, 0, 0)


def test_what_fails_is_tried_again_a_few_times() -> None:
    sheet = a_sheet()
    for _ in range(TRIES_MAX):
        assert sheet.is_open
        sheet = fail(take(sheet, now=NOON), "no space", now=NOON)
    assert (sheet.status, sheet.problem, sheet.due_at) == (S.FAILED, "no space", None)
    assert sheet.expires_at == NOON + KEPT_MS


def test_it_is_cancelled_once_while_it_is_open() -> None:
    cancelled = cancel(a_sheet(), now=NOON)
    assert isinstance(cancelled, Sheet)
    assert (cancelled.status, cancelled.due_at) == (S.CANCELLED, None)
    assert cancel(cancelled, now=NOON + 1) == cancelled
    done = finish(take(a_sheet(), now=NOON), rows=0, is_whole=True, now=NOON)
    refused = cancel(done, now=NOON)
    assert isinstance(refused, Refusal)
    assert refused.code == "sheet_ended"


def test_how_far_it_is_is_known_before_it_is_done() -> None:
    assert [percent_of(1000, here, 0) for here in (1000, 750, 10, 0)] == [0, 25, 99, 99]
    assert percent_of(0, 30, 100) == 30
    assert percent_of(7, 7, 7) == 0
