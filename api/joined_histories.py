"""A customer's payment history, read page by page: the ledger, and whose its transfers are."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from api.parts import Parts
from engine.kernel.filters import Condition, Operator
from engine.kernel.ids import UserId
from engine.kernel.pages import Page, Wanted, page_of
from engine.kernel.timing import HOUR_MS
from engine.listings import PAYMENT_HISTORY
from engine.money.accounts import AccountId
from engine.money.ledger import Entry
from engine.money.transfers import about_order
from engine.payments.history import (
    HistoryEntry,
    accounts_of,
    entry_of,
    moved_on,
    named,
    with_balances,
)

_AT_ONCE: Final = 200
# Writers' clocks differ by less, so no entry between two that are read is left out.
_MARGIN_MS: Final = HOUR_MS
_LATER: Final = frozenset({Operator.GT, Operator.GTE})


async def joined_history(parts: Parts, customer_id: UserId, wanted: Wanted) -> Page[HistoryEntry]:
    """A page of it, as `PAYMENT_HISTORY` says.

    What a transfer is shows when it is read, so as many are read as a page of what is asked takes.
    """
    orders = await parts.payments.list_paid_orders_of(customer_id)
    abouts = [about_order(one) for one in orders]
    walk = _Walk(parts, accounts_of(customer_id), wanted)
    read = partial(parts.ledger.list_history, walk.own, abouts)
    times = tuple(_widened(one) for one in wanted.only if one.column == "at")
    limit = max(wanted.limit, _AT_ONCE) if wanted.only else wanted.limit
    asked = replace(wanted, limit=limit, only=times)
    while True:
        page = await read(asked)
        # On the way away from where the page begins.
        rows = page.rows[::-1] if wanted.backwards else page.rows
        await walk.pass_by(rows)
        has_more = page.has_previous if wanted.backwards else page.has_next
        if not has_more or len(walk.found) > wanted.limit:
            found = walk.found[: wanted.limit + 1]
            return page_of(await _named(parts, customer_id, found), wanted)
        asked = replace(asked, beyond=(rows[-1].number,))


class _Walk:
    """Goes from entry to entry, and knows what the customer had at each."""

    def __init__(self, parts: Parts, own: Sequence[AccountId], wanted: Wanted) -> None:
        self.own, self.found = own, list[HistoryEntry]()
        self._parts, self._down = parts, wanted.goes_down
        self._only = [(PAYMENT_HISTORY.column(one.column).value_of, one) for one in wanted.only]
        self._balances: Mapping[AccountId, int] | None = None

    async def pass_by(self, entries: Sequence[Entry]) -> None:
        """Keep of these what was asked for."""
        for one in entries:
            shown = entry_of(one, self.own)
            is_kept = shown is not None and all(each.holds(of(shown)) for of, each in self._only)
            if self._balances is None:
                if not is_kept:
                    continue
                before = 0 if self._down else 1
                ledger = self._parts.ledger
                self._balances = await ledger.posted_at(self.own, one.number - before)
            moved = moved_on(one, self.own)
            if not self._down:
                self._balances = _moved(self._balances, moved, 1)
            if shown is not None and is_kept:
                self.found.append(with_balances(shown, one, self._balances))
            if self._down:
                self._balances = _moved(self._balances, moved, -1)


def _moved(
    balances: Mapping[AccountId, int], by: Mapping[AccountId, int], sign: int
) -> dict[AccountId, int]:
    return {name: posted + sign * by.get(name, 0) for name, posted in balances.items()}


def _widened(one: Condition) -> Condition:
    assert isinstance(one.value, int), "a time is a number"
    margin = -_MARGIN_MS if one.operator in _LATER else _MARGIN_MS
    return replace(one, value=one.value + margin)


async def _named(
    parts: Parts, customer_id: UserId, entries: Sequence[HistoryEntry]
) -> list[HistoryEntry]:
    """With the payment and the refund that each belongs to."""
    orders = sorted({one.order_id for one in entries if one.order_id is not None})
    payments = await parts.payments.list_for(customer_id, orders) if orders else ()
    known = named(payments)
    return [
        replace(one, payment_id=of_it[0], refund_id=of_it[1])
        if (of_it := known.get(one.transfer_id))
        else one
        for one in entries
    ]
