"""What must hold of a payout, of its transfers, and of what is held for a dispute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.kernel.ids import CourierId, OrderId, UserId
from engine.kernel.refusals import Refusal
from engine.kernel.timing import DAY_MS, HOUR_MS
from engine.money.accounts import AccountId, Balance
from engine.money.ledger import Entry, Head, Ledger
from engine.money.transfers import Transfer, TransferId
from engine.payouts import decide, postings
from engine.payouts import dispute as disputes
from engine.payouts.decide import PayoutTerms
from engine.payouts.dispute import Dispute, DisputeId, DisputeStatus
from engine.payouts.payout import (
    BankAccount,
    BankAccountId,
    Payout,
    PayoutId,
    PayoutKind,
    PayoutStanding,
    PayoutStatement,
    PayoutStatus,
    checked_iban,
)
from engine.payouts.weekly import WeeklyTime, last_weekly
from tests.builders import NOON, new_id

IBAN = "SA0380000000608010167519"
TERMS = PayoutTerms(least_halalas=1000, instant_fee_halalas=230, settle_s=600)
S = PayoutStatus


def an_account(courier_id: str | None = None, **fields: object) -> BankAccount:
    account = BankAccount(
        id=BankAccountId(new_id()),
        courier_id=CourierId(UserId(courier_id or new_id())),
        iban=IBAN,
        holder_name="Salem",
        city="Riyadh",
        phone="+966500000001",
        made_at=NOON,
    )
    return replace(account, **fields)


def a_payout(*, available: int = 50_000, asked: int | None = None) -> Payout:
    made = decide.request(
        PayoutId(new_id()),
        an_account(),
        PayoutKind.INSTANT,
        available_halalas=available,
        asked_halalas=asked,
        terms=TERMS,
        now=NOON,
    )
    assert isinstance(made, Payout)
    return made


def said(payout: Payout, standing: PayoutStanding, **fields: object) -> PayoutStatement:
    told = PayoutStatement(
        reference="r1",
        standing=standing,
        amount_halalas=payout.amount_halalas,
        currency="SAR",
        iban=IBAN,
    )
    return replace(told, **fields)


def unknown_one() -> Payout:
    return decide.asked(decide.reserved(a_payout(), now=NOON), now=NOON)


def a_dispute(halalas: int = 900, **fields: object) -> Dispute:
    dispute = Dispute(
        version=1,
        id=DisputeId(new_id()),
        courier_id=CourierId(UserId(new_id())),
        order_id=OrderId(new_id()),
        halalas=halalas,
        reason="the cake fell",
        opened_by=UserId(new_id()),
        opened_at=NOON,
        due_at=NOON,
    )
    return replace(dispute, **fields)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (IBAN, IBAN),
        ("sa03 8000 0000 6080 1016 7519", IBAN),
        ("SA0380000000608010167591", None),
        ("SA038000000060801016751", None),
        ("DE89370400440532013000", None),
        ("", None),
        ("٠٣٨٠", None),
    ],
)
def test_only_a_saudi_iban_with_right_check_digits_is_one(text: str, found: str | None) -> None:
    assert checked_iban(text) == found


def test_everything_is_paid_but_the_fee_or_as_much_as_was_asked_for() -> None:
    assert a_payout(available=50_000).amount_halalas == 50_000 - 230
    assert a_payout(available=50_000, asked=7000).amount_halalas == 7000
    little = decide.request(
        PayoutId(new_id()),
        an_account(),
        PayoutKind.WEEKLY,
        available_halalas=999,
        asked_halalas=None,
        terms=TERMS,
        now=NOON,
    )
    assert little == Refusal(code="payout_too_small", detail={"least_halalas": 1000})


@given(st.permutations(list(PayoutStanding)))
def test_whatever_is_heard_in_whatever_order_no_end_is_left_but_by_a_return(
    order: list[PayoutStanding],
) -> None:
    payout, seen = unknown_one(), []
    for standing in order:
        if payout.status in {S.FAILED, S.RETURNED}:
            break
        payout = decide.heard(payout, said(payout, standing), iban=IBAN, now=NOON)
        seen.append(payout.status)
    assert payout.status in {S.FAILED, S.RETURNED}
    allowed = [S.SENT, S.PAID, S.FAILED, S.RETURNED]
    assert [allowed.index(one) for one in seen] == sorted(allowed.index(one) for one in seen)
    assert not (S.PAID in seen and S.FAILED in seen)


@pytest.mark.parametrize(
    "wrong", [{"amount_halalas": 1}, {"currency": "USD"}, {"iban": "SA4420000001234567891234"}]
)
def test_what_is_said_of_another_payout_is_not_believed(wrong: dict[str, object]) -> None:
    payout = unknown_one()
    heard = decide.heard(payout, said(payout, PayoutStanding.PAID, **wrong), iban=IBAN, now=NOON)
    assert heard.status is S.UNKNOWN
    assert heard.is_entered
    assert heard.due_at is not None


def test_what_nobody_knows_of_has_failed_only_when_it_is_late_enough() -> None:
    payout = unknown_one()
    early = decide.not_found(payout, terms=TERMS, now=NOON + 599_999)
    assert (early.status, early.tries) == (S.UNKNOWN, payout.tries + 1)
    late = decide.not_found(payout, terms=TERMS, now=NOON + 600_000)
    assert (late.status, late.is_entered) == (S.FAILED, False)
    sent = decide.heard(payout, said(payout, PayoutStanding.PENDING), iban=IBAN, now=NOON)
    assert decide.not_found(sent, terms=TERMS, now=NOON + DAY_MS).status is S.SENT


def test_a_paid_one_is_watched_for_a_week() -> None:
    payout = unknown_one()
    paid = decide.heard(payout, said(payout, PayoutStanding.PAID), iban=IBAN, now=NOON)
    followed = decide.entered(paid, now=NOON)
    assert followed.due_at == NOON + DAY_MS
    assert decide.not_heard(followed, now=NOON + 7 * DAY_MS).due_at is None


class Books:
    """A ledger in memory, with something on it."""

    def __init__(self, **posted: int) -> None:
        self.balances = {AccountId(name): Balance(posted=one) for name, one in posted.items()}
        self.entries: dict[TransferId, Entry] = {}
        self.closed: set[TransferId] = set()

    def enter(self, *transfers: Transfer) -> list[Entry | Refusal]:
        found = []
        for one in transfers:
            ledger = Ledger(
                Head(),
                balances=self.balances,
                entries=self.entries,
                closed=frozenset(self.closed),
            )
            found.append(ledger.enter(one, NOON))
            self.balances |= ledger.changed
            self.entries |= {added.transfer.id: added for added in ledger.added}
            ends = (one.settles, one.reverses)
            self.closed |= {end for end in ends if end and ledger.added}
        return found

    def posted(self) -> dict[str, int]:
        kinds = ((name.partition(":")[0], one.posted) for name, one in self.balances.items())
        return {kind: amount for kind, amount in kinds if amount}


def test_a_payout_that_is_paid_leaves_wallet_and_bank_and_its_fee_with_us() -> None:
    payout = a_payout(available=50_000)
    books = Books(**{postings.wallet_of(payout.courier_id): 50_000})
    books.enter(postings.reservation(payout), postings.posting(payout))
    assert books.posted() == {"payout": 49_770, "revenue": 200, "vat": 30}
    books.enter(postings.arrival(payout))
    assert books.posted() == {"bank": 49_770, "revenue": 200, "vat": 30}
    for has_arrived, money in ((True, books),):
        money.enter(*postings.reversals(payout, has_arrived=has_arrived))
    assert books.posted() == {"courier_wallet": 50_000}


def test_a_payout_that_fails_gives_all_back_before_and_after_it_was_sent() -> None:
    payout = a_payout(available=50_000)
    for steps in (
        (postings.reservation(payout), postings.void(payout)),
        (
            postings.reservation(payout),
            postings.posting(payout),
            *postings.reversals(payout, has_arrived=False),
        ),
    ):
        books = Books(**{postings.wallet_of(payout.courier_id): 50_000})
        assert not [one for one in books.enter(*steps, *steps) if isinstance(one, Refusal)]
        assert books.posted() == {"courier_wallet": 50_000}
        assert all(one.reserved == 0 for one in books.balances.values())


def test_a_dispute_holds_the_wallet_as_far_as_it_goes_and_the_rest_is_owed() -> None:
    dispute = a_dispute(900)
    for available, owed in ((5000, 0), (300, 600), (0, 900)):
        books = Books(**{postings.wallet_of(dispute.courier_id): available})
        books.enter(disputes.opening(dispute, available))
        held = {
            "courier_hold": 900,
            "courier_debt": -owed,
            "courier_wallet": available - 900 + owed,
        }
        assert books.posted() == {name: amount for name, amount in held.items() if amount}


def test_a_dispute_is_decided_once_and_the_money_is_his_again_or_ours() -> None:
    dispute = disputes.entered(a_dispute(900))
    for outcome, whose in (
        (DisputeStatus.RELEASED, "courier_wallet"),
        (DisputeStatus.UPHELD, "goodwill"),
    ):
        closed = disputes.close(dispute, outcome, now=NOON + 1)
        assert isinstance(closed, Dispute)
        assert disputes.close(closed, outcome, now=NOON + 2) == closed
        other = (
            DisputeStatus.UPHELD if outcome is DisputeStatus.RELEASED else DisputeStatus.RELEASED
        )
        assert isinstance(disputes.close(closed, other, now=NOON + 2), Refusal)
        books = Books(**{postings.wallet_of(dispute.courier_id): 900})
        books.enter(disputes.opening(dispute, 900), disputes.closing(closed))
        assert books.posted() == {whose: 900}


@given(st.integers(1, 7), st.integers(0, 23), st.integers(0, 10 * 365 * 24))
def test_the_weekly_time_is_once_a_week_at_that_hour_in_riyadh(
    day: int, hour: int, hours: int
) -> None:
    now = NOON + hours * HOUR_MS
    week = last_weekly(WeeklyTime(day=day, hour=hour), now)
    assert now - 7 * DAY_MS < week <= now
    in_riyadh = week + 3 * HOUR_MS
    assert (in_riyadh // HOUR_MS) % 24 == hour
    # 1 January 1970 was a Thursday.
    assert (in_riyadh // DAY_MS + 3) % 7 + 1 == day
