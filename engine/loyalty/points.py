"""The rules of points: when they are given, when they may be spent, and when they are gone.

There is no book of points but the ledger. An order's points lie on the customer's account of
promised points until its time for complaints is over, then on his account of points, from which
the oldest are spent first and expire first. What is left of which order follows from the entries.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from engine.kernel.ids import UserId, derived_id
from engine.kernel.messages import Decision
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import DAY_MS, Instant
from engine.money.accounts import AccountId, AccountKind, account
from engine.money.transfers import (
    EnterTransfer,
    Leg,
    Transfer,
    TransferId,
    TransferReason,
    about_order,
    move,
    to_enter,
)
from engine.orders.order import Order, OrderDelivered

HALALAS_PER_EARNED: Final = 100
HALALAS_PER_SPENT: Final = 5
PENDING_MS: Final = 14 * DAY_MS
VALID_MS: Final = 365 * DAY_MS
LEAST_REDEEMED: Final = 100
REDEEMED_MAX: Final = 1_000_000
# What transfers of points are about that belong to no order, before whose they are.
EXPIRY: Final = "expiry:"
REDEMPTION: Final = "redemption:"
ISSUED: Final = account(AccountKind.POINTS_ISSUED)

TOO_FEW_POINTS = declare(
    "too_few_points",
    RefusalKind.CONFLICT,
    en="There are not so many points to be redeemed.",
    ar="لا توجد نقاط كافية للاستبدال.",
)


class Lot(Struct, frozen=True, kw_only=True):
    """What is left of the points of one order; `from_at` is when they may be spent."""

    about: str
    points: int
    from_at: Instant

    @property
    def until_at(self) -> Instant:
        """When they expire."""
        return self.from_at + VALID_MS


class PointsHistory:
    """What a customer's two accounts say, folded from their transfers, oldest first."""

    def __init__(self, user_id: UserId, transfers: Iterable[Transfer]) -> None:
        self.user_id = user_id
        self._promised, self._active = promised_of(user_id), points_of(user_id)
        self._pending: Counter[str] = Counter()
        self._from_at: dict[str, Instant] = {}
        self._credits: list[Lot] = []
        self._debits = 0
        self._taken_back: Counter[str] = Counter()
        for one in transfers:
            self._take(one)

    def due(self, now: Instant) -> tuple[Transfer, ...]:
        """What has become spendable, or has expired, by now and is not in the ledger yet."""
        ripe = [lot for lot in self.pending() if lot.from_at <= now]
        rest = self._expired(ripe, now)
        return (*(self._activation(lot) for lot in ripe), *rest)

    def pending(self) -> list[Lot]:
        """Promised points, oldest first."""
        lots = (
            Lot(about=about, points=points, from_at=self._from_at[about])
            for about, points in self._pending.items()
            if points
        )
        return sorted(lots, key=lambda lot: lot.from_at)

    def active(self, now: Instant) -> list[Lot]:
        """Points that may be spent now, those that expire first first."""
        ripe = [lot for lot in self.pending() if lot.from_at <= now]
        return [lot for lot in self._left(ripe) if lot.until_at > now]

    def take_back(self, order: Order, refunded_halalas: int) -> Transfer | None:
        """Points of what was given back of an order by now; no more than there are."""
        about = about_order(order.id)
        earned = points_for(order.total_halalas)
        wanted = earned - points_for(max(0, order.total_halalas - refunded_halalas))
        missing = wanted - self._taken_back[about]
        promised = min(missing, self._pending[about])
        active = min(missing - promised, sum(lot.points for lot in self._left([])))
        if promised + active <= 0:
            return None
        amounts = {
            self._promised: -promised,
            self._active: -active,
            ISSUED: promised + active,
        }
        return _transfer(
            ("taken back", about, str(refunded_halalas)), amounts, about, order.placed_at
        )

    def _take(self, transfer: Transfer) -> None:
        about, is_back = transfer.about, _is_taken_back(transfer)
        for leg in transfer.legs:
            if is_back and leg.account != ISSUED:
                self._taken_back[about] -= leg.amount
            if leg.account == self._promised:
                self._pending[about] += leg.amount
                self._from_at.setdefault(about, transfer.effective_at + PENDING_MS)
            elif leg.account == self._active and leg.amount > 0:
                at = transfer.effective_at
                self._credits.append(Lot(about=about, points=leg.amount, from_at=at))
            elif leg.account == self._active:
                self._debits -= leg.amount

    def _left(self, ripe: list[Lot]) -> list[Lot]:
        """What is left of each order's points, when the oldest are always used first."""
        used, left = self._debits, []
        for lot in sorted((*self._credits, *ripe), key=lambda lot: lot.from_at):
            rest = max(0, lot.points - used)
            used -= lot.points - rest
            if rest:
                left.append(Lot(about=lot.about, points=rest, from_at=lot.from_at))
        return left

    def _expired(self, ripe: list[Lot], now: Instant) -> tuple[Transfer, ...]:
        gone = [lot for lot in self._left(ripe) if lot.until_at <= now]
        points = sum(lot.points for lot in gone)
        if not points:
            return ()
        # All that was ever credited until then: the same points expire once.
        until = max(lot.until_at for lot in gone)
        name = ("expired", self.user_id, str(until))
        amounts = {self._active: -points, ISSUED: points}
        return (_transfer(name, amounts, f"{EXPIRY}{self.user_id}", until),)

    def _activation(self, lot: Lot) -> Transfer:
        amounts = {self._promised: -lot.points, self._active: lot.points}
        return _transfer(("activated", lot.about), amounts, lot.about, lot.from_at)


def points_for(halalas: int) -> int:
    """What an order of so much gives: a point for every whole riyal."""
    return halalas // HALALAS_PER_EARNED


def points_of(user_id: UserId) -> AccountId:
    """Points that a customer may spend."""
    return account(AccountKind.POINTS, user_id)


def promised_of(user_id: UserId) -> AccountId:
    """Points that a customer may spend later."""
    return account(AccountKind.POINTS_PENDING, user_id)


def points_due(decision: Decision) -> tuple[EnterTransfer, ...]:
    """The points that a decision promises; the same decision promises them once."""
    delivered = (
        (change.thing, event)
        for change in decision.changes
        for event in change.events
        if isinstance(change.thing, Order) and isinstance(event, OrderDelivered)
    )
    promised = (_promise(order, event.at) for order, event in delivered)
    return tuple(to_enter(one) for one in promised if one is not None)


def redemption(user_id: UserId, points: int, *, cause: str, at: Instant) -> Transfer:
    """Points become credit for gifts: two assets in one transfer, each of which balances."""
    halalas = points * HALALAS_PER_SPENT
    amounts = {
        points_of(user_id): -points,
        ISSUED: points,
        account(AccountKind.GOODWILL): -halalas,
        account(AccountKind.GIFT_CREDIT, user_id): halalas,
    }
    return _transfer(("redeemed", cause), amounts, f"{REDEMPTION}{user_id}", at)


def gift_credit(user_id: UserId, halalas: int, *, cause: str, at: Instant) -> Transfer:
    """So much to spend on gifts, given by us; the same `cause` is the same gift."""
    credit = account(AccountKind.GIFT_CREDIT, user_id)
    return Transfer(
        id=TransferId(derived_id("gift credit", cause)),
        reason=TransferReason.GOODWILL,
        legs=move({account(AccountKind.GOODWILL): -halalas, credit: halalas}),
        effective_at=at,
        about=f"customer:{user_id}",
    )


def redeemable(points: int, available: int) -> Refusal | None:
    """Why so many cannot be redeemed."""
    if LEAST_REDEEMED <= points <= available:
        return None
    return TOO_FEW_POINTS(least=LEAST_REDEEMED, available=available)


def _promise(order: Order, at: Instant) -> Transfer | None:
    points = points_for(order.total_halalas)
    if not points:
        return None
    amounts = {promised_of(order.customer_id): points, ISSUED: -points}
    about = about_order(order.id)
    return _transfer(("promised", about), amounts, about, at)


def promise_id(order: Order) -> TransferId:
    """The transfer that promises an order's points."""
    return _id("promised", about_order(order.id))


def _is_taken_back(transfer: Transfer) -> bool:
    """Whether it takes an order's points back: they go, and come on no other account of his."""
    is_of_order = transfer.about.startswith("order:")
    return is_of_order and any(leg.account == ISSUED and leg.amount > 0 for leg in transfer.legs)


def _transfer(
    names: tuple[str, ...], amounts: dict[AccountId, int], about: str, at: Instant
) -> Transfer:
    legs: tuple[Leg, ...] = move(amounts)
    return Transfer(
        id=_id(*names),
        reason=TransferReason.POINTS,
        legs=legs,
        effective_at=at,
        about=about,
    )


def _id(*names: str) -> TransferId:
    return TransferId(derived_id("points", *names))
