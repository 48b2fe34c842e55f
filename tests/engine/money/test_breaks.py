"""What must hold of breaks: kept until explained, decided once, and written off to the halala."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.ids import UserId
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS
from engine.money import breaks as rules
from engine.money.accounts import AccountKind, account
from engine.money.breaks import BreakStatus, RunId, SettlementBreak
from engine.money.reconciliation import Break, BreakKind, reconcile
from tests.builders import NOON, new_id
from tests.engine.money.test_reconciliation import GATEWAY, a_line, an_item

S = BreakStatus
ANN, BOB = UserId(new_id()), UserId(new_id())
RUN = RunId(new_id())


def a_break(file_halalas: int = 499, ledger_halalas: int = 500) -> SettlementBreak:
    """Of one order, with a line and an item, as a run finds it."""
    lines = [a_line(file_halalas, reference="r1", fee_halalas=10, fee_vat_halalas=1)]
    items = [an_item(ledger_halalas)]
    (found,) = reconcile(lines, items, now=NOON).breaks
    kept = rules.keep(None, found, gateway="moyasar", run_id=RUN, now=NOON)
    assert kept is not None
    return kept


def given_up(known: SettlementBreak, limit: int = 0, by: UserId = ANN) -> SettlementBreak:
    told = rules.write_off(known, note="lost", by=by, limit_halalas=limit, now=NOON)
    assert isinstance(told, SettlementBreak), told
    return told


def test_what_a_later_file_says_is_held_against_what_broke_before() -> None:
    known = a_break()
    lines = rules.with_carried([a_line(1, reference="r2")], [known])
    assert [one.reference for one in lines] == ["r2", "r1"]
    assert rules.with_carried(known.lines, [known]) == known.lines
    assert reconcile(lines, known.items, now=NOON).breaks == ()


def test_what_is_decided_stays_so_until_something_new_is_in_it() -> None:
    known = a_break()
    (again,) = reconcile(known.lines, known.items, now=NOON).breaks

    def kept(one: SettlementBreak, found: Break) -> SettlementBreak | None:
        return rules.keep(one, found, gateway="moyasar", run_id=RUN, now=NOON)

    assert kept(known, again) is None
    resolved = rules.resolve(known, note="why", by=ANN, now=NOON)
    assert isinstance(resolved, SettlementBreak)
    assert kept(resolved, again) is None
    (less,) = reconcile((), known.items, now=NOON).breaks
    assert (less.kind, kept(resolved, less)) == (BreakKind.NOT_IN_FILE, None)
    more = [*known.lines, a_line(7, reference="r3")]
    (new,) = reconcile(more, known.items, now=NOON).breaks
    opened = kept(resolved, new)
    assert opened is not None
    assert (opened.status, opened.version, opened.note) == (S.OPEN, resolved.version + 1, "")


def test_a_break_that_nothing_in_the_ledger_dates_is_as_old_as_its_first_line() -> None:
    known: SettlementBreak | None = None
    for days, references in ((0, ("r1",)), (3, ("r1", "r2")), (5, ("r1", "r2", "r3"))):
        lines = [a_line(499, reference=one) for one in references]
        now = NOON + days * DAY_MS
        (found,) = reconcile(lines, (), now=now).breaks
        known = rules.keep(known, found, gateway="moyasar", run_id=RUN, now=now)
        assert known is not None
        assert (known.since_at, known.seen_at) == (NOON, now)


def test_what_is_much_is_given_up_by_two() -> None:
    known = a_break(1, 10_002)
    waits = given_up(known, limit=10_000)
    assert (waits.status, waits.due_at) == (S.WAITS_FOR_APPROVAL, None)
    assert given_up(waits, limit=10_000) == waits
    himself = rules.judge(waits, is_approved=True, by=ANN, now=NOON)
    assert isinstance(himself, Refusal)
    assert himself.code == "not_your_write_off"
    done = rules.judge(waits, is_approved=True, by=BOB, now=NOON)
    assert isinstance(done, SettlementBreak)
    assert (done.status, done.decided_by, done.due_at) == (S.WRITTEN_OFF, BOB, NOON)
    assert rules.judge(done, is_approved=True, by=BOB, now=NOON) == done
    rejected = rules.judge(waits, is_approved=False, by=BOB, now=NOON)
    assert isinstance(rejected, SettlementBreak)
    assert (rejected.status, rejected.asked_by) == (S.OPEN, None)
    assert given_up(replace(known), limit=10_001).status is S.WRITTEN_OFF


def test_a_break_is_decided_once() -> None:
    done = given_up(a_break(), limit=1)
    assert given_up(done) == done
    other = rules.resolve(done, note="no", by=BOB, now=NOON)
    assert isinstance(other, Refusal)
    assert other.code == "break_decided"


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_what_is_written_off_has_left_the_gateway_and_the_bank_has_what_came(
    file_halalas: int, ledger_halalas: int
) -> None:
    if file_halalas == ledger_halalas:
        ledger_halalas += 1
    done = given_up(a_break(file_halalas, ledger_halalas), limit=1_000)
    sums: dict[str, int] = {}
    for transfer in rules.postings(done):
        for leg in transfer.legs:
            sums[leg.account] = sums.get(leg.account, 0) + leg.amount
    assert sums.pop(account(AccountKind.UNEXPLAINED), 0) == file_halalas - ledger_halalas
    assert sums == {
        key: value
        for key, value in {
            GATEWAY: ledger_halalas,
            "bank": 11 - file_halalas,
            "gateway_fees": -10,
            "input_vat": -1,
        }.items()
        if value
    }
    assert rules.postings(done) == rules.postings(rules.entered(done))
