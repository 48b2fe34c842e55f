"""What a customer paid, got back and has with us, as one line: a view of the ledger, and no more.

An entry is one transfer, with its part on each of his accounts. What came from a gateway or was
taken at a door lies on accounts of the house; it is his when it is about an order he paid for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.kernel.ids import OrderId, PaymentId, UserId
from engine.kernel.riyals import riyals
from engine.kernel.timing import Instant
from engine.loyalty.points import EXPIRY, REDEMPTION
from engine.money.accounts import AccountId, AccountKind, Asset, account, asset_of, kind_of
from engine.money.ledger import Entry
from engine.money.transfers import PAID, Transfer, TransferId, TransferReason, about_order
from engine.orders.sheet import text_cell, time_cell
from engine.payments.payment import Payment
from engine.payments.postings import TILL, capture_id, from_wallet_id, refund_id

_ORDER: Final = about_order(OrderId(""))


class Means(StrEnum):
    """Where it came from or went to."""

    GATEWAY = "gateway"
    CASH = "cash"
    WALLET = "wallet"
    GIFT_CREDIT = "gift_credit"
    POINTS = "points"
    POINTS_PENDING = "points_pending"


class HistoryKind(StrEnum):
    """What it was."""

    PAYMENT = "payment"
    REFUND = "refund"
    TOP_UP = "top_up"
    TIP = "tip"
    CREDIT_GIVEN = "credit_given"
    POINTS_PROMISED = "points_promised"
    POINTS_EARNED = "points_earned"
    POINTS_REDEEMED = "points_redeemed"
    POINTS_EXPIRED = "points_expired"
    POINTS_REVERSED = "points_reversed"
    CORRECTION = "correction"


# Arabic and English, as customers read them.
TEXTS: Final[Mapping[HistoryKind, tuple[str, str]]] = {
    HistoryKind.PAYMENT: ("دفعة", "Payment"),
    HistoryKind.REFUND: ("مبلغ مسترد", "Refund"),
    HistoryKind.TOP_UP: ("شحن المحفظة", "Wallet top-up"),
    HistoryKind.TIP: ("إكرامية", "Tip"),
    HistoryKind.CREDIT_GIVEN: ("رصيد هدايا منّا", "Gift credit from us"),
    HistoryKind.POINTS_PROMISED: ("نقاط قيد الانتظار", "Points pending"),
    HistoryKind.POINTS_EARNED: ("نقاط مكتسبة", "Points earned"),
    HistoryKind.POINTS_REDEEMED: ("استبدال نقاط برصيد هدايا", "Points redeemed for gift credit"),
    HistoryKind.POINTS_EXPIRED: ("نقاط منتهية", "Points expired"),
    HistoryKind.POINTS_REVERSED: ("نقاط مستردة", "Points taken back"),
    HistoryKind.CORRECTION: ("تصحيح", "Correction"),
}
_OWN: Final = {
    AccountKind.CUSTOMER_WALLET: Means.WALLET,
    AccountKind.GIFT_CREDIT: Means.GIFT_CREDIT,
    AccountKind.POINTS: Means.POINTS,
    AccountKind.POINTS_PENDING: Means.POINTS_PENDING,
}
_OUTSIDE: Final = {AccountKind.GATEWAY: Means.GATEWAY, AccountKind.COURIER_CASH: Means.CASH}
_KINDS: Final = {
    TransferReason.CAPTURE: HistoryKind.PAYMENT,
    TransferReason.CASH_COLLECTED: HistoryKind.PAYMENT,
    TransferReason.REFUND: HistoryKind.REFUND,
    TransferReason.TOP_UP: HistoryKind.TOP_UP,
    TransferReason.TIP: HistoryKind.TIP,
    TransferReason.GOODWILL: HistoryKind.CREDIT_GIVEN,
}


class HistoryLine(Struct, frozen=True, kw_only=True):
    """A part: above zero it came to him, below it left him, in halalas or points.

    `balance` is what he had there afterwards; None where we keep nothing for him.
    """

    means: Means
    asset: Asset
    amount: int
    balance: int | None = None


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """A transfer as its customer sees it; `number` is its place in the ledger."""

    number: int
    transfer_id: TransferId
    at: Instant
    effective_at: Instant
    kind: HistoryKind
    order_id: OrderId | None = None
    payment_id: PaymentId | None = None
    refund_id: str | None = None
    lines: tuple[HistoryLine, ...]


HEADINGS: Final = (
    "at",
    "kind",
    "means",
    "asset",
    "amount",
    "balance",
    "order_id",
    "payment_id",
    "refund_id",
    "transfer_id",
)


def accounts_of(customer_id: UserId) -> tuple[AccountId, ...]:
    """What we keep for a customer."""
    return tuple(account(kind, customer_id) for kind in _OWN)


def entry_of(entry: Entry, own: Sequence[AccountId]) -> HistoryEntry | None:
    """How a customer sees it, without balances; None when no part of it is his.

    `own` are his accounts. What is about an order must be about one that he paid for.
    """
    transfer = entry.transfer
    lines = tuple(_lines(transfer, own))
    if not lines:
        return None
    about = transfer.about
    is_of_order = about.startswith(_ORDER)
    return HistoryEntry(
        number=entry.number,
        transfer_id=transfer.id,
        at=entry.at,
        effective_at=transfer.effective_at,
        kind=_kind(transfer, {one.means: one.amount for one in lines}),
        order_id=OrderId(about.removeprefix(_ORDER)) if is_of_order else None,
        lines=lines,
    )


def with_balances(
    shown: HistoryEntry, entry: Entry, balances: Mapping[AccountId, int]
) -> HistoryEntry:
    """With what the customer had on each of his accounts afterwards."""
    had = {
        _OWN[kind_of(leg.account)]: balances[leg.account]
        for leg in entry.transfer.legs
        if leg.account in balances
    }
    lines = tuple(replace(one, balance=had.get(one.means)) for one in shown.lines)
    return replace(shown, lines=lines)


def moved_on(entry: Entry, own: Sequence[AccountId]) -> dict[AccountId, int]:
    """What it changes of his accounts."""
    return {leg.account: leg.amount for leg in entry.transfer.legs if leg.account in own}


def named(payments: Iterable[Payment]) -> dict[TransferId, tuple[PaymentId, str | None]]:
    """To which payment, and to which refund of it, the transfers of these belong."""
    found: dict[TransferId, tuple[PaymentId, str | None]] = {}
    for one in payments:
        found[capture_id(one)] = found[from_wallet_id(one.id, "capture")] = (one.id, None)
        for refund in one.refunds:
            by_wallet = from_wallet_id(one.id, f"refund {refund.id}")
            found[refund_id(one, refund)] = found[by_wallet] = (one.id, refund.id)
    return found


def rows_of(entry: HistoryEntry) -> Iterator[tuple[str, ...]]:
    """A row for each part; times in UTC (ISO 8601), amounts in riyals or points."""
    for line in entry.lines:
        is_money = line.asset is Asset.HALALAS
        amounts = [
            "" if one is None else riyals(one) if is_money else str(one)
            for one in (line.amount, line.balance)
        ]
        names = (entry.order_id, entry.payment_id, entry.refund_id, entry.transfer_id)
        yield (
            time_cell(entry.at),
            entry.kind.value,
            line.means.value,
            "SAR" if is_money else "points",
            *amounts,
            *(text_cell(one or "") for one in names),
        )


def _lines(transfer: Transfer, own: Sequence[AccountId]) -> Iterator[HistoryLine]:
    for leg in transfer.legs:
        kind, asset = kind_of(leg.account), asset_of(leg.account)
        if leg.account in own:
            yield HistoryLine(means=_OWN[kind], asset=asset, amount=leg.amount)
        elif kind in _OUTSIDE and leg.account != TILL and transfer.reason in PAID:
            # What a gateway holds for us has left him.
            yield HistoryLine(means=_OUTSIDE[kind], asset=asset, amount=leg.amount)


def _kind(transfer: Transfer, amounts: Mapping[Means, int]) -> HistoryKind:
    if transfer.reverses is not None:
        return HistoryKind.CORRECTION
    if transfer.reason is not TransferReason.POINTS:
        return _KINDS.get(transfer.reason, HistoryKind.CORRECTION)
    if transfer.about.startswith(EXPIRY):
        return HistoryKind.POINTS_EXPIRED
    if transfer.about.startswith(REDEMPTION):
        return HistoryKind.POINTS_REDEEMED
    if amounts.get(Means.POINTS, 0) > 0:
        return HistoryKind.POINTS_EARNED
    is_promise = amounts.get(Means.POINTS_PENDING, 0) > 0
    return HistoryKind.POINTS_PROMISED if is_promise else HistoryKind.POINTS_REVERSED
