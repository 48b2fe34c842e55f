"""How customers see transfers: what kind each is, and which part of it is theirs."""

from typing import Any

import pytest

from engine.kernel.ids import UserId
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.ledger import Entry
from engine.money.transfers import Transfer, TransferId, TransferReason, move
from engine.payments.history import (
    TEXTS,
    HistoryKind,
    Means,
    accounts_of,
    entry_of,
    moved_on,
    rows_of,
    with_balances,
)
from engine.payments.postings import TILL
from tests.builders import NOON, new_id

SARA = UserId(new_id())
OWN = accounts_of(SARA)
WALLET, CREDIT, POINTS, PENDING = OWN
ORDER = f"order:{new_id()}"
GATEWAY = account(AccountKind.GATEWAY, "moyasar")
CASH = account(AccountKind.COURIER_CASH, new_id())
SOLD = account(AccountKind.ORDER, "1")
ISSUED = account(AccountKind.POINTS_ISSUED)
GOODWILL = account(AccountKind.GOODWILL)
R, K = TransferReason, HistoryKind


def an_entry(
    reason: TransferReason, amounts: dict[AccountId, int], about: str = ORDER, **fields: Any
) -> Entry:
    transfer = Transfer(
        id=TransferId(new_id()),
        reason=reason,
        legs=move(amounts),
        effective_at=NOON,
        about=about,
        **fields,
    )
    return Entry(transfer=transfer, number=7, at=NOON, hash="")


@pytest.mark.parametrize(
    ("entry", "kind", "lines"),
    [
        (an_entry(R.CAPTURE, {GATEWAY: -9, SOLD: 9}), K.PAYMENT, {Means.GATEWAY: -9}),
        (
            an_entry(R.CAPTURE, {GATEWAY: -5, TILL: -4, SOLD: 9}),
            K.PAYMENT,
            {Means.GATEWAY: -5},
        ),
        (
            an_entry(R.CAPTURE, {WALLET: -3, CREDIT: -1, TILL: 4}),
            K.PAYMENT,
            {Means.WALLET: -3, Means.GIFT_CREDIT: -1},
        ),
        (an_entry(R.CASH_COLLECTED, {CASH: -9, SOLD: 9}), K.PAYMENT, {Means.CASH: -9}),
        (an_entry(R.REFUND, {GATEWAY: 9, SOLD: -9}), K.REFUND, {Means.GATEWAY: 9}),
        (an_entry(R.REFUND, {WALLET: 9, SOLD: -9}), K.REFUND, {Means.WALLET: 9}),
        (an_entry(R.TIP, {WALLET: -9, SOLD: 9}), K.TIP, {Means.WALLET: -9}),
        (an_entry(R.TOP_UP, {WALLET: 9, GATEWAY: -9}), K.TOP_UP, {Means.WALLET: 9}),
        (
            an_entry(R.GOODWILL, {CREDIT: 9, GOODWILL: -9}, "customer:x"),
            K.CREDIT_GIVEN,
            {Means.GIFT_CREDIT: 9},
        ),
        (
            an_entry(R.POINTS, {PENDING: 9, ISSUED: -9}),
            K.POINTS_PROMISED,
            {Means.POINTS_PENDING: 9},
        ),
        (
            an_entry(R.POINTS, {PENDING: -9, POINTS: 9}),
            K.POINTS_EARNED,
            {Means.POINTS_PENDING: -9, Means.POINTS: 9},
        ),
        (
            an_entry(
                R.POINTS,
                {POINTS: -9, ISSUED: 9, GOODWILL: -45, CREDIT: 45},
                f"redemption:{SARA}",
            ),
            K.POINTS_REDEEMED,
            {Means.POINTS: -9, Means.GIFT_CREDIT: 45},
        ),
        (
            an_entry(R.POINTS, {POINTS: -9, ISSUED: 9}, f"expiry:{SARA}"),
            K.POINTS_EXPIRED,
            {Means.POINTS: -9},
        ),
        (
            an_entry(R.POINTS, {PENDING: -4, POINTS: -5, ISSUED: 9}),
            K.POINTS_REVERSED,
            {Means.POINTS_PENDING: -4, Means.POINTS: -5},
        ),
        (
            an_entry(R.CORRECTION, {WALLET: -9, SOLD: 9}, reverses=TransferId(new_id())),
            K.CORRECTION,
            {Means.WALLET: -9},
        ),
        (an_entry(R.WRITE_OFF, {WALLET: -9, SOLD: 9}), K.CORRECTION, {Means.WALLET: -9}),
    ],
)
def test_what_a_transfer_is_to_its_customer(
    entry: Entry, kind: HistoryKind, lines: dict[Means, int]
) -> None:
    shown = entry_of(entry, OWN)
    assert shown is not None
    assert (shown.kind, {one.means: one.amount for one in shown.lines}) == (kind, lines)
    is_of_order = entry.transfer.about == ORDER
    assert shown.order_id == (ORDER.removeprefix("order:") if is_of_order else None)


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(R.SETTLEMENT, {GATEWAY: 9, account(AccountKind.BANK): -9}),
        an_entry(R.CONVERSION, {GATEWAY: -1, account(AccountKind.CONVERSION): 1}),
        an_entry(R.CAPTURE, {TILL: -9, SOLD: 9}),
        an_entry(R.SALE, {SOLD: -9, account(AccountKind.REVENUE): 9}),
    ],
)
def test_what_is_ours_alone_is_not_told(entry: Entry) -> None:
    assert entry_of(entry, OWN) is None


def test_balances_stand_beside_what_we_keep_for_him() -> None:
    entry = an_entry(R.REFUND, {WALLET: 250, GATEWAY: 500, SOLD: -750})
    shown = entry_of(entry, OWN)
    assert shown is not None
    told = with_balances(shown, entry, dict.fromkeys(OWN, 1_000))
    assert {one.means: one.balance for one in told.lines} == {
        Means.WALLET: 1_000,
        Means.GATEWAY: None,
    }
    assert moved_on(entry, OWN) == {WALLET: 250}
    rows = {one[2]: one[3:6] for one in rows_of(told)}
    assert rows == {"wallet": ("SAR", "2.50", "10.00"), "gateway": ("SAR", "5.00", "")}


def test_points_are_no_riyals_and_every_kind_has_its_words() -> None:
    entry = an_entry(R.POINTS, {POINTS: -9, ISSUED: 9}, f"expiry:{SARA}")
    shown = entry_of(entry, OWN)
    assert shown is not None
    (row,) = rows_of(shown)
    assert row[1:6] == ("points_expired", "points", "points", "-9", "")
    assert set(TEXTS) == set(HistoryKind)
    assert all(arabic and english for arabic, english in TEXTS.values())
