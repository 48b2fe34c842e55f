"""The host of points: what is due is entered before anything is spent."""

from collections.abc import Callable
from typing import Final

from actors.clock import Clock
from actors.ledger import LedgerKeeper, posted_to
from engine.kernel.ids import UserId
from engine.kernel.messages import Effect
from engine.kernel.refusals import KEY_REUSED, UNAVAILABLE, Refusal
from engine.kernel.timing import DAY_MS
from engine.loyalty.points import (
    PointsHistory,
    points_for,
    points_of,
    promise_id,
    promised_of,
    redeemable,
    redemption,
)
from engine.money.accounts import AccountKind, owner_of
from engine.money.ledger import NOT_ENOUGH, TRANSFER_CHANGED, Entry
from engine.money.transfers import Transfer
from engine.orders.order import Order
from engine.payments.messages import TakePointsBack
from storage.ledger import LedgerStore
from storage.store import Store

_PAGE: Final = 500
_RACES_MAX: Final = 8
# Somebody was quicker: what was decided on is not so any more.
_LOST: Final = frozenset({NOT_ENOUGH.code, TRANSFER_CHANGED.code})


class PointsNotPromised(Exception):
    """Points cannot go before they have come: the outbox tries it again."""


class Loyalty:
    """One for a process; `books` is what is read of the ledger."""

    def __init__(
        self, ledger: LedgerKeeper, books: LedgerStore, orders: Store, *, clock: Clock
    ) -> None:
        self._ledger, self._books, self._orders, self._clock = ledger, books, orders, clock

    async def history(self, user_id: UserId) -> PointsHistory:
        """All that happened to a customer's points."""
        found: dict[int, Transfer] = {}
        for name in (promised_of(user_id), points_of(user_id)):
            async for one in posted_to(self._books, name):
                found[one.number] = one.transfer
        return PointsHistory(user_id, (found[number] for number in sorted(found)))

    async def settle(self, user_id: UserId) -> PointsHistory:
        """Enter what has become spendable and what has expired by now."""
        for _ in range(_RACES_MAX):
            history = await self.history(user_id)
            due = history.due(self._clock.now())
            if not due:
                return history
            for one in due:
                _checked(await self._ledger.enter(one))
        raise RuntimeError(f"the points of {user_id} are never still")

    async def settle_all(self, on_one: Callable[[], None]) -> None:
        """The same for every customer who has points."""
        for kind in (AccountKind.POINTS_PENDING, AccountKind.POINTS):
            after = None
            while found := await self._books.list_balances(kind, limit=_PAGE, after=after):
                for name in found:
                    await self.settle(UserId(owner_of(name)))
                    on_one()
                after = max(found)

    async def redeem(self, user_id: UserId, points: int, *, cause: str) -> Transfer | Refusal:
        """Points into credit for gifts; the same `cause` is the same redemption."""
        # The time has no part in it: a repetition is the same transfer.
        wanted = redemption(user_id, points, cause=cause, at=0)
        for _ in range(_RACES_MAX):
            known = await self._books.find_entry(wanted.id)
            if known is not None:
                return known.transfer if known.transfer.legs == wanted.legs else KEY_REUSED()
            now = self._clock.now()
            history = await self.settle(user_id)
            refusal = redeemable(points, sum(lot.points for lot in history.active(now)))
            if refusal is not None:
                return refusal
            made = redemption(user_id, points, cause=cause, at=now)
            entered = await self._ledger.enter(made)
            if isinstance(entered, Entry):
                return made
            assert entered.code in _LOST, f"redemption {made.id}: {entered}"
        return UNAVAILABLE()

    async def on_effect(self, effect: Effect) -> None:
        """Money of an order went back; the same effect again finds nothing to take."""
        assert isinstance(effect, TakePointsBack)
        order = await self._orders.find_order(effect.order_id)
        assert order is not None, "what was paid for was ordered"
        await self.take_back(order, effect.refunded_halalas)
        promise = await self._books.find_entry(promise_id(order))
        is_recent = (order.ended_at or 0) + DAY_MS > self._clock.now()
        if promise is None and is_recent and points_for(order.total_halalas):
            raise PointsNotPromised(order.id)

    async def take_back(self, order: Order, refunded_halalas: int) -> None:
        """The points of all that was given back of an order by now."""
        for _ in range(_RACES_MAX):
            history = await self.settle(order.customer_id)
            back = history.take_back(order, refunded_halalas)
            if back is None or _checked(await self._ledger.enter(back)):
                return


def _checked(entered: Entry | Refusal) -> bool:
    """Whether it was entered; not when somebody was quicker, and anything else is a bug."""
    if isinstance(entered, Entry):
        return True
    assert entered.code in _LOST, f"points: {entered}"
    return False
