"""The chart of accounts: which there are, in what they count, and how low each may go.

A balance is what we owe the account's owner: a credit raises it, a debit lowers it. So what
belongs to us (money at a gateway, cash that a courier carries) is a balance below zero.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final, NewType

from msgspec import Struct

AccountId = NewType("AccountId", str)


class Asset(StrEnum):
    """What is counted; one is never changed into another within a transfer."""

    HALALAS = "halalas"
    POINTS = "points"


class AccountKind(StrEnum):
    """What an account is for."""

    GATEWAY = "gateway"
    BANK = "bank"
    ORDER = "order"
    RECEIVABLE = "receivable"
    CUSTOMER_WALLET = "customer_wallet"
    GIFT_CREDIT = "gift_credit"
    COURIER_WALLET = "courier_wallet"
    COURIER_DEBT = "courier_debt"
    COURIER_CASH = "courier_cash"
    COURIER_HOLD = "courier_hold"
    PAYOUT = "payout"
    SHOP = "shop"
    REVENUE = "revenue"
    VAT = "vat"
    INPUT_VAT = "input_vat"
    COURIER_PAY = "courier_pay"
    GOODWILL = "goodwill"
    BAD_DEBT = "bad_debt"
    CONVERSION = "conversion"
    UNEXPLAINED = "unexplained"
    GATEWAY_FEES = "gateway_fees"
    POINTS_ISSUED = "points_issued"
    POINTS = "points"
    POINTS_PENDING = "points_pending"


# Dispatch keeps couriers within their zone's limit, far from here; what was taken at a door has
# happened and must be enterable, so this stops mistakes alone.
CASH_MAX_HALALAS: Final = 1_000_000

# The lowest balance of each kind; what is not here may be overdrawn. Who can be owed nothing more
# than he has is floored at zero; a courier carries cash of ours up to a limit.
FLOORS: Final[dict[AccountKind, int]] = {
    AccountKind.ORDER: 0,
    AccountKind.CUSTOMER_WALLET: 0,
    AccountKind.GIFT_CREDIT: 0,
    AccountKind.COURIER_WALLET: 0,
    AccountKind.COURIER_CASH: -CASH_MAX_HALALAS,
    AccountKind.COURIER_HOLD: 0,
    AccountKind.PAYOUT: 0,
    AccountKind.POINTS: 0,
    AccountKind.POINTS_PENDING: 0,
}
# Looking a kind up is several times as quick as making it.
# What a name says is read once for those that are used again and again.
_KNOWN_MAX: Final = 4_096
_KINDS: Final = {one.value: one for one in AccountKind}
_POINTS: Final = frozenset(
    {AccountKind.POINTS, AccountKind.POINTS_PENDING, AccountKind.POINTS_ISSUED}
)


class Balance(Struct, frozen=True):
    """`posted` has moved; `reserved`, never above zero, is what pending transfers may yet take."""

    posted: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        """What is left when every pending transfer takes all that it reserved."""
        return self.posted + self.reserved


def account(kind: AccountKind, owner: str = "") -> AccountId:
    """`kind:owner`, or `kind` for an account of the house."""
    return AccountId(f"{kind.value}:{owner}" if owner else kind.value)


@lru_cache(maxsize=_KNOWN_MAX)
def kind_of(account_id: AccountId) -> AccountKind:
    """What the account is for; a ValueError for a text that names no account."""
    name = account_id.partition(":")[0]
    return _KINDS.get(name) or AccountKind(name)


def owner_of(account_id: AccountId) -> str:
    """Whose it is; empty for an account of the house."""
    return account_id.partition(":")[2]


@lru_cache(maxsize=_KNOWN_MAX)
def asset_of(account_id: AccountId) -> Asset:
    """In what the account counts."""
    return Asset.POINTS if kind_of(account_id) in _POINTS else Asset.HALALAS


@lru_cache(maxsize=_KNOWN_MAX)
def floor_of(account_id: AccountId) -> int | None:
    """The lowest that the available balance may be, or None."""
    return FLOORS.get(kind_of(account_id))
